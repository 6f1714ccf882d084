"""An exchange's public API as a supplier: page after page, from the oldest on.

A candle that is not closed is never delivered; a page says nothing about the time behind its last row.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from gridtide.domain.errors import DataUnusable
from gridtide.domain.market import Timestamp
from gridtide.market_data.block import Block, block_of_candles, block_of_trades, empty_block, joined
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.series import Series, Span, time_text
from gridtide.market_data.supplier import Delivery

if TYPE_CHECKING:
    from gridtide.ports.candle_source import CandleSource

_FRESH_MS = 600_000
"""So young a time without candles is not taken for empty: they may not have been published yet."""


class ApiSupplier:
    """Candles and market trades of a `CandleSource`, which is connected when it is first needed."""

    def __init__(self, source: CandleSource) -> None:
        self.name = f"{source.name} api"
        self.notes: list[str] = []
        self._source = source
        self._is_connected = False

    async def deliver(self, series: Series, span: Span) -> AsyncGenerator[Delivery]:
        if not self._is_connected:
            await self._source.connect()
            self._is_connected = True
        closed = await self._source.closed_until(
            series.symbol, None if series.kind is FileKind.TRADES else series.timeframe
        )
        whole = Span(span.start, min(span.end, closed // series.step_ms * series.step_ms))
        if whole.is_empty:
            return
        deliver = self._trades if series.kind is FileKind.TRADES else self._candles
        async for delivery in deliver(series, whole, closed):
            yield delivery

    async def close(self) -> None:
        await self._source.close()

    async def _candles(self, series: Series, span: Span, closed: int) -> AsyncGenerator[Delivery]:
        cursor = span.start
        while cursor < span.end:
            page = await self._source.candles(series.symbol, series.timeframe, Timestamp(cursor))
            given = block_of_candles(page)
            block = given.within(Span(0, closed - series.step_ms + 1))
            if len(block):
                behind = self._behind(series, span, cursor, int(block.timestamps[-1]))
            else:
                behind = min(cursor + self._source.candle_page * series.step_ms, closed - _FRESH_MS)
            covered = Span(cursor, min(span.end, behind))
            if covered.is_empty:
                return
            yield Delivery(covered, block.within(covered))
            cursor = covered.end
            if len(block) < len(given):
                return  # the rest is not closed

    def _behind(self, series: Series, span: Span, cursor: int, newest: int) -> int:
        """From where on a page says nothing any more; after the last candle of `span` nothing can follow."""
        if newest < cursor:
            raise DataUnusable(
                f"{self._source.name} gives candles up to {time_text(newest)} when it is asked for those from "
                f"{time_text(cursor)} on: it does not keep what was asked for; nothing of it was stored"
            )
        return newest + 1 if newest + series.step_ms < span.end else span.end

    async def _trades(self, series: Series, span: Span, _closed: int) -> AsyncGenerator[Delivery]:
        cursor, after_id = span.start, None
        carried: Block = empty_block(series.kind)
        while cursor < span.end:
            page, complete = await self._source.trades(series.symbol, Timestamp(cursor), after_id)
            if complete <= cursor and not page:
                raise DataUnusable(
                    f"{self._source.name} gives no market trades from {time_text(cursor)} on and does not say that "
                    "there are none: what came before is stored"
                )
            if after_id is None:
                carried = empty_block(series.kind)  # asked for by time: the page begins with these again
            carried = joined(series.kind, [carried, block_of_trades(page)])
            behind = min(span.end, complete)
            if behind > cursor:
                yield Delivery(Span(cursor, behind), carried.within(Span(cursor, behind)))
                carried = carried.within(Span(behind, 2**62))
            cursor = max(cursor, behind)
            after_id = page[-1].trade_id if page and page[-1].trade_id else None
