"""What simpler ways would have made of the same cash, from the same point on and at the same fee.

They show which part of a result is harvest and which is owning the base. Each trades at the price of a point, as a
taker; a buy's fee comes out of the base, a sale's out of the quote.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from gridtide.domain.money import EXACT, ONE, ZERO, divide_down
from gridtide.performance.days import midnights
from gridtide.performance.equity import Equity, Holding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridtide.domain.money import FeeRate
    from gridtide.performance.walk import Scan, Walk

_PLACES = 8
"""Decimals of an amount, as on an exchange."""
_HALF = Decimal("0.5")


class Baseline(StrEnum):
    """Ways to hold cash and base that decide nothing."""

    HOLD = "hold"
    """All cash into base at the start."""
    CONSTANT_MIX = "constant_mix"
    """Half the equity in base, restored at the start of each UTC day."""
    DCA = "dca"
    """Equal parts of the cash into base, at the start and at the start of each UTC day."""
    CASH = "cash"
    """Nothing is bought."""


def baseline(
    kind: Baseline, scan: Scan, cash: Decimal, fee_rate: FeeRate, start: int = 0, stop: int | None = None
) -> Equity:
    """A baseline over the points [`start`, `stop`)."""
    end = len(scan.path) if stop is None else stop
    with localcontext(EXACT):
        holdings = [Holding(start, cash, ZERO), *_trades(kind, scan.path, cash, fee_rate, start, end)]
    return Equity(scan, holdings, end)


def _trades(
    kind: Baseline, path: Walk, cash: Decimal, fee_rate: FeeRate, start: int, stop: int
) -> Iterator[Holding]:
    match kind:
        case Baseline.CASH:
            return iter(())
        case Baseline.HOLD:
            return _spread(path, cash, fee_rate, [start])
        case Baseline.DCA:
            return _spread(path, cash, fee_rate, _day_starts(path, start, stop))
        case Baseline.CONSTANT_MIX:
            return _half_and_half(path, cash, fee_rate, _day_starts(path, start, stop))
        case _:
            assert_never(kind)


def _day_starts(path: Walk, start: int, stop: int) -> list[int]:
    """The first point, and the first of each UTC day; days without data have none."""
    firsts = path.firsts_at(midnights(path.time(start), path.time(stop - 1)))
    return sorted({start, *firsts.tolist()})


def _spread(path: Walk, cash: Decimal, fee_rate: Decimal, points: list[int]) -> Iterator[Holding]:
    part, base = divide_down(cash, Decimal(len(points)), _PLACES), ZERO
    for point in points:
        price = path.price(point)
        bought = divide_down(cash if point == points[-1] else part, price, _PLACES)
        cash, base = cash - bought * price, base + bought * (ONE - fee_rate)
        yield Holding(point, cash, base)


def _half_and_half(path: Walk, cash: Decimal, fee_rate: Decimal, points: list[int]) -> Iterator[Holding]:
    base = ZERO
    for point in points:
        price = path.price(point)
        amount = divide_down((cash - base * price) * _HALF, price, _PLACES)
        if amount > 0:
            cash, base = cash - amount * price, base + amount * (ONE - fee_rate)
        else:
            cash, base = cash - amount * price * (ONE - fee_rate), base + amount
        yield Holding(point, cash, base)
