"""Cost sensitivity: what is left of a result when trading costs more than assumed.

Nothing is extrapolated: a break-even is stated only where results on both sides of it were seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

FEE_MULTIPLES = (0.5, 1.0, 1.5, 2.0, 3.0)
_HALVINGS = 20


class CostPoint(NamedTuple):
    """A result under changed costs."""

    fee_multiple: float
    """Of the fee rates in the config; 1 is as configured."""
    slippage: float
    """As a fraction of the price, on market orders, as in the backtest's setting."""
    result: float
    """Profit after all costs, in any unit: above 0 is a gain."""


@dataclass(frozen=True, slots=True)
class CostSensitivity:
    """Results by costs, and where they turn to losses at the lowest slippage tried."""

    points: tuple[CostPoint, ...]
    """By slippage, then by fee multiple."""
    survives: float
    """The highest fee multiple tried up to which every result is a gain; 0 if there is none."""
    break_even: float | None
    """The fee multiple at which the result is zero; None if it lies beyond what was tried, on either side."""
    worst: float
    """The lowest result of all."""


def cost_sensitivity(
    measure: Callable[[float, float], float],
    fee_multiples: Sequence[float] = FEE_MULTIPLES,
    slippages: Sequence[float] = (0.0,),
) -> CostSensitivity:
    """Plays the same set at each fee multiple and slippage, and searches the break-even between the two multiples
    where gains end.

    `measure(fee_multiple, slippage)` gives the profit after costs; it is called once for each pair, and up to twenty
    times more for the break-even. ValueError without pairs.
    """
    found = costs_compared(
        CostPoint(multiple, slippage, measure(multiple, slippage))
        for slippage in slippages
        for multiple in fee_multiples
    )
    if found.break_even is None:
        return found
    slippage = found.points[0].slippage
    low = found.survives
    high = min(multiple for multiple in fee_multiples if multiple > low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if high - low <= 1e-6 * high:
            break
        low, high = (middle, high) if measure(middle, slippage) > 0 else (low, middle)
    return CostSensitivity(found.points, found.survives, (low + high) / 2, found.worst)


def costs_compared(points: Iterable[CostPoint]) -> CostSensitivity:
    """The same from results already at hand; the break-even is interpolated between the two multiples where gains
    end.

    ValueError without points, for a pair given twice, and for a result that is not a number.
    """
    ordered = tuple(sorted(points, key=lambda point: (point.slippage, point.fee_multiple)))
    if not ordered:
        raise ValueError("Costs can only be compared with at least one result.")
    if len({point[:2] for point in ordered}) < len(ordered):
        raise ValueError("A fee multiple and slippage was given twice.")
    if not all(math.isfinite(point.result) for point in ordered):
        raise ValueError("Every result must be a finite number.")
    by_fee = [point for point in ordered if point.slippage == ordered[0].slippage]
    loss = next((place for place, point in enumerate(by_fee) if point.result <= 0), len(by_fee))
    return CostSensitivity(
        points=ordered,
        survives=by_fee[loss - 1].fee_multiple if loss else 0.0,
        break_even=_between(by_fee[loss - 1], by_fee[loss]) if 0 < loss < len(by_fee) else None,
        worst=min(point.result for point in ordered),
    )


def break_even_fee_rate(profit_before_fees: float, traded_value: float) -> float:
    """The fee a side, as a fraction of what is traded, that leaves a profit of zero if no fill changes.

    `traded_value`: quote value of all fills, buys and sells. ValueError where nothing was traded.
    """
    if not traded_value > 0:
        raise ValueError("Without fills there is no break-even fee.")
    return profit_before_fees / traded_value


def _between(gain: CostPoint, loss: CostPoint) -> float:
    share = gain.result / (gain.result - loss.result)
    return gain.fee_multiple + share * (loss.fee_multiple - gain.fee_multiple)
