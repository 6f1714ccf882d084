"""Candles built from market trades, for the times that an exchange published none though it traded.

Only whole timeframes on the clock's grid are built, each from every trade in it; one without a trade stays missing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gridtide.market_data.block import Block, empty_block, joined, make_block
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.series import TRADES, Series, Span
from gridtide.market_data.supplier import Delivery

if TYPE_CHECKING:
    from gridtide.market_data.supplier import Supplier

_PLACES = 8


class TradesSupplier:
    """A supplier of market trades as a supplier of candles; for short times, because it holds the trades of all."""

    def __init__(self, trades: Supplier) -> None:
        self.name = f"trades of {trades.name}"
        self._trades = trades

    @property
    def notes(self) -> list[str]:
        return self._trades.notes

    async def deliver(self, series: Series, span: Span) -> AsyncGenerator[Delivery]:
        trades, end = empty_block(FileKind.TRADES), span.start
        async for delivery in self._trades.deliver(replace(series, timeframe=TRADES), span):
            if delivery.span.start != end:
                break  # what lies between is not known: the candles end here
            trades, end = joined(FileKind.TRADES, [trades, delivery.block]), delivery.span.end
        covered = Span(span.start, end)
        if not covered.is_empty:
            yield Delivery(covered, candles_of_trades(trades, series.step_ms, covered))

    async def close(self) -> None:
        await self._trades.close()


def candles_of_trades(trades: Block, step_ms: int, span: Span) -> Block:
    """The candles of `step_ms` that lie in `span` from their first to their last millisecond."""
    whole = Span(-(-span.start // step_ms) * step_ms, span.end // step_ms * step_ms)
    inside = trades.within(whole)
    if not len(inside):
        return empty_block(FileKind.CANDLES)
    opens = inside.timestamps // step_ms * step_ms
    first = np.flatnonzero(np.append(True, opens[1:] != opens[:-1]))
    last = np.append(first[1:], len(opens)) - 1
    prices, amounts = inside.columns["price"], inside.columns["amount"]
    return make_block(
        FileKind.CANDLES,
        {
            "timestamp": opens[first],
            "open": prices[first],
            "high": np.maximum.reduceat(prices, first),
            "low": np.minimum.reduceat(prices, first),
            "close": prices[last],
            "volume": np.round(np.add.reduceat(amounts, first), _PLACES),
        },
    )
