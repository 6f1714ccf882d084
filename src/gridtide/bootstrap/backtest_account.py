"""The equity of a backtest's whole account: what its bots hold, and what they were not given.

One market: exact at every point of its path. Several: every bot's own equity is exact, their sum is looked at at every
moment of every path, in floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gridtide.bootstrap.backtest_checks import is_third
from gridtide.bootstrap.bots import allocation_of
from gridtide.domain.money import ZERO, Money
from gridtide.performance.days import midnights
from gridtide.performance.equity import Equity, Holding
from gridtide.performance.figures import figures_of
from gridtide.performance.statistics import annual_return, calmar, returns_of, sharpe, sortino, volatility
from gridtide.reports.backtest_result import EquityCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.bootstrap.backtest_figures import PlayedBot
    from gridtide.config.backtest import BacktestSettings
    from gridtide.domain.fill import Fee

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SAMPLES = 2000
"""Moments of the curve of a result, beside those of the fills."""
_PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """See `BacktestResult`; times are ms UTC."""

    opening: Decimal
    closing: Decimal
    drawdown: Decimal
    drawdown_peak: int
    drawdown_trough: int
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    mean_exposure: float


class AccountEquity(Protocol):
    """Equity of the account over the whole run."""

    def figures(self) -> AccountFigures: ...

    def curve(self) -> EquityCurve: ...


def account_equity(played: Sequence[PlayedBot], backtest: BacktestSettings) -> AccountEquity:
    """Equity of what was played; all markets have one quote asset."""
    free = backtest.balance.get(played[0].market.quote, ZERO) - sum(
        (allocation_of(each.bot).quote for each in played), ZERO
    )
    if len(played) == 1:
        return _OneMarket(bot_equity(played[0], backtest, free))
    parts = [bot_equity(each, backtest, ZERO, has_third=number == 0) for number, each in enumerate(played)]
    return _SeveralMarkets(parts, free)


def bot_equity(
    each: PlayedBot, backtest: BacktestSettings, free: Decimal, *, has_third: bool = True
) -> Equity:
    """What one bot holds, with `free` quote beside it, the account's other base of its market, and what is left of
    the asset that fees are paid in, at its price. Where several bots pay from one balance of it, one of them
    `has_third`; what the others pay counts as owed."""
    given, market = allocation_of(each.bot), each.market
    beside = backtest.balance.get(market.base, ZERO) - given.base
    third = _ThirdAsset(each, backtest, has_third=has_third)
    holdings = [Holding(0, free + given.quote + third.value, beside + given.base)]
    for point, fill, _, quote, base in each.record.fills:
        third.pay(fill.fee)
        holdings.append(Holding(point, free + quote + third.value, beside + base))
    return Equity(each.index, holdings)


class _ThirdAsset:
    """The account's balance of an asset that is neither base nor quote, in quote."""

    def __init__(self, each: PlayedBot, backtest: BacktestSettings, *, has_third: bool) -> None:
        name = backtest.fees.asset
        self._asset = name if is_third(name, each.market.symbol) else ""
        self._amount = backtest.balance.get(name, ZERO) if self._asset and has_third else ZERO
        self._price = backtest.fees.asset_price or ZERO
        self.value = self._amount * self._price

    def pay(self, fee: Fee) -> None:
        if fee.asset == self._asset:
            self._amount -= fee.amount
            self.value = self._amount * self._price


class _OneMarket:
    def __init__(self, equity: Equity) -> None:
        self._equity = equity

    def figures(self) -> AccountFigures:
        path, found = self._equity.scan.path, figures_of(self._equity)
        return AccountFigures(
            found.opening,
            found.closing,
            found.drawdown.fraction,
            path.time(found.drawdown.peak_index),
            path.time(found.drawdown.trough_index),
            found.annual_return,
            found.volatility,
            found.sharpe,
            found.sortino,
            found.calmar,
            found.mean_exposure,
        )

    def curve(self) -> EquityCurve:
        curve = self._equity.curve(SAMPLES)
        return EquityCurve(curve.times, curve.equity, _drawdown_of(curve.equity), curve.exposure)


class _SeveralMarkets:
    def __init__(self, parts: Sequence[Equity], free: Decimal) -> None:
        self._parts, self._free = parts, free
        paths = [part.scan.path for part in parts]
        self._first = min(path.time(0) for path in paths)
        self._last = max(path.time(len(path) - 1) for path in paths)
        self._opening = Money(sum((part.opening for part in self._parts), self._free))

    def _at(self, times: Integers) -> tuple[Floats, Floats]:
        """Equity, and the part of it held in base, at moments. Before a market's first point its bot has what it
        opens with."""
        total = np.full(len(times), float(self._free))
        base = np.zeros(len(times))
        for part in self._parts:
            path = part.scan.path
            has_begun = times >= path.time(part.start)
            points = np.clip(path.firsts_at(times + 1) - 1, part.start, part.stop - 1)
            equity = part.at(points)
            total += np.where(has_begun, equity, float(part.opening))
            base += np.where(has_begun, equity - part.cash_at(points), 0.0)
        return total, base

    def _from_opening(self, times: Integers) -> Floats:
        """Equity before anything was bought, then at moments."""
        return np.concatenate(([float(self._opening)], self._at(times)[0]))

    def figures(self) -> AccountFigures:
        opening = self._opening
        closing = Money(sum((part.closing() for part in self._parts), self._free))
        days = midnights(self._first, self._last)
        returns = returns_of(self._from_opening(np.append(days - 1, self._last)))
        fall, peak, trough = self._deepest_fall()
        yearly = annual_return(float(closing) / float(opening), self._last - self._first)
        curve = self.curve()
        return AccountFigures(
            opening,
            closing,
            Decimal(fall).quantize(_PLACES),
            peak,
            trough,
            yearly,
            volatility(returns),
            sharpe(returns),
            sortino(returns),
            calmar(yearly, fall),
            float(curve.exposure.mean()),
        )

    def _deepest_fall(self) -> tuple[float, int, int]:
        """Over every moment at which any of the markets has a point."""
        every = [part.scan.path.times(np.arange(len(part.scan.path))) for part in self._parts]
        times = np.sort(
            np.concatenate(every), kind="stable"
        )  # merges what is sorted; a time twice does no harm
        equity, times = self._from_opening(times), np.append(self._first, times)
        falls = _drawdown_of(equity)
        trough = int(np.argmax(falls))
        peak = int(np.argmax(equity[: trough + 1]))
        return float(falls[trough]), int(times[peak]), int(times[trough])

    def curve(self) -> EquityCurve:
        times = np.linspace(self._first, self._last, SAMPLES).astype(np.int64)
        equity, base = self._at(times)
        exposure = np.divide(base, equity, out=np.zeros_like(equity), where=equity > 0)
        return EquityCurve(times, equity, _drawdown_of(equity), exposure)


def _drawdown_of(equity: Floats) -> Floats:
    peaks = np.maximum.accumulate(equity)
    falls: Floats = 1 - equity / peaks
    return falls
