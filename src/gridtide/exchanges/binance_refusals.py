"""The allow-list of answers that prove there is no order (R5), and what each of them means for the sender.

Whatever is not listed here proves nothing. Source: order-safety part 2 and Binance's published error texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.events import RefusalReason

if TYPE_CHECKING:
    from gridtide.exchanges.http_outcome import ErrorBody

DUPLICATE_ORDER = "Duplicate order sent."
UNKNOWN_ORDER = "Unknown order sent."
NO_SUCH_ORDER_CODES = frozenset({-2013, -2026})
"""A query's answers for an order it does not know; -2026 (archived) was seen for young orders too (F09)."""

TOO_MUCH_WEIGHT = -1003
TOO_MANY_ORDERS = -1015
BAD_TIMESTAMP = -1021
KEY_CODES = frozenset({-1002, -1022, -2014, -2015})
"""Not authorised, bad signature, malformed key, unknown key or address or right."""

_R = RefusalReason

_REFUSED_CODES: dict[int, RefusalReason] = {
    -1013: _R.MARKET_RULE,
    TOO_MANY_ORDERS: _R.RATE_LIMIT,
    BAD_TIMESTAMP: _R.CLOCK,
    -1022: _R.NOT_PERMITTED,
    -2014: _R.NOT_PERMITTED,
    -2015: _R.NOT_PERMITTED,
    -1111: _R.MARKET_RULE,
}
_PARAMETER_ERRORS = range(-1199, -1099)

_ENGINE_CODES = frozenset({-1010, -2010})

_REASONS_BY_TEXT: dict[str, RefusalReason] = {
    "Account has insufficient balance for requested action.": _R.INSUFFICIENT_FUNDS,
    "Order would immediately match and take.": _R.WOULD_TAKE,
    "Market is closed.": _R.MARKET_CLOSED,
    "Filter failure: PERCENT_PRICE": _R.PRICE_BAND,
    "Filter failure: PERCENT_PRICE_BY_SIDE": _R.PRICE_BAND,
    "Filter failure: MAX_NUM_ORDERS": _R.MAX_OPEN_ORDERS,
    "Filter failure: MAX_NUM_ALGO_ORDERS": _R.MAX_OPEN_ORDERS,
    "Filter failure: MAX_NUM_ICEBERG_ORDERS": _R.MAX_OPEN_ORDERS,
    "Filter failure: MAX_NUM_ORDER_LISTS": _R.MAX_OPEN_ORDERS,
    "Filter failure: EXCHANGE_MAX_NUM_ORDERS": _R.MAX_OPEN_ORDERS,
    "Filter failure: EXCHANGE_MAX_NUM_ALGO_ORDERS": _R.MAX_OPEN_ORDERS,
    "Filter failure: EXCHANGE_MAX_NUM_ICEBERG_ORDERS": _R.MAX_OPEN_ORDERS,
    "Filter failure: EXCHANGE_MAX_NUM_ORDER_LISTS": _R.MAX_OPEN_ORDERS,
    "Filter failure: PRICE_FILTER": _R.MARKET_RULE,
    "Filter failure: LOT_SIZE": _R.MARKET_RULE,
    "Filter failure: MIN_NOTIONAL": _R.MARKET_RULE,
    "Filter failure: NOTIONAL": _R.MARKET_RULE,
    "Filter failure: MARKET_LOT_SIZE": _R.MARKET_RULE,
    "Filter failure: MAX_POSITION": _R.MARKET_RULE,
    "Filter failure: ICEBERG_PARTS": _R.MARKET_RULE,
    "Filter failure: MAX_NUM_ORDER_AMENDS": _R.MARKET_RULE,
    "Filter failure: TRAILING_DELTA": _R.MARKET_RULE,
    "Price * QTY is zero or less.": _R.MARKET_RULE,
    "Order book liquidity is less than symbol minimum quantity.": _R.MARKET_RULE,
    "Market orders are not supported for this symbol.": _R.MARKET_RULE,
    "Unsupported order combination": _R.OTHER,
    "Unsupported order combination.": _R.OTHER,
    "This action is disabled on this account.": _R.NOT_PERMITTED,
    "This account may not place or cancel orders.": _R.NOT_PERMITTED,
    "This symbol is not permitted for this account.": _R.NOT_PERMITTED,
    "This symbol is restricted for this account.": _R.NOT_PERMITTED,
    "Rest API trading is not enabled.": _R.NOT_PERMITTED,
    UNKNOWN_ORDER: _R.OTHER,
    "Iceberg orders are not supported for this symbol.": _R.OTHER,
    "Stop loss orders are not supported for this symbol.": _R.OTHER,
    "Stop loss limit orders are not supported for this symbol.": _R.OTHER,
    "Take profit orders are not supported for this symbol.": _R.OTHER,
    "Take profit limit orders are not supported for this symbol.": _R.OTHER,
    "Order amend is not supported for this symbol.": _R.OTHER,
    "IcebergQty exceeds QTY.": _R.OTHER,
    "Order would trigger immediately.": _R.OTHER,
    "Stop price would trigger immediately.": _R.OTHER,
    "Cancel order is invalid. Check origClOrdId and orderId.": _R.OTHER,
    "The relationship of the prices for the orders is not correct.": _R.OTHER,
    "OCO orders are not supported for this symbol": _R.OTHER,
    "Quote order qty market orders are not support for this symbol.": _R.OTHER,
    "Trailing stop orders are not supported for this symbol.": _R.OTHER,
    "Order cancel-replace is not supported for this symbol.": _R.OTHER,
    "Order was not canceled due to cancel restrictions.": _R.OTHER,
    "Order amend (quantity increase) is not supported.": _R.OTHER,
    "Pegged orders are not supported for this symbol.": _R.OTHER,
    "This order type may not use pegged price.": _R.OTHER,
    "This price peg cannot be used with this order type.": _R.OTHER,
    "Order book liquidity is too low for this pegged order.": _R.OTHER,
}
"""Binance's published texts for -1010 and -2010 (and the filters' names), except "Duplicate order sent."."""


def refusal_reason(status: int, error: ErrorBody) -> RefusalReason | None:
    """Why the exchange certainly has no such order, or None where the answer does not prove it."""
    if error.code == TOO_MUCH_WEIGHT:
        return RefusalReason.RATE_LIMIT if status in {418, 429} else None
    if error.code in _ENGINE_CODES:
        return _REASONS_BY_TEXT.get(error.message) if status == 400 else None
    if not 400 <= status < 500:
        return None
    if error.code in _REFUSED_CODES:
        return _REASONS_BY_TEXT.get(error.message, _REFUSED_CODES[error.code])
    return RefusalReason.OTHER if error.code in _PARAMETER_ERRORS else None
