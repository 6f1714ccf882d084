"""A market's raw price path and its compressions: what a sweep worker loads once and every set is played on."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np

from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Asset, Market, MarketRules, PriceBand, Symbol
from gridtide.domain.money import plain
from gridtide.optimize.kernel_sets import SPACINGS, Status
from gridtide.optimize.levels import Rules, plan_sets
from gridtide.performance.days import midnights
from gridtide.price_path.compiled import compiled
from gridtide.price_path.compression import Threshold, extremes_among, extremes_before, turning_points
from gridtide.strategies.grid.config import GridSpacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.kernel_sets import Rows
    from gridtide.price_path.path import PricePath

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

STEPS_AN_OCTAVE = 4
"""Compressions for each doubling of the smallest step: more cost more to make, fewer leave more points to play."""
_BAND_MS = 360_000
"""Longer than an exchange's average price for its price band looks back."""


class Compression(NamedTuple):
    """What is left of the path for one threshold, and where its days end on it."""

    absolute: float
    relative: float
    prices: Floats
    """Ticks, of the points that are kept."""
    places: Integers
    """Raw index of each."""
    day_legs: Integers
    """For each day end: the kept point towards which the price goes then."""
    day_extremes: Floats
    """How far it had come (ticks)."""


class SweptPath:
    """Prices in whole ticks of `market`, times in ms, and what is derived from both when it is first needed."""

    __slots__ = (
        "_compressions", "_extremes", "_roughness", "_stays", "day_places", "day_prices", "market", "prices", "rules",
        "times",
    )  # fmt: skip

    def __init__(self, prices: NDArray[Any], times: Integers, market: Market) -> None:
        if not len(prices) or len(prices) != len(times):
            raise InvalidValue("there is no price to walk: the data holds no row")
        self.market = market
        self.prices = _frozen(prices, np.int32 if prices.max() < 2**31 else np.int64)
        """Ticks, of int32 or int64, a number each raw point."""
        self.times = _frozen(times, np.int64)
        """When each raw point is reached, ms UTC."""
        self.rules = Rules.of(market)
        ends = np.searchsorted(times, midnights(int(times[0]), int(times[-1]))) - 1
        self.day_places = _frozen(np.append(np.clip(ends, 0, len(times) - 1), len(times) - 1), np.int64)
        """Raw index of the last point of each UTC day, and of the last of all."""
        self.day_prices = _frozen(prices[self.day_places], np.float64)
        self._compressions: dict[int, Compression] = {}
        self._stays: _Stays | None = None
        self._roughness: float | None = None
        self._extremes: tuple[int, int] | None = None

    @classmethod
    def of(cls, path: PricePath, market: Market) -> Self:
        """Over a price path. Raises `InvalidValue` where a price is no multiple of the market's tick, `Inexpressible`
        for rules that whole numbers do not hold."""
        tick = Rules.of(market).tick
        unit = 10 ** (8 - path.places)
        if unit % tick and np.any(path.prices.astype(np.int64) * unit % tick):
            raise InvalidValue(f"prices of the data are no multiples of the tick of {market.symbol}")
        prices: NDArray[Any] = path.prices
        if unit != tick:
            prices = prices.astype(np.int64) * unit // tick
        return cls(prices, path.times(np.arange(len(path))), market)

    def __len__(self) -> int:
        return len(self.prices)

    @property
    def start_price(self) -> Decimal:
        """What every plan is made at."""
        return int(self.prices[0]) * self.market.rules.tick_size

    @property
    def day_ends(self) -> Integers:
        """Times (ms) that the columns of `Played.daily_equity` stand for: each UTC midnight and the last point."""
        first, last = int(self.times[0]), int(self.times[-1])
        return np.append(midnights(first, last), last)

    @property
    def pause(self) -> int:
        """Milliseconds from the first point to the second; 0 where there is none."""
        return int(self.times[1] - self.times[0]) if len(self) > 1 else 0

    @property
    def extremes(self) -> tuple[int, int]:
        """The lowest and the highest price (ticks)."""
        if self._extremes is None:
            self._extremes = int(self.prices.min()), int(self.prices.max())
        return self._extremes

    def window(self, start_ms: int, stop_ms: int) -> SweptPath:
        """The points reached at or after `start_ms` and before `stop_ms`, as a path of their own (nothing is copied but
        what is derived). Raises `InvalidValue` where there is none."""
        start, stop = np.searchsorted(self.times, [start_ms, stop_ms])
        return SweptPath(self.prices[start:stop], self.times[start:stop], self.market)

    # --- compressions --------------------------------------------------------------------------------

    def compression(self, key: int) -> Compression:
        """The compression of a key that `compression_keys` gave."""
        found = self._compressions.get(key)
        if found is None:
            found = self._compressions[key] = self._compress(key)
        return found

    def prepare(self, sets: Rows) -> None:
        """Make the compressions and sums that `sets` need, finer ones first; `play_sets` would else do it at need."""
        if not len(sets):
            return
        plans = plan_sets(sets, self.market, self.rules, int(self.prices[0]))
        planned = plans.status == Status.OK
        for key in sorted(set(compression_keys(sets[planned], plans.levels[planned]).tolist()), key=abs):
            self.compression(key)
        self.time_in_range(plans.levels[:1, 0], plans.levels[:1, 0])
        _ = self.roughness, self.extremes

    def _compress(self, key: int) -> Compression:
        threshold = _threshold(key)
        finer = [other for other in self._compressions if other * key > 0 and abs(other) < abs(key)]
        if not finer:
            places = turning_points(self.prices, threshold)
            legs, extremes = extremes_before(self.prices, places, self.day_places)
        else:
            former = self._compressions[max(finer, key=abs)]
            places = turning_points(self.prices, threshold, former.places)
            legs, extremes = extremes_among(
                former.prices, former.places, former.day_legs, former.day_extremes, places, self.day_places
            )
        return Compression(
            float(threshold.absolute),
            threshold.relative,
            _frozen(self.prices[places], np.float64),
            _frozen(places, np.int64),
            _frozen(legs, np.int64),
            _frozen(extremes, np.float64),
        )

    # --- other derived things ------------------------------------------------------------------------

    def time_in_range(self, lows: Integers, highs: Integers) -> Floats:
        """Shares of the path's time in which the price stood from low to high, both included (ticks)."""
        if self._stays is None:
            self._stays = _Stays(self.prices, self.times)
        return self._stays.shares(lows, highs)

    @property
    def roughness(self) -> float:
        """A bound on the ratio of any two prices within six minutes: how far a price band can lag behind."""
        if self._roughness is None:
            self._roughness = float(_roughness(self.prices, self.times, _BAND_MS))
        return self._roughness

    # --- files ---------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write prices, times and every compression made so far, as files that `load` can map into memory."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "prices.npy", self.prices)
        np.save(folder / "times.npy", self.times)
        for key, compression in self._compressions.items():
            for name in _STORED:
                np.save(folder / f"{name}_{key}.npy", getattr(compression, name))
        text = json.dumps({"market": _market_json(self.market), "keys": sorted(self._compressions)})
        (folder / "path.json").write_text(text)

    @classmethod
    def load(cls, folder: Path, *, mmap: bool = True) -> Self:
        """What `save` wrote; with `mmap` the operating system shares the pages between processes."""
        mode: Literal["r"] | None = "r" if mmap else None

        def array(name: str) -> NDArray[Any]:
            found: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode=mode)
            return found.view(np.ndarray)

        stored = json.loads((folder / "path.json").read_text())
        path = cls(array("prices"), array("times"), _market_of(stored["market"]))
        for key in stored["keys"]:
            threshold = _threshold(key)
            path._compressions[key] = Compression(
                float(threshold.absolute),
                threshold.relative,
                *(_frozen(array(f"{name}_{key}")) for name in _STORED),
            )
        return path


_STORED = ("prices", "places", "day_legs", "day_extremes")


def _frozen(array: NDArray[Any], dtype: Any = None) -> NDArray[Any]:
    """In one piece and read-only, whatever it comes from: machine code is made anew for each kind of array."""
    frozen = np.ascontiguousarray(array, dtype).view()
    frozen.flags.writeable = False
    return frozen


def compression_keys(sets: Rows, levels: Integers) -> Integers:
    """For each set, whose `levels` (ticks) stand in the same row, the coarsest compression that loses nothing.

    Above zero: by absolute swings, for equal steps; below: by relative ones, for equal ratios.
    """
    relative = sets["spacing"] == SPACINGS.index(GridSpacing.GEOMETRIC)
    return _keys(levels, sets["num_grids"].astype(np.int64), relative, STEPS_AN_OCTAVE)


def _threshold(key: int) -> Threshold:
    if key > 0:
        return Threshold(absolute=max(1, math.floor(2.0 ** ((key - 1) / STEPS_AN_OCTAVE))))
    return Threshold(relative=_FINEST * 2.0 ** (-key / STEPS_AN_OCTAVE))


_FINEST = 1e-9
"""The relative threshold of key 0."""


@compiled
def _keys(levels: Integers, counts: Integers, relative: NDArray[np.bool_], steps: int) -> Integers:
    keys = np.empty(counts.size, np.int64)
    for row in range(counts.size):
        if relative[row]:
            least = math.inf
            for k in range(counts[row] - 1):
                least = min(least, (levels[row, k + 1] - levels[row, k]) / levels[row, k])
            # A thousandth of a millionth of room for the floats of threshold and comparison.
            keys[row] = -max(1, math.floor(math.log2(least * (1 - 1e-9) / 1e-9) * steps))
        else:
            step = levels[row, 1] - levels[row, 0]
            for k in range(counts[row] - 1):
                step = min(step, levels[row, k + 1] - levels[row, k])
            keys[row] = math.floor(math.log2(step) * steps) + 1
            if math.floor(2.0 ** ((keys[row] - 1) / steps)) > step:
                keys[row] -= 1
    return keys


# --- time in range -----------------------------------------------------------------------------------

_MOST_BINS = 50_000_000


class _Stays:
    """How long the price stood at each tick, summed up from the lowest on."""

    def __init__(self, prices: NDArray[Any], times: Integers) -> None:
        self._lowest, highest = int(prices.min()), int(prices.max())
        self._ticks: NDArray[Any] | None = None
        self._duration = int(times[-1] - times[0])
        if highest - self._lowest < _MOST_BINS:
            self._sums = _sums_by_tick(prices, times, self._lowest, highest)
        else:
            order = np.argsort(prices, kind="stable")
            self._ticks = prices[order]
            stays = np.diff(times, append=times[-1:])
            self._sums = np.concatenate(([0], np.cumsum(stays[order])))

    def shares(self, lows: Integers, highs: Integers) -> Floats:
        if not self._duration:
            return ((lows <= self._lowest) & (highs >= self._lowest)).astype(np.float64)
        if self._ticks is None:
            most = len(self._sums) - 1
            first, last = (np.clip(each - self._lowest, 0, most) for each in (lows, highs + 1))
        else:
            first = np.searchsorted(self._ticks, lows)
            last = np.searchsorted(self._ticks, highs, side="right")
        shares: Floats = (self._sums[last] - self._sums[np.minimum(first, last)]) / self._duration
        return shares


@compiled
def _sums_by_tick(prices: NDArray[Any], times: Integers, lowest: int, highest: int) -> Integers:
    sums = np.zeros(highest - lowest + 2, np.int64)
    for index in range(prices.size - 1):
        sums[prices[index] - lowest + 1] += times[index + 1] - times[index]
    for place in range(1, sums.size):
        sums[place] += sums[place - 1]
    return sums


@compiled
def _roughness(prices: NDArray[Any], times: Integers, span: int) -> float:
    """Over neighbouring stretches of `span` ms each, three at a time."""
    worst = 1.0
    first_low = first_high = second_low = second_high = low = high = prices[0]
    stretch = times[0] // span
    for index in range(prices.size):
        if times[index] // span != stretch:
            stretch = times[index] // span
            first_low, first_high, second_low, second_high = second_low, second_high, low, high
            low = high = prices[index - 1]
        low, high = min(low, prices[index]), max(high, prices[index])
        least, most = min(first_low, second_low, low), max(first_high, second_high, high)
        if least > 0:
            worst = max(worst, most / least)
    return worst


# --- a market as JSON --------------------------------------------------------------------------------


def _market_json(market: Market) -> dict[str, Any]:
    rules = {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in asdict(market.rules).items()
        if name != "price_band"
    }
    band = market.rules.price_band
    if band is not None:
        rules["price_band"] = [plain(part) for part in asdict(band).values()]
    return {"symbol": market.symbol, "base": market.base, "quote": market.quote, "rules": rules}


def _market_of(stored: dict[str, Any]) -> Market:
    rules: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) else value
        for name, value in stored["rules"].items()
        if name != "price_band"
    }
    if "price_band" in stored["rules"]:
        rules["price_band"] = PriceBand(*map(Decimal, stored["rules"]["price_band"]))
    return Market(
        Symbol(stored["symbol"]), Asset(stored["base"]), Asset(stored["quote"]), MarketRules(**rules)
    )
