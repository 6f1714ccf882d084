"""Builds a live run: exchange, database, lease, strategy, engine and runner, checked before anything is placed."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridtide.bootstrap.bots import (
    allocation_of,
    default_bot,
    gate_of,
    grid_config,
    make_strategy,
    protocol_times,
    revive_strategy,
)
from gridtide.bootstrap.own_orders import look_for_unknown, refuse_older_books, stored_generations
from gridtide.bootstrap.preview import check_funds
from gridtide.config.bot import BotSettings
from gridtide.config.settings import Mode
from gridtide.config.strategy import GridSettings
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import GridtideError, InvalidConfig, PlanRefused
from gridtide.domain.journal import BotState
from gridtide.domain.ledger import KEPT
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import ZERO, tidy
from gridtide.engine.engine import Engine, stored_strategy_state
from gridtide.engine.settings import Allocation, BotIdentity, EngineSettings
from gridtide.exchanges.make_exchange import make_exchange
from gridtide.risk.gate import default_gate
from gridtide.runners.live import LiveRun
from gridtide.runners.watchdogs.limits import WatchdogLimits
from gridtide.storage import sql_journal
from gridtide.storage.database import database_exists, open_database, place_of
from gridtide.storage.reader import open_reader
from gridtide.storage.retention import DAY_MS, Retention
from gridtide.strategies.caretaker import Caretaker, is_cared_for
from gridtide.strategies.grid.plan import make_plan
from gridtide.strategies.single_order import SingleOrderStrategy

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Market
    from gridtide.domain.order import Side
    from gridtide.exchanges.connection import ExchangeConnection
    from gridtide.ports.exchange import Exchange, RecordedExchange
    from gridtide.risk.gate import RiskGate
    from gridtide.storage.database import Database
    from gridtide.storage.reader import Reader, StoredBot
    from gridtide.strategies.protocol import Strategy


NUMBERS_GROW = frozenset({"binance", "binanceus"})
"""Exchanges that number the orders of a market upwards (their published API)."""
DEFAULT_SYMBOL = Symbol("BTC/USDT")


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What a run is started with, beside the exchange."""

    mode: Mode
    database_url: str
    version: str
    config_hash: str = ""
    bot: BotSettings | None = None
    """None: the default grid on `symbol`, or the one that the database holds already."""
    symbol: Symbol = DEFAULT_SYMBOL
    journal_days: int = 7
    """How long entries of the journal stay."""


async def build_live(connection: ExchangeConnection, options: LiveOptions) -> LiveRun:
    """A run that is ready for `start`, with the bot's lease held.

    A bot that ran before goes on with the grid it has. Raises `InvalidInput` (and its kin `InvalidConfig`,
    `PlanRefused`) for what its owner has to change, `Fenced` where another process runs the bot; then nothing
    was placed, nothing is held, and where there was no database there is none.
    """
    async with _checked(connection, options) as (exchange, books):
        return await _build(exchange, books, options)


async def build_order(
    connection: ExchangeConnection,
    options: LiveOptions,
    side: Side,
    amount: Decimal,
    limit: Decimal | None = None,
) -> LiveRun:
    """A run whose whole strategy is one order, through the same gate, journal and protocol as a grid.

    The engine's strategy is a `SingleOrderStrategy`: its `outcome` tells how it ended. The order may use all
    that is free on the account.
    """
    strategy = SingleOrderStrategy(options.symbol, side, amount, limit)
    async with _checked(connection, options) as (exchange, books):
        return await _build_order(exchange, books, options, strategy)


class _Books:
    """The database of a run. One that is there is opened, and so checked and brought up to date, before it is read; one
    that is not is made behind all checks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = open_database(url) if database_exists(url) else None

    def open(self) -> Database:
        """The database; made where there is none."""
        if self._database is None:
            self._database = open_database(self.url)
        return self._database

    @contextmanager
    def reading(self) -> Iterator[Reader | None]:
        """A reader, or None where there is nothing to read."""
        if self._database is None:
            yield None
            return
        with open_reader(self.url) as reader:
            yield reader

    def close(self) -> None:
        if self._database is not None:
            self._database.close()


@asynccontextmanager
async def _checked(
    connection: ExchangeConnection, options: LiveOptions
) -> AsyncIterator[tuple[RecordedExchange, _Books]]:
    """Exchange and books for the run that the block builds; both are closed where it fails."""
    exchange = make_exchange(connection)
    try:
        await exchange.connect()
        books = _Books(options.database_url)
        try:
            yield exchange, books
        except BaseException:
            books.close()
            raise
    except BaseException:
        await exchange.close()
        raise


async def _build_order(
    exchange: RecordedExchange, books: _Books, options: LiveOptions, strategy: SingleOrderStrategy
) -> LiveRun:
    market = exchange.market(options.symbol)
    account = await exchange.account()
    balances = await exchange.balances()
    quote, base = (balances[a].free if a in balances else ZERO for a in (market.quote, market.base))
    price = (await exchange.top_of_book(options.symbol)).mid() or ZERO
    parts = _Parts(
        strategy,
        SingleOrderStrategy.from_state,
        Allocation(quote=quote, base=base, base_cost=price * base, base_owner=KEPT),
        default_gate(),
        {"order": strategy.get_state()},
        owns_account=False,
    )
    identity = sql_journal.BotIdentity(
        "manual", account.account_id, options.symbol, exchange.name, options.mode.value
    )
    with books.reading() as reader:
        least = (await look_for_unknown(exchange, identity, reader)).newest_generation + 1
    return await _assemble(
        exchange, books.open(), identity, market, options, parts, resume=False, minimum_generation=least
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What differs from bot to bot."""

    fresh: Strategy
    revive: Callable[[Mapping[str, Any]], Strategy]
    allocation: Allocation
    gate: RiskGate
    config: Mapping[str, Any]
    owns_account: bool = True
    """Whether nothing else trades on the account, so that its balances can be checked to the last unit."""


async def _build(exchange: RecordedExchange, books: _Books, options: LiveOptions) -> LiveRun:
    symbol = Symbol(options.bot.market) if options.bot is not None else options.symbol
    market = exchange.market(symbol)
    account = await exchange.account()
    name = options.bot.name if options.bot is not None else "grid"
    identity = sql_journal.BotIdentity(name, account.account_id, symbol, exchange.name, options.mode.value)
    with books.reading() as reader:
        minimum_generation = await _check_books(exchange, identity, books.url, reader)
        stored = _resumable(reader, identity) if reader is not None else None
    if stored is not None:
        bot = _same_bot(options, stored)
    else:
        bot = options.bot or await _default(exchange, market)
        await _check_fresh(exchange, bot, market)
    parts = _Parts(
        make_strategy(bot),
        lambda state: Caretaker.from_state(state) if is_cared_for(state) else revive_strategy(bot, state),
        allocation_of(bot),
        gate_of(bot),
        {"bot": bot.model_dump(mode="json")},
    )
    return await _assemble(
        exchange,
        books.open(),
        identity,
        market,
        options,
        parts,
        resume=stored is not None,
        minimum_generation=minimum_generation,
    )


async def _check_books(
    exchange: RecordedExchange, identity: sql_journal.BotIdentity, url: str, reader: Reader | None
) -> int:
    """Refuse books that are older than the bot's orders, or gone (F46).

    Gives the least generation whose ids were never used, whatever the books have forgotten (F06).
    """
    sightings = await look_for_unknown(exchange, identity, reader)
    has_books = reader is not None and bool(stored_generations(reader, identity))
    refuse_older_books(sightings, place_of(url), has_books=has_books)
    return sightings.newest_generation + 1


async def _assemble(
    exchange: Exchange,
    database: Database,
    identity: sql_journal.BotIdentity,
    market: Market,
    options: LiveOptions,
    parts: _Parts,
    *,
    resume: bool,
    minimum_generation: int = 1,
) -> LiveRun:
    fees = await exchange.fees(market.symbol)
    now = Timestamp(exchange.now())
    journal = sql_journal.open_bot(
        database,
        identity,
        now,
        resume=resume,
        minimum_generation=minimum_generation,
        config=parts.config,
        retention=Retention(keep_ms=options.journal_days * DAY_MS),
    )
    try:
        snapshot = journal.load()
        state = stored_strategy_state(snapshot)
        strategy = parts.fresh if state is None else parts.revive(state)
        engine_identity = BotIdentity(identity.name, identity.account_id, market.symbol, journal.generation)
        settings = EngineSettings(
            engine_identity,
            parts.allocation,
            protocol_times(options.mode),
            parts.owns_account,
            order_numbers_grow=exchange.name in NUMBERS_GROW,
        )
        engine = Engine(settings, market, fees, strategy, parts.gate, snapshot)
        run_id = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}"
        journal.begin_run(
            sql_journal.Run(run_id, now, options.mode.value, options.version, options.config_hash)
        )
    except BaseException:
        journal.close()
        raise

    def end() -> None:
        try:
            journal.end_run(Timestamp(exchange.now()))
        finally:
            database.close()

    folder = database.path.parent if database.path is not None else None
    return LiveRun(engine, journal, exchange, run_id, after_close=end, limits=WatchdogLimits(), folder=folder)


def _resumable(reader: Reader, identity: sql_journal.BotIdentity) -> StoredBot | None:
    """The newest generation of the bot, unless its life ended with a liquidation."""
    found = stored_generations(reader, identity)
    return found[-1] if found and _goes_on(reader, found[-1]) else None


def _goes_on(reader: Reader, bot: StoredBot) -> bool:
    """Whether the next run takes this bot up again."""
    state = reader.state(bot.bot_id)
    return state is not None and not (
        state.state is BotState.STOPPED and state.detail == StopPolicy.LIQUIDATE.value
    )


def has_grid(url: str, bot: BotSettings, mode: Mode) -> bool:
    """Whether the books hold a grid of `bot` that the next run goes on with; without readable books there is none."""
    try:
        with open_reader(url) as reader:
            found = [
                known
                for known in reader.bots()
                if (known.name, known.symbol, known.mode) == (bot.name, bot.market, mode.value)
            ]
            return bool(found) and _goes_on(reader, found[-1])
    except GridtideError:
        return False


def _same_bot(options: LiveOptions, stored: StoredBot) -> BotSettings:
    """The settings the stored bot runs with; refuses a config that asks for another grid under its name."""
    running = BotSettings.model_validate(stored.config["bot"])
    if options.bot is not None and options.bot.strategy != running.strategy:
        raise InvalidConfig(
            f"bots.{stored.name}.strategy: the bot {stored.name} runs with other settings; nothing was "
            "changed: give the new one another name, or end the old one with `gridtide stop --liquidate`"
        )
    return options.bot or running


async def _default(exchange: Exchange, market: Market) -> BotSettings:
    book = await exchange.top_of_book(market.symbol)
    price = book.mid()
    if price is None:
        raise PlanRefused(f"{market.symbol} has no price yet; nothing was placed: try again when it trades")
    balances = await exchange.balances()
    free = balances[market.quote].free if market.quote in balances else ZERO
    if free <= 0:
        raise PlanRefused(
            f"the account has no {market.quote}; nothing was placed: bring funds in ({tidy(free)} free)"
        )
    return default_bot(market, price, free)


async def _check_fresh(exchange: Exchange, bot: BotSettings, market: Market) -> None:
    """A grid that would be refused, or a strategy that nobody offers, is refused before the books are opened."""
    if isinstance(bot.strategy, GridSettings):
        fees = await exchange.fees(market.symbol)
        book = await exchange.top_of_book(market.symbol)
        make_plan(grid_config(bot), market, fees, book)
    else:
        make_strategy(bot)
    check_funds(bot, market, await exchange.balances())
