"""What the backtest benchmark plays: a year of minutes, millions of market trades, and a grid of fifty levels on each.

The year is real where the data stands beside the repository; everything else is a seeded walk, the same each time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.bootstrap.notebook import settings_of
from gridtide.domain.market import Symbol
from gridtide.market_data.checksums import data_checksum
from gridtide.market_data.load import LoadedData, load_market_data
from gridtide.price_path.columns import CandleColumns, TradeColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.config.settings import AppSettings

    Integers = NDArray[np.int64]

YEAR = Path(__file__).parents[2] / "shared" / "data" / "candles" / "BTCUSDT-1m-2021.parquet"
SYMBOL = Symbol("BTC/USDT")
START_MS = 1_609_459_200_000
MINUTE_MS = 60_000
TRADE_MS = 1_500
"""Between two market trades: twenty million of them are most of a year."""
CASH = 15_000
INVESTED = 5_000
"""Small enough for the market of the first seconds to sell the initial purchase."""
LEVELS = 50
MORE_LEVELS = 70
"""In the same range, for about twice as many fills."""

YEAR_RANGE = ("28000", "65500")
TRADES_RANGE = ("37000", "43000")
_WALK_CENTS = 2_800
_TRADE_CENTS = 157


@dataclass(frozen=True, slots=True)
class Sources:
    """All data of one run of the benchmark."""

    year: LoadedData
    trades: LoadedData
    half: LoadedData
    """Half as many market trades."""


def load(minutes: int | None, trades: int) -> Sources:
    """`minutes`: so many candles of a walk, instead of the whole year."""
    return Sources(year_of_minutes(minutes), market_trades(trades), market_trades(trades // 2))


@dataclass(frozen=True, slots=True)
class Case:
    """A config and its data, loaded: what a backtest starts from."""

    settings: AppSettings
    data: LoadedData


def year_of_minutes(minutes: int | None = None) -> LoadedData:
    """The minutes of 2021, or as many candles of a walk; `minutes`: so many of a walk in any case."""
    if minutes is None and YEAR.exists():
        return load_market_data(YEAR)
    return _loaded("a walk in minutes", _walked_candles(525_600 if minutes is None else minutes))


def market_trades(count: int) -> LoadedData:
    """A walk that turns back at the ends of the grid, a trade every 1.5 seconds."""
    rng = np.random.default_rng(1)
    prices = _folded_walk(rng, count, _TRADE_CENTS, TRADES_RANGE)
    times = START_MS + np.arange(count, dtype=np.int64) * TRADE_MS
    takers = rng.choice(np.array([1, -1], np.int8), count)
    amounts = np.full(count, 1_000, np.int64)
    return _loaded("a walk of trades", TradeColumns(times, prices, amounts, takers, times, 2, 5))


def with_idle_candles(data: LoadedData) -> LoadedData:
    """Twice the candles at half the timeframe: behind each stands a flat one in which nothing traded."""
    of = data.columns
    assert isinstance(of, CandleColumns)
    half = of.timeframe_ms // 2
    columns = CandleColumns(
        _interleaved(of.timestamps, of.timestamps + half),
        _interleaved(of.open, of.close),
        _interleaved(of.high, of.close),
        _interleaved(of.low, of.close),
        _interleaved(of.close, of.close),
        _interleaved(of.volume, np.zeros_like(of.volume)),
        of.price_places,
        of.volume_places,
        half,
    )
    return replace(_loaded(f"{data.name}, idle data doubled", columns), gaps=data.gaps)


def with_idle_trades(data: LoadedData) -> LoadedData:
    """Twice the market trades: behind each one more of nothing, half way to the next, at the same price."""
    of = data.columns
    assert isinstance(of, TradeColumns)
    times = _interleaved(of.timestamps, of.timestamps + TRADE_MS // 2)
    columns = TradeColumns(
        times,
        np.repeat(of.prices, 2),
        _interleaved(of.amounts, np.zeros_like(of.amounts)),
        np.repeat(of.takers, 2),
        times,
        of.price_places,
        of.amount_places,
    )
    return _loaded(f"{data.name}, idle data doubled", columns)


def grid(data: LoadedData, *, levels: int = LEVELS, risk: Any = "off") -> Case:
    """A grid in the range of its data; `risk` as a config says it, `{}` for the defaults."""
    lower, upper = YEAR_RANGE if isinstance(data.columns, CandleColumns) else TRADES_RANGE
    strategy = {
        "name": "grid",
        "lower_price": lower,
        "upper_price": upper,
        "num_grids": levels,
        "total_investment": str(INVESTED),
        "spacing": "geometric",
        "start_outside": "allow",
    }
    bot = {"name": "bench", "market": SYMBOL, "strategy": strategy, "risk": risk}
    return Case(settings_of({"bots": [bot], "backtest": {"balance": {"USDT": str(CASH)}}}), data)


# --- parts -------------------------------------------------------------------------------------------


def _loaded(name: str, columns: CandleColumns | TradeColumns) -> LoadedData:
    return LoadedData(name, SYMBOL, columns, data_checksum(columns), ())


def _walked_candles(count: int) -> CandleColumns:
    """Four steps of a walk each, the first being the open and the last the close."""
    walk = _folded_walk(np.random.default_rng(1), 4 * count, _WALK_CENTS, YEAR_RANGE).reshape(count, 4)
    times = START_MS + np.arange(count, dtype=np.int64) * MINUTE_MS
    volume = np.full(count, 4_000_000, np.int64)
    highs, lows = walk.max(axis=1), walk.min(axis=1)
    return CandleColumns(times, walk[:, 0], highs, lows, walk[:, 3], volume, 2, 5, MINUTE_MS)


def _folded_walk(rng: np.random.Generator, count: int, cents: float, bounds: tuple[str, str]) -> Integers:
    """Prices in cents of a random walk that begins in the middle of `bounds` and turns back at both."""
    low, high = (int(bound) * 100 for bound in bounds)
    width = high - low
    walk = np.cumsum(np.rint(rng.standard_normal(count) * cents).astype(np.int64))
    return low + np.abs((walk + width // 2) % (2 * width) - width)


def _interleaved(first: Integers, second: Integers) -> Integers:
    both = np.empty(2 * len(first), np.int64)
    both[::2], both[1::2] = first, second
    return both
