"""Random lives of a venue: it keeps every rule, it can be frozen and thawed anywhere, and refusals leave no trace."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.messages import NewOrder, OrderChanged, VenueRefusal
from gridtide.venue.state_history import whole
from gridtide.venue.venue import Venue
from tests.venue.operations import WORLDS, Life
from tests.venue.world import BTC, NOW, SYMBOL, USDT, D, buy, move, venue_at


@pytest.mark.parametrize("number", range(len(WORLDS)))
def test_nothing_breaks_a_rule_over_thousands_of_random_operations(number: int) -> None:
    """20,000 operations of every kind over four worlds: funds conserved, nothing negative, price-time priority,
    filters and locks kept, no book crossed; on the way the venue is saved and loaded."""
    life = Life(seed=11 + number, world=WORLDS[number], audit_every=20)
    life.live(2_500)
    life.restart()
    life.live(2_500)
    assert life.ledger.first == []
    assert life.ledger.violations == {}
    counts = life.counts | life.ledger.counts
    met = (
        "fills",
        "TRADE_PREVENTION",
        "REPLACED",
        "EXPIRED",
        "list ALL_DONE",
        "place refused",
        "amend refused",
    )
    assert all(counts[name] > 20 for name in met), "the operations must really meet each other"


@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 60),
    after=st.integers(1, 40),
    world=st.sampled_from(WORLDS),
)
def test_frozen_and_thawed_it_goes_on_the_same(
    seed: int, before: int, after: int, world: dict[str, Any]
) -> None:
    """Saved as JSON at any moment and restored, the venue gives equal answers to equal requests."""
    life, twin = Life(seed, world), Life(seed, world)
    assert life.answers(before) == twin.answers(before)
    twin.restart()
    assert twin.venue.state() == life.venue.state()
    twin.venue.check()
    assert life.answers(after) == twin.answers(after)
    assert twin.venue.state() == life.venue.state()


@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 60),
    after=st.integers(1, 60),
    world=st.sampled_from(WORLDS),
)
def test_a_snapshot_tells_of_its_own_moment(
    seed: int, before: int, after: int, world: dict[str, Any]
) -> None:
    """Its histories may be read as late as one likes: what the venue did since is not in them."""
    life = Life(seed, world)
    life.live(before)
    snapshot, then = life.venue.snapshot(), life.venue.state()
    life.live(after)
    assert whole(snapshot) == then


@given(seed=st.integers(0, 2**32), world=st.sampled_from(WORLDS))
def test_a_refusal_changes_nothing(seed: int, world: dict[str, Any]) -> None:
    """Whatever is refused, at whatever moment: the state is the one before."""
    life = Life(seed, world)
    for deed in life.dice.choices(life.deeds, life.weights, k=40):
        before = life.venue.state()
        if isinstance(life.act(deed), VenueRefusal):
            assert life.venue.state() == before


def test_the_ledger_finds_an_order_that_is_passed_over() -> None:
    """Somebody turns a queue round behind the venue's back."""
    life = Life(1, {})
    older = buy(life.venue, "0.1", "39000")
    newer = buy(life.venue, "0.1", "39000", account="b")
    life.ledger.read(older.events + newer.events)
    state = life.venue.state()
    state["markets"][0]["queues"]["BUY"].reverse()
    life.venue = Venue.from_state(state, random.Random(1))
    life.ledger.read(move(life.venue, "39000"))
    assert set(life.ledger.violations) == {"priority"}


def test_the_ledger_finds_lost_funds_and_bad_orders() -> None:
    """Money that vanishes, a price off the tick, a debt, a crossed book."""
    life = Life(1, {})
    placed = buy(life.venue, "0.1", "39000")
    order = placed.events[0]
    assert isinstance(order, OrderChanged)
    state = life.venue.state()
    state["accounts"][0]["free"]["USDT"] = "300000"
    life.venue = Venue.from_state(state, random.Random(1))
    life.ledger.read(buy(life.venue, "0.1", "38000").events)
    assert set(life.ledger.violations) == {"funds"}
    off_tick = order.order._replace(price=D("39000.001"), order_id=77, side=Side.SELL)
    life.ledger.read((order._replace(order=off_tick, execution_id=10**6),))
    assert set(life.ledger.violations) == {"funds", "filters"}
    asks = order.order._replace(price=D("37000"), order_id=78, side=Side.SELL)
    life.ledger.read((order._replace(order=asks, execution_id=10**6 + 1),))
    assert set(life.ledger.violations) == {"funds", "filters", "crossed"}


def test_the_generator_is_restored() -> None:
    """Its state travels with the venue's, so that later draws are the same."""
    dice = random.Random(5)
    state = json.loads(json.dumps(Life(1, {}).venue.state()))
    Venue.from_state(state, dice)
    again = random.Random(6)
    Venue.from_state(state, again)
    assert dice.random() == again.random()


def test_a_state_of_another_format_is_refused() -> None:
    """One sentence instead of a wrong venue."""
    state = venue_at().state() | {"version": 99}
    with pytest.raises(Exception, match="has the format 99"):
        Venue.from_state(state, random.Random(1))


@pytest.mark.parametrize(
    "spoil, complaint",
    [
        (lambda account: account["free"].update(USDT="1"), "its deposits and fills make"),
        (lambda account: account["free"].update(USDT="-1"), "free and"),
        (lambda account: account["locked"].update(USDT="1", free="x"), "USDT"),
        (lambda account: account["records"][SYMBOL]["orders"][0].update(locked="1"), "locks 1"),
        (lambda account: account["records"][SYMBOL]["fills"].pop(), "its deposits and fills make"),
        (lambda account: account["records"][SYMBOL]["orders"][0].update(status="CANCELED"), "locked"),
    ],
)
def test_the_audit_finds_what_is_wrong(spoil: Callable[[Any], object], complaint: str) -> None:
    """Each rule of `check` is broken once, in a saved state, and reported."""
    venue = venue_at()
    buy(venue, "0.5", "39000")
    buy(venue, "0.5")
    state = venue.state()
    Venue.from_state(state, random.Random(1)).check()
    account = state["accounts"][0]
    spoil(account)
    account["locked"].pop("free", None)
    with pytest.raises(Defect, match=complaint):
        Venue.from_state(state, random.Random(1)).check()


def test_the_audit_finds_a_crossed_book_and_a_lost_order() -> None:
    """Book rules, broken in a saved state: asks below the bids, an open order that stands nowhere."""
    venue = venue_at()
    buy(venue, "0.5", "39000")
    crossed = venue.state()
    crossed["markets"][0]["ambient"]["ask_from"] = "38000"
    with pytest.raises(Defect, match="crossed"):
        Venue.from_state(crossed, random.Random(1)).check()
    lost = venue.state()
    lost["markets"][0]["queues"]["BUY"] = []
    with pytest.raises(Defect, match="the book and the open orders differ"):
        Venue.from_state(lost, random.Random(1)).check()
    strange = venue.state()
    strange["markets"][0]["outside"]["BTC"] = "1"
    with pytest.raises(Defect, match="outside differ"):
        Venue.from_state(strange, random.Random(1)).check()


@given(amounts=st.lists(st.integers(1, 10**12), min_size=1, max_size=8), price=st.integers(1, 10**14))
def test_a_lock_covers_every_way_of_filling(amounts: list[int], price: int) -> None:
    """Filled in any parts, a buy never pays more than it locked, and keeps exactly what its rest needs."""
    unit = D("0.00000001")
    rules = venue_at().market(SYMBOL).rules
    zero = Decimal(0)
    loose = replace(
        rules,
        tick_size=unit,
        lot_size=unit,
        min_notional=zero,
        max_notional=zero,
        max_price=zero,
        min_price=unit,
        min_amount=zero,
        max_amount=zero,
        max_open_orders=0,
        price_band=None,
    )
    venue = venue_at(None, rules=loose, funds={USDT: D(10) ** 13, BTC: D(10) ** 6})
    total = sum(amounts)
    text = format(unit * price, "f")
    buy(venue, format(unit * total, "f"), text)
    for amount in amounts:
        venue.place_order(
            NewOrder("b", SYMBOL, Side.SELL, "LIMIT", unit * amount, None, unit * price, TimeInForce.IOC),
            NOW,
        )
        venue.check()
    assert venue.open_orders("a") == ()
