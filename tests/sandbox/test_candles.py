"""Candles of every length agree with the trades they are made of."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridtide.sandbox.candles import BASE, LENGTHS, NO_DAY, CandleBook, DayWindow, Kline, period

Trade = tuple[int, int]
"""Milliseconds since the trade before, price."""

DAY = 86_400_000
START = 1_609_459_200_000  # 2021-01-01

trades = st.lists(
    st.tuples(st.sampled_from([0, 1, 400, 61_000, 3_600_000, 5 * DAY]), st.integers(1, 100)),
    min_size=1,
    max_size=60,
)


def play(book: CandleBook, steps: Sequence[Trade]) -> list[tuple[int, Decimal]]:
    """Feed trades of amount 1 and give them with their times."""
    at, played = START, []
    for number, (gap, price) in enumerate(steps, 1):
        at += gap
        book.advance(at, Decimal(price))
        book.trade(Decimal(1), Decimal(price), number, buyer_took=price % 2 == 0)
        played.append((at, Decimal(price)))
    return played


@given(trades, st.sampled_from(sorted(LENGTHS)))
def test_folded_candles_equal_those_of_the_trades(steps: list[Trade], timeframe: str) -> None:
    """Open, high, low, close, volume, count and ids of each candle are those of the trades inside it."""
    book = CandleBook(kept=10_000)
    groups: dict[tuple[int, int], list[tuple[int, Decimal]]] = {}
    for number, (at, price) in enumerate(play(book, steps), 1):
        groups.setdefault(period(timeframe, at), []).append((number, price))
    rows = book.rows(timeframe)
    assert [(row[0], row[6]) for row in rows] == list(groups)
    for row, inside in zip(rows, groups.values(), strict=True):
        prices = [price for _, price in inside]
        figures: tuple[Any, ...] = (prices[0], max(prices), min(prices), prices[-1], len(prices), sum(prices))
        assert (*map(Decimal, row[1:6]), Decimal(row[7])) == figures
        assert (row[8], row[12], row[13]) == (len(inside), inside[0][0], inside[-1][0])
        assert Decimal(row[9]) == sum(price % 2 == 0 for price in prices)


@given(trades, st.integers(0, 60))
def test_a_restored_book_goes_on_as_if_nothing_had_been(steps: list[Trade], cut: int) -> None:
    """State and restore at any moment change nothing that follows."""
    whole, former, later = CandleBook(100), CandleBook(100), CandleBook(100)
    play(whole, steps)
    play(former, steps[:cut])
    later.restore(former.state())
    at = START + sum(gap for gap, _ in steps[:cut])
    for number, (gap, price) in enumerate(steps[cut:], cut + 1):
        at += gap
        later.advance(at, Decimal(price))
        later.trade(Decimal(1), Decimal(price), number, buyer_took=price % 2 == 0)
    for timeframe in LENGTHS:
        assert later.rows(timeframe) == whole.rows(timeframe)


def test_every_candle_that_closes_is_reported_once() -> None:
    """The first point of a new minute closes the minute before, in every timeframe that ends with it."""
    book = CandleBook(10)
    assert book.advance(START, Decimal(1)) == []
    assert [each.timeframe for each in book.advance(START + 1000, Decimal(2))] == [BASE]
    assert [each.timeframe for each in book.advance(START + 60_000, Decimal(3))] == [BASE, "1m"]
    closed = {each.timeframe: each.kline for each in book.advance(START + DAY, Decimal(4))}
    assert set(closed) == set(LENGTHS) - {"3d", "1w", "1M"}
    assert [closed["1d"].open, closed["1d"].close, closed["1d"].high] == [Decimal(1), Decimal(3), Decimal(3)]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """2021-01-01 was a Friday."""
    monday = START - 4 * DAY
    assert period("1w", START) == (monday, monday + 7 * DAY - 1)
    assert period("1M", START + 40 * DAY) == (START + 31 * DAY, START + 59 * DAY - 1)
    assert period("1M", START - 1) == (START - 31 * DAY, START - 1)


def minute(index: int, price: int) -> Kline:
    at, value = START + index * 60_000, Decimal(price)
    return Kline(
        at,
        at + 59_999,
        value,
        value,
        value,
        value,
        Decimal(1),
        value,
        trades=1,
        first_id=index,
        last_id=index,
    )


def test_the_day_window_forgets_what_is_older_than_24_hours() -> None:
    """Running totals and extremes are those of the last 1,440 minutes, the open one included."""
    window = DayWindow()
    assert window.figures(None) == NO_DAY
    window.add(minute(0, 1000))
    window.add(minute(1, 1))
    for index in range(2, 1441):
        window.add(minute(index, 10))
    day = window.figures(minute(1441, 20))
    assert [day.open, day.high, day.low, day.close, day.before] == [
        Decimal(each) for each in (1, 20, 1, 20, 1000)
    ]
    assert (int(day.volume), day.trades, day.first_id, day.last_id) == (1441, 1441, 1, 1441)
    assert day.average == day.quote / day.volume
    assert day.change_percent == 1900
