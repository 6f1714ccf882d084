"""Results as a backtest gives them, from made-up arrays: small ones for arithmetic, large ones for charts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtide.reports.backtest_result import BacktestResult, BaselineResult, EquityCurve, MarketResult
from gridtide.reports.table import Table

DAY_MS = 86_400_000
START = 1_609_459_200_000
"""2021-01-01, UTC."""


def money(value: float, places: int = 2) -> Decimal:
    return Decimal(f"{value:.{places}f}")


def prices_of(moments: int, seed: int = 7) -> NDArray[np.float64]:
    """A price that wanders around 35,000."""
    steps = np.random.default_rng(seed).normal(0, 0.012 * (2000 / moments) ** 0.5, moments)
    return np.asarray(35_000 * np.exp(np.cumsum(steps - steps.mean() * 0.4)), dtype=np.float64).round(2)


def fills_table(times: NDArray[np.int64], prices: NDArray[np.float64], count: int) -> Table:
    """Buys and sells by turns, evenly over the time."""
    rows = np.linspace(0, len(times) - 1, count).astype(int)
    found = [(int(times[row]), money(prices[row])) for row in rows]
    amount = Decimal("0.00123400")
    return Table(
        "fills",
        {
            "time": [time for time, _ in found],
            "side": ["SELL" if k % 2 else "BUY" for k in range(len(found))],
            "level": [-1 if k == 0 else k % 11 for k in range(len(found))],
            "price": [price for _, price in found],
            "amount": [amount] * len(found),
            "quote_amount": [price * amount for _, price in found],
            "fee": [
                Decimal("0.00000123400000") if k % 2 == 0 else Decimal("0.0432") for k in range(len(found))
            ],
            "fee_asset": ["USDT" if k % 2 else "BTC" for k in range(len(found))],
            "is_maker": [k > 0 for k in range(len(found))],
            "profit": [Decimal("1.234567890123") if k % 2 else Decimal(0) for k in range(len(found))],
            "quote": [Decimal("4000.5") for _ in found],
            "base": [Decimal("0.1234") for _ in found],
            "trade_id": list(range(1, len(found) + 1)),
            "order_id": [str(1000 + k) for k in range(len(found))],
        },
    )


def round_trips_table(count: int) -> Table:
    return Table(
        "round trips",
        {
            "opened_at": [START + k for k in range(count)],
            "closed_at": [START + DAY_MS + k for k in range(count)],
            "level": [k % 11 for k in range(count)],
            "amount": [Decimal("0.001234")] * count,
            "cost": [Decimal("40.1")] * count,
            "proceeds": [Decimal("41.334567890123")] * count,
            "profit": [Decimal("1.234567890123")] * count,
        },
    )


def levels_table(levels: tuple[Decimal, ...]) -> Table:
    rows = range(len(levels))
    return Table(
        "levels",
        {
            "level": list(rows),
            "price": list(levels),
            "fills": [3 * row for row in rows],
            "round_trips": list(rows),
            "profit": [money(float(np.sin(row) * 20 + 12)) for row in rows],
        },
    )


def market(
    bot: str, symbol: str, times: NDArray[np.int64], prices: NDArray[np.float64], fills: int
) -> MarketResult:
    low, high = float(np.quantile(prices, 0.1)), float(np.quantile(prices, 0.9))
    levels = tuple(money(price) for price in np.linspace(low, high, 11))
    return MarketResult(
        bot=bot,
        symbol=symbol,
        data=f"{symbol.replace('/', '')}-1m.parquet",
        data_checksum="ab" * 32,
        points=len(prices) * 4,
        start=int(times[0]),
        end=int(times[-1]),
        levels=levels,
        gaps=((START + DAY_MS, START + DAY_MS + 7_200_000),),
        fills=fills_table(times, prices, fills),
        round_trips=round_trips_table(fills // 2),
        level_profits=levels_table(levels),
        grid_profit=Decimal("512.345678901234"),
        floating_profit=Decimal("-87.65"),
        fees=Decimal("61.2"),
        fees_by_asset={"BTC": Decimal("0.00012"), "USDT": Decimal("56.1")},
        equity=Decimal("10424.695678901234"),
        time_in_range=0.8,
        ended_as="RUNNING",
        strategy_state={
            "levels": [str(level) for level in levels],
            "bought": Decimal("0.10"),
            "cycles": {"001B": 4},
        },
        prices=prices,
    )


def result(
    *,
    bots: tuple[tuple[str, str], ...] = (("btc-grid", "BTC/USDT"),),
    moments: int = 2000,
    fills: int = 240,
    days: int = 365,
    final: str = "15424.695678901234",
    settings: dict[str, Any] | None = None,
    **changed: Any,
) -> BacktestResult:
    """A year of a grid that did well; `changed` replaces any field."""
    times = np.linspace(START, START + days * DAY_MS, moments).astype(np.int64)
    prices = [prices_of(moments, seed) for seed in range(7, 7 + len(bots))]
    equity = 15_000 + np.linspace(0, float(Decimal(final)) - 15_000, moments)
    equity = equity + 1_500 * (prices[0] / prices[0][0] - 1) * np.linspace(1, 0, moments)
    curve = EquityCurve(
        times, equity, 1 - equity / np.maximum.accumulate(equity), np.clip(prices[0] / 90_000, 0, 1)
    )
    trough = int(curve.drawdown.argmax())
    given: dict[str, Any] = {
        "initial_equity": Decimal(15000),
        "final_equity": Decimal(final),
        "grid_profit": Decimal("512.345678901234"),
        "floating_profit": Decimal("-87.65"),
        "fees": Decimal("61.2"),
        "fees_by_asset": {"BTC": Decimal("0.00012"), "USDT": Decimal("56.1")},
        "max_drawdown": money(float(curve.drawdown.max()), 12),
        "drawdown_peak": int(times[curve.equity[: trough + 1].argmax()]),
        "drawdown_trough": int(times[trough]),
        "annual_return": 0.0283,
        "volatility": 0.181,
        "sharpe": 1.2345,
        "sortino": 1.9,
        "calmar": None,
        "mean_exposure": 0.42,
        "time_in_range": 0.8,
        "markets": tuple(
            market(bot, symbol, times, part, fills) for (bot, symbol), part in zip(bots, prices, strict=True)
        ),
        "curve": curve,
        "baselines": tuple(
            BaselineResult(name, money(float(line[-1])), Decimal("0.2"), sharpe, line)
            for name, sharpe, line in (
                ("hold", 0.8, 15_000 * prices[0] / prices[0][0]),
                ("constant_mix", 0.9, 7_500 + 7_500 * prices[0] / prices[0][0]),
                ("dca", None, 15_000 * (1 + (prices[0] / prices[0][0] - 1) * np.linspace(0, 1, moments))),
                ("cash", None, np.full(moments, 15_000.0)),
            )
        ),
        "notes": (
            "BTC/USDT: candles are missing, the price jumps over them: 2021-01-02 00:00 to 02:00",
            "between a candle's open and close the price walks by the rule nearer_extreme_first",
        ),
        "settings": settings
        or {
            "mode": "sandbox",
            "exchange": {"name": "binance", "api_key": "***", "api_secret": None},
            "bots": [{"name": bots[0][0], "strategy": {"name": "grid", "num_grids": 11}, "risk": {}}],
            "backtest": {"balance": {"USDT": "15000"}, "fees": {"maker": "0.001", "taker": "0.001"}},
        },
        "config_hash": "cd" * 32,
        "data_checksum": "ab" * 32,
        "version": "0.1.0",
        "seconds": 0.154,
        "total_seconds": 0.9,
        "notices": ((START + DAY_MS, "warning", "out_of_range", "the price left the grid"),),
    }
    return BacktestResult(**(given | changed))


def same(one: object, other: object) -> bool:
    """Equal in every field, arrays bit by bit and tables value by value with their types."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, Table) and isinstance(other, Table):
        return (one.name, one.columns) == (other.name, other.columns) and all(
            same(one[name], other[name]) for name in one.columns
        )
    if hasattr(one, "__dataclass_fields__") and type(one) is type(other):
        return all(same(getattr(one, name), getattr(other, name)) for name in type(one).__dataclass_fields__)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return type(one) is type(other) and one == other
