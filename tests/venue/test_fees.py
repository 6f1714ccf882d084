"""What executions cost: asset, discount, rounding and what happens when the fee asset runs out (section 6.9)."""

import json
import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import InvalidValue
from gridtide.domain.market import Asset, Market, MarketStatus, Symbol, Timestamp
from gridtide.domain.money import FeeRate
from gridtide.domain.order import Side
from gridtide.venue.fee_tiers import DAY
from gridtide.venue.fees import exchange_rate
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.messages import VenueFill
from gridtide.venue.rounding import cut_to_precision, round_commission
from gridtide.venue.settings import (
    AccountFees,
    CommissionRates,
    CommissionRounding,
    FeeTier,
    VenueSettings,
)
from gridtide.venue.venue import Venue
from tests.venue.world import (
    BNB,
    BNB_MARKET,
    BTC,
    MARKET,
    NOW,
    RULES,
    SYMBOL,
    USDT,
    D,
    buy,
    free,
    move,
    request,
    sell,
    venue_at,
)

MAKER, TAKER = FeeRate(D("0.0008")), FeeRate(D("0.001"))
IN_BNB = AccountFees(MAKER, TAKER, asset=BNB, discount=D("0.75"), asset_price=D(300))


def deep_venue(**more: Any) -> Venue:
    """One best level takes every order, so that each has one fill."""
    return venue_at(depth_quote=D(10_000_000), **more)


def paid(fill: VenueFill) -> tuple[Decimal, str]:
    return fill.fee, fill.fee_asset


def test_maker_and_taker_rates_from_what_is_received() -> None:
    """A buy pays in base on the amount, a sell in quote on the value; the maker rate when resting."""
    venue = deep_venue(fees=AccountFees(MAKER, TAKER))
    buy(venue, "1", "39000")
    sell(venue, "1", "41000")
    move(venue, "39000")
    move(venue, "41000")
    assert [paid(fill) for fill in venue.fills("a", SYMBOL)] == [(D("0.0008"), BTC), (D("32.8"), USDT)]
    assert paid(sell(venue, "1").fills[0]) == (D("40.99999"), USDT)
    venue.check()


def test_commissions_are_cut_to_eight_decimals() -> None:
    """0.1 % of 0.00014 BTC is 0.00000014; what is smaller is not charged."""
    venue = deep_venue(fees=AccountFees(MAKER, FeeRate(D("0.00001"))))
    assert paid(buy(venue, "0.00199").fills[0]) == (D("0.00000001"), BTC)
    assert paid(buy(venue, "0.0005").fills[0]) == (D("0E-8"), BTC)
    venue.check()


def test_fees_in_a_third_asset_at_a_discount() -> None:
    """0.75 of 0.1 % of 40000.01 USDT at 300 USDT a BNB, cut; the received amount stays whole."""
    venue = deep_venue(fees=IN_BNB, funds={USDT: D(100_000), BTC: D(1), BNB: D(1)})
    assert paid(buy(venue, "1").fills[0]) == (D("0.10000002"), BNB)
    assert free(venue, BTC) == 2
    assert free(venue, BNB) == D("0.89999998")
    venue.check()


def test_the_third_assets_own_market_gives_its_price() -> None:
    """Without a constant the last price of BNB/USDT counts; before it has one, the received asset pays in full."""
    fees = AccountFees(MAKER, TAKER, asset=BNB, discount=D("0.75"))
    venue = deep_venue(fees=fees, funds={USDT: D(100_000), BTC: D(1), BNB: D(1)})
    assert paid(buy(venue, "0.1").fills[0]) == (D("0.0001"), BTC)
    move(venue, "600", symbol=BNB_MARKET.symbol)
    assert paid(buy(venue, "0.1").fills[0])[1] == BNB
    assert paid(sell(venue, "0.1").fills[0])[0] == D("0.00499999")
    venue.check()


def test_falls_back_to_the_received_asset_when_short() -> None:
    """The fee asset runs out in the middle of an order: the rest of it pays from what it receives."""
    venue = venue_at(fees=IN_BNB, funds={USDT: D(400_000), BNB: D("0.04")})
    assets = [fill.fee_asset for fill in buy(venue, "5").fills]
    assert (assets[0], assets[-1]) == (BNB, BTC)
    assert sum(left != right for left, right in pairwise(assets)) >= 1
    assert free(venue, BNB) >= 0
    venue.check()


def test_buying_the_fee_asset_itself() -> None:
    """The fee comes out of the BNB just bought, at the discount."""
    venue = deep_venue(fees=IN_BNB, funds={USDT: D(1000)})
    move(venue, "300", symbol=BNB_MARKET.symbol)
    assert paid(buy(venue, "1", symbol=BNB_MARKET.symbol).fills[0]) == (D("0.00075"), BNB)
    assert free(venue, BNB) == D("0.99925")
    venue.check()


def test_a_backtest_without_the_fee_assets_market() -> None:
    """One market, unpublished: a stated price of BNB serves, makers too; when the BNB is spent the received asset pays,
    and without a price it always does."""
    funds = {USDT: D(100_000), BTC: D(1), BNB: D("0.002")}
    assets = []
    for price in (D(300), None):
        venue = Venue([MARKET], VenueSettings(publishes=False), random.Random(1))
        venue.add_account("a", funds, replace(IN_BNB, asset_price=price))
        move(venue, "40000")
        for level in ("39900", "39800", "39700"):
            buy(venue, "0.02", level)
        move(venue, "39000")
        assets.append([fill.fee_asset for fill in venue.fills("a", SYMBOL)])
        venue.check()
    assert assets == [[BNB, BTC, BTC], [BTC, BTC, BTC]]


def test_tiers_count_while_a_backtest_skips() -> None:
    """The volume is that of the account's own fills, whatever was passed over in between."""
    venue = deep_venue(fees=AccountFees(MAKER, TAKER, tiers=TIERS), publishes=False)
    assert trade(venue, "3", 0) == D("0.001")
    venue.skip_to(SYMBOL, D(41_000), Timestamp(DAY_START + DAY))
    assert trade(venue, "0.001", 1) == D("0.0005")


def test_fees_in_quote() -> None:
    """A buy's fee is taken from free quote, never from what the order is about to spend."""
    fees = AccountFees(MAKER, TAKER, asset=USDT)
    venue = deep_venue(fees=fees, funds={USDT: D(50_000)})
    assert paid(buy(venue, "1").fills[0]) == (D("40.00001"), USDT)
    assert paid(buy(venue, None, quote=str(free(venue))).fills[0])[1] == BTC
    venue.check()


def test_a_rebate_is_credited() -> None:
    """A negative maker rate pays the maker."""
    venue = deep_venue(fees=AccountFees(FeeRate(D("-0.0001")), TAKER))
    sell(venue, "1", "41000")
    move(venue, "41000")
    assert paid(venue.fills("a", SYMBOL)[0]) == (D("-4.1"), USDT)
    assert free(venue) == D(1_041_004) + D("0.1")
    venue.check()


def test_fees_may_change() -> None:
    """The rates of the moment of the execution count."""
    venue = deep_venue()
    venue.set_fees("a", AccountFees(MAKER, FeeRate(D("0.002"))))
    assert paid(buy(venue, "1").fills[0]) == (D("0.002"), BTC)
    assert venue.fees("b").taker == D("0.001")


def test_a_percentage_is_no_fraction() -> None:
    """0.1 % is 0.001; somebody who writes 1 means one per cent."""
    with pytest.raises(InvalidValue, match=r"0\.001 is 0\.1 %"):
        AccountFees(FeeRate(D(1)), TAKER)


# --- kinds of commission, the exchange's worked example ----------------------------------------------


def rates(maker: str = "0", taker: str = "0", buyer: str = "0", seller: str = "0") -> CommissionRates:
    return CommissionRates(*(FeeRate(D(text)) for text in (maker, taker, buyer, seller)))


def faq_fees(asset: Asset | None = None) -> AccountFees:
    """The rates of the exchange's commission FAQ, which multiplies by a discount of 0.25."""
    return AccountFees(
        maker=FeeRate(D("0.00000010")),
        taker=FeeRate(D("0.00000020")),
        asset=asset,
        discount=D("0.25"),
        asset_price=D(260),
        buyer=FeeRate(D("0.00000030")),
        seller=FeeRate(D("0.00000040")),
        special=rates("0.01", "0.02", "0.03", "0.04"),
        tax=rates("0.00000112", "0.00000114", "0.00000118", "0.00000116"),
    )


def sold(fees: AccountFees, **settings: Any) -> VenueFill:
    """The execution of the example: 0.49975 BTC sold at 35,000 to a bid of another account."""
    venue = deep_venue(
        price="36000",
        fees=fees,
        funds={BTC: D(1), BNB: D(10), USDT: D(100_000)},
        rules=replace(RULES, price_band=None),
        **settings,
    )
    venue.place_order(request(Side.BUY, "1", "35000", account="b"), NOW)
    venue.set_status(SYMBOL, MarketStatus.HALT)
    move(venue, "34999")
    venue.set_status(SYMBOL, MarketStatus.TRADING)
    (fill,) = sell(venue, "0.49975", "35000").fills
    venue.check()
    assert (fill.quote_amount, fill.is_maker) == (D("17491.25"), False)
    return fill


def test_the_worked_example_of_the_exchange() -> None:
    """Standard 0.01049475, tax 0.04022988 and special 1049.475 USDT; in BNB at 260 altogether 4.036607129."""
    proceeds = D("17491.25")
    fees = faq_fees()
    shares = [
        proceeds * each.total(Side.SELL, is_maker=False) for each in (fees.standard, fees.tax, fees.special)
    ]
    assert [round(share, 8) for share in shares] == [D("0.01049475"), D("0.04022988"), D("1049.475")]
    assert paid(sold(fees)) == (cut_to_precision(sum(shares, D(0))), USDT)
    in_bnb = (shares[0] * D("0.25") + shares[1] + shares[2]) / 260
    assert round(in_bnb, 9) == D("4.036607129")
    assert paid(sold(faq_fees(BNB))) == (D("4.03660712"), BNB)


# --- rounding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rounding, fee",
    [("truncate", "0.00000001"), ("round_half_up", "0.00000002"), ("round_up", "0.00000002")],
)
def test_rounding_is_a_switch(rounding: str, fee: str) -> None:
    """1.5 units of the last decimal: cut by default, because the exchange does not say (section 18)."""
    fees = AccountFees(MAKER, FeeRate(D("0.00001")))
    venue = deep_venue(fees=fees, commission_rounding=CommissionRounding(rounding))
    assert paid(buy(venue, "0.0015").fills[0]) == (D(fee), BTC)
    venue.check()


def test_a_market_may_have_fewer_decimals_of_commission() -> None:
    """What is received in quote is charged to two decimals where the market says so; in base still to eight."""
    venue = deep_venue(filters={SYMBOL: MarketFilters(quote_commission_precision=2)})
    assert paid(sell(venue, "1").fills[0]) == (D("39.99"), USDT)
    assert paid(buy(venue, "0.00123").fills[0]) == (D("0.00000123"), BTC)


@given(
    owed=st.decimals(D("-1"), D(1), places=16),
    price=st.sampled_from(["1", "260", "3", "0.07"]).map(D),
    places=st.integers(0, 8),
)
def test_rounding_of_any_commission(owed: Decimal, price: Decimal, places: int) -> None:
    """Against fractions: by size, so that a rebate is never more than it should be by the default."""
    exact = abs(Fraction(owed)) / Fraction(price) * 10**places
    sign = -1 if owed < 0 else 1
    for rounding, wanted in (
        (CommissionRounding.TRUNCATE, floor(exact)),
        (CommissionRounding.ROUND_HALF_UP, floor(exact + Fraction(1, 2))),
        (CommissionRounding.ROUND_UP, ceil(exact)),
    ):
        assert Fraction(round_commission(owed, price, places, rounding)) == sign * Fraction(
            wanted, 10**places
        )


# --- markets and tiers -------------------------------------------------------------------------------


def test_a_market_may_have_rates_of_its_own() -> None:
    """They replace the standard commission there and nowhere else."""
    fees = AccountFees(MAKER, TAKER, markets={SYMBOL: rates(taker="0.0002", seller="0.0001")})
    venue = deep_venue(fees=fees)
    move(venue, "300", symbol=BNB_MARKET.symbol)
    assert paid(buy(venue, "1").fills[0]) == (D("0.0002"), BTC)
    assert paid(sell(venue, "1").fills[0]) == (D("11.999997"), USDT)
    assert paid(buy(venue, "1", symbol=BNB_MARKET.symbol).fills[0]) == (D("0.001"), BNB)


TIERS = (
    FeeTier(D(50_000), FeeRate(D("0.0006")), FeeRate(D("0.0007"))),
    FeeTier(D(100_000), FeeRate(D("0.0004")), FeeRate(D("0.0005"))),
)
DAY_START = NOW // DAY * DAY


def trade(venue: Venue, amount: str, day: int, ms: int = 0) -> Decimal:
    """Buy so many days after the first, so many milliseconds after midnight; the rate that was paid."""
    now = Timestamp(DAY_START + day * DAY + ms)
    (fill,) = venue.place_order(request(Side.BUY, amount), now).fills
    return fill.fee / fill.amount


def test_tiers_follow_the_volume_of_thirty_days() -> None:
    """Found anew at 00:00 UTC out of the 30 days before: today's trades count from tomorrow, and for 30 days."""
    venue = deep_venue(fees=AccountFees(MAKER, TAKER, tiers=TIERS))
    assert trade(venue, "2", 0) == D("0.001")
    assert trade(venue, "0.001", 0, DAY - 1) == D("0.001")
    assert trade(venue, "1", 1) == D("0.0007")
    assert trade(venue, "0.001", 2) == D("0.0005")
    assert trade(venue, "0.001", 30) == D("0.0005")
    assert trade(venue, "0.001", 31) == D("0.001")


def test_a_tier_begins_at_its_volume() -> None:
    """Of 80,000.02 dollars exactly: reached; a cent more: not."""
    for least, rate in (("80000.02", "0.0005"), ("80000.03", "0.001")):
        tier = FeeTier(D(least), FeeRate(D("0.0004")), FeeRate(D("0.0005")))
        venue = deep_venue(fees=AccountFees(MAKER, TAKER, tiers=(tier,)))
        trade(venue, "2", 0)
        assert trade(venue, "0.001", 1) == D(rate)


def test_reads_and_restarts_see_the_same_tier() -> None:
    """What is shown is what is paid, on the same day also after a restart and after new fees."""
    venue = deep_venue(fees=AccountFees(MAKER, TAKER, tiers=TIERS))
    trade(venue, "2", 0)
    tomorrow = Timestamp(DAY_START + DAY)
    assert venue.standard_commission("a", SYMBOL, tomorrow).taker == D("0.0007")
    restored = Venue.from_state(json.loads(json.dumps(venue.state())), random.Random(0))
    assert restored.fees("a") == venue.fees("a")
    assert restored.state() == venue.state()
    assert trade(restored, "0.001", 1) == D("0.0007")
    venue.set_fees("a", AccountFees(MAKER, TAKER, tiers=TIERS[1:]))
    assert venue.standard_commission("a", SYMBOL, tomorrow).taker == D("0.001")


def test_other_quotes_count_in_dollars() -> None:
    """100 BNB for 1 BTC are 40,000 dollars at a price of 40,000; without a price of BTC they are nothing."""
    market = Market(Symbol("BNB/BTC"), BNB, BTC, replace(RULES, tick_size=D("0.00001"), min_notional=D(0)))
    for has_price, reached in ((True, 1), (False, 0)):
        venue = Venue([MARKET, market], VenueSettings(depth_quote=D(1000)), random.Random(1))
        tier = FeeTier(D(39_000), FeeRate(D(0)), FeeRate(D(0)))
        venue.add_account("a", {BTC: D(2)}, AccountFees(MAKER, TAKER, tiers=(tier,)))
        if has_price:
            move(venue, "40000")
        move(venue, "0.01", symbol=market.symbol)
        venue.place_order(request(Side.BUY, "100", symbol=market.symbol), Timestamp(DAY_START))
        found = venue.standard_commission("a", None, Timestamp(DAY_START + DAY))
        assert found.taker == (0 if reached else TAKER)


def test_all_of_fees_survives_a_restart() -> None:
    """Every field of them."""
    fees = replace(faq_fees(BNB), tiers=TIERS, markets={SYMBOL: rates("0.1", "0.2", "0.3", "0.4")})
    venue = deep_venue(fees=fees)
    assert Venue.from_state(json.loads(json.dumps(venue.state())), random.Random(0)).fees("a") == fees


def test_tiers_must_rise() -> None:
    with pytest.raises(InvalidValue, match="rising"):
        AccountFees(MAKER, TAKER, tiers=TIERS[::-1])


# --- the price of the fee asset ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "prices, worth",
    [
        ({"BNB/EUR": "200"}, "200"),
        ({"EUR/BNB": "0.005"}, "200"),
        ({"BNB/USDT": "220", "EUR/USDT": "1.1"}, "200"),
        ({"BNB/USDT": "220", "USDT/EUR": "2"}, "440"),
        ({"BNB/BTC": "0.01", "BTC/EUR": "30000"}, "300"),
        ({"BNB/EUR": "200", "BNB/USDT": "1", "EUR/USDT": "1"}, "200"),
    ],
)
def test_price_of_the_fee_asset_through_other_markets(prices: dict[str, str], worth: str) -> None:
    """Its own market first, either way round, then the first asset that both have a market with."""

    def price_of(asset: Asset, quote: Asset) -> Decimal | None:
        text = prices.get(f"{asset}/{quote}")
        return None if text is None else D(text)

    found = exchange_rate(Asset("EUR"), BNB, price_of)
    assert found is not None
    assert Fraction(found[1]) / Fraction(found[0]) == Fraction(worth)


def test_no_way_to_the_fee_asset() -> None:
    """Then there is no price, and commissions come out of what is received."""
    assert exchange_rate(Asset("EUR"), BNB, lambda _asset, _quote: None) is None
