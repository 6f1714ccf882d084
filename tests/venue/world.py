"""A small venue for tests: BTC/USDT at 40,000, accounts with funds, and short ways to ask for things."""

import random
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.market import Asset, Market, MarketRules, PriceBand, Symbol, Timestamp
from gridtide.domain.money import FeeRate
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.messages import (
    BalancesChanged,
    BookChanged,
    NewOrder,
    OrderChanged,
    OrderListChanged,
    Placement,
    PriceMoved,
    TradePrinted,
    VenueEvent,
    VenueRefusal,
)
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue

D = Decimal
BTC, USDT, BNB = Asset("BTC"), Asset("USDT"), Asset("BNB")
SYMBOL = Symbol("BTC/USDT")
NOW = Timestamp(1_700_000_000_000)
RULES = MarketRules(
    tick_size=D("0.01"),
    lot_size=D("0.00001"),
    min_notional=D(5),
    max_notional=D(9_000_000),
    min_price=D("0.01"),
    max_price=D(1_000_000),
    min_amount=D("0.00001"),
    max_amount=D(9_000),
    market_max_amount=D(100),
    price_band=PriceBand(D("0.2"), D(5), D("0.2"), D(5)),
    max_open_orders=200,
)
MARKET = Market(SYMBOL, BTC, USDT, RULES)
BNB_MARKET = Market(Symbol("BNB/USDT"), BNB, USDT, replace(RULES, tick_size=D("0.1"), lot_size=D("0.001")))
FEES = AccountFees(FeeRate(D("0.001")), FeeRate(D("0.001")))
FREE = AccountFees(FeeRate(D(0)), FeeRate(D(0)))
FUNDS = {USDT: D(1_000_000), BTC: D(10)}


def venue_at(
    price: str | None = "40000",
    *,
    fees: AccountFees = FEES,
    funds: Mapping[Asset, Decimal] = FUNDS,
    rules: MarketRules = RULES,
    seed: int = 1,
    **settings: Any,  # any field of VenueSettings
) -> Venue:
    """A venue with the accounts `a` and `b`, standing at `price`."""
    venue = Venue([replace(MARKET, rules=rules), BNB_MARKET], VenueSettings(**settings), random.Random(seed))
    for account_id in ("a", "b"):
        venue.add_account(account_id, funds, fees)
    if price is not None:
        move(venue, price)
    return venue


def move(venue: Venue, price: str, volume: str = "1", symbol: Symbol = SYMBOL) -> tuple[VenueEvent, ...]:
    return venue.move_market(symbol, PriceMoved(D(price), D(volume), NOW), NOW)


def request(
    side: Side,
    amount: str | None,
    price: str | None = None,
    *,
    kind: str = "",
    tif: TimeInForce | None = None,
    account: str = "a",
    quote: str | None = None,
    client_id: str = "",
    prevention: str = "",
    symbol: Symbol = SYMBOL,
    stop: str | None = None,
    trailing: int | None = None,
) -> NewOrder:
    """A LIMIT GTC order if there is a price, else a MARKET order, unless `kind` says otherwise."""
    kind = kind or ("MARKET" if price is None else "LIMIT")
    if kind in {"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"} and tif is None:
        tif = TimeInForce.GTC
    return NewOrder(
        account,
        symbol,
        side,
        kind,
        None if amount is None else D(amount),
        None if quote is None else D(quote),
        None if price is None else D(price),
        tif,
        client_id,
        prevention,
        None if stop is None else D(stop),
        trailing,
    )


def buy(venue: Venue, amount: str | None, price: str | None = None, **more: Any) -> Placement:
    return venue.place_order(request(Side.BUY, amount, price, **more), NOW)


def sell(venue: Venue, amount: str | None, price: str | None = None, **more: Any) -> Placement:
    return venue.place_order(request(Side.SELL, amount, price, **more), NOW)


def refusal(venue: Venue, asked: NewOrder) -> tuple[int, str]:
    """Code and text of the refusal of `asked`, which must change nothing."""
    before = venue.state()
    with pytest.raises(VenueRefusal) as refused:
        venue.place_order(asked, NOW)
    assert venue.state() == before
    return refused.value.code, refused.value.message


def free(venue: Venue, asset: Asset = USDT, account: str = "a") -> Decimal:
    return venue.balances(account)[asset].free


def locked(venue: Venue, asset: Asset = USDT, account: str = "a") -> Decimal:
    return venue.balances(account)[asset].locked


def kinds(events: tuple[VenueEvent, ...], account: str = "a") -> list[str]:
    """What an account and the public see, in order, as short words."""
    words = []
    for event in events:
        match event:
            case OrderListChanged() if event.order_list.account_id == account:
                words.append(f"list {event.order_list.status_type} {event.order_list.order_status}")
            case OrderChanged() if event.order.account_id == account:
                words.append(f"{event.execution_type} {event.order.status.value}")
            case BalancesChanged() if event.account_id == account:
                words.append("balances")
            case TradePrinted():
                words.append("trade")
            case BookChanged():
                words.append("book")
            case _:
                pass
    return words


def diffs(events: tuple[VenueEvent, ...]) -> list[BookChanged]:
    return [event for event in events if isinstance(event, BookChanged)]


def prints(events: tuple[VenueEvent, ...]) -> list[TradePrinted]:
    return [event for event in events if isinstance(event, TradePrinted)]
