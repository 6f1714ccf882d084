"""The equity of a backtest's whole account: what its bots hold, and what they were not given.

One market: exact at every point of its path. Several: the sum of the bots is looked at in floats, at every moment of
every path; what the figures say of single moments is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gridtide.bootstrap.backtest_checks import is_third
from gridtide.bootstrap.bots import allocation_of
from gridtide.domain.money import EXACT, ZERO, Money, divide_down
from gridtide.performance.days import midnights
from gridtide.performance.equity import Equity, Holding
from gridtide.performance.figures import Fall, Figures, figures_from, figures_of
from gridtide.performance.statistics import returns_of
from gridtide.reports.backtest_result import EquityCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.bootstrap.backtest_figures import PlayedBot
    from gridtide.config.backtest import BacktestSettings
    from gridtide.domain.fill import Fee

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

PIECE = 200_000
"""Points of a path that are looked at together."""
BEFORE_FIRST = -1
"""The time of what an account opens with."""
SAMPLES = 2000
"""Moments of the curve of a result, beside those of the fills."""


class AccountEquity(Protocol):
    """Equity of the account over the whole run."""

    def figures(self) -> Figures: ...

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

    def figures(self) -> Figures:
        return figures_of(self._equity)

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

    def _exactly_at(self, time: int) -> Decimal:
        """Equity at a moment, exact."""
        with localcontext(EXACT):
            return sum((self._part_at(part, time) for part in self._parts), self._free)

    @staticmethod
    def _part_at(part: Equity, time: int) -> Decimal:
        path = part.scan.path
        if time < path.time(part.start):
            return part.opening
        (following,) = path.firsts_at(np.array([time + 1])).tolist()
        return part.exactly_at(min(max(following - 1, part.start), part.stop - 1))

    def figures(self) -> Figures:
        days = midnights(self._first, self._last)
        return figures_from(
            (self._opening, Money(sum((part.closing() for part in self._parts), self._free))),
            self._deepest_fall(),
            returns_of(self._from_opening(np.append(days - 1, self._last))),
            self._last - self._first,
            float(self.curve().exposure.mean()),
        )

    def _deepest_fall(self) -> Fall:
        """Over every moment at which any of the markets has a point. Floats find the moments, a piece of the time after
        the other; what equity was there is exact."""
        opening = float(self._opening)
        peak = worst_peak = worst_trough = (opening, BEFORE_FIRST)
        for times in self._moments():
            equity = self._at(times)[0]
            peaks = np.maximum.accumulate(np.append(peak[0], equity))
            falls = 1 - equity / peaks[1:]
            trough = int(np.argmax(falls))
            if falls[trough] > 1 - worst_trough[0] / worst_peak[0]:
                top = int(np.argmax(peaks[1:] == peaks[trough + 1]))
                worst_peak = (
                    (float(peaks[trough + 1]), int(times[top])) if peaks[trough + 1] > peak[0] else peak
                )
                worst_trough = float(equity[trough]), int(times[trough])
            if peaks[-1] > peak[0]:
                peak = float(peaks[-1]), int(times[int(np.argmax(equity))])
        high, low = (
            self._opening if time == BEFORE_FIRST else self._exactly_at(time)
            for _, time in (worst_peak, worst_trough)
        )
        fraction = divide_down(high - low, high) if high > low else ZERO
        return Fall(fraction, max(worst_peak[1], self._first), max(worst_trough[1], self._first))

    def _moments(self) -> Iterator[Integers]:
        """The times of all points of all paths, in order, a few hundred thousand at a time."""
        paths = [part.scan.path for part in self._parts]
        marks = {path.time(at) for path in paths for at in range(PIECE, len(path), PIECE)}
        bounds = np.array([self._first, *sorted(marks), self._last + 1])
        ends = [path.firsts_at(bounds) for path in paths]
        for piece in range(len(bounds) - 1):
            times = np.concatenate(
                [
                    path.times(np.arange(own[piece], own[piece + 1]))
                    for path, own in zip(paths, ends, strict=True)
                ]
            )
            if len(times):
                yield np.sort(times, kind="stable")  # merges what is sorted; a time twice does no harm

    def curve(self) -> EquityCurve:
        times = np.linspace(self._first, self._last, SAMPLES).astype(np.int64)
        equity, base = self._at(times)
        exposure = np.divide(base, equity, out=np.zeros_like(equity), where=equity > 0)
        return EquityCurve(times, equity, _drawdown_of(equity), exposure)


def _drawdown_of(equity: Floats) -> Floats:
    peaks = np.maximum.accumulate(equity)
    falls: Floats = 1 - equity / peaks
    return falls
