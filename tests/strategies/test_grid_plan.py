"""The plan: vacant level, amounts, break-even, profit, and every refusal (grid-semantics 0, 2, 3, 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import PlanRefused
from gridtide.domain.market import PriceBand, TopOfBook
from gridtide.domain.money import FeeRate, Price, tidy
from gridtide.strategies.grid import (
    GridConfig,
    GridPlan,
    GridSpacing,
    LevelRole,
    ProfitMode,
    Sizing,
    StartOutside,
    VacantRule,
    calculate_grid_levels,
    make_plan,
)
from gridtide.strategies.grid.break_even import RoundTripFees
from gridtide.strategies.grid.vacant import vacant_level
from tests.strategies.markets import FREE, QUOTE, THIRD, D, book, fees, grid, market


def plan_at(price: str, config: GridConfig, **rules: Any) -> GridPlan:
    """The plan without fees on a market with the given rules."""
    return make_plan(config, market(**rules), FREE, book(price))


def prices(plan: GridPlan, role: LevelRole) -> list[int | Decimal]:
    return [level.price for level in plan.levels if level.role is role]


# --- vacant level ------------------------------------------------------------------------------------


def test_at_7_bybit_above() -> None:
    """AT-7: at 54000 the next level above, 57000, stays empty."""
    plan = plan_at("54000", grid("45000", "65000", 6, vacant=VacantRule.ABOVE))
    assert prices(plan, LevelRole.BUY) == [45000, 49000, 53000]
    assert prices(plan, LevelRole.SELL) == [61000, 65000]
    assert prices(plan, LevelRole.VACANT) == [57000]


def test_at_8_binance_below() -> None:
    """AT-8: at 30000 the next level below, 29000, stays empty."""
    plan = plan_at("30000", grid("25000", "45000", 6, vacant=VacantRule.BELOW))
    assert prices(plan, LevelRole.BUY) == [25000]
    assert prices(plan, LevelRole.SELL) == [33000, 37000, 41000, 45000]
    assert plan.levels[plan.vacant].price == 29000


def test_at_9_bbgo_below_with_base_enough() -> None:
    """AT-9: ten orders around 15300, none at 15000."""
    config = grid("10000", "20000", 11, vacant=VacantRule.BELOW, base_amount=D(5), base_cost=D(75000))
    plan = plan_at("15300", config)
    assert prices(plan, LevelRole.SELL) == [16000, 17000, 18000, 19000, 20000]
    assert prices(plan, LevelRole.BUY) == [10000, 11000, 12000, 13000, 14000]
    assert prices(plan, LevelRole.VACANT) == [15000]
    assert plan.purchase_amount == 0


def test_at_10_opentrader_nearest() -> None:
    """AT-10: a tie goes up to 2620; 9.8 is nearest to 10."""
    plan = plan_at("2610", grid("2500", "2800", 16))
    assert prices(plan, LevelRole.BUY) == [2500, 2520, 2540, 2560, 2580, 2600]
    assert prices(plan, LevelRole.VACANT) == [2620]
    assert prices(plan, LevelRole.SELL) == [2640, 2660, 2680, 2700, 2720, 2740, 2760, 2780, 2800]
    plan = plan_at("9.8", grid("7.5", "12", 10))
    assert prices(plan, LevelRole.BUY) == [D("7.5"), 8, D("8.5"), 9, D("9.5")]
    assert prices(plan, LevelRole.VACANT) == [10]
    assert prices(plan, LevelRole.SELL) == [D("10.5"), 11, D("11.5"), 12]


@pytest.mark.parametrize("rule", VacantRule)
def test_a_level_exactly_at_the_price_is_vacant_under_every_rule(rule: VacantRule) -> None:
    plan = plan_at("9000", grid("8000", "12000", 5, vacant=rule))
    assert prices(plan, LevelRole.VACANT) == [9000]


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=40, unique=True), st.data())
def test_the_vacant_level_is_next_to_the_price_and_no_order_is_on_its_wrong_side(
    found: list[int], data: st.DataObject
) -> None:
    """Whatever the rule: everything below the vacant level is below the price, everything above is above it."""
    levels = [Price(Decimal(level)) for level in sorted(found)]
    price = Price(Decimal(data.draw(st.integers(2 * min(found), 2 * max(found)))) / 2)
    vacant = vacant_level(levels, price, data.draw(st.sampled_from(VacantRule)))
    assert all(level < price for level in levels[:vacant])
    assert all(level > price for level in levels[vacant + 1 :])


# --- start outside -----------------------------------------------------------------------------------


@pytest.mark.parametrize("price, word", [("7999", "below"), ("12001", "above")])
def test_a_start_outside_the_range_is_refused_unless_allowed(price: str, word: str) -> None:
    with pytest.raises(
        PlanRefused, match=rf"the price {price} is {word} .* 8000 to 12000: .*start_outside: allow"
    ):
        plan_at(price, grid("8000", "12000", 5))


def test_start_below_is_all_sells_and_start_above_all_buys() -> None:
    allowed = grid("8000", "12000", 5, start_outside=StartOutside.ALLOW)
    below, above = plan_at("7000", allowed), plan_at("13000", allowed)
    assert (below.vacant, len(below.sells), len(below.buys)) == (0, 4, 0)
    assert below.purchase_amount == sum(level.amount for level in below.sells)
    assert (above.vacant, len(above.sells), len(above.buys)) == (4, 0, 4)
    assert above.purchase_amount == 0


def test_the_price_is_the_mid_and_the_last_one_where_the_spread_is_wide() -> None:
    """Grid-semantics 0: p is the mid, or the last price beyond a spread of 0.5 % or with an empty side."""
    config = grid("8000", "12000", 5)
    near = TopOfBook(Price(D(9990)), Price(D(10010)), Price(D(9000)))
    wide = TopOfBook(Price(D(9000)), Price(D(10010)), Price(D(9900)))
    empty = TopOfBook(None, Price(D(10010)), Price(D(9901)))
    found = [make_plan(config, market(), FREE, top).start_price for top in (near, wide, empty)]
    assert found == [10000, 9900, 9901]


def test_no_price_no_plan() -> None:
    with pytest.raises(PlanRefused, match="BTC/USDT has no price yet"):
        make_plan(grid("8000", "12000", 5), market(), FREE, TopOfBook(None, None))


def test_another_market_is_refused() -> None:
    config = GridConfig("ETH/USDT", D(1), D(2), 3, D(100))
    with pytest.raises(PlanRefused, match=r"for ETH/USDT, the market is BTC/USDT"):
        make_plan(config, market(), FREE, book("1.5"))


# --- amounts -----------------------------------------------------------------------------------------


def test_at_12_bybit_equal_base() -> None:
    """AT-12: q = 0.95·23610/255000; with a fee of 0.1 % in base the first sells offer 0.999 of it."""
    config = grid("45000", "65000", 6, "23610", vacant=VacantRule.ABOVE, reserve=D("0.05"))
    plan = make_plan(config, market(), fees(), book("54000"))
    assert {level.amount for level in (*plan.buys, *plan.sells)} == {D("0.08795882")}
    assert plan.purchase_amount == 2 * D("0.08795882")


def test_at_14_bbgo_quote_only() -> None:
    """AT-14: I / Σ of all but the top level, nothing bought at the start."""
    plan = plan_at("12500", grid("10000", "15000", 6, "12000", sizing=Sizing.QUOTE_ONLY))
    assert set(plan.interval_amounts) == {D("0.2")}
    assert plan.purchase_amount == 0
    plan = plan_at("150", grid("100", "200", 7, "1000", sizing=Sizing.QUOTE_ONLY), lot="0.0001")
    assert set(plan.interval_amounts) == {D("1.1764")}


def test_quote_only_begins_every_interval_as_a_buy() -> None:
    """Nothing is bought at the start, so the empty level is the top one and buys above the price wait."""
    plan = plan_at("12500", grid("10000", "15000", 6, "12000", sizing=Sizing.QUOTE_ONLY))
    assert prices(plan, LevelRole.BUY) == [10000, 11000, 12000, 13000, 14000]
    assert plan.vacant == 5
    assert any("wait until it has risen" in warning for warning in plan.warnings)


def test_at_15_bbgo_base_and_quote() -> None:
    """AT-15: the smaller of base a sell and quote a sum of buy prices."""
    both: dict[str, Any] = {"sizing": Sizing.BASE_AND_QUOTE, "base_amount": D("0.5"), "base_cost": D(90)}
    plan = plan_at("180", grid("100", "200", 7, "334", **both))
    assert plan.buys_cost == D("333.335")  # 0.5 · 666.67, the buys at a tick of 0.01
    assert {level.amount for level in (*plan.buys, *plan.sells)} == {D("0.5")}
    assert prices(plan, LevelRole.VACANT) == [D("183.33")]
    outside = grid("100", "200", 7, "334", start_outside=StartOutside.ALLOW, **both)
    plan = plan_at("95", outside, lot="0.00001")
    assert {level.amount for level in plan.sells} == {D("0.08333")}
    assert plan.purchase_amount == 0


def test_at_16_bbgo_minimum_investment() -> None:
    """AT-16: 8/1630·9855 = 48.37; less is refused and told so, that much is taken."""
    short = grid("1630", "1660", 7, "48", sizing=Sizing.QUOTE_ONLY)
    with pytest.raises(PlanRefused, match=r"level 0 .*rule min_notional .*invest at least 48\.37 USDT"):
        plan_at("1645", short, min_notional="8")
    plan = plan_at("1645", grid("1630", "1660", 7, "48.37", sizing=Sizing.QUOTE_ONLY), min_notional="8")
    assert plan.minimum_investment == D("48.37")


def test_at_19_binance_locked_amounts() -> None:
    """AT-19: 5 buys of 14 lock 53.13 quote, 26 sells offer 364 base, worth 335.594 together."""
    plan = plan_at("0.7760", grid("0.7484", "0.9127", 32, "336", reserve=D(0)), tick="0.0001", lot="1")
    assert prices(plan, LevelRole.BUY) == [D("0.7484"), D("0.7537"), D("0.7590"), D("0.7643"), D("0.7696")]
    assert len(plan.sells) == 26
    assert plan.buys_cost == D("53.13")
    assert plan.sells_amount == 364
    assert plan.buys_cost + plan.sells_amount * plan.start_price == D("335.594")
    assert plan.reserved == D("336") - D("335.594")


def test_equal_quote_spends_the_same_at_each_level() -> None:
    """v = I / (n_buy + p·Σ 1/P_sell), q_i = v/P_i."""
    plan = plan_at("10000", grid("8000", "12000", 5, "4000", sizing=Sizing.EQUAL_QUOTE, price_cap=D(0)))
    share = 4000 / (2 + 10000 * (1 / D(11000) + 1 / D(12000)))
    for level in (*plan.buys, *plan.sells):
        assert 0 <= share / level.price - level.amount < D("0.00000001")
    for amount, low in zip(plan.interval_amounts, plan.prices[:-1], strict=True):
        assert 0 <= share / low - amount < D("0.00000001")


def test_coins_already_held_replace_the_purchase() -> None:
    """Base held counts beside the investment; only what is missing is bought, and surplus coins buy nothing."""
    nothing_held = plan_at("10000", grid("8000", "12000", 5, "40000"))
    q = nothing_held.interval_amounts[0]
    some = plan_at("10000", grid("8000", "12000", 5, "30000", base_amount=D(1), base_cost=D(9000)))
    assert some.interval_amounts[0] > q * D("0.99")
    assert some.purchase_amount == 2 * some.interval_amounts[0] - 1
    assert some.base_from_held == 1
    much = plan_at("10000", grid("8000", "12000", 5, "17000", base_amount=D(50), base_cost=D(9000)))
    assert much.purchase_amount == 0
    assert much.interval_amounts[0] <= 1
    assert much.base_from_held == 2 * much.interval_amounts[0]


@given(
    spacing=st.sampled_from(GridSpacing),
    sizing=st.sampled_from([Sizing.EQUAL_BASE, Sizing.EQUAL_QUOTE, Sizing.QUOTE_ONLY]),
    profit=st.sampled_from(ProfitMode),
    levels=st.integers(3, 60),
    price=st.integers(8000, 12000),
    investment=st.integers(1, 100_000),
    lot=st.sampled_from(["0.00000001", "0.00001", "0.001"]),
    rate=st.sampled_from(["0", "0.00075", "0.001"]),
    asset=st.sampled_from([None, QUOTE, THIRD]),
    held=st.decimals("0", "3", places=3),
)
def test_a_plan_is_affordable_and_the_minimum_investment_would_do(
    spacing: GridSpacing,
    sizing: Sizing,
    profit: ProfitMode,
    levels: int,
    price: int,
    investment: int,
    lot: str,
    rate: str,
    asset: Any,
    held: Decimal,
) -> None:
    """A plan costs at worst what is invested; a refusal for money names an amount that is then accepted (AT-16)."""
    where, charged = market(lot=lot, min_notional="10"), fees(rate, asset=asset)
    if sizing is Sizing.QUOTE_ONLY:
        held = Decimal(0)

    def attempt(amount: Decimal) -> GridPlan | str:
        config = GridConfig(
            "BTC/USDT",
            D(7900),
            D(12100),
            levels,
            amount,
            spacing=spacing,
            sizing=sizing,
            profit=profit,
            base_amount=held,
            base_cost=held * 9000 if held else None,
        )
        try:
            return make_plan(config, where, charged, book(str(price), "0.01"))
        except PlanRefused as error:
            return str(error)

    plan = attempt(Decimal(investment))
    if isinstance(plan, str):
        least = Decimal(plan.rsplit("invest at least ", 1)[1].split()[0])
        assert least > investment
        plan = attempt(least)
    assert isinstance(plan, GridPlan), plan
    assert plan.quote_needed <= plan.total_investment
    if sizing is not Sizing.QUOTE_ONLY:
        assert plan.worst_cost <= plan.total_investment
    assert plan.reserved >= 0
    assert len(plan.buys) + len(plan.sells) + 1 == levels
    # An independent reading of the rules, for every order of the first placement (F13).
    for level in (*plan.buys, *plan.sells):
        assert level.price % D("0.01") == 0
        assert level.amount % D(lot) == 0
        assert level.price * level.amount >= 10
    assert plan.base_from_held + plan.purchase_amount >= plan.sells_amount


def test_the_worst_cost_has_the_limit_price_and_all_fees() -> None:
    """Purchase at ask·(1 + cap) with the taker fee, buys with the maker fee; the rest of the money is reserved."""
    plan = make_plan(grid("8000", "12000", 5, "4000"), market(), fees("0.001", "0.002"), book("10000", "1"))
    assert plan.purchase_limit == D("10021.00")  # 10001 · 1.002 down to the tick
    assert plan.purchase_cost == plan.purchase_limit * plan.purchase_amount
    assert plan.fees_at_worst == plan.buys_cost * D("0.001") + plan.purchase_cost * D("0.002")
    assert 0 <= plan.total_investment - plan.worst_cost < D("0.001")


def test_a_reserve_set_too_low_is_a_warning_with_numbers() -> None:
    plan = make_plan(grid("8000", "12000", 5, "4000", reserve=D(0)), market(), fees(), book("10000", "1"))
    assert plan.quote_needed > 4000
    assert any("the lowest buy may have to wait for money" in warning for warning in plan.warnings)


# --- rules of the market -----------------------------------------------------------------------------


def test_levels_beyond_fixed_price_bounds_are_refused_with_level_and_rule() -> None:
    with pytest.raises(
        PlanRefused, match=r"level 4: price 12000 is above 11500 \(rule price_bounds of BTC/USDT\)"
    ):
        plan_at("10000", grid("8000", "12000", 5), max_price=D(11500))


def test_too_much_money_for_one_order_is_refused_with_level_and_rule() -> None:
    with pytest.raises(PlanRefused, match=r"level 0 \(BUY .*above 0\.1 \(rule amount_bounds of BTC/USDT\)"):
        plan_at("10000", grid("8000", "12000", 5, "40000"), max_amount=D("0.1"))


def test_levels_outside_a_moving_price_band_are_planned() -> None:
    """They will be parked (price_band) and retried, so the plan does not refuse them."""
    band = PriceBand(D("0.95"), D("1.05"), D("0.95"), D("1.05"))
    assert len(plan_at("10000", grid("8000", "12000", 5), price_band=band).levels) == 5


def test_a_sell_that_fees_make_too_small_is_refused_too() -> None:
    """A buy of one lot with its fee in base would leave less than a lot to sell."""
    config = grid("8000", "12000", 5, "34", reserve=D(0))
    with pytest.raises(PlanRefused, match=r"level 1 \(SELL 0 BTC .*invest at least"):
        make_plan(config, market(lot="0.001"), fees(), book("8000"))


def test_more_levels_than_open_orders_is_a_warning() -> None:
    plan = plan_at("10000", grid("8000", "12000", 41), max_open_orders=30)
    assert any("30 open orders: 10 of the grid's will wait" in warning for warning in plan.warnings)


# --- break-even and profit ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rate, in_quote, in_base",
    [("0.001", "0.200200", "0.200300"), ("0.00075", "0.150113", "0.150169")],
)
def test_at_20_break_even_ratios(rate: str, in_quote: str, in_base: str) -> None:
    """AT-20: (1+f)/(1−f) and 1/(1−f)² as percentages."""
    for taken_in_base, wanted in ((False, in_quote), (True, in_base)):
        ratio = RoundTripFees(FeeRate(D(rate)), taken_in_base).break_even_ratio
        assert round((ratio - 1) * 100, 6) == D(wanted)


def test_at_21_profit_per_grid() -> None:
    """AT-21: geometric 10.4575 % everywhere, arithmetic 12.2875 % at the bottom and 8.8818 % at the top."""
    paid = fees(asset=THIRD)
    geometric = grid("8000", "12000", 5, spacing=GridSpacing.GEOMETRIC)
    levels = calculate_grid_levels(geometric, D("1e-12"))
    assert round(levels[1] / levels[0], 8) == D("1.10668192")
    plan = make_plan(geometric, market(tick="1e-12"), paid, book("10000"))
    assert [round(profit * 100, 4) for profit in (plan.profit_low, plan.profit_high)] == [D("10.4575")] * 2
    plan = make_plan(grid("8000", "12000", 5), market(), paid, book("10000"))
    assert round(plan.profit_high * 100, 4) == D("12.2875")
    assert round(plan.profit_low * 100, 4) == D("8.8818")


@given(rate=st.decimals("0", "0.01", places=6), step=st.integers(1, 100_000), in_base=st.booleans())
def test_profit_is_positive_exactly_above_break_even(rate: Decimal, step: int, in_base: bool) -> None:
    """Three ways to ask the same: the exact comparison, the ratio, and the profit agree."""
    paid = RoundTripFees(FeeRate(rate), in_base)
    low, high = D(1_000_000), D(1_000_000 + step)
    if paid.pays(low, high):
        assert paid.profit(low, high) > 0
        assert high / low >= paid.break_even_ratio
    else:
        assert paid.profit(low, high) <= 0
        assert high / low <= paid.break_even_ratio + D("1e-12")


def test_a_step_at_break_even_is_refused_with_the_numbers() -> None:
    """At or below: 1001/999 at 0.1 % in quote is exactly break-even and refused, one tick more is not."""
    config = grid("999", "1001", 2)
    message = r"levels 0 and 1 \(999 and 1001\) are 0\.2002 % apart.*0\.1 % a side.*allow_below_break_even"
    with pytest.raises(PlanRefused, match=message):
        make_plan(config, market(), fees(asset=QUOTE), book("1000"))
    make_plan(grid("999", "1001.01", 2), market(), fees(asset=QUOTE), book("1000"))


def test_break_even_knows_how_the_account_pays() -> None:
    """The same step pays with fees in a third asset and not with a buy fee in base; post-only counts as maker."""
    config = grid("99850", "100049.95", 2, "200000")  # between the two break-even steps at 0.1 %
    make_plan(config, market(), fees(asset=THIRD), book("100000"))
    with pytest.raises(PlanRefused, match=r"breaks even at 0\.2003 %"):
        make_plan(config, market(), fees(), book("100000"))
    taking = grid("99850", "100049.95", 2, "200000", post_only=False)
    make_plan(config, market(), fees("0", "0.005"), book("100000"))
    with pytest.raises(PlanRefused, match=r"0\.5 % a side"):
        make_plan(taking, market(), fees("0", "0.005"), book("100000"))


def test_the_tightest_step_decides() -> None:
    """Arithmetic steps are tightest at the top."""
    with pytest.raises(PlanRefused, match=r"levels 19 and 20 \(1038 and 1040\)"):
        make_plan(grid("1000", "1040", 21), market(), fees(), book("1020"))


def test_below_break_even_can_be_allowed_by_name() -> None:
    plan = make_plan(grid("999", "1001", 2, allow_below_break_even=True), market(), fees(), book("1000"))
    assert plan.profit_low < 0
    assert any("may lose money" in warning for warning in plan.warnings)


def test_the_plan_describes_itself_in_one_line() -> None:
    plan = make_plan(grid("8000", "12000", 5, "4000"), market(), fees(), book("10000", "1"))
    text = plan.describe()
    assert "\n" not in text
    assert "2 buys and 2 sells from 8000 to 12000 around 10000, level 2 vacant" in text
    assert f"buy {tidy(plan.purchase_amount)} BTC at up to 10021 first" in text
