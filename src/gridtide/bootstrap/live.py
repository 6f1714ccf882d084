"""Builds a live run: exchange, database, lease, strategy, engine and runner, checked before anything is placed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridtide.bootstrap.bots import (
    allocation_of,
    default_bot,
    gate_of,
    grid_config,
    protocol_times,
)
from gridtide.bootstrap.own_orders import look_for_unknown, refuse_older_books, stored_generations
from gridtide.bootstrap.preview import check_funds
from gridtide.config.bot import BotSettings
from gridtide.config.settings import Mode
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
from gridtide.storage.database import open_database
from gridtide.storage.reader import open_reader
from gridtide.storage.retention import DAY_MS, Retention
from gridtide.strategies.caretaker import Caretaker, is_cared_for
from gridtide.strategies.grid.plan import make_plan
from gridtide.strategies.registry import create_strategy, restore_strategy
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
    was placed and nothing is held.
    """
    exchange = await _connected(connection)
    try:
        database = open_database(options.database_url)
        try:
            return await _build(exchange, database, options)
        except BaseException:
            database.close()
            raise
    except BaseException:
        await exchange.close()
        raise


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
    exchange = await _connected(connection)
    try:
        database = open_database(options.database_url)
        try:
            return await _build_order(
                exchange, database, options, SingleOrderStrategy(options.symbol, side, amount, limit)
            )
        except BaseException:
            database.close()
            raise
    except BaseException:
        await exchange.close()
        raise


async def _build_order(
    exchange: RecordedExchange, database: Database, options: LiveOptions, strategy: SingleOrderStrategy
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
    least = await _check_ids(exchange, options.database_url, identity)
    return await _assemble(
        exchange, database, identity, market, options, parts, resume=False, minimum_generation=least
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


async def _connected(connection: ExchangeConnection) -> RecordedExchange:
    exchange = make_exchange(connection)
    try:
        await exchange.connect()
    except BaseException:
        await exchange.close()
        raise
    return exchange


async def _build(exchange: RecordedExchange, database: Database, options: LiveOptions) -> LiveRun:
    symbol = Symbol(options.bot.market) if options.bot is not None else options.symbol
    market = exchange.market(symbol)
    account = await exchange.account()
    name = options.bot.name if options.bot is not None else "grid"
    identity = sql_journal.BotIdentity(name, account.account_id, symbol, exchange.name, options.mode.value)
    minimum_generation = await _check_books(exchange, options.database_url, identity)
    stored = _resumable(options.database_url, identity)
    if stored is not None:
        bot = _same_bot(options, stored)
    else:
        bot = options.bot or await _default(exchange, market)
        await _check_fresh(exchange, bot, market)
    config = grid_config(bot)
    parts = _Parts(
        create_strategy(bot.strategy.name, bot.market, config.to_settings()),
        lambda state: (
            Caretaker.from_state(state) if is_cared_for(state) else restore_strategy(bot.strategy.name, state)
        ),
        allocation_of(bot),
        gate_of(bot),
        {"bot": bot.model_dump(mode="json")},
    )
    return await _assemble(
        exchange,
        database,
        identity,
        market,
        options,
        parts,
        resume=stored is not None,
        minimum_generation=minimum_generation,
    )


async def _check_ids(exchange: RecordedExchange, url: str, identity: sql_journal.BotIdentity) -> int:
    """The least generation whose ids were never used, whatever the books have forgotten (F06)."""
    with open_reader(url) as reader:
        return (await look_for_unknown(exchange, identity, reader)).newest_generation + 1


async def _check_books(exchange: RecordedExchange, url: str, identity: sql_journal.BotIdentity) -> int:
    """Refuse books that are older than the bot's orders (F46); the least generation whose ids were never used."""
    with open_reader(url) as reader:
        sightings = await look_for_unknown(exchange, identity, reader)
        has_books = bool(stored_generations(reader, identity))
        refuse_older_books(sightings, reader.place, has_books=has_books)
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
            engine_identity, parts.allocation, protocol_times(options.mode), parts.owns_account
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


def _resumable(url: str, identity: sql_journal.BotIdentity) -> StoredBot | None:
    """The newest generation of the bot, unless its life ended with a liquidation."""
    with open_reader(url) as reader:
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
            f"bots.{stored.name}.strategy: the bot {stored.name} runs a grid with other settings; nothing was "
            "changed: give the new grid another name, or end the old one with `gridtide stop --liquidate`"
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
    """A grid that would be refused is refused before the books are opened."""
    fees = await exchange.fees(market.symbol)
    book = await exchange.top_of_book(market.symbol)
    make_plan(grid_config(bot), market, fees, book)
    check_funds(bot, market, await exchange.balances())
