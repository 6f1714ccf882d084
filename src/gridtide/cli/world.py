"""What a command works in: the settings, the exchange they lead to, and the database of the books."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.bootstrap import LiveOptions, connection_for
from gridtide.cli.embedded import DEFAULT_SYMBOL, Embedded, Play, launch_spec, open_embedded
from gridtide.config import AppSettings, BotSettings, Mode, config_hash, load_settings, secret_values
from gridtide.domain.errors import InvalidConfig, InvalidInput, StorageFailed
from gridtide.domain.market import Symbol
from gridtide.sandbox.state_file import write_private
from gridtide.telemetry.redaction import SECRETS

if TYPE_CHECKING:
    from gridtide.exchanges.connection import ExchangeConnection

LAST_RUN = "last-run.json"
DEFAULT_BOT = "grid"
"""Name of the bot of a run without a config."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    config: Path | None = None
    bot: str | None = None
    state_folder: Path = Path(".gridtide")
    play: Play = field(default_factory=Play)
    for_market: str | None = None
    """Set where a market is meant, and a bot only as far as it trades there."""


@dataclass(frozen=True, slots=True)
class World:
    """A way to one exchange, and what trades there."""

    wish: Wish
    settings: AppSettings
    bot: BotSettings | None
    """None: the default grid."""
    symbol: Symbol
    connection: ExchangeConnection
    database_url: str
    embedded: Embedded | None

    @property
    def exchange_name(self) -> str:
        """The exchange as the person knows it, with their own name for the account."""
        exchange = self.settings.exchange
        return f"{exchange.name} ({exchange.account})" if exchange.account else exchange.name

    def live_options(self, version: str) -> LiveOptions:
        """What the composition root needs to know."""
        return LiveOptions(
            mode=self.settings.mode,
            database_url=self.database_url,
            version=version,
            config_hash=config_hash(self.settings),
            bot=self.bot,
            symbol=self.symbol,
            journal_days=self.settings.storage.journal_days,
        )


def read_wish(wish: Wish) -> tuple[AppSettings, BotSettings | None]:
    """The settings and the bot that is meant; its secrets are hidden from now on. Raises `InvalidConfig`."""
    settings = load_settings(wish.config)
    SECRETS.register(*secret_values(settings))
    if settings.mode is not Mode.SANDBOX and wish.play != Play():
        raise InvalidInput(
            f"--market, --speed and --seed are for the sandbox; the config says mode: {settings.mode}"
        )
    return settings, _chosen_bot(settings, wish)


@asynccontextmanager
async def open_world(wish: Wish, *, keep_alive: bool = False) -> AsyncIterator[World]:
    """The world of `wish`. An embedded sandbox is ended behind it.

    With `keep_alive` one that somebody else started is taken as it is, and left running.
    """
    settings, bot = read_wish(wish)
    if settings.mode is not Mode.SANDBOX or settings.exchange.rest_url:
        symbol = (wish.play.market or DEFAULT_SYMBOL).upper() if bot is None else bot.market
        yield World(wish, settings, bot, Symbol(symbol), connection_for(settings), settings.storage.url, None)
        return
    spec = launch_spec(settings, bot, wish.play)
    embedded = await open_embedded(settings, spec, wish.state_folder, as_it_is=keep_alive)
    handle = embedded.handle
    SECRETS.register(handle.secret, handle.contact.control_token)
    try:
        connection = connection_for(
            settings, rest_url=handle.url, api_key=handle.api_key, secret=handle.secret
        )
        yield World(
            wish,
            settings,
            bot,
            Symbol(spec.symbol or DEFAULT_SYMBOL),
            connection,
            embedded.database_url,
            embedded,
        )
    except BaseException:
        with suppress(StorageFailed):  # what went wrong before is told; the next start tells of the sandbox
            await _leave(embedded, keep_alive=keep_alive)
        raise
    await _leave(embedded, keep_alive=keep_alive)


async def _leave(embedded: Embedded, *, keep_alive: bool) -> None:
    if not (keep_alive and embedded.was_running):
        await embedded.handle.shutdown()


def remember(wish: Wish) -> None:
    """Note what runs, so that `status` and `stop` find its books when it does not run any more."""
    play = asdict(wish.play) | {"speed": str(wish.play.speed) if wish.play.speed is not None else None}
    config = str(wish.config.absolute()) if wish.config is not None else None
    wish.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    noted = {"config": config, "bot": wish.bot, "play": play}
    write_private(wish.state_folder / LAST_RUN, json.dumps(noted).encode())


def last_wish(state_folder: Path) -> Wish:
    """What ran last in the folder. Raises `InvalidInput` where nothing did."""
    try:
        noted = json.loads((state_folder / LAST_RUN).read_text())
        play = noted["play"]
        config = noted["config"]
        return Wish(
            Path(config) if config else None,
            noted["bot"],
            state_folder,
            Play(play["market"], None, play["seed"], None),
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"nothing ran in {state_folder} yet: start a bot with `gridtide run`, or name its --state-folder"
        ) from None


def meant_wish(config: Path | None, bot: str | None, state_folder: Path, play: Play) -> Wish:
    """What the options name; without any what ran last in the folder, and where nothing did the default grid."""
    if config is None and bot is None and play == Play() and (state_folder / LAST_RUN).exists():
        return last_wish(state_folder)
    return Wish(config, bot, state_folder, play)


def order_wish(state_folder: Path, symbol: str) -> Wish:
    """Where a single order goes without a config: the sandbox that ran last in the folder, if it plays `symbol`."""
    fresh = Wish(None, None, state_folder, Play(symbol), for_market=symbol)
    try:
        last = replace(last_wish(state_folder), bot=None, for_market=symbol)
        settings, bot = read_wish(last)
        if settings.mode is not Mode.SANDBOX:
            return fresh  # other exchanges, and real money, are reached by naming their config
        if settings.exchange.rest_url or launch_spec(settings, bot, last.play).symbol == symbol:
            return last
    except InvalidInput:
        pass  # nothing ran here, or its config or market file is gone
    return fresh


def _chosen_bot(settings: AppSettings, wish: Wish) -> BotSettings | None:
    if wish.for_market is not None:
        return next((bot for bot in settings.bots if bot.market == wish.for_market), None)
    names = [bot.name for bot in settings.bots]
    if wish.bot is not None:
        if wish.bot not in names:
            raise InvalidConfig(f"--bot {wish.bot}: the config has {', '.join(names) or 'no bots'}")
        return settings.bot(wish.bot)
    if len(names) > 1:
        raise InvalidConfig(f"{wish.config} has {len(names)} bots: say which with --bot ({', '.join(names)})")
    if not names and settings.mode is not Mode.SANDBOX:
        raise InvalidConfig(f"{wish.config} has no bots: a grid without a config trades on the sandbox only")
    return settings.bots[0] if names else None
