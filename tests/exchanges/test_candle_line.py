"""Each closed candle is told once, in order, whichever way it comes."""

from __future__ import annotations

from decimal import Decimal

from gridtide.domain.candle import Candle
from gridtide.domain.events import CandleClosed, StreamEvent
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.exchanges.candle_line import SETTLING_MS, CandleBuilder, CandleLine

SYMBOL = Symbol("ABC/USDT")
MINUTE = 60_000


def candle(minute: int) -> Candle:
    price = Price(Decimal(minute))
    return Candle(Timestamp(minute * MINUTE), price, price, price, price, Amount(Decimal(1)))


def opened(events: list[StreamEvent]) -> list[int]:
    return [event.candle.timestamp // MINUTE for event in events if isinstance(event, CandleClosed)]


def test_what_the_stream_repeats_and_what_a_read_shows_again_is_told_once() -> None:
    """After a gap the read brings what was missed, and the stream goes on behind it."""
    line, told = CandleLine(SYMBOL, "1m"), list[StreamEvent]()
    for minute in (5, 5, 6):
        line.tell(candle(minute), told.append)
    line.tell_read(map(candle, (9, 6, 7, 8)), 9 * MINUTE + SETTLING_MS, told.append)
    line.tell(candle(8), told.append)
    line.tell(candle(9), told.append)
    assert opened(told) == [5, 6, 7, 8, 9]


def test_the_first_read_only_says_where_to_begin() -> None:
    """What closed before the bot was there is no news."""
    line, told = CandleLine(SYMBOL, "1m"), list[StreamEvent]()
    line.tell_read(map(candle, (5, 6, 7)), 7 * MINUTE + SETTLING_MS, told.append)
    assert not told
    line.tell_read(map(candle, (6, 7, 8)), 8 * MINUTE + SETTLING_MS, told.append)
    assert opened(told) == [7]
    assert line.seconds_to_next(8 * MINUTE + 2 * SETTLING_MS) == 59
    line.tell_read(map(candle, (7, 8, 9, 10)), None, told.append)
    assert opened(told) == [7, 8, 9]


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
