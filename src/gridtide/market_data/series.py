"""Which numbers of which market are meant, for which time. Times are half-open: the end belongs to the next span."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.candle import timeframe_seconds
from gridtide.domain.errors import InvalidInput
from gridtide.market_data.file_table import FileKind

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol

TRADES = "trades"
_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}")
_EXCHANGE = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


class Span(NamedTuple):
    """From `start` up to and without `end`, ms."""

    start: int
    end: int

    @property
    def is_empty(self) -> bool:
        return self.end <= self.start

    def clipped(self, other: Span) -> Span:
        """What both have in common; empty where they have nothing."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def __str__(self) -> str:
        return f"{time_text(self.start)} to {time_text(self.end)}"


END_OF_TIME = 32_503_680_000_000
"""The year 3000: until now, in effect."""
WHOLE = Span(0, END_OF_TIME)


def span_of(start: str | None, end: str | None) -> Span:
    """The time from `start` up to and without `end`, ISO dates or times; None is no bound. Raises `InvalidInput`."""
    span = Span(0 if start is None else parse_time(start), END_OF_TIME if end is None else parse_time(end))
    if span.is_empty:
        raise InvalidInput(f"the end {end} is not after the start {start}: there is nothing between")
    return span


@dataclass(frozen=True, slots=True)
class Series:
    """The candles of one timeframe, or the market trades, of one market on one exchange.

    Raises `InvalidInput` for names that could not stand in a path.
    """

    exchange: str
    """CCXT's id; ``binance-sandbox`` for one on this machine, which must not mix with the real one."""
    symbol: Symbol
    timeframe: str = "1m"
    """``1m``, ``1h`` …, or `TRADES`."""

    def __post_init__(self) -> None:
        if not _SYMBOL.fullmatch(self.symbol):
            raise InvalidInput(f"{self.symbol!r} names no spot market: write base and quote, as in BTC/USDT")
        if not _EXCHANGE.fullmatch(self.exchange):
            raise InvalidInput(
                f"{self.exchange!r} names no exchange: use a CCXT id such as binance or kraken"
            )
        if self.timeframe != TRADES:
            timeframe_seconds(self.timeframe)

    @property
    def kind(self) -> FileKind:
        return FileKind.TRADES if self.timeframe == TRADES else FileKind.CANDLES

    @property
    def step_ms(self) -> int:
        """The timeframe's length; a millisecond for market trades."""
        return 1 if self.timeframe == TRADES else timeframe_seconds(self.timeframe) * 1000

    @property
    def code(self) -> str:
        """``BTCUSDT``."""
        return self.symbol.replace("/", "")

    def __str__(self) -> str:
        what = "market trades" if self.timeframe == TRADES else f"{self.timeframe} candles"
        return f"{what} of {self.symbol} on {self.exchange}"


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in the fewest spans, in order."""
    joined: list[Span] = []
    for span in sorted(span for span in spans if not span.is_empty):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def without(wanted: Span, covered: Iterable[Span]) -> tuple[Span, ...]:
    """What of `wanted` no span of `covered` holds, in order."""
    rest: list[Span] = []
    start = wanted.start
    for span in merged(covered):
        if span.end <= start or span.start >= wanted.end:
            continue
        if span.start > start:
            rest.append(Span(start, span.start))
        start = span.end
    if start < wanted.end:
        rest.append(Span(start, wanted.end))
    return tuple(rest)


def months_of(span: Span) -> Iterator[Span]:
    """The whole months, UTC, that a time lies in."""
    day = _day(span.start).replace(day=1)
    while _start_of(day) < span.end:
        following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        yield Span(_start_of(day), _start_of(following))
        day = following


def days_of(span: Span) -> Iterator[Span]:
    """The whole days, UTC, that a time lies in."""
    day = _day(span.start)
    while _start_of(day) < span.end:
        yield Span(_start_of(day), _start_of(day + timedelta(days=1)))
        day += timedelta(days=1)


def _day(milliseconds: int) -> date:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def _start_of(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def time_text(milliseconds: int) -> str:
    """``2021-02-11 03:41`` UTC; seconds and milliseconds where there are some."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    if milliseconds % 1000:
        return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if milliseconds % 60_000 else f"{moment:%Y-%m-%d %H:%M}"


def parse_time(text: str) -> int:
    """Milliseconds of an ISO date or date and time, UTC unless it says otherwise; raises `InvalidInput`."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(f"{text!r} is no date: write 2021-01-01 or 2021-01-01T12:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
