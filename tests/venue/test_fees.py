"""What executions cost: asset, discount, rounding and what happens when the fee asset runs out (section 6.9)."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import FeeRate
from gridtide.venue.messages import VenueFill
from gridtide.venue.settings import AccountFees
from gridtide.venue.venue import Venue
from tests.venue.world import BNB, BNB_MARKET, BTC, SYMBOL, USDT, D, buy, free, move, sell, venue_at

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
