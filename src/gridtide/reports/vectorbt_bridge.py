"""Hands the fills of a backtest to VectorBT for its analytics: value, trades, drawdowns, `stats()`, plots.

VectorBT (extra `research`) stands under Apache-2.0 with the Commons Clause, which forbids selling it; so nothing else
here imports it, and this module only when asked. Whatever it shows comes from our fills: it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.reports.backtest_result import BacktestResult, MarketResult

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NANOSECONDS = 1_000_000
"""In a millisecond. Rows of one moment are told apart by as many nanoseconds as there are rows before them."""


@dataclass(frozen=True, slots=True)
class OrderRows:
    """What `Portfolio.from_orders` takes: a row for each fill and each moment of the curve, a column for each market.

    `size` is signed and NaN where there is no order; `fees` are in quote. Paying them leaves the very cash and base
    that the account had after the fill.
    """

    symbols: tuple[str, ...]
    cash: float
    """Opening equity of the account: its base is bought back from it in the first row, free of fees."""
    times: Integers
    """ns UTC, rising."""
    close: Floats
    size: Floats
    price: Floats
    fees: Floats


def to_vectorbt(result: BacktestResult) -> Any:
    """The account as a `vectorbt.Portfolio`: one column a market, all of them on one cash.

    Its values and fees are floats, equal to ours to about one part in 10^9. Base that the account held at the start is
    bought in the first row at the first price, without a fee. Rows do not stand evenly in time, so its yearly
    figures are approximate (a row counts as the mean distance of all); `result.sharpe` and its kin are of days.

    Raises `InvalidInput` where VectorBT is not installed.
    """
    vectorbt, pandas = _modules()
    rows = order_rows(result)
    index = pandas.to_datetime(rows.times, unit="ns", utc=True)
    close = pandas.DataFrame(rows.close, index=index, columns=list(rows.symbols))
    return vectorbt.Portfolio.from_orders(
        close,
        size=rows.size,
        price=rows.price,
        fixed_fees=rows.fees,
        direction="longonly",
        init_cash=rows.cash,
        cash_sharing=True,
        group_by=True,
        freq=pandas.Timedelta(int(rows.times[-1] - rows.times[0]) // max(len(rows.times) - 1, 1), "ns"),
    )


def order_rows(result: BacktestResult) -> OrderRows:
    """The rows alone, without VectorBT."""
    rows = sorted(_rows(result), key=lambda row: row.time)  # stable: fills of one moment keep their order
    columns = range(len(result.markets))
    shape = len(rows), len(columns)
    close, size, price, fees = (np.full(shape, fill) for fill in (np.nan, np.nan, np.nan, 0.0))
    for number, row in enumerate(rows):
        close[number, row.market] = row.close
        if row.size is not None:
            size[number, row.market], price[number, row.market] = row.size, row.close
            fees[number, row.market] = row.fee
    times = np.array([row.time for row in rows], np.int64) * NANOSECONDS
    return OrderRows(
        tuple(market.symbol for market in result.markets),
        float(result.initial_equity),
        _told_apart(times),
        np.column_stack([_carried_on(close[:, column]) for column in columns]),
        size,
        price,
        fees,
    )


# --- rows --------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    time: int
    """ms"""
    market: int
    close: float
    size: float | None = None
    fee: float = 0.0


def _rows(result: BacktestResult) -> list[_Row]:
    """Rows of a moment stand in this order: what was held, fills, then where the price came to rest."""
    first = min(market.start for market in result.markets)
    held = [_opening(result, number, market, first) for number, market in enumerate(result.markets)]
    fills = [row for number, market in enumerate(result.markets) for row in _fills(result, number, market)]
    prices = [
        _Row(int(time), number, float(price))
        for number, market in enumerate(result.markets)
        for time, price in zip(result.curve.times, market.prices, strict=True)
    ]
    return held + fills + prices


def _opening(result: BacktestResult, number: int, market: MarketResult, time: int) -> _Row:
    base = Decimal(_backtest(result)["balance"].get(_assets(market)[0], "0"))
    return _Row(time, number, float(market.prices[0]), float(base) if base else None)


def _fills(result: BacktestResult, number: int, market: MarketResult) -> list[_Row]:
    """A fee taken in base made the bought amount smaller, or the sold one larger; valued at the fill's price it is a
    fee in quote that leaves the same cash. A third asset is part of the opening cash, from which fees in it are paid.
    """
    base_asset, quote_asset = _assets(market)
    third_price = Decimal(_backtest(result)["fees"]["asset_price"] or "0")
    rows = []
    for fill in market.fills:
        price: Decimal = fill["quote_amount"] / fill["amount"]
        in_base = fill["fee"] if fill["fee_asset"] == base_asset else ZERO
        worth = {base_asset: price, quote_asset: Decimal(1)}.get(fill["fee_asset"], third_price)
        size = (fill["amount"] if fill["side"] == Side.BUY else -fill["amount"]) - in_base
        rows.append(_Row(fill["time"], number, float(price), float(size), float(fill["fee"] * worth)))
    return rows


def _assets(market: MarketResult) -> tuple[str, str]:
    base, _, quote = market.symbol.partition("/")
    return base, quote


def _backtest(result: BacktestResult) -> Mapping[str, Any]:
    section: Mapping[str, Any] = result.settings["backtest"]
    return section


def _told_apart(times: Integers) -> Integers:
    """Rising times: of equal ones each later one a nanosecond later."""
    return np.array(list(accumulate(times.tolist(), lambda before, time: max(time, before + 1))), np.int64)


def _carried_on(prices: Floats) -> Floats:
    """Where there is none the last price counts, before the first one the first."""
    known = np.flatnonzero(~np.isnan(prices))
    at = np.searchsorted(known, np.arange(len(prices)), side="right") - 1
    found: Floats = prices[known[np.maximum(at, 0)]]
    return found


def _modules() -> tuple[Any, Any]:
    try:
        return import_module("vectorbt"), import_module("pandas")
    except ImportError:
        raise InvalidInput(
            "vectorbt is not installed, so there is no portfolio to hand over; the result itself is complete: install "
            "the extra with: pip install 'gridtide[research]'"
        ) from None
