"""What the exchange accepts as an order by itself: precision, the market's permissions and its filters, in its order.

The arithmetic is the venue's own reading of the published filters (protocol document, section 7), so that a mistake
in the engine's rules cannot hide behind the same mistake here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.money import notional
from gridtide.domain.order import Side
from gridtide.venue import refusals
from gridtide.venue.admission import CLOSED_TO_REQUESTS
from gridtide.venue.order_parameters import PLAIN, ParameterNames, check_parameters
from gridtide.venue.rounding import is_multiple, smallest, steps_above
from gridtide.venue.settings import StopNotional

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import MarketRules
    from gridtide.venue.desk import Desk
    from gridtide.venue.market_filters import MarketFilters
    from gridtide.venue.messages import NewOrder


def check_request(
    request: NewOrder, desk: Desk, *, amount_follows: bool = False, names: ParameterNames = PLAIN
) -> None:
    """Raise the first refusal that parameters, precision, permissions or filters call for.

    `amount_follows`: the order's amount is what the working order of its list will have bought (OPO); nothing about
    amounts is checked until then. `names` says how its parameters are called where it is a leg of an order list.
    """
    if names is PLAIN and not amount_follows and desk.plain_orders.accept(request, desk):
        return
    check_parameters(request, amount_follows=amount_follows, names=names)
    check_precision(request, desk.market.rules, names)
    if desk.market.status in CLOSED_TO_REQUESTS:
        raise refusals.market_closed_to_requests()
    check_permissions(request, desk.filters)
    check_filters(request, desk)


# --- precision ---------------------------------------------------------------------------------------


def check_precision(request: NewOrder, rules: MarketRules, names: ParameterNames = PLAIN) -> None:
    """No value has more decimals than its asset."""
    if not _has_places(request.amount, rules.base_precision):
        raise refusals.too_precise(names.quantity)
    if not _has_places(request.quote_amount, rules.quote_precision):
        raise refusals.too_precise("quoteOrderQty")
    if not _has_places(request.price, rules.quote_precision):
        raise refusals.too_precise(names.of("price"))
    if not _has_places(request.stop_price, rules.quote_precision):
        raise refusals.too_precise(names.of("stopPrice"))
    if not _has_places(request.iceberg_amount, rules.base_precision):
        raise refusals.too_precise(names.of("icebergQty"))


def _has_places(value: Decimal | None, places: int) -> bool:
    """Whether there is no value, or one with no more than so many decimals."""
    return value is None or is_multiple(value, smallest(places))


# --- permissions -------------------------------------------------------------------------------------


def check_permissions(request: NewOrder, filters: MarketFilters) -> None:
    """Order types, features and modes of self-trade prevention that the market allows."""
    if not filters.is_spot:
        raise refusals.not_permitted()
    mode = request.self_trade_prevention
    if mode and mode not in filters.prevention_modes:
        raise refusals.prevention_not_allowed()
    if request.type not in filters.order_types:
        raise refusals.type_not_supported(request.type)
    if request.iceberg_amount and not filters.iceberg_allowed:
        raise refusals.not_supported("Iceberg orders are")
    if request.trailing_delta is not None and not filters.trailing_allowed:
        raise refusals.not_supported("Trailing stop orders are")
    if request.quote_amount is not None and not filters.quote_amount_allowed:
        raise refusals.quote_amount_not_supported()


# --- filters -----------------------------------------------------------------------------------------


def check_filters(request: NewOrder, desk: Desk) -> None:
    """PRICE_FILTER, PERCENT_PRICE, LOT_SIZE, MARKET_LOT_SIZE, ICEBERG_PARTS, TRAILING_DELTA, NOTIONAL, MAX_ASSET."""
    rules = desk.market.rules
    if request.price is not None:
        check_price(request.price, rules)
        _check_price_band(request.side, request.price, desk)
    if request.stop_price is not None:
        check_price(request.stop_price, rules)
    if request.amount is not None:
        check_lot_sizes(request.amount, rules, desk.filters, is_market=request.type == "MARKET")
    if request.iceberg_amount:
        check_iceberg(request.iceberg_amount, request.amount, rules, desk.filters)
    if request.trailing_delta is not None:
        _check_trailing(request.side, request.type, request.trailing_delta, desk.filters)
    check_notional(request, desk)
    _check_max_assets(request, desk)


def check_price(price: Decimal, rules: MarketRules) -> None:
    """PRICE_FILTER, for the price and for the stop price; a bound or a tick of zero is no rule."""
    if (
        (rules.min_price and price < rules.min_price)
        or (rules.max_price and price > rules.max_price)
        or (rules.tick_size and not is_multiple(price, rules.tick_size))
    ):
        raise refusals.filter_failure("PRICE_FILTER")


def _check_price_band(side: Side, price: Decimal, desk: Desk) -> None:
    """PERCENT_PRICE_BY_SIDE, or PERCENT_PRICE where both sides have the same multipliers."""
    band = desk.market.rules.price_band
    average = desk.average_price() if band is not None else None
    if band is None or average is None:
        return
    down, up = (band.bid_down, band.bid_up) if side is Side.BUY else (band.ask_down, band.ask_up)
    if not notional(average, down) <= price <= notional(average, up):
        raise refusals.filter_failure(desk.filters.price_band_filter)


def check_lot_sizes(amount: Decimal, rules: MarketRules, filters: MarketFilters, *, is_market: bool) -> None:
    """LOT_SIZE for every order and MARKET_LOT_SIZE for MARKET orders too; a bound or a step of zero is no rule."""
    if not _fits(amount, rules.min_amount, rules.max_amount, rules.lot_size):
        raise refusals.filter_failure("LOT_SIZE")
    if is_market and not _fits(
        amount, rules.market_min_amount, rules.market_max_amount, filters.market_lot_size
    ):
        raise refusals.filter_failure("MARKET_LOT_SIZE")


def _fits(amount: Decimal, least: Decimal, most: Decimal, step: Decimal) -> bool:
    return not (amount < least or (most and amount > most) or (step and not is_multiple(amount, step)))


def check_iceberg(
    visible: Decimal, amount: Decimal | None, rules: MarketRules, filters: MarketFilters
) -> None:
    """LOT_SIZE of the visible amount, which must be less than the whole, and ICEBERG_PARTS."""
    if not _fits(visible, rules.min_amount, rules.max_amount, rules.lot_size):
        raise refusals.filter_failure("LOT_SIZE")
    if amount is None:
        return
    if visible > amount:
        raise refusals.iceberg_exceeds_amount()
    if filters.iceberg_parts and steps_above(amount, visible) > filters.iceberg_parts:
        raise refusals.filter_failure("ICEBERG_PARTS")


def _check_trailing(side: Side, order_type: str, delta: int, filters: MarketFilters) -> None:
    if filters.trailing is None:
        return
    least, most = filters.trailing.bounds(side, order_type)
    if not least <= delta <= most:
        raise refusals.filter_failure("TRAILING_DELTA")


def check_notional(request: NewOrder, desk: Desk) -> None:
    """NOTIONAL or MIN_NOTIONAL: the order's value, unless the filter leaves orders without a price alone."""
    rules, filters = desk.market.rules, desk.filters
    has_price = request.price is not None
    least = rules.min_notional if has_price or filters.apply_min_to_market else None
    most = rules.max_notional if has_price or filters.apply_max_to_market else None
    if not (least or most):
        return
    value = _value(request, desk)
    if value is None:
        return
    # An older MIN_NOTIONAL has no upper bound.
    most = most if filters.notional_filter == "NOTIONAL" else None
    if (least and value < least) or (most and value > most):
        raise refusals.filter_failure(filters.notional_filter)


def _value(request: NewOrder, desk: Desk) -> Decimal | None:
    """The order's value in quote as NOTIONAL sees it; None where it sees none."""
    if request.quote_amount is not None:
        return request.quote_amount
    if request.amount is None:
        return None
    price = request.price if request.price is not None else _assumed_price(request, desk)
    return None if price is None else notional(price, request.amount)


def _assumed_price(request: NewOrder, desk: Desk) -> Decimal | None:
    """The average price for MARKET orders; for stop orders without a price as the venue is set to take it."""
    if request.type != "MARKET":
        if desk.settings.stop_notional is StopNotional.NONE:
            return None
        if desk.settings.stop_notional is StopNotional.STOP_PRICE and request.stop_price is not None:
            return request.stop_price
    return desk.average_price()


def _check_max_assets(request: NewOrder, desk: Desk) -> None:
    """MAX_ASSET: the order's amount where its base asset is limited, its value where its quote asset is."""
    limits = desk.settings.exchange_filters.max_assets
    if not limits:
        return
    market = desk.market
    in_base, in_quote = limits.get(market.base), limits.get(market.quote)
    if in_base is not None and request.amount is not None and request.amount > in_base:
        raise refusals.filter_failure("MAX_ASSET")
    value = _value(request, desk) if in_quote is not None else None
    if in_quote is not None and value is not None and value > in_quote:
        raise refusals.filter_failure("MAX_ASSET")
