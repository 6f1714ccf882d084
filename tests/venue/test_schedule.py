"""What is known in advance of a market: changing rules, halts where data is missing, a delisting."""

from dataclasses import replace

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.order import OrderStatus, Side
from gridtide.venue.messages import PriceMoved
from gridtide.venue.schedule import MarketChange, MarketSchedule, halts
from tests.venue.test_walk import filled_prices
from tests.venue.world import RULES, SYMBOL, D, buy, refusal, request, venue_at

DAY = 86_400_000
COARSE = replace(RULES, tick_size=D(1))
SCHEDULE = MarketSchedule(
    (
        MarketChange(Timestamp(DAY), rules=COARSE),
        MarketChange(Timestamp(2 * DAY), status=MarketStatus.HALT),
        MarketChange(Timestamp(3 * DAY), RULES, MarketStatus.TRADING),
    )
)


def test_the_next_change_is_a_time_to_stop_at() -> None:
    """Whatever is due at a time holds at that very time."""
    stops = [Timestamp(0)]
    while (next_stop := SCHEDULE.next_after(stops[-1])) is not None:
        stops.append(next_stop)
    assert stops == [0, DAY, 2 * DAY, 3 * DAY]
    assert [SCHEDULE.rules_at(stop) for stop in stops] == [None, COARSE, COARSE, RULES]
    assert [SCHEDULE.status_at(stop) for stop in stops[1:]] == [None, MarketStatus.HALT, MarketStatus.TRADING]


def test_changes_stand_in_order() -> None:
    with pytest.raises(InvalidInput, match="order of their times"):
        MarketSchedule(tuple(reversed(SCHEDULE.changes)))


def test_rules_hold_from_their_time_on() -> None:
    """Resting orders stay as they are, new ones obey; before the first change nothing is touched."""
    venue = venue_at()
    buy(venue, "0.01", "39900.5")
    venue.obey(SYMBOL, SCHEDULE, Timestamp(0))
    assert venue.market(SYMBOL).rules == RULES
    venue.obey(SYMBOL, SCHEDULE, Timestamp(DAY + 5))
    assert refusal(venue, request(Side.BUY, "0.01", "39900.5")) == (-1013, "Filter failure: PRICE_FILTER")
    buy(venue, "0.01", "39900")
    assert [order.price for order in venue.open_orders("a")] == [D("39900.5"), D(39_900)]
    venue.obey(SYMBOL, SCHEDULE, Timestamp(3 * DAY))
    assert buy(venue, "0.01", "39900.5").order.status is OrderStatus.NEW
    venue.check()


def test_a_gap_in_the_data_is_a_halt() -> None:
    """Inside it orders are refused and nothing fills; the first price after it meets what it passed."""
    venue = venue_at(publishes=False)
    buy(venue, "0.01", "39900")
    schedule = halts([(Timestamp(DAY), Timestamp(2 * DAY))])
    venue.obey(SYMBOL, schedule, Timestamp(DAY))
    assert refusal(venue, request(Side.BUY, "0.01", "39000")) == (-2010, "Market is closed.")
    assert schedule.next_after(Timestamp(DAY)) == 2 * DAY
    venue.obey(SYMBOL, schedule, Timestamp(2 * DAY))
    reopening = PriceMoved(D(39_000), D(1), Timestamp(2 * DAY))
    assert filled_prices(venue.move_market(SYMBOL, reopening, Timestamp(2 * DAY))) == ["39900"]
    venue.check()


def test_two_schedules_make_one() -> None:
    """Known rules and the gaps of the data, together; at the same time the second comes later."""
    gap = halts([(Timestamp(DAY // 2), Timestamp(3 * DAY))])
    both = SCHEDULE.merged(gap)
    assert [change.at for change in both.changes] == [DAY // 2, DAY, 2 * DAY, 3 * DAY, 3 * DAY]
    assert both.status_at(Timestamp(DAY)) is MarketStatus.HALT
    assert both.rules_at(Timestamp(DAY)) == COARSE
    assert both.status_at(Timestamp(3 * DAY)) is MarketStatus.TRADING


def test_a_delisting_is_a_halt_for_ever_and_the_end_of_all_orders() -> None:
    """As the exchange does it: trading ends, then open orders are cancelled and their funds are free again."""
    venue = venue_at(publishes=False)
    buy(venue, "0.01", "39900")
    delisted = MarketSchedule((MarketChange(Timestamp(DAY), status=MarketStatus.BREAK),))
    venue.obey(SYMBOL, delisted, Timestamp(DAY))
    venue.expire_orders("a", SYMBOL, Timestamp(DAY))
    assert venue.open_orders("a") == ()
    assert all(balance.locked == 0 for balance in venue.balances("a").values())
    assert refusal(venue, request(Side.BUY, "0.01", "39000"))[0] == -1013
    assert venue.prices_of_interest(SYMBOL) == (None, None)
