"""The sandbox exchange that `run` brings along: one folder for each market played, with its state and its books.

A killed bot leaves its sandbox alive; whoever comes next takes it up again. Whoever ends it, it saves its state.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.cli.exchange_options import START_PRICES, unknown_market
from gridtide.config.fees import FeeSettings
from gridtide.config.strategy import GridSettings
from gridtide.domain.errors import DataUnusable, InvalidConfig, InvalidInput
from gridtide.domain.money import cut_to_places, plain
from gridtide.market_data.known_markets import known_symbols, symbol_of_name
from gridtide.sandbox.launch import STATE_FILE, LaunchSpec
from gridtide.sandbox.process import SandboxHandle, attach, read_launch, start_process, was_cut_short
from gridtide.sandbox.state_file import write_private

if TYPE_CHECKING:
    from gridtide.config import AppSettings, BotSettings

DEFAULT_SYMBOL = "BTC/USDT"
DEFAULT_BALANCE = "15000"
BOOKS_FILE = "books.json"
_SYMBOL = re.compile(r"[A-Za-z0-9]{1,20}/[A-Za-z0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Play:
    """What the command line says about the sandbox's market, above the config."""

    market: str | None = None
    """A file, or a market such as ETH/USDT."""
    speed: Decimal | None = None
    seed: int | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """A sandbox that runs, and the database that belongs to it."""

    handle: SandboxHandle
    database_url: str
    was_running: bool
    story: str
    """What happened, for the person: started, taken up again, found running."""


def launch_spec(settings: AppSettings, bot: BotSettings | None, play: Play) -> LaunchSpec:
    """What the sandbox is to play. Raises `InvalidInput` for what it cannot."""
    sandbox = settings.sandbox
    market_file = _file_of(play.market, sandbox.market)
    symbol = _symbol(bot, play.market, market_file)
    balances = {asset: plain(amount) for asset, amount in sandbox.balances.items()}
    speed = play.speed if play.speed is not None else sandbox.speed
    if not (speed.is_finite() and speed > 0):
        raise InvalidInput(f"--speed {speed} is not above zero")
    fee_asset, fee_asset_price = _fee_asset(sandbox.fees, symbol)
    return LaunchSpec(
        symbol=symbol,
        market_file=None if market_file is None else str(market_file.absolute()),
        seed=sandbox.seed if play.seed is None else play.seed,
        start_price=plain(_start_price(sandbox.start_price, bot, symbol)),
        speed=float(speed),
        hold=True,
        port=sandbox.port if play.port is None else play.port,
        balances=balances or {symbol.partition("/")[2]: DEFAULT_BALANCE},
        maker_fee=plain(sandbox.fees.maker),
        taker_fee=plain(sandbox.fees.taker),
        fee_asset=fee_asset,
        fee_asset_price=fee_asset_price,
    )


def sandbox_folder(state_folder: Path, spec: LaunchSpec) -> Path:
    """The folder of this market's sandbox: another market or seed has another one."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", spec.kind).strip("-").lower()[:60]
    if spec.market_file is not None:
        words += "-" + hashlib.sha256(spec.market_file.encode()).hexdigest()[:8]
    return state_folder / "sandbox" / words


async def open_embedded(
    settings: AppSettings, spec: LaunchSpec, state_folder: Path, *, as_it_is: bool = False
) -> Embedded:
    """Find the folder's sandbox alive, or start it from its saved state, or start a new one; the market is held then.

    A living one that plays otherwise than `spec` says is started again, unless it is to be taken `as_it_is`: a bot
    may be trading there. Raises `InvalidInput` where it cannot start.
    """
    folder = sandbox_folder(state_folder, spec)
    handle = await attach(folder)
    if handle is not None and not as_it_is and _plays_otherwise(read_launch(folder), spec):
        await handle.shutdown()  # it saves where it is, and goes on from there the new way
        handle = None
    if handle is not None:
        return Embedded(handle, books_of(folder), True, f"the sandbox still runs in {folder}: taken up again")
    if (folder / STATE_FILE).exists():
        story = f"the sandbox goes on from its state in {folder}"
        if was_cut_short(folder):
            story += ", the last one it could save: it was ended before it saved all it did"
        handle = await start_process(folder, spec)
        return Embedded(handle, books_of(folder), False, story)
    url = _new_books(folder, settings)
    handle = await start_process(folder, spec)
    books = "new books"
    if "url" in settings.storage.model_fields_set and url != settings.storage.url:
        books += f" in {url} (those of storage.url belong to another sandbox)"
    return Embedded(handle, url, False, f"a new sandbox ({spec.kind}) in {folder}, with {books}")


def _plays_otherwise(running: LaunchSpec, wanted: LaunchSpec) -> bool:
    """Whether the sandbox must be started again to do what is asked; its opening balances are history."""
    same = replace(running, hold=wanted.hold, balances=wanted.balances, port=wanted.port or running.port)
    return same != wanted if wanted.port else replace(same, port=0) != wanted


def _file_of(given: str | None, configured: Path | None) -> Path | None:
    """The market file, or None where `given` names a market."""
    if given is None:
        return _existing(configured) if configured is not None else None
    path = Path(given)
    if _SYMBOL.fullmatch(given) and not path.exists():
        return None
    return _existing(path)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InvalidInput(
            f"there is no market file {path}; nothing was started: give a Parquet or CSV file, or a market such as "
            "ETH/USDT for a synthetic one"
        )
    return path


def _symbol(bot: BotSettings | None, given: str | None, market_file: Path | None) -> str:
    named = given.upper() if given is not None and market_file is None else None
    if bot is not None:
        meant = named if market_file is None else _symbol_in(market_file.name)
        if meant is not None and meant != bot.market:
            raise InvalidConfig(f"the sandbox is to play {meant}, but the bot {bot.name} trades {bot.market}")
        return bot.market
    if named is not None:
        return named
    return symbol_of_name(market_file.name) if market_file is not None else DEFAULT_SYMBOL


def _symbol_in(file_name: str) -> str | None:
    """The market that a file's name tells, if it does."""
    try:
        return symbol_of_name(file_name)
    except DataUnusable:
        return None


def _start_price(given: Decimal | None, bot: BotSettings | None, symbol: str) -> Decimal:
    """Where the synthetic market begins: a grid should have something to do there."""
    if given is not None:
        return given
    if symbol not in known_symbols():
        raise unknown_market(symbol)
    if bot is not None:
        return middle_of(bot)
    return Decimal(START_PRICES.get(symbol, "1"))


def middle_of(bot: BotSettings) -> Decimal:
    """The price in the middle of the bot's range; where it trades no grid, one that the market has had."""
    if not isinstance(bot.strategy, GridSettings):
        return Decimal(START_PRICES.get(bot.market, "1"))
    return cut_to_places((bot.grid.lower_price + bot.grid.upper_price) / 2, 8).normalize()


def _fee_asset(fees: FeeSettings, symbol: str) -> tuple[str | None, str | None]:
    """Asset of the fees and its price in quote; None where they are taken from what is received."""
    if fees.asset == "received":
        return None, None
    if fees.asset == "quote":
        return symbol.partition("/")[2], "1"
    if fees.asset_price is None:
        raise InvalidConfig(
            f"sandbox.fees.asset_price: the sandbox plays no market of {fees.asset}, so say what one costs in quote"
        )
    return fees.asset, plain(fees.asset_price)


# --- which books belong to a sandbox -----------------------------------------------------------------


def books_of(folder: Path) -> str:
    """The database this sandbox's state goes with."""
    try:
        return str(json.loads((folder / BOOKS_FILE).read_bytes())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"{folder / BOOKS_FILE} cannot be read, so nobody knows which books belong to the sandbox there; "
            f"nothing was started: move {folder} away to start anew"
        ) from None


def _new_books(folder: Path, settings: AppSettings) -> str:
    """A database nothing was written to yet: books of an exchange that is gone would fit no order of the new one."""
    url = (
        settings.storage.url
        if "url" in settings.storage.model_fields_set
        else _sqlite(folder / "gridtide.db")
    )
    if url.startswith("sqlite:///"):
        first = path = Path(url.removeprefix("sqlite:///"))
        for number in itertools.count(2):
            if not path.exists():
                break
            path = first.with_name(f"{first.stem}-{number}{first.suffix}")
        url = _sqlite(path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / BOOKS_FILE, json.dumps({"url": url}).encode())
    return url


def _sqlite(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"
