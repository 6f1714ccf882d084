"""Control over markets: status, rules, the price, and orders of other participants, whose account pays no fees and
is given whatever it needs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus, Symbol, Timestamp
from gridtide.domain.money import ONE, ZERO, FeeRate, ceil_to_step, floor_to_step, notional, tidy
from gridtide.domain.order import OrderType, Side, TimeInForce
from gridtide.sandbox.control import plain_values
from gridtide.sandbox.control_body import Body, read_body
from gridtide.venue.market_filters import ORDER_TYPES, PREVENTION_MODES, NotionalFilter, PriceBandFilter
from gridtide.venue.messages import NewOrder, PriceMoved
from gridtide.venue.settings import AccountFees

if TYPE_CHECKING:
    from aiohttp import web

    from gridtide.domain.market import Market
    from gridtide.sandbox.control import Operations
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.wire import JsonObject

V = TypeVar("V")
E = TypeVar("E", bound=Enum)

OTHERS = "others"
"""The account of everybody else, opened when it is first needed."""

MOST_DECIMALS = 8
_WORDS = {
    "notional_filter": get_args(NotionalFilter),
    "price_band_filter": get_args(PriceBandFilter),
    "order_types": ORDER_TYPES,
    "prevention_modes": PREVENTION_MODES,
    "default_prevention": PREVENTION_MODES,
}
_NO_FEES = AccountFees(FeeRate(ZERO), FeeRate(ZERO))


class MarketControl:
    """What may be done to a market by hand."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self._exchange = exchange

    def operations(self) -> Operations:
        return {
            ("GET", "/control/markets"): self._markets,
            ("POST", "/control/market-status"): self._status,
            ("POST", "/control/rules"): self._rules,
            ("POST", "/control/price"): self._price,
            ("POST", "/control/orders"): self._place,
            ("DELETE", "/control/orders"): self._cancel,
        }

    async def _markets(self, _request: web.BaseRequest) -> JsonObject:
        return {"markets": [self._describe(market) for market in self._exchange.venue.markets()]}

    async def _status(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"market": "BTC/USDT", "status": "HALT"}``."""
        body = await read_body(request, ["market", "status"])
        market = self._market(body)
        status = _word(MarketStatus, body.text("status"), "status")
        self._exchange.venue.set_status(market.symbol, status)
        return self._describe(self._exchange.venue.market(market.symbol))

    async def _rules(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"market": …, "rules": {"min_notional": "10", "price_band": null}, "filters": {"max_algo_orders":
        5}}``; what is left out stays."""
        body = await read_body(request, ["market"], ["rules", "filters"])
        market, venue = self._market(body), self._exchange.venue
        rules = changed(market.rules, body.given("rules", body.inner, {}))
        filters = changed(venue.filters(market.symbol), body.given("filters", body.inner, {}))
        if rules.tick_size <= 0 or rules.lot_size <= 0:
            raise InvalidInput("tick_size and lot_size must be above zero; nothing was changed")
        venue.set_rules(market.symbol, rules)
        venue.set_filters(market.symbol, filters)
        return self._describe(venue.market(market.symbol))

    async def _price(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"market": …, "price": "51000", "volume": "2"}``: walk there over every price between."""
        body = await read_body(request, ["market", "price"], ["volume"])
        market = self._market(body)
        listing = self._exchange.listing(market.exchange_id)
        at = Timestamp(listing.record.market_time or self._exchange.now())
        price = _on_tick(body.decimal("price"), market)
        move = PriceMoved(price, body.given("volume", body.decimal, ZERO), at)
        self._exchange.move_market(market.symbol, move)
        return plain_values(self._exchange.venue.best(market.symbol))

    # --- other participants --------------------------------------------------------------------------

    async def _place(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"market": …, "side": "SELL", "amount": "0.5", "price": "50100"}``; without a price at the market."""
        body = await read_body(request, ["market", "side", "amount"], ["price", "time_in_force"])
        market = self._market(body)
        placed = self._exchange.place_order(self._order(body, market))
        return plain_values(placed.order)

    def _order(self, body: Body, market: Market) -> NewOrder:
        side = _word(Side, body.text("side"), "side")
        amount, price = body.decimal("amount"), body.given("price", body.decimal, None)
        force = None
        if price is not None:
            text = body.given("time_in_force", body.text, TimeInForce.GTC.value)
            force = _word(TimeInForce, text, "time_in_force")
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        order = NewOrder(OTHERS, market.symbol, side, kind.value, amount, price=price, time_in_force=force)
        self._open_others()
        self._exchange.venue.check_order(order)
        self._fund(order, market)
        return order

    def _open_others(self) -> None:
        if OTHERS not in self._exchange.venue.accounts():
            self._exchange.venue.add_account(OTHERS, {}, _NO_FEES)

    def _fund(self, order: NewOrder, market: Market) -> None:
        """What the order may cost, on top of what is free: a market order buys at any price up to double the last."""
        amount = order.amount or ZERO
        asset, needed = market.base, amount
        if order.side is Side.BUY:
            price = order.price or (self._exchange.venue.last_price(market.symbol) or ONE) * 2
            asset, needed = market.quote, ceil_to_step(notional(price, amount), Decimal("0.00000001"))
        held = self._exchange.venue.balances(OTHERS).get(asset)
        if held is None or held.free < needed:
            self._exchange.deposit(OTHERS, asset, needed - (held.free if held else ZERO))

    async def _cancel(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"market": …, "order_id": 7}``; without an id all that other participants have there."""
        body = await read_body(request, ["market"], ["order_id"])
        market = self._market(body)
        self._open_others()
        if "order_id" not in body:
            return {"cancelled": len(self._exchange.cancel_all(OTHERS, market.symbol))}
        self._exchange.cancel_order(
            OTHERS,
            market.symbol,
            order_id=body.whole("order_id"),
            client_order_id=None,
            new_client_order_id="",
        )
        return {"cancelled": 1}

    # --- reading -------------------------------------------------------------------------------------

    def _market(self, body: Body) -> Market:
        """By either of its names: ``BTC/USDT`` or ``BTCUSDT``."""
        name = body.text("market")
        for market in self._exchange.venue.markets():
            if name in (market.symbol, market.exchange_id):
                return market
        known = ", ".join(Symbol(market.symbol) for market in self._exchange.venue.markets())
        raise InvalidInput(f"there is no market {name[:40]!r}: this sandbox has {known}")

    def _describe(self, market: Market) -> JsonObject:
        return {
            "market": market.symbol,
            "status": market.status.value,
            "rules": plain_values(market.rules),
            "filters": plain_values(self._exchange.venue.filters(market.symbol)),
        }


def _on_tick(price: Decimal, market: Market) -> Decimal:
    """The price, if the market can have it."""
    tick = market.rules.tick_size
    if not price.is_finite() or price <= 0:
        raise InvalidInput(f"price {price} is not above zero; nothing moved")
    below, above = floor_to_step(price, tick), ceil_to_step(price, tick)
    if below != above:
        near = " or ".join(tidy(each) for each in (below, above) if each > 0)
        raise InvalidInput(
            f"price {tidy(price)} is not a multiple of {tidy(tick)}, the step of {market.symbol}; nothing moved: "
            f"give {near}"
        )
    return price


def changed(value: V, changes: dict[str, Any]) -> V:
    """A dataclass of rules with some fields replaced: null where a field may be None, an object where it is such a
    dataclass. Raises `InvalidInput` for a field it does not have."""
    known = {field.name: str(field.type) for field in fields(value)}  # type: ignore[arg-type]  # V is a dataclass
    body, new = Body(changes), dict[str, Any]()
    for name in changes:
        if name not in known:
            raise InvalidInput(
                f"unknown rule {name[:40]!r}: there are {', '.join(known)}; nothing was changed"
            )
        new[name] = _changed_field(body, name, getattr(value, name), known[name])
    return replace(value, **new)  # type: ignore[type-var]  # V is a dataclass


def _changed_field(body: Body, name: str, present: Any, kind: str) -> object:
    """One field as its type asks for it."""
    if name not in body and "None" in kind:
        return None
    match present:
        case bool():
            return body.flag(name)
        case str():
            return _known_word(name, body.text(name))
        case tuple():
            return _tuples(name, body.items(name))
        case Decimal():
            return _bound(name, body.decimal(name))
        case _ if is_dataclass(present):
            return changed(present, body.inner(name))
        case _ if kind.startswith("int"):
            return _count(name, body.whole(name))
        case _:
            raise InvalidInput(
                f"{name} cannot be set here: this market began without it; nothing was changed"
            )


def _known_word(name: str, text: str) -> str:
    words = _WORDS.get(name, (text,))
    if text not in words:
        raise InvalidInput(f"{name} {text[:24]!r} is none of {', '.join(words)}; nothing was changed")
    return text


def _tuples(name: str, values: list[Any]) -> tuple[Any, ...]:
    if not values or not all(isinstance(each, str | list) for each in values):
        raise InvalidInput(f"{name} is needed as a list of texts")
    return tuple(
        _tuples(name, each) if isinstance(each, list) else _known_word(name, each) for each in values
    )


def _bound(name: str, bound: Decimal) -> Decimal:
    if bound < 0:
        raise InvalidInput(f"{name} is below zero; nothing was changed")
    return bound


def _count(name: str, count: int) -> int:
    if name.endswith("precision") and count > MOST_DECIMALS:
        raise InvalidInput(f"{name} is above {MOST_DECIMALS}; nothing was changed")
    return count


def _word(words: type[E], text: str, name: str) -> E:
    try:
        return words(text)
    except ValueError:
        allowed = ", ".join(str(word.value) for word in words)
        raise InvalidInput(f"{name} {text[:24]!r} is none of {allowed}; nothing was changed") from None
