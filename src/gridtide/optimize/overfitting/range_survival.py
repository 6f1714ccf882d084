"""Range-survival card: how long price may stay in a grid's range, what it earns there, and what it costs to be wrong.

Futures are the past in another order: returns of the history, drawn again in blocks. What the history did not hold,
such as a worse crash, is not in the card either.

Source of the resampling: D. N. Politis and J. P. Romano, "The Stationary Bootstrap", JASA 89(428), 1994.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridtide.optimize.overfitting.block_length import automatic_block_length
from gridtide.optimize.overfitting.grid_at_price import equity_at, first_holding, invested
from gridtide.optimize.overfitting.stationary_bootstrap import resampled_places
from gridtide.price_path.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAYS = (7, 30, 90)
CHANGES = (-0.5, -0.3, -0.2, -0.1, 0.1, 0.3)
_DAY_MS = 86_400_000
_PATHS_AT_ONCE = 200


class Horizon(NamedTuple):
    """What may happen within `days`; chances are shares of the paths."""

    days: float
    leaves: float
    """Chance that price goes below the lowest or above the highest level."""
    leaves_below: float
    """Chance that it does, and below first."""
    leaves_above: float
    ends_outside: float
    """Chance that it is outside at the end."""
    round_trips: float
    """Expected pairs of a buy and its sell; sales of the base held at the start do not count."""
    round_trips_low: float
    """Every tenth path has fewer."""
    round_trips_high: float
    """Every tenth path has more."""


class PriceChange(NamedTuple):
    """The grid when price has gone straight to one price."""

    change: float
    """From the start, as a fraction."""
    price: float
    result: float
    """Profit (negative: loss) as a fraction of what was invested, before fees, all base at that price."""
    base_share: float
    """Base as a share of the equity there."""
    chances: tuple[float, ...]
    """That price goes that far, within each horizon."""


@dataclass(frozen=True, slots=True)
class RangeSurvival:
    """The card, and what it rests on."""

    start: float
    lower: float
    upper: float
    horizons: tuple[Horizon, ...]
    prices: tuple[PriceChange, ...]
    paths: int
    history_days: float
    block_hours: float
    """Mean length of a block."""
    keeps_drift: bool
    """Whether the history's trend goes on in the paths."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Logarithmic changes from one close to the next, and to the extremes between them."""

    closes: Floats
    lows: Floats
    highs: Floats


def range_survival(
    closes: NDArray[Any],
    levels: NDArray[Any],
    generator: np.random.Generator,
    *,
    step_ms: int = 3_600_000,
    lows: NDArray[Any] | None = None,
    highs: NDArray[Any] | None = None,
    start: float | None = None,
    quantities: NDArray[Any] | None = None,
    days: Sequence[float] = DAYS,
    changes: Sequence[float] = CHANGES,
    paths: int = 2000,
    block_length: float | None = None,
    keeps_drift: bool = False,
) -> RangeSurvival:
    """The card of a grid, from a price history at equal steps.

    `closes`, and `lows` and `highs` of the same candles if at hand (without them a touch between two closes is not
    seen): shape (candles,), above zero; hours are fine enough. `levels`: the grid's prices, rising, at least two.
    `start`: the price today, the last close if not given. `quantities`: base of each interval, lowest first, equal
    ones if not given. `block_length`: mean length in candles, the automatic one if not given: long enough for the
    memory of returns and of their size. The mean return is taken away unless `keeps_drift`: last year's trend is no
    promise. Deterministic for a seeded `generator`. ValueError for prices or levels that are none, and for a history
    of fewer than eleven candles.
    """
    grid = _rising(levels)
    moves = _moves(closes, lows, highs, keeps_drift=keeps_drift)
    first = float(np.asarray(closes)[-1]) if start is None else start
    sizes = np.ones(len(grid) - 1) if quantities is None else np.asarray(quantities, np.float64)
    if not first > 0 or len(sizes) != len(grid) - 1 or not days or paths < 1:
        raise ValueError("A card needs a start above zero, one quantity an interval, horizons and paths.")
    if min(changes, default=0) <= -1:
        raise ValueError("A price cannot change by −100 % or below −100 %.")
    length = _length(moves.closes) if block_length is None else block_length
    steps = np.array([max(1, round(day * _DAY_MS / step_ms)) for day in sorted(days)], np.int64)
    walked = _walked(
        moves, (np.log(grid / first), first_holding(grid, first)), steps, paths, length, generator
    )
    return RangeSurvival(
        start=first,
        lower=float(grid[0]),
        upper=float(grid[-1]),
        horizons=tuple(_horizon(day, place, walked) for place, day in enumerate(sorted(days))),
        prices=tuple(_change(change, grid, sizes, first, walked) for change in sorted(changes)),
        paths=paths,
        history_days=len(moves.closes) * step_ms / _DAY_MS,
        block_hours=length * step_ms / 3_600_000,
        keeps_drift=keeps_drift,
    )


def _rising(levels: NDArray[Any]) -> Floats:
    grid = np.asarray(levels, np.float64)
    if grid.ndim != 1 or len(grid) < 2 or not (grid[0] > 0 and (np.diff(grid) > 0).all()):
        raise ValueError("A grid has at least two levels above zero, each above the one before.")
    return grid


def _moves(closes: NDArray[Any], lows: Any, highs: Any, *, keeps_drift: bool) -> _Moves:
    rows = [np.asarray(closes, np.float64)]
    rows += [rows[0] if row is None else np.asarray(row, np.float64) for row in (lows, highs)]
    if any(row.shape != rows[0].shape or row.ndim != 1 for row in rows):
        raise ValueError("Closes, lows and highs must be of the same candles.")
    if len(rows[0]) < 11 or not all(np.isfinite(row).all() and (row > 0).all() for row in rows):
        raise ValueError("A history has at least eleven candles with prices above zero.")
    before, (last, low, high) = np.log(rows[0][:-1]), (np.log(row[1:]) for row in rows)
    drift = 0.0 if keeps_drift else float((last - before).mean())
    last, low, high = last - before - drift, low - before - drift, high - before - drift
    return _Moves(last, np.minimum(low, np.minimum(last, 0)), np.maximum(high, np.maximum(last, 0)))


def _length(returns: Floats) -> float:
    """Volatility remembers longer than returns do, and survival hangs on it."""
    return max(automatic_block_length(returns), automatic_block_length(np.abs(returns)))


class _Walked(NamedTuple):
    """One row a path, one column a horizon."""

    side: NDArray[np.int8]
    """Left first: −1 below, 1 above, 0 not."""
    outside: NDArray[np.bool_]
    trips: NDArray[np.int64]
    lowest: Floats
    highest: Floats


def _walked(
    moves: _Moves,
    grid: tuple[Floats, int],
    steps: NDArray[np.int64],
    paths: int,
    length: float,
    generator: np.random.Generator,
) -> _Walked:
    """`grid`: logarithms of its levels over the start, and the lowest interval that holds base."""
    shape = (paths, len(steps))
    found = _Walked(
        np.zeros(shape, np.int8),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.int64),
        np.zeros(shape),
        np.zeros(shape),
    )
    for begin in range(0, paths, _PATHS_AT_ONCE):
        rows = slice(begin, min(begin + _PATHS_AT_ONCE, paths))
        places = resampled_places(len(moves.closes), int(steps[-1]), rows.stop - begin, length, generator)
        _walk(moves.closes, moves.lows, moves.highs, places, *grid, steps, *(part[rows] for part in found))
    return found


def _horizon(days: float, place: int, walked: _Walked) -> Horizon:
    side, trips = walked.side[:, place], walked.trips[:, place]
    low, high = np.quantile(trips, (0.1, 0.9))
    return Horizon(
        days=days,
        leaves=float((side != 0).mean()),
        leaves_below=float((side < 0).mean()),
        leaves_above=float((side > 0).mean()),
        ends_outside=float(walked.outside[:, place].mean()),
        round_trips=float(trips.mean()),
        round_trips_low=float(low),
        round_trips_high=float(high),
    )


def _change(change: float, levels: Floats, quantities: Floats, start: float, walked: _Walked) -> PriceChange:
    price = start * (1 + change)
    equity, base = equity_at(levels, quantities, start, price)
    gone = walked.lowest <= np.log1p(change) if change < 0 else walked.highest >= np.log1p(change)
    return PriceChange(
        change=change,
        price=price,
        result=equity / invested(levels, quantities, start) - 1,
        base_share=base * price / equity,
        chances=tuple(float(share) for share in gone.mean(axis=0)),
    )


@compiled
def _walk(
    closes: Any,
    lows: Any,
    highs: Any,
    places: Any,
    levels: Any,
    holding: int,
    steps: Any,
    side: Any,
    outside: Any,
    trips: Any,
    lowest: Any,
    highest: Any,
) -> None:
    """Walks each row of `places` through the grid. The lowest interval that holds base is the grid's whole state:
    those above hold too. Inside a candle the nearer extreme comes first, as in the default candle path."""
    turns = np.empty(3)
    for path in range(places.shape[0]):
        price = least = most = 0.0
        held = sold = holding  # `sold`: the lowest interval that still has the base of the start
        count = left = horizon = 0
        for step in range(steps[-1]):
            place = places[path, step]
            low, high = price + lows[place], price + highs[place]
            least, most = min(least, low), max(most, high)
            if left == 0 and (low < levels[0] or high > levels[-1]):
                is_low_first = price - low <= high - price
                left = -1 if low < levels[0] and (is_low_first or high <= levels[-1]) else 1
            turns[0], turns[1] = (low, high) if price - low <= high - price else (high, low)
            price += closes[place]
            turns[2] = price
            for turn in turns:
                while held > 0 and turn <= levels[held - 1]:
                    held -= 1
                while held < levels.size - 1 and turn >= levels[held + 1]:
                    if held < sold:
                        count += 1
                    else:
                        sold += 1
                    held += 1
            while horizon < steps.size and step + 1 == steps[horizon]:
                side[path, horizon] = left
                outside[path, horizon] = price < levels[0] or price > levels[-1]
                trips[path, horizon] = count
                lowest[path, horizon] = least
                highest[path, horizon] = most
                horizon += 1
