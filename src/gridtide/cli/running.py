"""One run of a bot from the command line: the world, the bot, the view, the signals, and an orderly end.

Whatever ends it, the orders are left as the stop policy says, the exchange is compared with the books first, and an
embedded sandbox is told to save its state.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridtide import __version__
from gridtide.bootstrap import build_live
from gridtide.cli.painter import Painter
from gridtide.cli.report import Ending, summary
from gridtide.cli.running_bot import RunningBot, answer
from gridtide.cli.world import Wish, open_world, remember
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import GridtideError, Transient
from gridtide.domain.journal import BotState
from gridtide.runners.control_socket import ControlSocket
from gridtide.telemetry import events
from gridtide.telemetry.journal_log import JournalLog
from gridtide.telemetry.logs import get_logger

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gridtide.cli.live_view import View
    from gridtide.sandbox.process import SandboxHandle

VIEW_SECONDS = 0.25
MARKET_SECONDS = 1.0
READY_SECONDS = 10.0
"""How long the sandbox's market waits for the grid to stand."""

_GETTING_READY = {BotState.STARTING.value, BotState.RECONCILING.value}
_log = get_logger()


@dataclass(frozen=True, slots=True)
class RunOrder:
    """How a run is to go."""

    wish: Wish
    open_view: Callable[[], AbstractContextManager[View]]
    """Opens what the run shows itself on."""
    tell: Callable[[str], None]
    """Says a line to the person before the view opens."""
    seconds: float | None = None
    policy: StopPolicy | None = None
    """None: what the bot's config says."""


async def run_bot(order: RunOrder) -> Ending:
    """Trade until something ends it, and tell how it ended. Raises what kept it from trading."""
    holder: list[RunningBot] = []
    control = ControlSocket(order.wish.state_folder, lambda request: answer(holder, request))
    await control.start()  # first of all: it proves that no other bot runs in this folder
    try:
        async with open_world(order.wish) as world:
            if world.embedded is not None:
                order.tell(world.embedded.story)
            remember(order.wish)
            run = await build_live(world.connection, world.live_options(__version__))
            policy = order.policy or (world.bot.on_stop if world.bot is not None else StopPolicy.KEEP)
            bot = RunningBot(run, world, policy)
            holder.append(bot)
            ending = await _trade(bot, order)
            bot.ended.set_result(summary(ending))
            return ending
    except BaseException as error:
        if holder and not holder[0].ended.done():
            holder[0].ended.set_exception(
                error if isinstance(error, GridtideError) else Transient("the run failed")
            )
            holder[0].ended.exception()  # told to whoever asked, and to nobody else
        raise
    finally:
        await control.close()


async def _trade(bot: RunningBot, order: RunOrder) -> Ending:
    """Start, trade, compare, stop, close."""
    started = time.monotonic()
    _log.info(
        events.RUN_STARTED, run_id=bot.run.run_id, mode=bot.world.settings.mode.value, bot=bot.view().name
    )
    bot.run.on_entry = JournalLog(_log.bind(run_id=bot.run.run_id))
    with order.open_view() as view, _signals(bot):
        try:
            await bot.run.start()
            async with _beside(_show(bot, view)), _market(bot):
                await bot.run.wait(order.seconds)
                bot.reason = bot.reason or "the time of --for is over"
                return await end(bot, started)
        finally:
            await bot.run.close()
            _log.info(events.RUN_STOPPED, run_id=bot.run.run_id, reason=bot.reason, policy=bot.policy.value)


async def end(bot: RunningBot, started: float) -> Ending:
    """Compare with the exchange while the market stands still, then do what the stop policy says."""
    sandbox = _sandbox_of(bot)
    if sandbox is not None:
        with contextlib.suppress(GridtideError):
            await sandbox.hold()
    try:
        verification = await bot.run.verify()
    except Transient as error:
        raise Transient(
            "the bot stopped while the exchange did not answer: its orders stay as they are, its books are kept, and "
            "the next run compares the two; start it again once the exchange answers"
        ) from error
    _log.info(
        events.RUN_COMPARED,
        run_id=bot.run.run_id,
        agrees=verification.agrees,
        differences=verification.differences,
    )
    before = bot.view()
    await bot.run.stop(bot.policy)
    return Ending(bot.reason, bot.policy, before, bot.view(), verification, time.monotonic() - started)


# --- beside the trading ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` while the block runs; its failure is logged and harms nothing."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error(events.VIEW_FAILED, exc_info=error)


async def _show(bot: RunningBot, view: View) -> None:
    painter = Painter(view)
    try:
        while painter.failure is None:
            painter.show(bot.view())
            await asyncio.sleep(VIEW_SECONDS)
        _log.error(events.VIEW_FAILED, exc_info=painter.failure)
    finally:
        painter.close()


@contextlib.asynccontextmanager
async def _market(bot: RunningBot) -> AsyncIterator[None]:
    """Let the sandbox's market go once the bot is ready, and follow its time."""
    sandbox = _sandbox_of(bot)
    if sandbox is None:
        yield
        return
    async with _beside(_follow_market(bot, sandbox)):
        yield


async def _follow_market(bot: RunningBot, sandbox: SandboxHandle) -> None:
    await _until_running(bot)
    await sandbox.resume()
    while True:
        with contextlib.suppress(Transient):
            status = await sandbox.status()
            bot.market_time = status["markets"][bot.world.symbol]["market_time"]
            if status["finished"]:
                bot.ask_to_stop("the market file is at its end")
        await asyncio.sleep(MARKET_SECONDS)


async def _until_running(bot: RunningBot) -> None:
    """Until the grid stands: market time should not run away while the bot is still getting ready."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        view = bot.view()
        if view.state not in _GETTING_READY and view.open_orders:
            return
        await asyncio.sleep(0.05)


def _sandbox_of(bot: RunningBot) -> SandboxHandle | None:
    return bot.world.embedded.handle if bot.world.embedded is not None else None


@contextlib.contextmanager
def _signals(bot: RunningBot) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the run in order; a second Ctrl-C does not wait for that."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def asked(reason: str) -> None:
        if bot.reason:
            task.cancel()
        bot.ask_to_stop(reason)

    reasons = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "the terminal was closed"}
    for number, reason in reasons.items():
        loop.add_signal_handler(number, asked, reason)
    try:
        yield
    finally:
        for number in reasons:
            loop.remove_signal_handler(number)
