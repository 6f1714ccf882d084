"""A bot while it trades: how it stands, how it is asked to end, and what it answers to the command line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gridtide.cli.report import view_values
from gridtide.cli.world import DEFAULT_BOT
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import InvalidInput, Transient
from gridtide.domain.journal import BotState
from gridtide.runners.view_builder import build_view
from gridtide.telemetry import events
from gridtide.telemetry.logs import get_logger

if TYPE_CHECKING:
    from gridtide.cli.world import World
    from gridtide.runners.live import LiveRun
    from gridtide.runners.view import BotView

COMMAND_SECONDS = 10.0
"""How long a pause or resume may take to show."""

_log = get_logger()


@dataclass(slots=True)
class RunningBot:
    """A bot while it trades, and how it is asked to end."""

    run: LiveRun
    world: World
    policy: StopPolicy
    reason: str = ""
    market_time: int | None = None
    """Time of the sandbox's market, which the bot itself does not know."""
    ended: asyncio.Future[dict[str, Any]] = field(default_factory=asyncio.Future)
    """The summary, once the run is over."""

    def view(self) -> BotView:
        name = self.world.bot.name if self.world.bot is not None else DEFAULT_BOT
        view = build_view(
            self.run, name=name, mode=self.world.settings.mode.value, market_time=self.market_time
        )
        return replace(view, exchange=self.world.exchange_name)

    def ask_to_stop(self, reason: str, policy: StopPolicy | None = None) -> None:
        """End the run; the first reason stands."""
        if policy is not None:
            self.policy = policy
        self.reason = self.reason or reason
        self.run.ask_to_stop()


async def answer(holder: list[RunningBot], request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer to a request over the control socket; `holder` holds the bot once it is ready."""
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
