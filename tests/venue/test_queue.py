"""The place in the queue: an order fills when what stood ahead of it is gone, or the price went through it."""

import json
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.market import MarketStatus
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.messages import Placement
from gridtide.venue.settings import FillModel, QueueCancellations
from gridtide.venue.venue import Venue
from tests.venue.recording import Recording
from tests.venue.world import BTC, FREE, NOW, SYMBOL, USDT, buy, move, prints, request, sell, venue_at

D = Decimal
FUNDS = {BTC: D(10**6), USDT: D(10**9)}
BEHIND, PROPORTIONAL = QueueCancellations.BEHIND, QueueCancellations.PROPORTIONAL


def queued(cancellations: QueueCancellations = BEHIND) -> Recording:
    model = FillModel.QUEUE
    venue = venue_at(None, fees=FREE, funds=FUNDS, fill_model=model, queue_cancellations=cancellations)
    return Recording(venue)


def filled(recording: Recording, placed: Placement) -> Decimal:
    return recording.venue.order("a", SYMBOL, placed.order.order_id).executed_amount


def test_a_golden_scenario() -> None:
    """5 stand ahead of 2 at 100. Step by step: what each trade and each told level does to the order."""
    recording = queued()
    ours = buy(recording.venue, "2", "100")
    steps: list[tuple[str, str]] = []

    def note(what: str) -> None:
        steps.append((what, f"{filled(recording, ours):f}"))

    recording.trade("100", "3", Side.SELL)
    note("3 of the 5 ahead are gone")
    recording.trade("100", "4", Side.BUY)
    note("a buyer took at 100: nobody's bid was hit")
    recording.tell({"100": "2"})
    note("the level is told: 2, all ahead")
    recording.tell({"100": "9"})
    note("7 more came, behind")
    recording.trade("100", "1.5", Side.SELL)
    note("half a unit is left ahead")
    recording.tell({"100": "7.5"})
    note("told")
    events = recording.trade("100", "1.25", Side.SELL)
    note("half a unit ahead, then ours")
    assert [(p.trade.price, p.trade.amount) for p in prints(events)] == [
        (D(100), D("0.75")),
        (D(100), D("0.5")),
    ]
    recording.tell({"100": "0"})
    note("everybody else left")
    recording.trade("100", "0.25", Side.SELL)
    note("ours is alone")
    recording.trade("99.99", "5", Side.SELL)
    note("the price went through")
    assert [amount for _, amount in steps] == ["0", "0", "0", "0", "0", "0", "0.75", "0.75", "1.00", "2.00"]
    recording.venue.check()


def test_cancellations_are_assumed_behind() -> None:
    """A level that shrinks without trades costs nobody ahead of us, until less is left than stood there."""
    recording = queued()
    ours = buy(recording.venue, "1", "100")
    recording.tell({"100": "8"})
    recording.tell({"100": "5.5"})
    recording.trade("100", "5", Side.SELL)
    assert filled(recording, ours) == 0
    recording = queued()
    ours = buy(recording.venue, "1", "100")
    recording.tell({"100": "2"})
    recording.trade("100", "2.5", Side.SELL)
    assert filled(recording, ours) == D("0.5")


def test_proportional_cancellations() -> None:
    """5 ahead and 5 behind; half of the level leaves without a trade: 2.5 stay ahead. What trades explain is none."""
    recording = queued(PROPORTIONAL)
    ours = buy(recording.venue, "1", "100")
    recording.tell({"100": "10"})
    recording.tell({"100": "5"})
    recording.trade("100", "2.5", Side.SELL)
    assert filled(recording, ours) == 0
    recording.trade("100", "0.5", Side.SELL)
    assert filled(recording, ours) == D("0.5")
    recording = queued(PROPORTIONAL)
    ours = buy(recording.venue, "1", "100")
    recording.tell({"100": "10"})
    recording.trade("100", "2", Side.SELL)
    recording.tell({"100": "8"})
    recording.trade("100", "3", Side.SELL)
    assert filled(recording, ours) == 0
    recording.trade("100", "0.25", Side.SELL)
    assert filled(recording, ours) == D("0.25")


def test_two_orders_with_others_between_them() -> None:
    """5 others, ours, 4 others, ours."""
    recording = queued()
    first = buy(recording.venue, "1", "100")
    recording.tell({"100": "9"})
    second = buy(recording.venue, "1", "100")
    recording.trade("100", "6", Side.SELL)
    assert (filled(recording, first), filled(recording, second)) == (D(1), D(0))
    recording.trade("100", "3", Side.SELL)
    assert filled(recording, second) == 0
    recording.trade("100", "1.5", Side.SELL)
    # 6 + 3 of the recorded trades took 1 from us and 8 from the others: one of them still stands ahead.
    assert filled(recording, second) == D("0.5")


def test_takers_meet_the_queue_in_its_order() -> None:
    """5 others, 1 of a, 4 others, 1 of a, then whoever came last: a taker of b passes them one after the other."""
    recording = queued()
    venue = recording.venue
    first = buy(venue, "1", "100")
    recording.tell({"100": "9"})
    second = buy(venue, "1", "100")
    recording.tell({"100": "12"})
    taken = sell(venue, "5.5", "100", account="b")
    assert [fill.amount for fill in taken.fills] == [5, D("0.5")]
    taken = sell(venue, "5", "100", account="b")
    assert [fill.amount for fill in taken.fills] == [D("0.5"), 4, D("0.5")]
    assert (filled(recording, first), filled(recording, second)) == (D(1), D("0.5"))
    assert venue.best(SYMBOL).bid_amount == D("3.5")
    venue.check()


def test_a_taker_takes_from_the_front() -> None:
    """What a taker took of the others no longer stands ahead; told anew, it stands behind."""
    recording = queued()
    ours = buy(recording.venue, "1", "100")
    sell(recording.venue, "4", "100", account="b")
    recording.tell({"100": "5"})
    recording.trade("100", "1.5", Side.SELL)
    assert filled(recording, ours) == D("0.5")


def test_an_order_inside_the_spread_is_first() -> None:
    recording = queued()
    ours = buy(recording.venue, "1", "100.5")
    recording.trade("100.5", "0.5", Side.SELL)
    assert filled(recording, ours) == D("0.5")


def test_places_survive_a_restart() -> None:
    recording = queued()
    ours = buy(recording.venue, "1", "100")
    recording.trade("100", "3", Side.SELL)
    saved = json.loads(json.dumps(recording.venue.state()))
    recording.venue = Venue.from_state(saved, random.Random(0))
    assert recording.venue.state() == saved
    recording.trade("100", "2", Side.SELL)
    assert filled(recording, ours) == 0
    recording.trade("100", "1", Side.SELL)
    assert filled(recording, ours) == 1


def test_without_a_recorded_book_the_price_must_go_beyond() -> None:
    """Nobody knows the queue there, but once the price is beyond its level every turn has come."""
    venue = venue_at("40000", fill_model=FillModel.QUEUE)
    buy(venue, "1", "39900")
    move(venue, "39900")
    assert not venue.fills("a", SYMBOL)
    move(venue, "39899.99")
    assert [fill.price for fill in venue.fills("a", SYMBOL)] == [39900]


def test_a_stop_is_triggered_by_a_recorded_trade() -> None:
    """It takes from the recorded book, and what is left of it waits in the queue like any other."""
    recording = queued()
    recording.trade("101", "1", Side.BUY)
    stop = request(Side.SELL, "6", "100", kind="STOP_LOSS_LIMIT", tif=TimeInForce.GTC)
    placed = recording.venue.place_order(stop._replace(stop_price=D(100)), NOW)
    recording.trade("100.5", "1", Side.BUY)
    assert filled(recording, placed) == 0
    recording.trade("100", "1", Side.SELL)
    assert filled(recording, placed) == 5
    assert recording.venue.best(SYMBOL).ask == 100
    recording.trade("100", "0.5", Side.BUY)
    assert filled(recording, placed) == D("5.5")
    recording.venue.check()


# --- whatever happens --------------------------------------------------------------------------------

eighths = st.integers(1, 80).map(lambda number: D(number) / 8)
happenings = st.one_of(
    st.tuples(st.just("trade"), eighths),
    st.tuples(st.just("tell"), eighths | st.just(D(0))),
    st.tuples(st.just("take"), eighths),
    st.tuples(st.just("other"), eighths),
)


@pytest.mark.parametrize("cancellations", QueueCancellations)
@given(script=st.lists(happenings, min_size=1, max_size=25))
def test_never_before_its_turn(cancellations: QueueCancellations, script: list[tuple[str, Decimal]]) -> None:
    """What stands ahead never grows, and nothing of the order fills while anything stands ahead."""
    recording = queued(cancellations)
    venue = recording.venue
    ours = buy(venue, "1000", "100").order.order_id
    ahead = place_of(venue, ours)
    assert ahead == 5
    for what, amount in script:
        before = venue.order("a", SYMBOL, ours).executed_amount
        match what:
            case "trade":
                recording.trade("100", f"{amount:f}", Side.SELL)
                reach = amount
            case "tell":
                recording.tell({"100": f"{amount:f}"})
                reach = D(0)
            case "take":
                taken = sell(venue, f"{amount:f}", "100", account="b")
                reach = sum((fill.amount for fill in taken.fills), D(0))
            case _:
                buy(venue, f"{amount:f}", "100")
                reach = D(0)
        gained = venue.order("a", SYMBOL, ours).executed_amount - before
        assert gained == max(reach - ahead, 0), "exactly what went past those ahead"
        now_ahead = place_of(venue, ours)
        assert now_ahead <= ahead
        assert not gained or not now_ahead
        ahead = now_ahead
        venue.check()


def place_of(venue: Venue, order_id: int) -> Decimal:
    """As the saved state tells it; an order not yet told apart stands behind the whole level."""
    (saved,) = (row for row in venue.state()["markets"] if row["market"]["symbol"] == SYMBOL)
    for price, _, *places in saved["recorded"]["ahead"]["BUY"]:
        if D(price) == 100 and order_id in dict(places):
            return D(dict(places)[order_id])
    return sum((D(amount) for price, amount in saved["recorded"]["levels"]["BUY"] if D(price) == 100), D(0))


def test_a_closed_market_keeps_the_places() -> None:
    """Recorded trades while we are closed do not move our queue: they are not printed either."""
    recording = queued()
    ours = buy(recording.venue, "1", "100")
    recording.venue.set_status(SYMBOL, MarketStatus.HALT)
    assert not prints(recording.trade("100", "50", Side.SELL))
    recording.venue.set_status(SYMBOL, MarketStatus.TRADING)
    recording.trade("100", "5", Side.SELL)
    assert filled(recording, ours) == 0
