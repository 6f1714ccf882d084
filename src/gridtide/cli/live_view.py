"""The live view of a running bot: a full screen on a terminal, plain lines anywhere else.

The screen is drawn anew from each `BotView` and sized to the terminal; it keeps no state of its own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO, cast

from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.text import Text

from gridtide.cli import panels, wording
from gridtide.cli.panels import ASCII, Marks
from gridtide.telemetry.console import without_control

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gridtide.runners.view import BotView

WIDE = 132
"""Columns from which fills and notices get a column of their own."""
SMALL_ROWS = 16
SMALL_COLUMNS = 76
LINE_SECONDS = 10.0
"""How often plain lines repeat how things stand."""


class View(Protocol):
    """Something a run shows itself on."""

    def update(self, view: BotView) -> None: ...


class ScreenView(AbstractContextManager["ScreenView"]):
    """The full screen; leaves the terminal as it found it."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False)
        self._console = console
        self._marks = marks_for(console)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with contextlib.suppress(
            OSError
        ):  # the terminal may be gone; the run has to end in order all the same
            self._live.stop()

    def update(self, view: BotView) -> None:
        columns, rows = self._console.size
        self._live.update(render(view, columns, rows, self._marks), refresh=True)


class LineView(AbstractContextManager["LineView"]):
    """Fills and notices as they happen and, every ten seconds, how things stand: for logs, pipes and small screens."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._told_at = float("-inf")
        self._fills_told = -1
        self._notices_told: set[tuple[int, str]] = set()
        self._state = ""

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._out.flush()

    def update(self, view: BotView) -> None:
        self._tell_notices(view)
        self._tell_fills(view)
        is_due = self._clock() - self._told_at >= LINE_SECONDS
        if is_due or view.state != self._state:
            self._told_at, self._state = self._clock(), view.state
            self._line(view, standing_line(view))

    def _tell_fills(self, view: BotView) -> None:
        new = view.fills - self._fills_told if self._fills_told >= 0 else 0
        self._fills_told = view.fills
        for fill in view.recent_fills[-new:] if new else ():
            self._line(view, wording.fill_text(view.market, fill))

    def _tell_notices(self, view: BotView) -> None:
        for notice in view.notices:
            key = (notice.timestamp, notice.text)
            if key not in self._notices_told:
                self._notices_told.add(key)
                prefix = "" if notice.level == "info" else f"{notice.level}: "
                self._line(view, prefix + notice.text)

    def _line(self, view: BotView, text: str) -> None:
        self._out.write(f"{wording.clock_text(view.now)} {without_control(text)}\n")
        self._out.flush()


class NoView(AbstractContextManager["NoView"]):
    """Shows nothing: `--quiet` and `--json`."""

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        return None

    def update(self, view: BotView) -> None:
        del view


def open_view(console: Console, *, quiet: bool) -> ScreenView | LineView | NoView:
    """The view that fits: nothing when quiet, the screen on a terminal with room, else lines."""
    if quiet:
        return NoView()
    columns, rows = console.size
    if (
        console.is_terminal
        and not console.is_dumb_terminal
        and rows >= SMALL_ROWS
        and columns >= SMALL_COLUMNS
    ):
        return ScreenView(console)
    return LineView(cast("TextIO", console.file))


def marks_for(console: Console) -> Marks:
    """Signs the terminal's encoding has."""
    return Marks() if console.encoding.lower().startswith("utf") else ASCII


def standing_line(view: BotView) -> str:
    """How things stand, in one line."""
    parts = [
        f"{view.market.symbol} {wording.price_text(view.market, view.price)}",
        view.state.replace("_", " "),
    ]
    parts.append(f"{view.open_orders} orders, {view.fills} fills")
    if view.parked:
        parts.append(f"{len(view.parked)} parked")
    if view.statement is not None:
        places = wording.money_places(view.statement.contributions)
        parts.append(f"grid profit {wording.number(view.statement.grid_profit, places, sign=True)}")
        parts.append(f"floating {wording.number(view.statement.floating_profit, places, sign=True)}")
        parts.append(f"equity {wording.number(view.statement.equity, places)} {view.market.quote}")
        parts.append(wording.books_text(view))
    return " | ".join(parts)


def render(view: BotView, columns: int, rows: int, marks: Marks) -> RenderableType:
    """The whole screen."""
    if rows < SMALL_ROWS or columns < SMALL_COLUMNS:
        return Group(panels.header(view, marks), Text(standing_line(view)))
    screen = Layout()
    top = Layout(panels.header(view, marks), size=2)
    if columns >= WIDE:
        screen.split_column(top, _wide_body(view, columns, rows - 2, marks))
    else:
        fill_rows = max(1, 3 + (rows - 24) // 3) if rows >= 24 else max(1, rows - 21)
        body_rows = rows - 3 - fill_rows - 2
        screen.split_column(
            top,
            _narrow_body(view, body_rows, marks),
            Layout(panels.fills(view, marks, columns, fill_rows), size=fill_rows + 2),
            Layout(panels.notice_line(view), size=1),
        )
    return screen


def _narrow_body(view: BotView, rows: int, marks: Marks) -> Layout:
    body = Layout(size=rows)
    right = Layout(size=36)
    right.split_column(Layout(panels.money(view, marks)), Layout(panels.position(view, marks), size=5))
    body.split_row(Layout(panels.ladder(view, marks, rows - 2, brief=True)), right)
    return body


def _wide_body(view: BotView, columns: int, rows: int, marks: Marks) -> Layout:
    body = Layout(size=rows)
    right = Layout(size=40)
    right.split_column(
        Layout(panels.money(view, marks), size=10),
        Layout(panels.position(view, marks), size=5),
        Layout(panels.notices(view, marks, rows - 17)),
    )
    body.split_row(
        Layout(panels.ladder(view, marks, rows - 2), size=50),
        Layout(panels.fills(view, marks, columns - 90, rows - 2)),
        right,
    )
    return body
