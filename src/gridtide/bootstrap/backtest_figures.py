"""From what a backtest recorded to its result: exact money, statistics over the whole account, tables, baselines."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.bootstrap.backtest_account import account_equity
from gridtide.bootstrap.backtest_checks import is_third
from gridtide.bootstrap.backtest_rules import StatedRules
from gridtide.bootstrap.backtest_tables import fills_table, level_table, round_trips_table
from gridtide.domain.errors import InvalidInput
from gridtide.domain.journal import BotState
from gridtide.domain.money import EXACT, ZERO, FeeRate, Money
from gridtide.market_data.gaps import gaps_text
from gridtide.performance.baselines import Baseline, baseline
from gridtide.performance.drawdown import max_drawdown
from gridtide.performance.equity import Equity, Holding
from gridtide.performance.figures import LEAST_RETURNS, time_in_range, yearly_sharpe
from gridtide.performance.statistics import returns_of
from gridtide.price_path.columns import CandleColumns
from gridtide.reports.backtest_result import BacktestResult, BaselineResult, MarketResult
from gridtide.strategies.grid.strategy import GridTradingStrategy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.config.backtest import BacktestSettings
    from gridtide.config.bot import BotSettings
    from gridtide.domain.ledger import Statement
    from gridtide.domain.market import Market
    from gridtide.market_data.load import LoadedData
    from gridtide.performance.figures import Figures
    from gridtide.price_path.candle_path import PathRule
    from gridtide.price_path.crossing import CrossingIndex
    from gridtide.runners.backtest_lane import Lane
    from gridtide.runners.backtest_record import LaneRecord

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


KEPT_NOTICES = 20
"""Of each kind at the beginning, and as many at the end."""


@dataclass(frozen=True, slots=True)
class PlayedBot:
    """One bot after its run."""

    bot: BotSettings
    market: Market
    data: LoadedData
    lane: Lane
    record: LaneRecord
    index: CrossingIndex
    rules: StatedRules = field(default_factory=lambda: StatedRules((), "", 0))

    @property
    def levels(self) -> tuple[Decimal, ...]:
        """Prices of the grid; none where the bot never started, or trades no grid."""
        strategy = self.lane.engine.strategy
        return tuple(strategy.levels) if isinstance(strategy, GridTradingStrategy) else ()

    def statement(self) -> Statement:
        """The bot's books at the last price. Raises `InvalidInput` where there never was one."""
        found = self.lane.engine.state.statement()
        if found is None:
            raise InvalidInput(f"{self.market.symbol} has no price: the data hold nothing to play")
        return found


def result_of(
    played: Sequence[PlayedBot],
    backtest: BacktestSettings,
    rule: PathRule,
    *,
    settings: Mapping[str, Any],
    config_hash: str,
    version: str,
    seconds: float,
    begun: float,
) -> BacktestResult:
    """All figures of a run. `begun` (`time.perf_counter`): when it began."""
    account = account_equity(played, backtest)
    figures = account.figures()
    curve = account.curve()
    markets = tuple(_market_result(each, backtest, curve.times) for each in played)
    statements = [each.statement() for each in played]
    return BacktestResult(
        **{field.name: getattr(figures, field.name) for field in fields(figures)},
        grid_profit=_sum([each.grid_profit for each in statements]),
        floating_profit=_sum([each.floating_profit + each.dust for each in statements]),
        fees=_sum([each.fees for each in statements]),
        fees_by_asset=_added([each.fees_by_asset for each in markets]),
        time_in_range=markets[0].time_in_range,
        markets=markets,
        curve=curve,
        baselines=_baselines(played, figures.initial_equity, backtest, curve.times),
        notes=(*_notes(played, backtest, rule), *_length_notes(figures)),
        settings=settings,
        config_hash=config_hash,
        data_checksum=_checksum([each.data.checksum for each in played]),
        version=version,
        seconds=seconds,
        total_seconds=time.perf_counter() - begun,
        notices=tuple(notice for each in played for notice in _notices(each.record)),
    )


def _market_result(each: PlayedBot, backtest: BacktestSettings, times: Integers) -> MarketResult:
    path, state, statement = each.index.path, each.lane.engine.state, each.statement()
    fills = fills_table(each.record)
    trips = round_trips_table(each.record)
    standing = np.clip(path.firsts_at(times + 1) - 1, 0, len(path) - 1)
    levels = each.levels
    return MarketResult(
        bot=each.bot.name,
        symbol=each.market.symbol,
        data=each.data.name,
        data_checksum=each.data.checksum,
        points=len(path),
        start=path.time(0),
        end=path.time(len(path) - 1),
        levels=levels,
        gaps=tuple((gap.start, gap.end) for gap in each.data.gaps),
        fills=fills,
        round_trips=trips,
        level_profits=level_table(fills, trips, levels),
        grid_profit=statement.grid_profit,
        floating_profit=_sum([statement.floating_profit, statement.dust]),
        fees=statement.fees,
        fees_by_asset={str(asset): paid for asset, paid in state.ledger.fees_paid().items()},
        equity=statement.equity,
        time_in_range=_time_in_range(each),
        ended_as=state.bot_state.value if state.bot_state is BotState.RUNNING else _reason(each),
        strategy_state=dict(each.lane.engine.strategy.get_state()),
        prices=path.prices[standing] / 10.0**path.places,
    )


def _time_in_range(each: PlayedBot) -> float:
    """Of the price, whatever was held meanwhile."""
    levels, whole = each.levels, Equity(each.index, [Holding(0, ZERO, ZERO)])
    return time_in_range(whole, levels[0], levels[-1]) if levels else 0.0


def _reason(each: PlayedBot) -> str:
    state = each.lane.engine.state
    detail = state.pause_detail or state.pause_reason.value
    return f"{state.bot_state.value}: {detail}" if detail else state.bot_state.value


# --- baselines, notes --------------------------------------------------------------------------------


def _baselines(
    played: Sequence[PlayedBot], cash: Decimal, backtest: BacktestSettings, times: Integers
) -> tuple[BaselineResult, ...]:
    """Each simple way with the whole account's opening equity on the first market (with several markets: on that one
    alone, as the notes say)."""
    first = played[0]
    found = []
    for kind in Baseline:
        equity = baseline(kind, first.index, cash, FeeRate(backtest.fees.taker))
        path = first.index.path
        standing = np.clip(path.firsts_at(times + 1) - 1, equity.start, equity.stop - 1)
        found.append(
            BaselineResult(
                kind.value,
                equity.closing(),
                max_drawdown(equity).fraction,
                yearly_sharpe(returns_of(equity.daily())),
                equity.at(standing),
            )
        )
    return tuple(found)


def _notes(played: Sequence[PlayedBot], backtest: BacktestSettings, rule: PathRule) -> tuple[str, ...]:
    notes = []
    for each in played:
        symbol, state = each.market.symbol, each.lane.engine.state
        notes += [f"{symbol}: {note}" for note in each.data.notes]
        if each.data.gaps:
            closed = "the market counted as closed" if backtest.halt_at_gaps else "the price jumps over them"
            notes.append(f"{symbol}: candles are missing, {closed}: {gaps_text(each.data.gaps)}")
        if state.bot_state is not BotState.RUNNING:
            notes.append(f"{symbol}: the bot ended as {_reason(each)}")
        elif not each.record.fills:
            notes.append(f"{symbol}: nothing was traded; is the range where the price was?")
        path = each.index.path
        notes += [f"{symbol}: {note}" for note in each.rules.notes(each.market, path.time(len(path) - 1))]
        if not each.bot.risk.enabled:
            notes.append(f"{symbol}: risk is off, the bot had no limits")
    notes += _account_notes(played, backtest)
    if any(isinstance(each.data.columns, CandleColumns) for each in played):
        notes.append(f"between a candle's open and close the price walks by the rule {rule.value}")
    if len(played) > 1:
        notes.append(f"the baselines hold {played[0].market.symbol} alone")
    return tuple(notes)


def _length_notes(figures: Figures) -> list[str]:
    if figures.volatility is not None:
        return []
    return [
        f"the run is too short for figures a year: return a year, volatility, Sharpe, Sortino and Calmar need "
        f"{LEAST_RETURNS} daily returns"
    ]


def _account_notes(played: Sequence[PlayedBot], backtest: BacktestSettings) -> list[str]:
    """What of the account counts for nothing, and where it did not last."""
    fee_asset, first = backtest.fees.asset, played[0].market
    valued = {first.quote, fee_asset, *(each.market.base for each in played)}
    notes = [
        f"the account's {asset} belongs to no market of this run and counts for nothing"
        for asset, amount in backtest.balance.items()
        if amount and asset not in valued
    ]
    if is_third(fee_asset, first.symbol):
        others = sum(each.fill.fee.asset != fee_asset for part in played for each in part.record.fills)
        if others:
            notes.append(
                f"the account's {fee_asset} did not last: {others} fills paid their fee from what they got"
            )
    return notes


def _notices(record: LaneRecord) -> list[tuple[int, str, str, str]]:
    """What a bot told: of each kind the first and the last ones, and how many came between them. A price at a bound
    leaves the range a thousand times."""
    total = Counter(notice.kind for notice in record.notices)
    seen: Counter[str] = Counter()
    kept: list[tuple[int, str, str, str]] = []
    for notice in record.notices:
        kind = notice.kind
        seen[kind] += 1
        left_out = total[kind] - 2 * KEPT_NOTICES
        if seen[kind] <= KEPT_NOTICES or seen[kind] > KEPT_NOTICES + max(left_out, 0):
            kept.append((notice.time, notice.level, kind, notice.text))
        elif seen[kind] == KEPT_NOTICES + 1:
            kept.append(
                (notice.time, "info", kind, f"{left_out:,} more of {kind} follow and are left out here")
            )
    return kept


# --- small things ------------------------------------------------------------------------------------


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    with localcontext(EXACT):
        return Money(sum(amounts, ZERO))


def _added(parts: Sequence[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for part in parts:
            for asset, amount in part.items():
                total[asset] = total.get(asset, ZERO) + amount
    return total


def _checksum(checksums: Sequence[str]) -> str:
    """One set of data keeps its own; several are summed up by one more."""
    if len(checksums) == 1:
        return checksums[0]
    return hashlib.sha256("\n".join(checksums).encode()).hexdigest()
