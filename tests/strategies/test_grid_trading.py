"""The grid at work: start, purchase, partial fills, refusals, expiries, range, state (grid-semantics 0, 4, 6)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.errors import Defect, PlanRefused
from gridtide.domain.ledger import DUST, KEPT
from gridtide.domain.market import FeeSchedule, Market
from gridtide.domain.money import Price
from gridtide.domain.order import OrderType, Side, Slot
from gridtide.strategies.grid import GridTradingStrategy, Sizing, StartOutside
from gridtide.strategies.protocol import Ending, ReactsToCandles, ReactsToSettlement, ReactsToWake, Strategy
from tests.strategies.harness import World
from tests.strategies.markets import FREE, QUOTE, D, at, fees, grid, market

TEN_MINUTES = 600


def world(
    price: str = "10000",
    *,
    levels: int = 5,
    investment: str = "4000",
    charged: FeeSchedule | None = None,
    where: Market | None = None,
    quote: str | None = None,
    base: str = "0",
    base_cost: str = "0",
    **options: Any,
) -> World:
    """A grid from 8000 to 12000, not yet started."""
    if base != "0":
        options |= {"base_amount": D(base), "base_cost": D(base_cost)}
    config = grid("8000", "12000", levels, investment, **options)
    return World(
        GridTradingStrategy(config),
        where or market(),
        charged or fees(),
        price,
        quote or investment,
        base=base,
        base_cost=base_cost,
    )


def interval_orders(found: World) -> dict[int, list[str]]:
    """Interval → its slots with an order or a wish."""
    intervals: dict[int, list[str]] = {}
    for order in found.orders():
        slot = order.slot
        interval = int(slot.name) - (slot.side is Side.SELL)
        intervals.setdefault(interval, []).append(slot.key)
    return intervals


def sellable(received: Decimal) -> Decimal:
    return received.quantize(D("1e-8"), "ROUND_DOWN")


# --- start -------------------------------------------------------------------------------------------


def test_it_is_a_strategy_and_reacts_to_what_it_needs() -> None:
    strategy = GridTradingStrategy(grid("1", "2", 3))
    assert isinstance(strategy, Strategy)
    assert isinstance(strategy, ReactsToSettlement)
    assert isinstance(strategy, ReactsToWake)
    assert not isinstance(strategy, ReactsToCandles)


def test_start_buys_base_then_sells_upward_then_buys_downward() -> None:
    """Grid-semantics 0: plan told first, purchase by IOC, sells from the lowest upward, buys from the highest down."""
    found = world()
    found.start()
    assert found.placed[0] == ("INIB", OrderType.LIMIT)
    assert [key for key, _ in found.placed[1:]] == ["003S", "004S", "001B", "000B"]
    assert {kind for _, kind in found.placed[1:]} == {OrderType.LIMIT_MAKER}
    assert found.notices[0][0] == "grid.planned"
    assert "2 buys and 2 sells" in found.notices[0][1]


def test_the_first_sells_offer_what_was_received_and_own_its_cost_by_amount() -> None:
    """AT-12, grid-semantics 6: q·received/executed floored to the lot; one lot a sell, the rest is dust."""
    found = world().start()
    plan = found.strategy.plan
    q = plan.interval_amounts[0]
    resting = found.resting()
    for key in ("003S", "004S"):
        assert resting[key][1] == (q * D("0.999")).quantize(D("1e-8"), "ROUND_DOWN")
    assert resting["001B"] == at(9000, q)
    assert resting["000B"] == at(8000, q)
    lots = {lot.owner: lot for lot in found.ledger.lots()}
    assert set(lots) <= {"003S", "004S", DUST}
    assert lots["003S"].cost >= lots["004S"].cost
    assert sum(lot.cost for lot in lots.values()) == found.fills[0].quote_amount
    assert found.fills[0].amount == 2 * q


def test_at_12_first_sell_is_net_of_the_fee() -> None:
    """AT-12: q_sell = 0.08795882·0.999 = 0.08787086 at 61000 and 65000."""
    config = grid("45000", "65000", 6, "23610", vacant="above", reserve=D("0.05"))
    found = World(GridTradingStrategy(config), market(), fees(), "54000", "23610").start()
    resting = found.resting()
    assert resting["004S"] == at(61000, D("0.08787086"))
    assert resting["005S"] == at(65000, D("0.08787086"))
    assert [resting[key] for key in ("002B", "001B", "000B")] == [
        at(price, "0.08795882") for price in (53000, 49000, 45000)
    ]
    assert found.strategy.vacant_level == 3


def test_a_thin_book_is_tried_five_times_and_the_rest_waits_for_base() -> None:
    """Grid-semantics 0: at most 5 tries; sells from the lowest as far as it reached, the others parked."""
    found = world(levels=9)
    found.taker_liquidity = D("0.03")
    found.start()
    for _ in range(10):
        found.wait(1)
    plan = found.strategy.plan
    assert len(found.fills) == 5
    assert plan.purchase_amount > D("0.15")
    q = sellable(plan.interval_amounts[0] * D("0.999"))
    sells = {key: amount for key, (_, amount) in found.resting().items() if key.endswith("S")}
    assert sells == {"005S": q, "006S": q, "007S": sellable(D("0.15") * D("0.999") - 2 * q)}
    assert found.parked() == {"008S": "no_inventory"}
    assert len(found.orders()) == 8  # I13: every interval has its order or its wish
    assert any(kind == "grid.uncovered" for kind, _ in found.notices)
    assert found.lot_amount("INIB") == 0


def test_parked_sells_come_alive_when_base_comes_in() -> None:
    """PARKED(no_inventory) until base comes in: a deposit is enough."""
    found = world()
    found.taker_liquidity = D(0)
    found.start()
    for _ in range(6):
        found.wait(1)
    assert set(found.parked()) == {"003S", "004S"}
    found.ledger.contribute(found.market.base, D(1), D(9000), found.now, "deposit")
    found.wait(1)
    assert found.parked() == {}
    found.move("12000")
    assert set(found.resting()) == {"000B", "001B", "002B", "003B"}


def test_coins_already_held_are_sold_first_and_keep_their_stated_cost() -> None:
    """Grid-semantics 0: no purchase where enough is held; what is too much is kept, with its share of the cost."""
    found = world(base="1", base_cost="5000", investment="1700").start()
    assert found.fills == []
    q = found.strategy.plan.interval_amounts[0]
    assert found.resting()["003S"] == at(11000, q)
    assert found.lot_amount(KEPT) == 1 - 2 * q
    lots = {lot.owner: lot for lot in found.ledger.lots()}
    assert abs(lots["003S"].cost - 5000 * q) < D("1e-11")
    found.move("12000")
    assert found.ledger.totals.grid_profit > 0


def test_missing_coins_are_bought_and_both_costs_are_shared() -> None:
    found = world(base="0.05", base_cost="100", investment="3500").start()
    q = found.strategy.plan.interval_amounts[0]
    assert found.fills[0].amount == 2 * q - D("0.05")
    assert set(found.resting()) == {"000B", "001B", "003S", "004S"}
    lots = {lot.owner: lot for lot in found.ledger.lots()}
    assert abs(lots["003S"].cost - lots["004S"].cost) < D("1e-11")


def test_less_money_than_planned_is_refused_before_anything_is_placed() -> None:
    found = world(quote="3900")
    with pytest.raises(PlanRefused, match="only 3900 are free"):
        found.start()
    assert found.orders() == ()


def test_quote_only_begins_with_buys_and_the_upper_ones_wait_for_the_price() -> None:
    """No purchase at the start: post-only buys above the price are parked until the price has risen past them."""
    for post_only in (True, False):
        found = world("9500", sizing=Sizing.QUOTE_ONLY, post_only=post_only).start()
        assert found.fills == []
        assert set(found.resting()) == {"000B", "001B"}
        assert found.parked() == {"002B": "would_take", "003B": "would_take"}
        found.move("10500")
        assert set(found.resting()) == {"000B", "001B", "002B"}
        found.move("10000")
        assert set(found.resting()) == {"000B", "001B", "003S"}


def test_start_below_the_range_sells_only_and_above_buys_only() -> None:
    below = world("7000", start_outside=StartOutside.ALLOW).start()
    assert set(below.resting()) == {"001S", "002S", "003S", "004S"}
    above = world("13000", start_outside=StartOutside.ALLOW).start()
    assert set(above.resting()) == {"000B", "001B", "002B", "003B"}
    assert below.strategy.is_out_of_range
    assert above.strategy.is_out_of_range


def test_without_post_only_orders_are_plain_limits() -> None:
    found = world(post_only=False).start()
    assert {order.type for order in found.orders_by_slot.values()} == {OrderType.LIMIT}


# --- partial fills -----------------------------------------------------------------------------------


def test_a_partial_fill_waits_for_its_order_to_settle() -> None:
    """Grid-semantics 4: it accumulates and is mirrored once, when SETTLED."""
    found = world().start()
    q, dust = found.strategy.plan.interval_amounts[1], found.lot_amount(DUST)
    found.move("9000", last=D("0.4"))
    assert "002S" not in found.resting()
    found.wait(TEN_MINUTES - 1)
    found.move("8999")
    assert "001B" not in found.resting()
    assert found.resting()["002S"][1] == sellable(q * D("0.999") + dust)
    assert found.lot_amount("001B") == 0


def test_after_ten_minutes_the_part_of_a_buy_is_mirrored_and_the_rest_placed_again() -> None:
    """Grid-semantics 4, mirror_after: the unfilled part goes back to its free slot, and both parts end as one."""
    found = world().start()
    q, dust = found.strategy.plan.interval_amounts[1], found.lot_amount(DUST)
    found.move("9000", last=D("0.4"))
    part = found.fills[-1].amount
    found.wait(TEN_MINUTES)
    resting = found.resting()
    assert resting["001B"] == at(9000, q - part)
    assert resting["002S"] == at(10000, sellable(part * D("0.999") + dust))
    # The rest fills too: its sell waits until the slot is free, and at the end all is wanted back as planned.
    found.move("8999")
    assert "001B" not in found.resting()
    assert found.resting()["002S"] == resting["002S"]
    assert found.lot_amount("002S") > resting["002S"][1]
    found.move("10001")
    assert found.lot_amount("002S") == 0
    assert wanted(found, 1) == q


def wanted(found: World, interval: int) -> Decimal:
    """What the interval wants to buy, resting or still waiting for its slot."""
    return Decimal(found.strategy.get_state()["to_buy"][interval])


def test_after_ten_minutes_the_part_of_a_sell_is_mirrored_and_the_rest_placed_again() -> None:
    found = world().start()
    q = found.strategy.plan.interval_amounts[2]
    found.move("11000", last=D("0.25"))
    sold, left = found.fills[-1].amount, found.resting()["003S"][1]
    found.wait(TEN_MINUTES)
    resting = found.resting()
    assert resting["003S"] == at(11000, left)
    share = (q * sold / (sold + left)).quantize(D("1e-8"), "ROUND_DOWN")
    assert resting["002B"] == at(10000, share)
    found.move("11001")
    assert "003S" not in found.resting()
    assert found.resting()["002B"] == at(10000, share)  # the rest waits until this slot is free
    assert wanted(found, 2) == q
    found.move("9999")
    assert [fill.amount for fill in found.fills[-2:]] == [share, q - share]
    assert wanted(found, 2) == 0


def test_the_clock_starts_with_the_first_part_and_not_with_the_last() -> None:
    found = world().start()
    found.move("9000", last=D("0.4"))
    found.wait(TEN_MINUTES - 60)
    found.move("9000", last=D("0.4"))
    assert "002S" not in found.resting()
    found.wait(60)
    assert "002S" in found.resting()


def test_a_part_too_small_to_mirror_keeps_its_place_in_the_queue() -> None:
    """F41: nothing is cancelled for a counter-order that could not be placed; the next part starts the clock."""
    found = world(where=market(min_notional="10")).start()
    found.move("9000", last=D("0.005"))
    assert 0 < found.fills[-1].quote_amount < 10
    found.wait(TEN_MINUTES)
    assert set(found.resting()) == {"000B", "001B", "003S", "004S"}
    found.move("9000", last=D("0.5"))
    found.wait(TEN_MINUTES)
    assert {"001B", "002S"} <= set(found.resting())


# --- orders that end otherwise ---------------------------------------------------------------------------


def test_an_expired_order_without_a_fill_is_placed_again() -> None:
    """F23: inventory unchanged, grid rebuilt once."""
    found = world().start()
    before, lots = found.resting(), found.ledger.state().lots
    for slot in list(found.orders_by_slot):
        found.end(slot, Ending.EXPIRED)
    assert found.resting() == before
    assert found.ledger.state().lots == lots


def test_an_expired_order_with_a_part_is_mirrored_and_the_rest_placed_again() -> None:
    found = world().start()
    dust = found.lot_amount(DUST)
    found.move("9000", last=D("0.4"))
    part = found.fills[-1].amount
    found.end(Slot.level(1, Side.BUY), Ending.EXPIRED)
    q = found.strategy.plan.interval_amounts[1]
    assert found.resting()["001B"] == at(9000, q - part)
    assert found.resting()["002S"][1] == sellable(part * D("0.999") + dust)


def test_a_level_somebody_cancelled_waits_for_a_person_and_is_not_lost() -> None:
    """F21, F35: parked with its reason; the level count does not shrink."""
    found = world().start()
    found.end(Slot.level(1, Side.BUY), Ending.CANCELLED_OUTSIDE)
    assert found.parked() == {"001B": "cancelled_outside"}
    assert len(found.orders()) == 4
    found.resume()
    assert found.parked() == {}


def test_dust_below_the_minimum_never_blocks_a_level() -> None:
    """F41: one step fills, then the exchange ends the order; neither part alone can be traded."""
    found = world(investment="60", where=market(min_notional="10", lot="0.00001")).start()
    found.move("9000", last=D("0.5"))
    found.end(Slot.level(1, Side.BUY), Ending.EXPIRED)
    assert found.lot_amount(DUST) > 0
    assert interval_orders(found)[1] == ["001B"]
    assert found.parked() == {"001B": "insufficient_funds"}  # half of its money is in the dust
    dust = found.lot_amount(DUST)
    found.move("7999")
    assert found.lot_amount(DUST) < dust  # it joined the next sell
    found.move("9001")
    assert found.parked() == {}
    assert set(interval_orders(found)) == {0, 1, 2, 3}


def test_post_only_refusals_park_the_level_and_it_comes_back() -> None:
    """F12: the price runs through levels while orders are placed; the level count never shrinks."""
    found = world().start()
    found.is_offline = True
    found.move("8999")
    found.price = Price(D(11999))
    found.go_online()
    assert found.parked() == {"002S": "would_take"}
    assert len(found.orders()) == 4
    found.move("9999")
    assert found.parked() == {}


def test_funds_short_buy_the_largest_amount_that_fits() -> None:
    """Grid-semantics 4: if funds are short the largest tradable amount that fits, else parked."""
    found = world(where=market(min_notional="10"), charged=FREE).start()
    found.is_offline = True
    found.move("11000")
    q = found.strategy.plan.interval_amounts[2]
    found.move_quote(q * 5000 - found.available(QUOTE))
    found.go_online()
    half = sellable(q / 2)
    assert found.resting()["002B"] == at(10000, half)
    found.move_quote(D(1000))
    found.move("11000")
    found.move("9999")
    assert found.resting()["003S"] == at(11000, half)
    found.move("11000")
    assert found.resting()["002B"] == at(10000, q)  # the planned amount again


def test_without_any_funds_the_buy_waits_parked() -> None:
    found = world(where=market(min_notional="10")).start()
    found.is_offline = True
    found.move("11000")
    free = found.available(QUOTE)
    found.move_quote(-free)
    found.go_online()
    assert found.parked() == {"002B": "insufficient_funds"}
    found.move_quote(free)
    found.wait(1)
    assert found.parked() == {}


# --- range, view, state -----------------------------------------------------------------------------------


def test_leaving_the_range_is_told_once_and_orders_stay() -> None:
    """Grid-semantics 0: OUT_OF_RANGE is shown; nothing else is bought or sold."""
    found = world().start()
    found.move("12000")
    assert not found.strategy.is_out_of_range
    found.move("12001")
    found.move("12500")
    assert found.strategy.is_out_of_range
    before = found.resting()
    found.wait(3600)
    assert found.resting() == before
    found.move("12000")
    assert not found.strategy.is_out_of_range
    found.move("7000")
    kinds = [kind for kind, _ in found.notices if kind.endswith("range")]
    assert kinds == ["grid.out_of_range", "grid.in_range", "grid.out_of_range"]


def test_the_vacant_level_moves_with_the_fills() -> None:
    found = world().start()
    assert found.strategy.vacant_level == 2
    found.move("8900")
    assert found.strategy.vacant_level == 1
    found.move("11000")
    assert found.strategy.vacant_level == 3
    assert found.strategy.levels == tuple(D(price) for price in (8000, 9000, 10000, 11000, 12000))


def test_before_the_start_there_is_nothing_to_show() -> None:
    strategy = GridTradingStrategy(grid("1", "2", 3))
    assert (strategy.levels, strategy.vacant_level, strategy.is_out_of_range) == ((), None, False)
    assert GridTradingStrategy.from_state(strategy.get_state()).get_state() == strategy.get_state()


def test_state_is_json_and_comes_back_exactly() -> None:
    found = world("9876.54", levels=9, spacing="geometric", charged=FREE).start()
    found.move("9000", last=D("0.3"))
    state = json.loads(json.dumps(found.strategy.get_state()))
    again = GridTradingStrategy.from_state(state)
    assert again.plan == found.strategy.plan
    assert again.config == found.strategy.config
    assert again.get_state() == found.strategy.get_state()


def test_a_state_of_another_version_stops() -> None:
    state = {**GridTradingStrategy(grid("1", "2", 3)).get_state(), "version": 99}
    with pytest.raises(Defect, match="version 99"):
        GridTradingStrategy.from_state(state)


def test_orders_of_others_on_the_bot_are_not_touched() -> None:
    """A liquidation's settlement passes by."""
    found = world().start()
    before = found.resting()
    found.place_order(
        Slot("LIQ", Side.BUY),
        type(found.price)(D(1)),
        type(found.balance(found.market.base))(D(1)),
        OrderType.LIMIT,
    )
    found.end(Slot("LIQ", Side.BUY), Ending.CANCELLED)
    assert found.resting() == before


def test_a_vanished_order_is_noticed_at_the_next_wake() -> None:
    """I13: an interval without order and report gets its order back."""
    found = world().start()
    before = found.resting()
    found.orders_by_slot.pop(Slot.level(1, Side.BUY))
    found.strategy.on_wake(found)
    assert found.resting() == before
