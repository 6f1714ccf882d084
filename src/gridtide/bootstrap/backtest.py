"""Builds and plays a backtest: the same engine, strategy and gate as live, on a venue that walks the data.

Nothing is asked of a network; what is not known of a market (its rules at the time) is taken from the data and said.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.bootstrap.backtest_checks import check_books, check_settings, is_third
from gridtide.bootstrap.backtest_figures import PlayedBot, result_of
from gridtide.bootstrap.backtest_rules import StatedRules
from gridtide.bootstrap.bots import allocation_of, backtest_gate, make_strategy
from gridtide.config.fingerprint import config_hash, redacted_view
from gridtide.domain.errors import InvalidInput
from gridtide.domain.events import AssetPriced
from gridtide.domain.journal import BotSnapshot
from gridtide.domain.market import Asset, FeeSchedule, Symbol, Timestamp
from gridtide.domain.money import ONE, ZERO, FeeRate, Price
from gridtide.engine.engine import Engine
from gridtide.engine.settings import BotIdentity, EngineSettings, ProtocolTimes
from gridtide.exchanges.direct_venue import DirectVenue
from gridtide.market_data.known_markets import market_of
from gridtide.price_path.candle_path import PathRule, runs_of
from gridtide.price_path.closed_candles import ClosedCandles
from gridtide.price_path.columns import CandleColumns, TradeColumns
from gridtide.price_path.crossing import CrossingIndex
from gridtide.price_path.path import path_of
from gridtide.price_path.units import MOST_PLACES
from gridtide.runners.backtest import BacktestRun, Latency
from gridtide.runners.backtest_lane import Lane
from gridtide.runners.backtest_record import Recorder
from gridtide.venue.schedule import MarketSchedule, halts
from gridtide.venue.settings import AccountFees, FillModel, VenueSettings
from gridtide.venue.venue import Venue

if TYPE_CHECKING:
    from gridtide.config.backtest import BacktestSettings
    from gridtide.config.bot import BotSettings
    from gridtide.config.settings import AppSettings
    from gridtide.domain.events import Event
    from gridtide.domain.market import Market
    from gridtide.market_data.load import LoadedData
    from gridtide.reports.backtest_result import BacktestResult
    from gridtide.runners.arrivals import Arrivals

ACCOUNT = "backtest"
NEVER_MS = 10**15
TIMES = ProtocolTimes(light_reconciliation=NEVER_MS, full_reconciliation=NEVER_MS, market_refresh=NEVER_MS)
"""A venue in this process hides nothing that would have to be looked for now and then."""
RECORDED_TIMES = replace(TIMES, receive_window=NEVER_MS, queue=NEVER_MS, read_lag=NEVER_MS)
"""A recorded session may have been played fast: what took the bot a moment is long on the market's clock, and an answer
that has not come yet is not missing."""

OBJECTS_A_COLLECTION = 100_000
"""A few megabytes of them."""
_DEEP = Decimal(10) ** 12
"""Quote that stands at a price of the book: what is bought or sold at once costs slippage, as the settings say, and is
not refused for want of a depth that nobody recorded."""

Progress = Callable[[float], None]
"""Told the fraction of the data that has been played."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A bot and its data, checked and indexed; one can be played many times."""

    bot: BotSettings
    market: Market
    data: LoadedData
    index: CrossingIndex
    rules: StatedRules
    """What the config says of the market at the time."""


def prepare(settings: AppSettings, data: Sequence[LoadedData], rule: PathRule) -> tuple[Prepared, ...]:
    """Pair the config's bots with their data. Raises `InvalidInput` and its kin for what does not fit."""
    check_settings(settings)
    return tuple(prepare_bot(settings, bot, data, rule) for bot in settings.bots)


def _data_of(bot: BotSettings, data: Sequence[LoadedData], bots: int) -> LoadedData:
    found = [each for each in data if each.symbol == bot.market]
    if not found and bots == len(data) == 1 and data[0].symbol is None:
        found = list(data)
    if len(found) != 1:
        names = ", ".join(f"{each.name} ({each.symbol or 'of an unknown market'})" for each in data)
        what = "no data" if not found else "more than one set of data"
        raise InvalidInput(f"there is {what} for {bot.market} of bot {bot.name}: given are {names or 'none'}")
    return found[0]


def prepare_bot(
    settings: AppSettings, bot: BotSettings, data: Sequence[LoadedData], rule: PathRule
) -> Prepared:
    """One bot with its data; whether the account can pay for it is not looked at."""
    found = _data_of(bot, data, len(settings.bots))
    columns = found.columns
    price_step, amount_step = (
        ONE.scaleb(-places) for places in (columns.price_places, _amount_places(columns))
    )
    index = CrossingIndex(path_of(columns, rule))
    rules = StatedRules(settings.backtest.rules, bot.market, index.path.time(0))
    market = rules.market_at_start(market_of(Symbol(bot.market), [price_step], [amount_step]))
    return Prepared(bot, market, found, index, rules)


def _amount_places(columns: CandleColumns | TradeColumns) -> int:
    """Decimals of the amounts; the most there are where no volume was recorded, which says nothing of them."""
    if isinstance(columns, TradeColumns):
        return columns.amount_places
    return columns.volume_places if columns.volume.any() else MOST_PLACES


def run_backtest(
    settings: AppSettings,
    data: Sequence[LoadedData],
    *,
    version: str,
    progress: Progress | None = None,
    started_at: float | None = None,
) -> BacktestResult:
    """Play `settings` over `data` and give the result; of the two runs of `pessimistic` the worse one.

    `started_at` (`time.perf_counter`) begins the total time; None: now.
    """
    begun = time.perf_counter() if started_at is None else started_at
    rules = runs_of(PathRule(settings.backtest.candle_path))
    with _rare_collections():
        results = [
            play(
                settings,
                prepare(settings, data, rule),
                version=version,
                rule=rule,
                progress=_part(progress, k, len(rules)),
            )
            for k, rule in enumerate(rules)
        ]
    worst = min(results, key=lambda result: result.final_equity)
    return replace(worst, total_seconds=time.perf_counter() - begun)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A run makes records that stay and hardly a circle of objects: to search for those after every 700 of them, as
    Python does, took a tenth of its time."""
    often = gc.get_threshold()
    gc.set_threshold(often[0] and max(often[0], OBJECTS_A_COLLECTION), *often[1:])
    try:
        yield
    finally:
        gc.set_threshold(*often)


def play(
    settings: AppSettings,
    prepared: Sequence[Prepared],
    *,
    version: str,
    rule: PathRule = PathRule.NEARER_EXTREME_FIRST,
    progress: Progress | None = None,
    looks_everywhere: bool = False,
) -> BacktestResult:
    """One run. `looks_everywhere` visits every point instead of jumping: the same result, slowly."""
    begun = time.perf_counter()
    world = build_world(settings, prepared, looks_everywhere=looks_everywhere)
    world.run.run(None if progress is None else _told(progress, prepared))
    check_books(world.run.lanes, settings.backtest.balance, world.venue.balances(ACCOUNT))
    seconds = time.perf_counter() - begun
    played = [
        PlayedBot(each.bot, each.market, each.data, lane, world.recorder.of(lane), each.index, each.rules)
        for each, lane in zip(prepared, world.run.lanes, strict=True)
    ]
    return result_of(
        played,
        settings.backtest,
        rule,
        settings=redacted_view(settings),
        config_hash=config_hash(settings),
        version=version,
        seconds=seconds,
        begun=begun,
    )


@dataclass(frozen=True, slots=True)
class World:
    """A run that has not been played yet, the venue it trades on, and what will be written down of it."""

    run: BacktestRun
    venue: Venue
    recorder: Recorder


def build_world(
    settings: AppSettings,
    prepared: Sequence[Prepared],
    *,
    looks_everywhere: bool = False,
    arrivals: Arrivals | None = None,
) -> World:
    """Venue, bots and runner of one run. With `arrivals` the requests arrive when those of a recorded session did."""
    backtest = settings.backtest
    venue = _venue(backtest, prepared)
    recorder = Recorder()
    times = _times(backtest) if arrivals is None else RECORDED_TIMES
    engines = [_engine(each, settings, number, times) for number, each in enumerate(prepared)]
    lanes = [
        Lane(
            engine,
            each.index,
            looks_everywhere=looks_everywhere,
            opening=_opening(each, backtest),
            candles=_candles(each, engine.timeframe),
        )
        for each, engine in zip(prepared, engines, strict=True)
    ]
    run = BacktestRun(
        lanes,
        DirectVenue(venue, ACCOUNT),
        schedules=_schedules(prepared, halt_at_gaps=backtest.halt_at_gaps),
        latency=_latency(backtest),
        arrivals=arrivals,
        listener=recorder,
    )
    return World(run, venue, recorder)


# --- parts -------------------------------------------------------------------------------------------


def _venue(backtest: BacktestSettings, prepared: Sequence[Prepared]) -> Venue:
    markets = {each.market.symbol: each.market for each in prepared}
    settings = VenueSettings(
        fill_model=FillModel(backtest.fill_model),
        queue_probability=backtest.queue_probability if backtest.fill_model == "queue" else ZERO,
        volume_cap=backtest.volume_cap,
        slippage=backtest.slippage,
        volume_slippage=backtest.volume_slippage,
        publishes=False,
        tells_balances=False,
        depth_levels=2,
        depth_quote=_DEEP,
    )
    venue = Venue(list(markets.values()), settings, random.Random(backtest.seed))  # noqa: S311  a seeded world
    balances = {Asset(asset): amount for asset, amount in backtest.balance.items()}
    venue.add_account(ACCOUNT, balances, _account_fees(backtest, prepared))
    return venue


def _account_fees(backtest: BacktestSettings, prepared: Sequence[Prepared]) -> AccountFees:
    fees = backtest.fees
    asset = _fee_asset(backtest, prepared[0].market)
    return AccountFees(FeeRate(fees.maker), FeeRate(fees.taker), asset, asset_price=fees.asset_price)


def _fee_asset(backtest: BacktestSettings, market: Market) -> Asset | None:
    """None: taken from what is received."""
    name = backtest.fees.asset
    if name == "received":
        return None
    return market.quote if name == "quote" else Asset(name)


def _engine(each: Prepared, settings: AppSettings, number: int, times: ProtocolTimes) -> Engine:
    backtest, market = settings.backtest, each.market
    schedule = FeeSchedule(
        FeeRate(backtest.fees.maker), FeeRate(backtest.fees.taker), _fee_asset(backtest, market)
    )
    identity = BotIdentity(each.bot.name, ACCOUNT, market.symbol, number + 1)
    return Engine(
        EngineSettings(identity, allocation_of(each.bot), times, exclusive_account=False, is_resumable=False),
        market,
        schedule,
        make_strategy(each.bot),
        backtest_gate(each.bot),
        BotSnapshot(number + 1),
    )


def _candles(each: Prepared, timeframe: str | None) -> ClosedCandles | None:
    return None if timeframe is None else ClosedCandles(each.data.columns, timeframe)


def _opening(each: Prepared, backtest: BacktestSettings) -> list[Event]:
    """What a third asset that fees are paid in is worth: without it the books would count them as nothing."""
    asset, price = backtest.fees.asset, backtest.fees.asset_price
    if price is None or not is_third(asset, each.market.symbol):
        return []
    return [AssetPriced(Asset(asset), Price(price))]


def _schedules(prepared: Sequence[Prepared], *, halt_at_gaps: bool) -> dict[Symbol, MarketSchedule]:
    """Markets of which rules or status change. With `halt_at_gaps` each is closed from where candles are missing up to
    the next candle."""
    schedules = {}
    for each in prepared:
        schedule = each.rules.schedule(each.market)
        if halt_at_gaps:
            closed = halts((Timestamp(gap.start), Timestamp(gap.end)) for gap in each.data.gaps)
            schedule = schedule.merged(closed.while_trading(schedule, each.market.status))
        if schedule.changes:
            schedules[each.market.symbol] = schedule
    return schedules


def _latency(backtest: BacktestSettings) -> Latency | None:
    least, most = backtest.latency_ms, backtest.latency_most_ms
    if most is None or most <= least:
        return (lambda: least) if least else None
    rng = random.Random(f"latency {backtest.seed}")  # noqa: S311  a seeded world
    return lambda: rng.randint(least, most)


def _times(backtest: BacktestSettings) -> ProtocolTimes:
    """A bot waits longer for its answers than they take: a slow way there is no lost answer."""
    longest = max(backtest.latency_ms, backtest.latency_most_ms or 0)
    return replace(
        TIMES, read_lag=max(TIMES.read_lag, longest), receive_window=TIMES.receive_window + longest
    )


def _told(progress: Progress, prepared: Sequence[Prepared]) -> Callable[[Timestamp], None]:
    paths = [each.index.path for each in prepared]
    start = min(path.time(0) for path in paths)
    length = max(max(path.time(len(path) - 1) for path in paths) - start, 1)
    return lambda now: progress((now - start) / length)


def _part(progress: Progress | None, number: int, count: int) -> Progress | None:
    """The progress of one of several runs as a part of the whole."""
    if progress is None or count == 1:
        return progress
    return lambda fraction: progress((number + fraction) / count)
