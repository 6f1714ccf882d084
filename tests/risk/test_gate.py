"""The gate: each rule refuses with its reason and numbers, and reducing stays possible where increasing is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from gridtide.domain.commands import Approved
from gridtide.domain.market import (
    Asset,
    FeeSchedule,
    Market,
    MarketRules,
    MarketStatus,
    PriceBand,
    Symbol,
    TopOfBook,
)
from gridtide.domain.money import Amount, FeeRate, Price
from gridtide.domain.order import OrderIntent, OrderType, Side, Slot
from gridtide.domain.parking import ParkReason
from gridtide.risk.gate import default_gate
from gridtide.risk.rule import Refusal

BTC, USDT = Asset("BTC"), Asset("USDT")
BAND = PriceBand(Decimal("0.2"), Decimal(5), Decimal("0.2"), Decimal(5))
RULES = MarketRules(
    Decimal("0.01"), Decimal("0.001"), min_notional=Decimal(5), price_band=BAND, max_open_orders=50
)


@dataclass
class Account:
    market: Market = field(default_factory=lambda: Market(Symbol("BTC/USDT"), BTC, USDT, RULES))
    book: TopOfBook = field(
        default_factory=lambda: TopOfBook(
            Price(Decimal("99.99")), Price(Decimal("100.01")), Price(Decimal(100))
        )
    )
    fees: FeeSchedule = field(
        default_factory=lambda: FeeSchedule(FeeRate(Decimal("0.001")), FeeRate(Decimal("0.001")))
    )
    live_orders: int = 0
    increase_halted: str = ""
    funds: dict[Asset, Decimal] = field(default_factory=lambda: {USDT: Decimal(1000), BTC: Decimal(2)})

    def available(self, asset: Asset) -> Decimal:
        return self.funds[asset]


def intent(side: Side = Side.BUY, price: str | None = "90", amount: str = "1", **more: object) -> OrderIntent:
    order_type = OrderType.MARKET if price is None else OrderType.LIMIT_MAKER
    limit = None if price is None else Price(Decimal(price))
    return OrderIntent(
        Slot("001", side),
        Symbol("BTC/USDT"),
        order_type,
        limit,
        Amount(Decimal(amount)),
        **more,  # type: ignore[arg-type]
    )


def reason(answer: Approved | Refusal) -> ParkReason | None:
    return answer.reason if isinstance(answer, Refusal) else None


def test_an_approval_names_what_the_order_can_cost() -> None:
    """I11: what is approved is reserved, in the asset it will be paid in."""
    buy = default_gate().review(intent(), Account())
    sell = default_gate().review(intent(Side.SELL, "110", "1.5"), Account())
    assert isinstance(buy, Approved)
    assert isinstance(sell, Approved)
    assert (buy.reserved_asset, buy.reserved_amount) == (USDT, Decimal(90))
    assert (sell.reserved_asset, sell.reserved_amount) == (BTC, Decimal("1.5"))


def test_fees_paid_in_the_spent_asset_are_reserved_too() -> None:
    """F44: amount plus worst-case fee is reserved before the send."""
    account = Account(fees=FeeSchedule(FeeRate(Decimal("0.001")), FeeRate(Decimal("0.002")), USDT))
    buy = default_gate().review(intent(), account)
    assert isinstance(buy, Approved)
    assert buy.reserved_amount == Decimal("90.18")


@pytest.mark.parametrize(
    "wish, expected",
    [
        (intent(amount="20"), ParkReason.INSUFFICIENT_FUNDS),
        (intent(Side.SELL, "110", "3"), ParkReason.NO_INVENTORY),
        (intent(price="90.001"), ParkReason.MARKET_RULE),
        (intent(amount="0.0005"), ParkReason.MARKET_RULE),
        (intent(amount="0.01"), ParkReason.MARKET_RULE),
        (intent(price="19.99"), ParkReason.PRICE_BAND),
        (intent(Side.SELL, "500.01"), ParkReason.PRICE_BAND),
        (intent(price=None, amount="11"), ParkReason.INSUFFICIENT_FUNDS),
    ],
)
def test_what_cannot_be_traded_is_refused_with_its_reason(wish: OrderIntent, expected: ParkReason) -> None:
    """F13, F44: funds, tick, lot, minimum value and price band, each under its own name."""
    assert reason(default_gate().review(wish, Account())) is expected


def test_limits_refuse_but_never_an_emergency() -> None:
    """F65: too many orders or too large a one is refused, except for the exit that a stop needs."""
    gate = default_gate(max_open_orders=3, max_order_value=Decimal(80))
    crowded = Account(live_orders=3)
    assert reason(gate.review(intent(amount="0.1"), crowded)) is ParkReason.MAX_OPEN_ORDERS
    assert reason(gate.review(intent(), Account())) is ParkReason.MAX_ORDER_VALUE
    assert isinstance(gate.review(intent(Side.SELL, "99", emergency=True), crowded), Approved)


def test_the_exchanges_own_order_limit_counts() -> None:
    """F14: the smaller of our limit and the market's holds."""
    assert reason(default_gate().review(intent(), Account(live_orders=50))) is ParkReason.MAX_OPEN_ORDERS


def test_the_kill_switch_stops_buying_only() -> None:
    """Reducing is allowed when increasing is not."""
    halted = Account(increase_halted="the books differ")
    assert reason(default_gate().review(intent(), halted)) is ParkReason.HALTED
    assert isinstance(default_gate().review(intent(Side.SELL, "110"), halted), Approved)


@pytest.mark.parametrize("status", [status for status in MarketStatus if status is not MarketStatus.TRADING])
def test_a_market_that_does_not_trade_takes_nothing(status: MarketStatus) -> None:
    """F49: in any status but TRADING no order leaves."""
    account = Account()
    account.market = replace(account.market, status=status)
    assert reason(default_gate().review(intent(), account)) is ParkReason.MARKET_CLOSED


def test_without_a_price_a_market_order_waits() -> None:
    """F49: zero or missing prices are not prices."""
    empty = Account(book=TopOfBook(None, None))
    assert reason(default_gate().review(intent(price=None), empty)) is ParkReason.MARKET_CLOSED
