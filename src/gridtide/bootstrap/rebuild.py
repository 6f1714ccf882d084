"""Makes the books of a bot anew from the exchange's records, where its database is lost or was rolled back (F46, F59).

What the exchange has is certain: orders, fills, fees, balances. What it never knew is taken from the config and from
what is left of the old database, or is told as unknown.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gridtide.bootstrap.bots import allocation_of, default_bot, grid_config, protocol_times
from gridtide.bootstrap.history import read_own_orders, read_records
from gridtide.bootstrap.own_orders import stored_generations
from gridtide.config.bot import BotSettings
from gridtide.domain.errors import Defect, GridtideError, InvalidInput, PlanRefused
from gridtide.domain.journal import BotSnapshot, BotState, BotStatePut, NoticeAdded, PauseReason
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import ZERO, Amount, Price, tidy
from gridtide.engine.engine import Engine
from gridtide.engine.replay import REPLAY_GATE, replay
from gridtide.engine.settings import BotIdentity, EngineSettings
from gridtide.storage import sql_journal
from gridtide.storage.examined_file import copy_to_read
from gridtide.storage.reader import open_reader
from gridtide.storage.set_aside import books_anew, nobody_trades
from gridtide.strategies.caretaker import Caretaker
from gridtide.strategies.grid.recovery import SeenOrder, recover_plan
from gridtide.strategies.grid.state import plan_from_text
from gridtide.strategies.grid.strategy import GridTradingStrategy

if TYPE_CHECKING:
    from gridtide.bootstrap.live import LiveOptions
    from gridtide.bootstrap.own_orders import OwnOrder
    from gridtide.domain.journal import JournalEntry
    from gridtide.domain.market import FeeSchedule, Market
    from gridtide.engine.replay import Records
    from gridtide.ports.exchange import RecordedExchange
    from gridtide.strategies.grid.plan import GridPlan
    from gridtide.strategies.protocol import Strategy

DEFAULT_NAME: Final = "grid"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Books made anew, not written yet."""

    bot: sql_journal.BotIdentity
    settings: BotSettings
    generation: int
    orders: int
    open_orders: int
    waiting_levels: int
    fills: int
    base_held: Decimal
    quote_held: Decimal
    grid_profit: Decimal
    contributions: Decimal
    strategy_lost: str
    """Why the strategy could not be taken along; empty where it was."""
    unknowns: tuple[str, ...]
    entries: tuple[JournalEntry, ...]


@dataclass(frozen=True, slots=True)
class _OldBooks:
    """What is left of the old database, as far as it helps."""

    newest_generation: int = 0
    settings: BotSettings | None = None
    plans: Mapping[int, GridPlan] | None = None
    """By generation."""


Agree = Callable[["Rebuilt"], None]


async def rebuild_books(
    exchange: RecordedExchange, options: LiveOptions, agree: Agree
) -> tuple[Rebuilt, list[str]]:
    """Read what the exchange has, make books of it, ask `agree` (which raises to refuse), write.

    `exchange` is connected. Returns the books and what to tell about the old ones. Raises `Fenced` where the bot runs,
    `InvalidInput` where there is nothing to rebuild or the config does not fit, `Transient` where the records are not
    at rest.
    """
    symbol = Symbol(options.bot.market) if options.bot is not None else options.symbol
    name = options.bot.name if options.bot is not None else DEFAULT_NAME
    account = await exchange.account()
    bot = sql_journal.BotIdentity(name, account.account_id, symbol, exchange.name, options.mode.value)
    with nobody_trades(options.database_url, bot):
        rebuilt = await _prepare(exchange, options, bot)
        agree(rebuilt)
        return rebuilt, _write(rebuilt, options, Timestamp(exchange.now()))


async def _prepare(exchange: RecordedExchange, options: LiveOptions, bot: sql_journal.BotIdentity) -> Rebuilt:
    symbol, name = bot.symbol, bot.name
    market = exchange.market(symbol)
    old = _old_books(options.database_url, bot)
    own = await read_own_orders(exchange, bot, old.newest_generation)
    if not own:
        raise InvalidInput(
            f"the exchange shows no order of the bot {name} on {symbol}: nothing was written; `gridtide run` starts it"
        )
    generation = max(order.generation for order in own)
    records = await read_records(exchange, bot, generation)
    fees = await exchange.fees(symbol)
    mine = [order for order in own if order.generation == generation]
    settings = options.bot or old.settings or _default_settings(market, mine, records)
    unknowns = _unknowns(own, generation, records, market)
    build = _Build(bot, settings, generation, market, fees, records, options, Timestamp(exchange.now()))
    plan = (old.plans or {}).get(generation)
    return build.result(plan, mine, unknowns)


@dataclass(frozen=True, slots=True)
class _Build:
    bot: sql_journal.BotIdentity
    settings: BotSettings
    generation: int
    market: Market
    fees: FeeSchedule
    records: Records
    options: LiveOptions
    now: Timestamp

    def result(self, plan: GridPlan | None, own: list[OwnOrder], unknowns: list[str]) -> Rebuilt:
        """With the strategy if it can be taken along, else the books and the orders alone."""
        try:
            config = grid_config(self.settings)
            seen = [
                SeenOrder(order.slot, Price(order.update.price), Amount(order.update.amount))
                for order in own
                if order.update.price
            ]
            plan = plan or recover_plan(config, self.market, self.fees, seen)
            engine, entries = self._replayed(GridTradingStrategy.with_plan(config, plan), plan.start_price)
            lost = engine.state.pause_detail if engine.state.bot_state is BotState.PAUSED else ""
        except PlanRefused as error:
            engine, entries, lost = None, [], str(error)
        if engine is None or lost:
            engine, entries = self._replayed(Caretaker(lost), own[0].update.price or Decimal(1))
            entries = [*entries, _held_back(lost)]
        return self._rebuilt(engine, entries, lost, unknowns)

    def _replayed(self, strategy: Strategy, first_price: Decimal) -> tuple[Engine, list[JournalEntry]]:
        identity = BotIdentity(self.bot.name, self.bot.account_id, self.bot.symbol, self.generation)
        settings = EngineSettings(identity, allocation_of(self.settings), protocol_times(self.options.mode))
        snapshot = BotSnapshot(generation=self.generation)
        engine = Engine(settings, self.market, self.fees, strategy, REPLAY_GATE, snapshot)
        try:
            return engine, replay(engine, self.records, first_price, self.now)
        except Defect as error:
            invested = self.settings.strategy.total_investment
            raise InvalidInput(
                f"the exchange's records do not make books that add up with {tidy(invested)} {self.market.quote} as "
                f"total_investment ({error}); nothing was written: give the config the grid began with"
            ) from error

    def _rebuilt(
        self, engine: Engine, entries: list[JournalEntry], lost: str, unknowns: list[str]
    ) -> Rebuilt:
        state = engine.state
        text = f"the books were made anew from the exchange's records: {'; '.join(unknowns)}"
        entries = [*entries, NoticeAdded("warning", "books.rebuilt", text)]
        totals = state.ledger.totals
        return Rebuilt(
            bot=self.bot,
            settings=self.settings,
            generation=self.generation,
            orders=len(self.records.orders),
            open_orders=sum(order.state.rests_at_exchange for order in state.orders),
            waiting_levels=0 if lost else len(state.slots.parked()),
            fills=state.fill_count,
            base_held=state.ledger.holding(self.market.base),
            quote_held=state.ledger.holding(self.market.quote),
            grid_profit=totals.grid_profit,
            contributions=totals.contributed_value,
            strategy_lost=lost,
            unknowns=tuple(unknowns),
            entries=tuple(entries),
        )


def _write(rebuilt: Rebuilt, options: LiveOptions, now: Timestamp) -> list[str]:
    """Write the books in place of the old ones, which are kept; returns what to tell about these."""
    label = time.strftime("before rebuild %Y%m%dT%H%M%S", time.gmtime(now / 1000))
    with books_anew(options.database_url, rebuilt.bot, label) as (database, told):
        journal = sql_journal.open_bot(
            database,
            rebuilt.bot,
            now,
            resume=False,
            minimum_generation=rebuilt.generation,
            config={"bot": rebuilt.settings.model_dump(mode="json")},
        )
        try:
            run_id = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}-rebuild"
            journal.begin_run(
                sql_journal.Run(run_id, now, options.mode.value, options.version, options.config_hash)
            )
            journal.commit(rebuilt.entries, now)
            journal.end_run(now)
        finally:
            journal.close()
    return told


def _held_back(reason: str) -> BotStatePut:
    detail = f"rebuilt without its strategy ({reason}); end it with `gridtide stop --cancel` or --liquidate"
    return BotStatePut(BotState.PAUSED, PauseReason.STRATEGY, detail)


def _old_books(url: str, bot: sql_journal.BotIdentity) -> _OldBooks:
    """What can be read of the old database; nothing where there is none or it is damaged."""
    try:
        with copy_to_read(url) as copy, open_reader(copy.url) as reader:
            stored = stored_generations(reader, bot)
            if not stored:
                return _OldBooks()
            plans = {}
            for found in stored:
                state = reader.strategy_state(found.bot_id)
                if state is not None and state.get("plan"):
                    plans[found.generation] = plan_from_text(state["plan"])
            settings = BotSettings.model_validate(stored[-1].config["bot"])
            return _OldBooks(stored[-1].generation, settings, plans)
    except (GridtideError, KeyError, ValueError):
        return _OldBooks()


def _default_settings(market: Market, own: list[OwnOrder], records: Records) -> BotSettings:
    """The grid of `gridtide run` without a config, from its bounds and what the account held when it began."""
    totals = records.balances.get(market.quote)
    quote = totals.total if totals is not None else ZERO
    for fill in records.fills:
        quote += fill.quote_amount if fill.side.value == "BUY" else -fill.quote_amount
        quote += fill.fee.amount if fill.fee.asset == market.quote else ZERO
    levels = {int(order.slot.name): order.update.price for order in own if order.slot.name.isdigit()}
    bot = default_bot(market, Decimal(1) if not levels else next(iter(levels.values())), quote)
    low, high = levels.get(0), levels.get(bot.grid.levels - 1)
    if low is None or high is None:
        raise InvalidInput(
            "the bot ran without a config, and the exchange shows no order at the bounds of its grid: nothing was "
            "written; write its settings into a config and name that"
        )
    strategy = bot.grid.model_copy(update={"lower_price": low, "upper_price": high})
    return bot.model_copy(update={"strategy": strategy})


def _unknowns(own: tuple[OwnOrder, ...], generation: int, records: Records, market: Market) -> list[str]:
    """What no record says, in words."""
    told = [
        "what was put in is the config's total_investment",
        "pauses, notices and levels that somebody cancelled by hand are forgotten",
    ]
    older = len({order.generation for order in own if order.generation != generation})
    if older:
        told.append(f"{older} earlier grid{'s' if older > 1 else ''} of the bot stay in the old books only")
    third = sorted({str(fill.fee.asset) for fill in records.fills} - {market.base, market.quote})
    if third:
        told.append(
            f"fees paid in {', '.join(third)} count as worth nothing: their prices of then are unknown"
        )
    return told
