"""One run of a bot from the command line: the world, the bot, the view, the signals, and an orderly end.

Whatever ends it, the orders are left as the stop policy says, the exchange is compared with the books first, and an
embedded sandbox is told to save its state.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from gridtide import __version__
from gridtide.bootstrap import build_live
from gridtide.cli.report import Ending, summary, view_values
from gridtide.cli.world import DEFAULT_BOT, Wish, open_world, remember
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import GridtideError, InvalidInput, Transient
from gridtide.domain.journal import BotState
from gridtide.runners.control_socket import ControlSocket
from gridtide.runners.view_builder import build_view
from gridtide.telemetry import events
from gridtide.telemetry.journal_log import JournalLog
from gridtide.telemetry.logs import get_logger

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gridtide.cli.live_view import View
    from gridtide.cli.world import World
    from gridtide.runners.live import LiveRun
    from gridtide.runners.view import BotView
    from gridtide.sandbox.process import SandboxHandle

VIEW_SECONDS = 0.25
MARKET_SECONDS = 1.0
COMMAND_SECONDS = 10.0
"""How long a pause or resume may take to show."""

_GETTING_READY = {BotState.STARTING.value, BotState.RECONCILING.value}
_log = get_logger()


class OpensView(Protocol):
    """Opens what the run shows itself on."""

    def __call__(self) -> AbstractContextManager[View]: ...


@dataclass(frozen=True, slots=True)
class RunOrder:
    """How a run is to go."""

    wish: Wish
    open_view: OpensView
    tell: Callable[[str], None]
    """Says a line to the person before the view opens."""
    seconds: float | None = None
    policy: StopPolicy | None = None
    """None: what the bot's config says."""


@dataclass(slots=True)
class _Show:
    """What the view needs beside the engine's own state."""

    market_time: int | None = None
    has_ended: bool = False


@dataclass(slots=True)
class RunningBot:
    """A bot while it trades, and how it is asked to end."""

    run: LiveRun
    world: World
    policy: StopPolicy
    reason: str = ""
    show: _Show = field(default_factory=_Show)
    ended: asyncio.Future[dict[str, Any]] = field(default_factory=asyncio.Future)
    """The summary, once the run is over."""

    def view(self) -> BotView:
        name = self.world.bot.name if self.world.bot is not None else DEFAULT_BOT
        view = build_view(
            self.run, name=name, mode=self.world.settings.mode.value, market_time=self.show.market_time
        )
        return replace(view, exchange=self.world.exchange_name)

    def ask_to_stop(self, reason: str, policy: StopPolicy | None = None) -> None:
        """End the run; the first reason stands."""
        if policy is not None:
            self.policy = policy
        self.reason = self.reason or reason
        self.run.ask_to_stop()


async def run_bot(order: RunOrder) -> Ending:
    """Trade until something ends it, and tell how it ended. Raises what kept it from trading."""
    holder: list[RunningBot] = []
    control = ControlSocket(order.wish.state_folder, lambda request: _answer(holder, request))
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
    try:
        with _signals(bot), order.open_view() as view:
            await bot.run.start()
            async with _beside(_show(bot, view)), _market(bot):
                await bot.run.wait(order.seconds)
                bot.reason = bot.reason or "the time of --for is over"
                return await _end(bot, started)
    finally:
        await bot.run.close()
        _log.info(events.RUN_STOPPED, run_id=bot.run.run_id, reason=bot.reason, policy=bot.policy.value)


async def _end(bot: RunningBot, started: float) -> Ending:
    """Compare with the exchange while the market stands still, then do what the stop policy says."""
    sandbox = _sandbox_of(bot)
    if sandbox is not None:
        with contextlib.suppress(GridtideError):
            await sandbox.hold()
    verification = await bot.run.verify()
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
    while True:
        view.update(bot.view())
        await asyncio.sleep(VIEW_SECONDS)


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
            bot.show.market_time = status["markets"][bot.world.symbol]["market_time"]
            if status["finished"]:
                bot.ask_to_stop("the market file is at its end")
        await asyncio.sleep(MARKET_SECONDS)


async def _until_running(bot: RunningBot) -> None:
    """Until the grid stands: market time should not run away while the bot is still getting ready."""
    deadline = time.monotonic() + COMMAND_SECONDS
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


# --- what `gridtide status`, `pause`, `resume` and `stop` ask --------------------------------------------


async def _answer(holder: list[RunningBot], request: Mapping[str, Any]) -> Mapping[str, Any]:
    if not holder:
        raise InvalidInput("the bot is still getting ready: ask again in a moment")
    bot = holder[0]
    _log.info(events.COMMAND_RECEIVED, command=request["command"])
    match request["command"]:
        case "status":
            return view_values(bot.view())
        case "pause":
            bot.run.pause()
            return await _shown(bot, lambda state: state.startswith(BotState.PAUSED))
        case "resume":
            bot.run.resume()
            return await _shown(bot, lambda state: not state.startswith(BotState.PAUSED))
        case "stop":
            policy = request.get("policy")
            bot.ask_to_stop("gridtide stop", StopPolicy(policy) if policy is not None else None)
            return await asyncio.shield(bot.ended)
        case unknown:
            raise InvalidInput(f"there is no command {unknown!r}: status, pause, resume, stop")


async def _shown(bot: RunningBot, reached: Callable[[str], bool]) -> dict[str, Any]:
    """How the bot stands once the command shows."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while not reached(bot.view().state):
        if time.monotonic() > deadline:
            raise Transient(f"the bot has not answered yet; it is {bot.view().state}")
        await asyncio.sleep(0.05)
    return view_values(bot.view())
