"""Candles of every timeframe, built from the market as it is played; their times are market time.

Only the candles of one second see every trade; the longer ones are folded together from them as they close.
Seconds without a trade or move have no candle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from gridtide.domain.money import ZERO
from gridtide.sandbox.wire import number

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_FIRST_MONDAY = 4 * _DAY
_MONTH = 0
"""Marks the timeframe whose length varies."""

BASE = "1s"
LENGTHS = {
    BASE: _SECOND,
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": _HOUR,
    "2h": 2 * _HOUR,
    "4h": 4 * _HOUR,
    "6h": 6 * _HOUR,
    "8h": 8 * _HOUR,
    "12h": 12 * _HOUR,
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": 7 * _DAY,
    "1M": _MONTH,
}
"""Milliseconds of each timeframe the exchange knows."""

KlineRow = tuple[Any, ...]
"""The twelve values of a kline as the exchange lists them, then first and last trade id: numbers and text only."""


def period(timeframe: str, at: int) -> tuple[int, int]:
    """First and last millisecond of the candle of `timeframe` that holds `at`. Weeks begin on Monday."""
    length = LENGTHS[timeframe]
    if length == _MONTH:
        return _month(at)
    origin = _FIRST_MONDAY if timeframe == "1w" else 0
    start = (at - origin) // length * length + origin
    return start, start + length - 1


def _month(at: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(at / 1000, UTC)
    start = datetime(day.year, day.month, 1, tzinfo=UTC)
    following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return int(start.timestamp()) * 1000, int(following.timestamp()) * 1000 - 1


@dataclass(slots=True)
class Kline:
    """A candle that still grows."""

    open_time: int
    close_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote: Decimal = ZERO
    taker_volume: Decimal = ZERO
    taker_quote: Decimal = ZERO
    trades: int = 0
    first_id: int = -1
    last_id: int = -1

    def touch(self, price: Decimal) -> None:
        """The price went here."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price

    def trade(self, amount: Decimal, quote: Decimal, trade_id: int, *, buyer_took: bool) -> None:
        """A trade happened at the price last touched."""
        self.volume += amount
        self.quote += quote
        if buyer_took:
            self.taker_volume += amount
            self.taker_quote += quote
        self.trades += 1
        self.last_id = trade_id
        if self.first_id < 0:
            self.first_id = trade_id

    def absorb(self, later: Kline) -> None:
        """Take in a candle that follows inside the same period."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.quote += later.quote
        self.taker_volume += later.taker_volume
        self.taker_quote += later.taker_quote
        self.trades += later.trades
        if later.last_id >= 0:
            self.last_id = later.last_id
            self.first_id = later.first_id if self.first_id < 0 else self.first_id

    def within(self, bounds: tuple[int, int]) -> Kline:
        """A copy with the bounds of a longer period."""
        return Kline(
            *bounds, self.open, self.high, self.low, self.close, self.volume, self.quote,
            self.taker_volume, self.taker_quote, self.trades, self.first_id, self.last_id,
        )  # fmt: skip

    def row(self) -> KlineRow:
        return (
            self.open_time, number(self.open), number(self.high), number(self.low), number(self.close),
            number(self.volume), self.close_time, number(self.quote), self.trades,
            number(self.taker_volume), number(self.taker_quote), "0", self.first_id, self.last_id,
        )  # fmt: skip

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Kline:
        opened, o, h, low, c, volume, closes, quote, trades, taker, taker_quote, _, first_id, last_id = row
        return cls(
            opened, closes, Decimal(o), Decimal(h), Decimal(low), Decimal(c), Decimal(volume), Decimal(quote),
            Decimal(taker), Decimal(taker_quote), trades, first_id, last_id,
        )  # fmt: skip


class ClosedKline(NamedTuple):
    """A candle that just closed."""

    timeframe: str
    kline: Kline


class CandleBook:
    """The candles of one market, the newest `kept` of each timeframe."""

    def __init__(self, kept: int) -> None:
        self._rows: dict[str, deque[KlineRow]] = {name: deque(maxlen=kept) for name in LENGTHS}
        self._open: dict[str, Kline] = {}
        """For each timeframe the part that closed base candles make up; the base's own candle whole."""

    def advance(self, market_time: int, price: Decimal) -> list[ClosedKline]:
        """The price went to `price` at `market_time` (never earlier than before): gives what closed by that."""
        base = self._open.get(BASE)
        if base is not None and market_time <= base.close_time:
            base.touch(price)
            return []
        closed = [] if base is None else self._roll(base, market_time)
        self._open[BASE] = Kline(*period(BASE, market_time), price, price, price, price)
        return closed

    def trade(self, amount: Decimal, quote: Decimal, trade_id: int, *, buyer_took: bool) -> None:
        """Book a trade at the price and time last given to `advance`."""
        self._open[BASE].trade(amount, quote, trade_id, buyer_took=buyer_took)

    def current(self, timeframe: str) -> Kline | None:
        """The candle of `timeframe` that is still open."""
        base = self._open.get(BASE)
        if base is None or timeframe == BASE:
            return base
        folded = self._open.get(timeframe)
        if folded is None:
            return base.within(period(timeframe, base.open_time))
        whole = folded.within((folded.open_time, folded.close_time))
        whole.absorb(base)
        return whole

    def rows(self, timeframe: str) -> list[KlineRow]:
        """All candles kept, oldest first, the open one last."""
        rows = list(self._rows[timeframe])
        current = self.current(timeframe)
        if current is not None:
            rows.append(current.row())
        return rows

    def rows_since(self, timeframe: str, since: int) -> list[KlineRow]:
        """The candles kept that opened at or after `since`, oldest first, the open one last."""
        current = self.current(timeframe)
        rows = [] if current is None or current.open_time < since else [current.row()]
        for row in reversed(self._rows[timeframe]):
            if row[0] < since:
                break
            rows.append(row)
        rows.reverse()
        return rows

    def _roll(self, base: Kline, market_time: int) -> list[ClosedKline]:
        self._rows[BASE].append(base.row())
        closed = [ClosedKline(BASE, base)]
        for timeframe in LENGTHS:
            if timeframe == BASE:
                continue
            whole = self._fold(timeframe, base)
            if market_time > whole.close_time:
                del self._open[timeframe]
                self._rows[timeframe].append(whole.row())
                closed.append(ClosedKline(timeframe, whole))
        return closed

    def _fold(self, timeframe: str, base: Kline) -> Kline:
        folded = self._open.get(timeframe)
        if folded is None:
            folded = self._open[timeframe] = base.within(period(timeframe, base.open_time))
        else:
            folded.absorb(base)
        return folded

    def state(self) -> dict[str, Any]:
        """Everything, JSON-compatible."""
        return {
            "rows": {name: list(rows) for name, rows in self._rows.items()},
            "open": {name: kline.row() for name, kline in self._open.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what `state` was taken of."""
        for name, rows in state["rows"].items():
            self._rows[name].extend(tuple(row) for row in rows)
        self._open = {name: Kline.from_row(row) for name, row in state["open"].items()}


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What happened in the last 24 hours of market time. `before` is the price just before them."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    before: Decimal
    volume: Decimal
    quote: Decimal
    trades: int
    first_id: int
    last_id: int

    @property
    def change(self) -> Decimal:
        return self.close - self.open

    @property
    def change_percent(self) -> Decimal:
        return self.change / self.open * 100 if self.open else ZERO

    @property
    def average(self) -> Decimal:
        """Volume-weighted; the close where nothing traded."""
        return self.quote / self.volume if self.volume else self.close


NO_DAY = DayFigures(ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, 0, -1, -1)
"""The figures of a market that never moved."""


class DayWindow:
    """Minute candles of the last 24 hours with running totals, so that a ticker costs little at any speed."""

    def __init__(self) -> None:
        self._minutes: deque[Kline] = deque()
        self._volume = self._quote = ZERO
        self._before: Decimal | None = None

    def add(self, minute: Kline) -> None:
        """A minute candle closed."""
        self._minutes.append(minute)
        self._volume += minute.volume
        self._quote += minute.quote
        while self._minutes[0].open_time <= minute.open_time - _DAY:
            left = self._minutes.popleft()
            self._volume -= left.volume
            self._quote -= left.quote
            self._before = left.close

    def figures(self, current: Kline | None) -> DayFigures:
        """The 24 hours up to now; `current` is the open minute, None before the first move."""
        if current is None:
            return NO_DAY
        minutes = [*self._minutes, current]
        traded = [minute for minute in minutes if minute.trades]
        return DayFigures(
            open=minutes[0].open,
            high=max(minute.high for minute in minutes),
            low=min(minute.low for minute in minutes),
            close=current.close,
            before=self._before if self._before is not None else minutes[0].open,
            volume=self._volume + current.volume,
            quote=self._quote + current.quote,
            trades=sum(minute.trades for minute in minutes),
            first_id=traded[0].first_id if traded else -1,
            last_id=traded[-1].last_id if traded else -1,
        )

    def refill(self, rows: Iterable[KlineRow]) -> None:
        """Become what adding these closed minute candles one by one makes."""
        for row in rows:
            self.add(Kline.from_row(row))
