"""What a backtest gives back: exact figures, tables, and where every number comes from.

Equity is the whole account's, in quote: what the bots hold and what they were not given. All money is `Decimal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.money import plain
from gridtide.performance.figures import Figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gridtide.reports.table import Table

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """Arrays of one length. `times` are ms UTC; `exposure` is the share of equity held in base."""

    times: Integers
    equity: Floats
    drawdown: Floats
    """Below the peak so far, as a positive fraction of it."""
    exposure: Floats


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What a simpler way would have made of the same cash."""

    name: str
    """``hold``, ``constant_mix``, ``dca`` or ``cash``."""
    final_equity: Decimal
    max_drawdown: Decimal
    sharpe: float | None
    curve: Floats
    """Equity at the times of the result's own curve."""


@dataclass(frozen=True, slots=True)
class MarketResult:
    """One bot on its market."""

    bot: str
    symbol: str
    data: str
    """Name of the file or store the data came from."""
    data_checksum: str
    points: int
    """Points of the price path."""
    start: int
    end: int
    """Time of the first and the last point, ms UTC."""
    levels: tuple[Decimal, ...]
    gaps: tuple[tuple[int, int], ...]
    """Where candles are missing: first missing moment and next candle, ms UTC."""
    fills: Table
    """time, side, level, price, amount, quote_amount, fee, fee_asset, is_maker, profit, quote, base, trade_id,
    order_id."""
    round_trips: Table
    """opened_at, closed_at, level, amount, cost, proceeds, profit."""
    level_profits: Table
    """level, price, fills, round_trips, profit."""
    grid_profit: Decimal
    floating_profit: Decimal
    fees: Decimal
    fees_by_asset: Mapping[str, Decimal]
    equity: Decimal
    """The bot's own, from its allocation."""
    time_in_range: float
    ended_as: str
    """The bot's state at the end: ``RUNNING``, or why it stood still."""
    strategy_state: Mapping[str, Any]
    prices: Floats
    """The market's price at the times of the result's curve."""


@dataclass(frozen=True, slots=True, repr=False)
class BacktestResult(Figures):
    """A whole run: the account's figures and all else. Shown by itself it is one line; `summary` has the figures."""

    grid_profit: Decimal
    floating_profit: Decimal
    fees: Decimal
    """All fees valued in quote."""
    fees_by_asset: Mapping[str, Decimal]
    time_in_range: float
    """Of the first market's grid."""
    markets: tuple[MarketResult, ...]
    curve: EquityCurve
    baselines: tuple[BaselineResult, ...]
    notes: tuple[str, ...]
    """What the reader has to know: gaps, a bot that stopped, limits that were off, the path rule."""
    settings: Mapping[str, Any]
    """The whole config, without secrets."""
    config_hash: str
    data_checksum: str
    version: str
    seconds: float
    """Wall time of the engine alone, without loading data and without figures."""
    total_seconds: float
    notices: tuple[tuple[int, str, str, str], ...] = field(default=())
    """What the bots told their owner: time (ms), level, kind, text."""

    def __repr__(self) -> str:
        played = ", ".join(f"{market.bot} on {market.symbol}" for market in self.markets)
        return (
            f"<backtest of {played}: {plain(self.initial_equity)} became {plain(self.final_equity)}, "
            f"{self.fill_count} fills; summary() has the figures>"
        )

    @property
    def fills(self) -> Table:
        """The fills of the first market: see `MarketResult.fills`. Others are in `markets`."""
        return self.markets[0].fills

    @property
    def round_trips(self) -> Table:
        return self.markets[0].round_trips

    @property
    def fill_count(self) -> int:
        """Fills of all markets."""
        return sum(len(market.fills) for market in self.markets)

    @property
    def total_return(self) -> Decimal:
        """Change of equity as a fraction of what there was."""
        return (self.final_equity - self.initial_equity) / self.initial_equity

    def summary(self) -> dict[str, Any]:
        """The figures as JSON-compatible values: money as text, counts and ratios as numbers (design.md 8)."""
        return {
            "final_equity": plain(self.final_equity),
            "initial_equity": plain(self.initial_equity),
            "start": min(market.start for market in self.markets),
            "end": max(market.end for market in self.markets),
            "ended_as": {market.bot: market.ended_as for market in self.markets},
            "fills": self.fill_count,
            "round_trips": sum(len(market.round_trips) for market in self.markets),
            "grid_profit": plain(self.grid_profit),
            "floating_profit": plain(self.floating_profit),
            "fees": plain(self.fees),
            "fees_by_asset": {asset: plain(amount) for asset, amount in self.fees_by_asset.items()},
            "max_drawdown": plain(self.max_drawdown),
            "annual_return": self.annual_return,
            "volatility": self.volatility,
            "sharpe": self.sharpe,
            "sortino": self.sortino,
            "calmar": self.calmar,
            "mean_exposure": self.mean_exposure,
            "time_in_range": self.time_in_range,
            "baselines": {each.name: plain(each.final_equity) for each in self.baselines},
            "notes": list(self.notes),
            "seconds": self.seconds,
            "total_seconds": self.total_seconds,
            "data_checksum": self.data_checksum,
            "config_hash": self.config_hash,
            "version": self.version,
        }
