"""What comes before and after a run, whichever command asked for it: log, confirmation, event loop, report."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gridtide.bootstrap.kept_verdicts import verdict_line
from gridtide.cli.output import print_json, say, warn
from gridtide.cli.questions import confirm
from gridtide.cli.report import closing_text, summary
from gridtide.cli.running import RunOrder, run_bot
from gridtide.cli.world import Wish, read_wish
from gridtide.config import AppSettings, Mode
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import InvalidInput, Unconfirmed
from gridtide.telemetry.logs import Logs, configure_logging

if TYPE_CHECKING:
    from gridtide.cli.live_view import LineView, NoView, ScreenView


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run shows itself and what it may do without asking."""

    json: bool = False
    quiet: bool = False
    yes: bool = False

    @property
    def is_silent(self) -> bool:
        return self.json or self.quiet


def launch(wish: Wish, manner: Manner, *, seconds: float | None, policy: StopPolicy | None) -> int:
    """Trade as `wish` says and report. The exit code is 1 where books or exchange did not agree at the end."""
    settings, bot = read_wish(wish)
    if bot is not None and not manner.is_silent and (verdict := verdict_line(wish.config, bot)):
        say(verdict)
    with Logging(settings, wish, console=manner.is_silent):
        _confirm_policy(policy or (bot.on_stop if bot is not None else StopPolicy.KEEP), manner)
        if settings.mode is Mode.LIVE:
            _confirm_real_money(wish, manner)
        order = RunOrder(wish, lambda: _open_view(manner), warn if manner.json else say, seconds, policy)
        ending = run_to_end(run_bot(order))
    if manner.json:
        print_json(summary(ending))
    else:
        say(closing_text(ending))
    books = ending.before.statement
    return 0 if ending.verification.agrees and books is not None and books.is_balanced else 1


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run in an event loop of its own; a second Ctrl-C becomes a sentence."""
    try:
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            return runner.run(work)
    except asyncio.CancelledError:
        raise Unconfirmed(
            "stopped at once: the orders stay in the book, and the next run compares them with the exchange"
        ) from None


def _event_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def chosen_policy(*, keep_orders: bool, cancel: bool, liquidate: bool) -> StopPolicy | None:
    """The policy that the options name; None leaves it to the config. Raises `InvalidInput` for two of them."""
    named = {StopPolicy.KEEP: keep_orders, StopPolicy.CANCEL: cancel, StopPolicy.LIQUIDATE: liquidate}
    chosen = [policy for policy, is_given in named.items() if is_given]
    if len(chosen) > 1:
        raise InvalidInput("give one of --keep-orders, --cancel and --liquidate")
    return chosen[0] if chosen else None


class Logging:
    """The log of one run, in the state folder unless the config says otherwise."""

    def __init__(self, settings: AppSettings, wish: Wish, *, console: bool) -> None:
        self._settings = settings.logging
        self._folder = wish.state_folder
        self._console = console
        self._logs: Logs | None = None

    def __enter__(self) -> None:
        # With a live view the terminal is full: what matters shows as a notice there.
        self._logs = configure_logging(
            file=self._settings.file or self._folder / "gridtide.log",
            level=self._settings.level,
            max_bytes=self._settings.max_bytes,
            backups=self._settings.backups,
            console=sys.stderr if self._console else None,
        )

    def __exit__(self, *_: object) -> None:
        if self._logs is not None:
            self._logs.close()


def _open_view(manner: Manner) -> ScreenView | LineView | NoView:
    from rich.console import Console

    from gridtide.cli.live_view import open_view

    return open_view(Console(), quiet=manner.is_silent)


def _confirm_policy(policy: StopPolicy, manner: Manner) -> None:
    if policy is StopPolicy.LIQUIDATE:
        confirm("At its end this run cancels its orders and sells all its base.", "liquidate", yes=manner.yes)
    elif policy is StopPolicy.CANCEL:
        confirm("At its end this run cancels all its orders.", "cancel", yes=manner.yes)


def _confirm_real_money(wish: Wish, manner: Manner) -> None:
    """Real money needs a passed check and a typed word."""
    from gridtide.cli.check_outcome import Outcome, check_lines
    from gridtide.cli.planning import check_wish

    checks = run_to_end(check_wish(wish))
    for line in check_lines(checks):
        warn(line)
    if any(check.outcome is Outcome.FAILED for check in checks):
        raise InvalidInput("a check failed, so nothing was started: mend what it says, then try again")
    confirm("This trades REAL MONEY.", "trade", yes=manner.yes)
