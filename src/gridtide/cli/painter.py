"""Paints views in a thread of its own: a terminal that takes no more text (Ctrl-S, a full pipe) never stops trading."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.cli.live_view import View
    from gridtide.runners.view import BotView

CLOSE_SECONDS = 2.0


class Painter:
    """Shows the newest of the views it is handed; those it is too slow for are left out."""

    def __init__(self, view: View) -> None:
        self.failure: Exception | None = None
        self._view = view
        self._newest: BotView | None = None
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._paint, name="view", daemon=True)
        self._thread.start()

    def show(self, view: BotView) -> None:
        """Hand over the newest view; returns at once."""
        with self._changed:
            self._newest = view
            self._changed.notify()

    def close(self) -> bool:
        """Paint what is still waiting and end; False where the terminal does not take it."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        return not self._thread.is_alive()

    def _paint(self) -> None:
        while (view := self._next()) is not None:
            try:
                self._view.update(view)
            except Exception as error:  # whatever a terminal can raise: the bot goes on without a view
                self.failure = error
                return

    def _next(self) -> BotView | None:
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._is_closed)
            view, self._newest = self._newest, None
            return view
