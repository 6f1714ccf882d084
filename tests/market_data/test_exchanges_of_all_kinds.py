"""Exchanges differ in what a page holds: in order or not, twice or not at all, as if nobody had asked. A source by
hand stands for each kind; time is what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.domain.candle import Candle, MarketTrade
from gridtide.domain.errors import DataUnusable, RateLimited, Transient
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.market_data.api_supplier import ApiSupplier
from gridtide.market_data.download import Download, Progress, Wanted
from gridtide.market_data.series import Span
from tests.market_data.stored import (
    CANDLES,
    JANUARY,
    MARKET_TRADES,
    MINUTE,
    SYMBOL,
    download,
    opened,
    span_of,
)

PAGE = 10
HUNDRED = span_of(0, 100)
LATER = JANUARY + 500 * MINUTE

Answer = Callable[[list[Candle], int], Sequence[Candle]]


def candle(minute: float, price: int = 100) -> Candle:
    one = Price(Decimal(price))
    return Candle(Timestamp(JANUARY + int(minute * MINUTE)), one, one, one, one, Amount(Decimal(1)))


def from_start(past: list[Candle], start: int) -> Sequence[Candle]:
    """What Binance does: the next page, however far away it begins."""
    return [each for each in past if each.timestamp >= start][:PAGE]


def within_window(past: list[Candle], start: int) -> Sequence[Candle]:
    """What Coinbase does: only what lies within a page's time."""
    return [each for each in past if start <= each.timestamp < start + PAGE * MINUTE]


class Exchange:
    """A `CandleSource` over a list of candles, or of market trades."""

    name = "handmade"
    candle_page = PAGE

    def __init__(self, past: list[Candle], answer: Answer = from_start, closed: int = LATER) -> None:
        self.past, self.answer, self.closed = past, answer, closed
        self.prints: list[MarketTrade] = []
        self.asked: list[int] = []
        self.errors: list[Exception] = []

    async def connect(self) -> None:
        """Nothing to connect to."""

    async def closed_until(self, symbol: Symbol, timeframe: str | None) -> Timestamp:
        return Timestamp(self.closed)

    async def candles(self, symbol: Symbol, timeframe: str, start: Timestamp) -> Sequence[Candle]:
        self.asked.append((start - JANUARY) // MINUTE)
        if self.errors:
            raise self.errors.pop(0)
        return self.answer(self.past, start)

    async def trades(
        self, symbol: Symbol, start: Timestamp, after_id: int | None = None
    ) -> tuple[Sequence[MarketTrade], Timestamp]:
        """Pages by time: the last millisecond of a full page comes again."""
        page = [each for each in self.prints if each.timestamp >= start][:PAGE]
        return page, page[-1].timestamp if len(page) == PAGE else Timestamp(start + MINUTE)

    async def close(self) -> None:
        """Nothing to close."""


def stored_minutes(folder: Path, span: Span = HUNDRED) -> list[float]:
    return [(int(at) - JANUARY) / MINUTE for at in opened(folder).rows(CANDLES, span).timestamps]


@pytest.mark.parametrize("answer", [from_start, within_window])
async def test_a_hole_longer_than_a_page_does_not_end_a_download(answer: Answer, tmp_path: Path) -> None:
    present = [*range(15), *range(60, 100)]
    exchange = Exchange([candle(minute) for minute in present], answer)
    report = await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert stored_minutes(tmp_path) == present
    assert (report.not_given, [gap.candles for gap in report.gaps]) == ((), [45])


async def test_pages_out_of_order_and_with_rows_twice_are_put_in_order(tmp_path: Path) -> None:
    def disorderly(past: list[Candle], start: int) -> Sequence[Candle]:
        page = from_start(past, start)
        return [*reversed(page), *page[:3], *past[:1]]

    exchange = Exchange([candle(minute) for minute in range(100)], disorderly)
    report = await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert stored_minutes(tmp_path) == list(range(100))
    assert report.not_given == ()


async def test_open_times_off_the_minute_are_kept_each_once(tmp_path: Path) -> None:
    present = [*range(20), *(minute + 0.25 for minute in range(20, 99))]
    exchange = Exchange([candle(minute) for minute in present])
    await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert stored_minutes(tmp_path) == present


async def test_a_candle_off_the_minute_that_is_not_closed_is_not_stored(tmp_path: Path) -> None:
    """It opened 45 s ago."""
    exchange = Exchange([candle(minute + 0.25) for minute in range(30)], closed=JANUARY + 30 * MINUTE)
    report = await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert stored_minutes(tmp_path)[-1] == 28.25
    assert report.not_given[-1].end == HUNDRED.end
    exchange.closed = LATER
    await download(tmp_path, span_of(0, 30), ApiSupplier(exchange))
    assert stored_minutes(tmp_path)[-1] == 29.25


async def test_candles_that_are_published_late_are_asked_for_again(tmp_path: Path) -> None:
    """The newest minutes are over but not there yet: that they are missing is not believed."""
    exchange = Exchange([candle(minute) for minute in range(57)], closed=JANUARY + 60 * MINUTE)
    first = await download(tmp_path, span_of(0, 60), ApiSupplier(exchange))
    assert len(first.not_given) == 1
    exchange.past = [candle(minute) for minute in range(60)]
    second = await download(tmp_path, span_of(0, 60), ApiSupplier(exchange))
    assert (second.not_given, second.new_rows) == ((), 3)


async def test_an_exchange_that_answers_with_other_times_is_refused(tmp_path: Path) -> None:
    def oldest(past: list[Candle], start: int) -> Sequence[Candle]:
        return past[:PAGE]

    exchange = Exchange([candle(minute) for minute in range(100)], oldest)
    with pytest.raises(
        DataUnusable, match="gives candles up to 2021-01-01 00:09 when it is asked for those from"
    ):
        await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert stored_minutes(tmp_path) == list(range(10))


async def test_an_exchange_that_only_knows_the_newest_leaves_a_named_gap(tmp_path: Path) -> None:
    """As those do that keep a few hundred candles and take no notice of the start."""

    def newest(past: list[Candle], start: int) -> Sequence[Candle]:
        return past[-PAGE:]

    exchange = Exchange([candle(minute) for minute in range(100)], newest)
    report = await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert [gap.candles for gap in report.gaps] == [90]


async def test_rows_that_cannot_be_are_refused_and_not_stored(tmp_path: Path) -> None:
    price = Price(Decimal(-1))
    bad = Candle(Timestamp(JANUARY), price, price, price, price, Amount(Decimal(1)))
    with pytest.raises(DataUnusable, match="handmade api gave candles, row 1: a price is not above zero"):
        await download(tmp_path, HUNDRED, ApiSupplier(Exchange([bad])))
    assert stored_minutes(tmp_path) == []


async def test_a_request_to_slow_down_is_waited_out_as_long_as_asked(tmp_path: Path) -> None:
    exchange = Exchange([candle(minute) for minute in range(100)])
    exchange.errors = [RateLimited("slow down", 7.0), Transient("lost"), Transient("lost again")]
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    wanted = Wanted(CANDLES, HUNDRED)
    run = Download(opened(tmp_path), wanted, [ApiSupplier(exchange)], now=LATER, sleep=sleep)
    assert (await run.run()).rows == 100
    assert waited == [7.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "error", [RateLimited("banned", 60.0, banned=True), RateLimited("wait an hour", 3600.0)]
)
async def test_nobody_waits_for_an_hour_or_for_a_ban(error: RateLimited, tmp_path: Path) -> None:
    exchange = Exchange([candle(minute) for minute in range(100)])
    exchange.errors = [error]
    with pytest.raises(RateLimited):
        await download(tmp_path, HUNDRED, ApiSupplier(exchange))
    assert exchange.asked == [0]


async def test_market_trades_paged_by_time_arrive_each_once_even_without_ids(tmp_path: Path) -> None:
    """Pages overlap by a millisecond, and two trades in it may look the same."""
    exchange = Exchange([])
    one, price = Amount(Decimal(1)), Price(Decimal(100))
    exchange.prints = [
        MarketTrade(SYMBOL, Timestamp(JANUARY + number // 3 * 5), price, one, Side.BUY)
        for number in range(50)
    ]
    span = span_of(0, 1)
    report = await download(tmp_path, span, ApiSupplier(exchange), series=MARKET_TRADES)
    assert (report.rows, report.not_given) == (50, ())


async def test_progress_only_grows_and_ends_at_the_whole(tmp_path: Path) -> None:
    told: list[Progress] = []
    exchange = Exchange([candle(minute) for minute in range(100)])
    wanted = Wanted(CANDLES, HUNDRED)
    run = Download(opened(tmp_path), wanted, [ApiSupplier(exchange)], now=LATER, on_progress=told.append)
    await run.run()
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert (told[-1].done, told[-1].total, told[-1].rows) == (100 * MINUTE, 100 * MINUTE, 100)


async def test_the_future_is_not_asked_for(tmp_path: Path) -> None:
    exchange = Exchange([candle(minute) for minute in range(100)], closed=JANUARY + 50 * MINUTE)
    report = await download(tmp_path, HUNDRED, ApiSupplier(exchange), now=JANUARY + 50 * MINUTE)
    assert report.span == span_of(0, 50)
    assert (report.rows, report.not_given) == (50, ())
