"""Each closed candle is told once, in order, whichever way it comes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from gridtide.domain.candle import Candle
from gridtide.domain.errors import InvalidInput
from gridtide.domain.events import CandleClosed, StreamEvent
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.exchanges.binance import BinanceExchange
from gridtide.exchanges.candle_line import SETTLING_MS, CandleBuilder, CandleLine
from gridtide.exchanges.ccxt_exchange import CcxtExchange
from tests.exchanges.fake_binance import FakeBinance, Reply
from tests.exchanges.listening import listening
from tests.exchanges.orders import SYMBOL as MARKET

SYMBOL = Symbol("ABC/USDT")
MINUTE = 60_000


def candle(minute: int) -> Candle:
    price = Price(Decimal(minute))
    return Candle(Timestamp(minute * MINUTE), price, price, price, price, Amount(Decimal(1)))


def opened(events: Sequence[StreamEvent]) -> list[int]:
    return [event.candle.timestamp // MINUTE for event in events if isinstance(event, CandleClosed)]


def test_what_the_stream_repeats_and_what_a_read_shows_again_is_told_once() -> None:
    """After a gap the read brings what was missed, and the stream goes on behind it."""
    line, said = CandleLine(SYMBOL, "1m"), list[StreamEvent]()
    for minute in (5, 5, 6):
        line.tell(candle(minute), said.append)
    line.tell_read(map(candle, (9, 6, 7, 8)), 9 * MINUTE + SETTLING_MS, said.append)
    line.tell(candle(8), said.append)
    line.tell(candle(9), said.append)
    assert opened(said) == [5, 6, 7, 8, 9]


def test_the_first_read_only_says_where_to_begin() -> None:
    """What closed before the bot was there is no news."""
    line, said = CandleLine(SYMBOL, "1m"), list[StreamEvent]()
    line.tell_read(map(candle, (5, 6, 7)), 7 * MINUTE + SETTLING_MS, said.append)
    assert not said
    line.tell_read(map(candle, (6, 7, 8)), 8 * MINUTE + SETTLING_MS, said.append)
    assert opened(said) == [7]
    assert line.seconds_to_next(8 * MINUTE + 2 * SETTLING_MS) == 59
    line.tell_read(map(candle, (7, 8, 9, 10)), None, said.append)
    assert opened(said) == [7, 8, 9]


def test_moves_make_candles() -> None:
    """Of the first one the beginning is not known."""
    builder = CandleBuilder("1m")
    moves = ((30, "5"), (59, "6"), (60, "7"), (70, "9"), (80, "8"), (200, "4"))
    made = [builder.move(Timestamp(at * 1000), Decimal(price), Decimal(2)) for at, price in moves]
    found = [each for each in made if each is not None]
    assert found == [
        Candle(
            Timestamp(MINUTE),
            Price(Decimal(7)),
            Price(Decimal(9)),
            Price(Decimal(7)),
            Price(Decimal(8)),
            Amount(Decimal(6)),
        )
    ]


def row(minute: int) -> list[object]:
    """A candle as REST lists it; its price is the minute's number."""
    opened = minute * MINUTE
    return [opened, *[str(minute)] * 4, "1", opened + MINUTE - 1, "1", 1, "0", "0", "0"]


def told(minute: int, *, closed: bool) -> dict[str, object]:
    """The same on the stream."""
    opened, price = minute * MINUTE, str(minute)
    kline = {"t": opened, "i": "1m", "o": price, "h": price, "l": price, "c": price, "v": "1", "x": closed}
    return {"stream": "btcusdt@kline_1m", "data": {"e": "kline", "s": "BTCUSDT", "k": kline}}


async def test_the_stream_tells_candles_and_a_gap_is_read(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """Open candles are no news; what closed while the connection was down comes with the next one."""
    async with listening(exchange, "1m") as listener:
        for minute, closed in ((5, False), (5, True), (6, False)):
            await fake.tell_market(told(minute, closed=closed))
        await listener.take(CandleClosed)
        fake.answers["GET /api/v3/klines"] = Reply(body=[row(minute) for minute in (6, 7, 8)])
        fake.abort(fake.user_sockets[-1])
        await listener.take(CandleClosed, 3)
        await fake.tell_market(told(8, closed=True))
        assert opened(await listener.take(CandleClosed, 4)) == [5, 6, 7, 8]


async def test_an_exchange_without_an_adapter_is_asked_for_candles(
    fake: FakeBinance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had closed before is no news."""
    monkeypatch.setattr("gridtide.exchanges.candle_line.SHORTEST_WAIT_SECONDS", 0.02)
    fake.answers["GET /api/v3/klines"] = Reply(body=[row(minute) for minute in (4, 5)])
    adapter = CcxtExchange(fake.connection())
    await adapter.connect()
    try:
        async with listening(adapter, "1m") as listener:
            fake.answers["GET /api/v3/klines"] = Reply(body=[row(minute) for minute in (5, 6, 7)])
            assert opened(await listener.take(CandleClosed, 2)) == [5, 6]
    finally:
        await adapter.close()


async def test_a_timeframe_that_the_exchange_does_not_have_is_refused(exchange: BinanceExchange) -> None:
    with pytest.raises(InvalidInput, match="has no candles of 7m"):
        await anext(exchange.stream(MARKET, "7m"))
