"""The past that queries are shown is the truth of that moment, folded from a log and not copied from the venue."""

import random
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.order import Side, TimeInForce
from gridtide.sandbox.endpoints.paging import NO_LIMIT
from gridtide.sandbox.exchange import SandboxExchange
from gridtide.testing.sandbox_exchange import sandbox_settings
from gridtide.venue.messages import NewOrder, NewOrderList, PriceMoved, VenueRefusal
from gridtide.venue.past import PastVenue
from gridtide.venue.recent_past import KEPT_SECONDS, RecentPast

SYMBOL = Symbol("BTC/USDT")
ACCOUNT = "main"


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = 1_700_000_000_000

    def now(self) -> Timestamp:
        return Timestamp(self.at)

    def monotonic(self) -> float:
        return self.at / 1000


def snapshot(venue: Any) -> tuple[object, ...]:
    """Everything a client can ask about its account."""
    return (
        venue.orders(ACCOUNT, SYMBOL, 0, NO_LIMIT),
        venue.open_orders(ACCOUNT),
        venue.open_orders(ACCOUNT, SYMBOL),
        venue.orders(ACCOUNT, SYMBOL, None, 5),
        venue.fills(ACCOUNT, SYMBOL, 0, None, NO_LIMIT),
        venue.fills(ACCOUNT, SYMBOL, None, None, 3),
        venue.balances(ACCOUNT),
        venue.order_lists(ACCOUNT, 0, NO_LIMIT),
        venue.order_lists(ACCOUNT, None, 2),
        venue.open_order_lists(ACCOUNT),
    )


def step(exchange: SandboxExchange, draw: random.Random) -> None:
    """Something happens to the account."""
    match draw.randrange(6):
        case 0 | 1:
            side = draw.choice(list(Side))
            price = Decimal(draw.randrange(48_000, 52_000))
            exchange.place_order(
                NewOrder(
                    ACCOUNT,
                    SYMBOL,
                    side,
                    "LIMIT",
                    Decimal("0.001"),
                    price=price,
                    time_in_force=TimeInForce.GTC,
                )
            )
        case 2:
            price = Decimal(draw.randrange(48_000, 52_000))
            exchange.move_market(SYMBOL, PriceMoved(price, Decimal(0), exchange.now()))
        case 3:
            orders = exchange.venue.open_orders(ACCOUNT)
            if orders:
                order_id = draw.choice(orders).order_id
                exchange.cancel_order(
                    ACCOUNT, SYMBOL, order_id=order_id, client_order_id=None, new_client_order_id=""
                )
        case 4:
            leg = NewOrder(ACCOUNT, SYMBOL, Side.SELL, "LIMIT_MAKER", Decimal("0.001"), price=Decimal(52_500))
            stop = leg._replace(type="STOP_LOSS", price=None, stop_price=Decimal(47_500))
            with suppress(VenueRefusal):  # too many lists, or the funds are gone
                working = leg._replace(
                    side=Side.BUY, type="LIMIT", time_in_force=TimeInForce.GTC, price=Decimal(48_500)
                )
                exchange.place_order_list(
                    NewOrderList(ACCOUNT, SYMBOL, (leg, stop), draw.choice([None, working]))
                )
        case _:
            exchange.deposit(ACCOUNT, Asset(draw.choice(["USDT", "BTC", "NEW"])), Decimal(1))


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_the_truth_of_that_moment(seed: int) -> None:
    """400 random steps, the log begun in their midst: each moment within reach reads as it was."""
    clock, draw = SetClock(), random.Random(seed)
    exchange = SandboxExchange(sandbox_settings(), clock)
    exchange.move_market(SYMBOL, PriceMoved(Decimal(50_000), Decimal(1), clock.now()))
    journal, then = RecentPast(), {}
    for number in range(400):
        if number == 50:
            journal.begin(exchange.venue)
            exchange.seam.on_published = journal.add
        clock.at += draw.randrange(1, 2000)
        step(exchange, draw)
        if number >= 50:
            then[clock.at] = snapshot(exchange.venue)
    reached = [at for at in then if at >= clock.at - (KEPT_SECONDS - 10) * 1000]
    assert len(reached) > 50
    for at in reached:
        past = PastVenue(exchange.venue, journal, at)
        assert snapshot(past) == then[at]


def test_an_order_that_did_not_exist_is_not_found() -> None:
    clock, journal = SetClock(), RecentPast()
    exchange = SandboxExchange(sandbox_settings(), clock)
    journal.begin(exchange.venue)
    exchange.seam.on_published = journal.add
    clock.at += 1000
    exchange.place_order(
        NewOrder(
            ACCOUNT,
            SYMBOL,
            Side.BUY,
            "LIMIT",
            Decimal("0.001"),
            price=Decimal(40_000),
            time_in_force=TimeInForce.GTC,
            client_order_id="new",
        )
    )
    past = PastVenue(exchange.venue, journal, clock.at - 1)
    with pytest.raises(VenueRefusal, match="-2013"):
        past.order(ACCOUNT, SYMBOL, None, "new")


def test_the_log_stays_small() -> None:
    """What no lag reaches is forgotten, however long the sandbox runs."""
    clock, draw, journal = SetClock(), random.Random(1), RecentPast()
    exchange = SandboxExchange(sandbox_settings(), clock)
    exchange.move_market(SYMBOL, PriceMoved(Decimal(50_000), Decimal(1), clock.now()))
    journal.begin(exchange.venue)
    exchange.seam.on_published = journal.add
    sizes = []
    for _ in range(3000):
        clock.at += 1000
        step(exchange, draw)
        sizes.append(journal.size)
    assert max(sizes[1500:]) <= max(sizes[:1500]) + 300
