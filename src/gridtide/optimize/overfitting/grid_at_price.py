"""What a grid holds and is worth when price has gone straight from its start to another price.

Before fees and before any round trip: what remains is the position alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def first_holding(levels: Floats, start: float) -> int:
    """The lowest interval that holds base at the start; also the number of the vacant level, the nearest to `start`
    (a tie goes up), as in the grid's default."""
    away = np.abs(levels - start)
    return int(np.flatnonzero(away == away.min())[-1])


def invested(levels: Floats, quantities: Floats, start: float) -> float:
    """Quote for the buys below and the base above `start`; `quantities`: base of each interval, lowest first."""
    vacant = first_holding(levels, start)
    return float(levels[:vacant] @ quantities[:vacant] + start * quantities[vacant:].sum())


def equity_at(levels: Floats, quantities: Floats, start: float, price: float) -> tuple[float, float]:
    """Quote plus base at `price`, and the base held there, after every buy or sell on the straight way there."""
    vacant = first_holding(levels, start)
    cash = float(levels[:vacant] @ quantities[:vacant])
    base = float(quantities[vacant:].sum())
    if price < start:
        bought = np.flatnonzero(levels[:vacant] >= price)
        cash -= float(levels[bought] @ quantities[bought])
        base += float(quantities[bought].sum())
    else:
        sold = np.arange(vacant, len(quantities))
        sold = sold[levels[sold + 1] <= price]
        cash += float(levels[sold + 1] @ quantities[sold])
        base -= float(quantities[sold].sum())
    return cash + base * price, base
