"""What the exchange accepts as an order: parameters by type, precision and the market's filters, in its order.

The arithmetic is the venue's own reading of the published filters (protocol document, sections 6.1 and 7), so
that a mistake in the engine's rules cannot hide behind the same mistake here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from gridtide.domain.money import notional
from gridtide.domain.order import Side
from gridtide.venue import refusals
from gridtide.venue.rounding import is_multiple
from gridtide.venue.settings import SelfTradePrevention

if TYPE_CHECKING:
    from gridtide.domain.market import MarketRules
    from gridtide.venue.messages import NewOrder

AverageOf = Callable[[], Decimal | None]
"""The reference price of the moving filters, asked for only where a filter needs it."""

ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET")
"""What the venue takes, for the listing of a market."""

_is_client_order_id = re.compile(refusals.CLIENT_ORDER_ID_PATTERN).fullmatch
_PREVENTION_MODES = frozenset(mode.value for mode in SelfTradePrevention) | {""}


def check_request(request: NewOrder, rules: MarketRules, average_of: AverageOf) -> None:
    """Raise the first refusal that parameters, precision or filters call for."""
    check_parameters(request)
    check_precision(request, rules)
    check_filters(request, rules, average_of)


# --- parameters --------------------------------------------------------------------------------------


def check_parameters(request: NewOrder) -> None:
    """Mandatory and forbidden parameters by type, and values that mean nothing."""
    if request.type == "MARKET":
        _check_market_parameters(request)
    elif request.type in ORDER_TYPES:
        _check_limit_parameters(request)
    else:
        raise refusals.invalid_type()
    if request.client_order_id and _is_client_order_id(request.client_order_id) is None:
        raise refusals.illegal_characters("newClientOrderId", refusals.CLIENT_ORDER_ID_PATTERN)
    if request.self_trade_prevention not in _PREVENTION_MODES:
        raise refusals.prevention_not_allowed()


def _check_limit_parameters(request: NewOrder) -> None:
    if request.type == "LIMIT_MAKER":
        _forbid("timeInForce", request.time_in_force)
    elif request.time_in_force is None:
        raise refusals.missing("timeInForce")
    if request.amount is None:
        raise refusals.missing("quantity")
    if request.price is None:
        raise refusals.missing("price")
    _forbid("quoteOrderQty", request.quote_amount)
    if not _is_positive(request.amount):
        raise refusals.invalid_quantity()
    if not _is_positive(request.price):
        raise refusals.invalid_price()


def _check_market_parameters(request: NewOrder) -> None:
    _forbid("timeInForce", request.time_in_force)
    _forbid("price", request.price)
    if request.amount is not None and request.quote_amount is not None:
        raise refusals.bad_combination()
    wanted = request.amount if request.amount is not None else request.quote_amount
    if wanted is None:
        raise refusals.missing_both("quantity", "quoteOrderQty")
    if not _is_positive(wanted):
        raise refusals.invalid_quantity()


def _forbid(name: str, value: object) -> None:
    if value is not None:
        raise refusals.not_required(name)


def _is_positive(value: Decimal) -> bool:
    return value.is_finite() and value > 0


# --- precision ---------------------------------------------------------------------------------------


def check_precision(request: NewOrder, rules: MarketRules) -> None:
    """No value has more decimals than its asset."""
    _check_places("quantity", request.amount, rules.base_precision)
    _check_places("quoteOrderQty", request.quote_amount, rules.quote_precision)
    _check_places("price", request.price, rules.quote_precision)


def _check_places(name: str, value: Decimal | None, places: int) -> None:
    if value is not None and not is_multiple(value, _smallest(places)):
        raise refusals.too_precise(name)


@cache
def _smallest(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


# --- filters -----------------------------------------------------------------------------------------


def check_filters(request: NewOrder, rules: MarketRules, average_of: AverageOf) -> None:
    """PRICE_FILTER, PERCENT_PRICE_BY_SIDE, LOT_SIZE, MARKET_LOT_SIZE, NOTIONAL, in this order."""
    if request.price is not None:
        _check_price(request.side, request.price, rules, average_of)
    if request.amount is not None:
        check_lot_sizes(request.amount, rules, is_market=request.type == "MARKET")
    _check_notional(request, rules, average_of)


def _check_price(side: Side, price: Decimal, rules: MarketRules, average_of: AverageOf) -> None:
    if (
        (rules.min_price and price < rules.min_price)
        or (rules.max_price and price > rules.max_price)
        or (rules.tick_size and not is_multiple(price, rules.tick_size))
    ):
        raise refusals.filter_failure("PRICE_FILTER")
    band = rules.price_band
    average = average_of() if band is not None else None
    if band is None or average is None:
        return
    down, up = (band.bid_down, band.bid_up) if side is Side.BUY else (band.ask_down, band.ask_up)
    if not notional(average, down) <= price <= notional(average, up):
        raise refusals.filter_failure("PERCENT_PRICE_BY_SIDE")


def check_lot_sizes(amount: Decimal, rules: MarketRules, *, is_market: bool) -> None:
    """LOT_SIZE for every order and MARKET_LOT_SIZE for market orders; a bound of zero is no rule."""
    if (
        amount < rules.min_amount
        or (rules.max_amount and amount > rules.max_amount)
        or (rules.lot_size and not is_multiple(amount, rules.lot_size))
    ):
        raise refusals.filter_failure("LOT_SIZE")
    if is_market and (
        amount < rules.market_min_amount or (rules.market_max_amount and amount > rules.market_max_amount)
    ):
        raise refusals.filter_failure("MARKET_LOT_SIZE")


def _check_notional(request: NewOrder, rules: MarketRules, average_of: AverageOf) -> None:
    """Value at the order's price; for market orders at the average price, or the quote amount asked for."""
    if not (rules.min_notional or rules.max_notional):
        return
    value = request.quote_amount
    if value is None and request.amount is not None:
        price = request.price if request.price is not None else average_of()
        value = None if price is None else notional(price, request.amount)
    if value is None:
        return
    if value < rules.min_notional or (rules.max_notional and value > rules.max_notional):
        raise refusals.filter_failure("NOTIONAL")
