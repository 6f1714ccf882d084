"""What follows a settled order: the published examples, straight and through the strategy (grid-semantics 4)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.market import Asset, FeeSchedule
from gridtide.domain.money import Amount, Price
from gridtide.strategies.grid import GridTradingStrategy, ProfitMode, VacantRule
from gridtide.strategies.grid.pairing import Pairing
from tests.strategies.harness import World
from tests.strategies.markets import FREE, QUOTE, THIRD, D, at, fees, grid, market


def grid_world(charged: FeeSchedule, profit: ProfitMode) -> World:
    """Levels 10000, 11000 and 12000 at a price just above 11000: a buy of 0.1 at 11000, nothing to sell."""
    config = grid("10000", "12000", 3, "2100", vacant=VacantRule.ABOVE, profit=profit, reserve=D(0))
    return World(GridTradingStrategy(config), market(), charged, "11500", "2100").start()


def round_trip(world: World) -> tuple[Decimal, Decimal]:
    """Buy at 11000, sell at 12000: the amounts of that sell and of the buy that follows it."""
    world.move("11000")
    price, sold = world.resting()["002S"]
    assert price == 12000
    world.move("12000")
    price, bought = world.resting()["001B"]
    assert price == 11000
    return sold, bought


@pytest.mark.parametrize(
    "charged, sold", [(fees(), "0.0999"), (fees(asset=THIRD), "0.1")], ids=["fee in base", "fee in BNB"]
)
def test_at_18a_bbgo_sells_what_was_really_received(charged: FeeSchedule, sold: str) -> None:
    """AT-18a: buy 0.1 @11000 with a fee of 0.1 % in base → sell 0.0999 @12000; fee in BNB → sell 0.1."""
    assert round_trip(grid_world(charged, ProfitMode.QUOTE))[0] == D(sold)


def test_at_18b_bbgo_compound_spends_all_proceeds() -> None:
    """AT-18b: sell 0.09999 @12000, fee 0.01 USDT → (1199.88 − 0.01)/11000 = 0.10907909."""
    pairing = Pairing.of(grid("1", "2", 3, profit=ProfitMode.COMPOUND), market(), fees())
    moves = pairing.after_buy(D("0.1") - D("0.00001"), D(0), D(1100), Price(D(12000)))
    assert moves.sell_amount == D("0.09999")
    back = pairing.after_sell(D("0.09999"), D(0), D("0.1"), D("1199.88") - D("0.01"), Price(D(11000)))
    assert back == D("0.10907909")
    sold, bought = round_trip(grid_world(fees("0.0001"), ProfitMode.COMPOUND))
    assert sold == D("0.09999")
    assert bought == (D("0.09999") * 12000 * D("0.9999") / 11000).quantize(D("1e-8"), "ROUND_DOWN")


def test_at_18c_bbgo_base_sells_only_what_returns_the_quote_spent() -> None:
    """AT-18c: buy 0.1 @11000 → sell 1100/12000 = 0.09166666 → buy 1099.99992/11000 = 0.09999999."""
    world = grid_world(FREE, ProfitMode.BASE)
    assert round_trip(world) == (D("0.09166666"), D("0.09999999"))
    assert world.lot_amount("KEPT") == D("0.1") - D("0.09166666")
    assert world.ledger.statement(D(12000)).floating_profit > 0


def test_base_mode_returns_the_quote_net_of_the_sell_fee() -> None:
    """What returns the quote spent has to pay the sell's own fee, or the grid would melt by it each cycle."""
    world = grid_world(fees(), ProfitMode.BASE)
    sold, bought = round_trip(world)
    assert sold == (1100 / (12000 * D("0.999"))).quantize(D("1e-8"), "ROUND_DOWN")
    assert bought == D("0.09999999")


@pytest.mark.parametrize("charged", [fees(), fees(asset=THIRD), fees(asset=QUOTE), fees("0.001", "0.002")])
def test_at_18d_quote_buys_the_planned_amount_again(charged: FeeSchedule) -> None:
    """AT-18d: sell 0.0999 @12000 → buy 0.1 @11000, ten times over: the grid does not melt."""
    world = grid_world(charged, ProfitMode.QUOTE)
    for _ in range(10):
        planned = world.strategy.plan.interval_amounts[1]
        assert round_trip(world)[1] == planned
    assert world.strategy.round_trips == 10


def test_dust_joins_the_next_sell() -> None:
    """F41: remainders below a lot add up until they are one."""
    config = grid("10000", "12000", 3, "2100", vacant=VacantRule.ABOVE, reserve=D(0))
    world = World(GridTradingStrategy(config), market(lot="0.0004"), fees(), "11500", "2100").start()
    world.move("11000")
    assert world.resting()["002S"] == at(12000, D("0.0996"))  # 0.0999 received
    assert world.lot_amount("DUST") == D("0.0003")
    world.move("12000")
    world.move("11000")
    assert world.resting()["002S"] == at(12000, D("0.1000"))  # 0.0999 and 0.0003 of dust
    assert world.lot_amount("DUST") == D("0.0002")


@given(
    mode=st.sampled_from(ProfitMode),
    asset=st.sampled_from([None, QUOTE, THIRD]),
    received=st.decimals("0.00000001", "5", places=11),
    dust=st.decimals("0", "0.01", places=11),
    spent=st.decimals("0.01", "60000", places=8),
    sell_price=st.decimals("1", "60000", places=2),
    lot=st.sampled_from(["0.00000001", "0.00001", "0.001", "1", "0"]),
)
def test_base_is_conserved_when_a_buy_is_paired(
    mode: ProfitMode,
    asset: Asset | None,
    received: Decimal,
    dust: Decimal,
    spent: Decimal,
    sell_price: Decimal,
    lot: str,
) -> None:
    """Everything received goes somewhere, nothing goes twice, no more dust is used than there is (F39)."""
    config = grid("1", "2", 3, profit=mode)
    pairing = Pairing.of(config, market(lot=lot), fees(asset=asset))
    moves = pairing.after_buy(received, dust, spent, Price(sell_price))
    assert moves.bought_to_sell + moves.bought_to_dust + moves.bought_to_kept == received
    assert min(moves.bought_to_sell, moves.bought_to_dust, moves.bought_to_kept, moves.dust_to_sell) >= 0
    assert moves.dust_to_sell <= dust
    step = D(lot) or D("1e-8")
    assert moves.sell_amount % step == 0
    if mode is ProfitMode.BASE:
        assert moves.bought_to_dust == 0
        kept = 1 if asset == THIRD else D("0.999")
        assert moves.sell_amount * sell_price * kept <= spent * (D("1.001") if asset == QUOTE else 1)
    else:
        assert received + dust - moves.sell_amount < step


@given(st.decimals("0.001", "10", places=8), st.lists(st.fractions(0, 1), max_size=6))
def test_a_sell_in_parts_brings_back_the_planned_amount_exactly(planned: Decimal, cuts: list[object]) -> None:
    """AT-18d for partial sells: the shares bought back add up to the planned amount, to the last lot."""
    pairing = Pairing.of(grid("1", "2", 3), market(lot="0.00001"), fees())
    planned = pairing.rules.floor_amount(planned)
    left = pairing.rules.floor_amount(planned * D("0.999"))
    to_buy = D(0)
    for cut in [*cuts, None]:
        sold = left if cut is None else pairing.rules.floor_amount(left * cut.numerator / cut.denominator)  # type: ignore[attr-defined]
        if sold:
            left = pairing.rules.floor_amount(left - sold)
            to_buy += pairing.after_sell(sold, left, planned - to_buy, D(0), Price(D(1)))
    assert to_buy == (planned if pairing.rules.floor_amount(planned * D("0.999")) else 0)


@given(
    asset=st.sampled_from([None, QUOTE]),
    quote=st.decimals("0", "60000", places=8),
    price=st.decimals("1", "60000", places=2),
    lots=st.integers(1, 10**6),
    is_exact=st.booleans(),
)
def test_money_suffices_for_what_it_affords_and_for_no_lot_more(
    asset: Asset | None, quote: Decimal, price: Decimal, lots: int, is_exact: bool
) -> None:
    """The answer without a division is that of the division, to the last unit."""
    pairing = Pairing.of(grid("1", "2", 3), market(lot="0.00001"), fees(asset=asset))
    amount = Amount(lots * D("0.00001"))
    if is_exact:
        quote = price * amount * (D("1.001") if asset == QUOTE else 1)
    affordable = pairing.affordable(quote, Price(price))
    assert pairing.suffices(quote, Price(price), amount) == (amount <= affordable)
    assert not is_exact or amount <= affordable
