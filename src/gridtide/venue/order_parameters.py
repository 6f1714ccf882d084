"""Which parameters an order must and must not have, by its type (protocol document, 6.1). Values come later.

Legs of order lists are orders too: only the names of their parameters differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.order import TimeInForce
from gridtide.venue import refusals
from gridtide.venue.market_filters import ALGO_TYPES, ORDER_TYPES

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.venue.messages import NewOrder

is_client_order_id = re.compile(refusals.CLIENT_ORDER_ID_PATTERN).fullmatch
"""Text -> match, or None for characters that no client order id has."""


@dataclass(frozen=True, slots=True)
class ParameterNames:
    """What the parameters of an order are called: with the prefix ``above``, its price is ``abovePrice``."""

    prefix: str = ""
    quantity: str = "quantity"
    """Legs of one list share it, or have ``pendingQuantity``."""
    client_order_id: str = "newClientOrderId"

    def of(self, name: str) -> str:
        """The name of a parameter that a single order calls `name`."""
        return f"{self.prefix}{name[0].upper()}{name[1:]}" if self.prefix else name


PLAIN = ParameterNames()
"""A single order's."""


def check_parameters(
    request: NewOrder, *, amount_follows: bool = False, names: ParameterNames = PLAIN
) -> None:
    """Raise the first refusal that mandatory, forbidden or meaningless parameters call for.

    Codes: -1116 type, -1102 missing, -1106 not required, -1128 two sizes, -1013 values not above zero, -1014 (-1160 in
    lists) iceberg that is not GTC, -1100 client order id.
    """
    if request.type not in ORDER_TYPES:
        raise refusals.invalid_type()
    _check_size(request, names, amount_follows=amount_follows)
    _check_price(request, names)
    if request.type in ALGO_TYPES:
        _check_trigger(request, names)
    else:
        _forbid(names, "stopPrice", request.stop_price)
        _forbid(names, "trailingDelta", request.trailing_delta)
    if request.iceberg_amount is not None:
        _check_iceberg(request, names)
    check_client_order_id(request.client_order_id, names.client_order_id)


def check_client_order_id(value: str, name: str) -> None:
    """Raise -1100 for characters that no client order id has; empty is none at all."""
    if value and is_client_order_id(value) is None:
        raise refusals.illegal_characters(name, refusals.CLIENT_ORDER_ID_PATTERN)


def _check_size(request: NewOrder, names: ParameterNames, *, amount_follows: bool) -> None:
    if amount_follows:
        if request.amount is not None:
            raise refusals.not_required(names.quantity)
        _forbid(PLAIN, "quoteOrderQty", request.quote_amount)
        return
    wanted = request.amount
    if request.type != "MARKET":
        _forbid(PLAIN, "quoteOrderQty", request.quote_amount)
        if wanted is None:
            raise refusals.missing(names.quantity)
    elif wanted is None:
        wanted = request.quote_amount
        if wanted is None:
            raise refusals.missing_both(names.quantity, "quoteOrderQty")
    elif request.quote_amount is not None:
        raise refusals.bad_combination()
    if not _is_positive(wanted):
        raise refusals.invalid_quantity()


def _check_price(request: NewOrder, names: ParameterNames) -> None:
    """Types with LIMIT in their name need a price and how long it stands; the others must have neither."""
    if not _has_price(request.type):
        _forbid(names, "timeInForce", request.time_in_force)
        _forbid(names, "price", request.price)
        return
    if request.type == "LIMIT_MAKER":
        _forbid(names, "timeInForce", request.time_in_force)
    elif request.time_in_force is None:
        raise refusals.missing(names.of("timeInForce"))
    if request.price is None:
        raise refusals.missing(names.of("price"))
    if not _is_positive(request.price):
        raise refusals.invalid_price()


def _has_price(order_type: str) -> bool:
    return "LIMIT" in order_type


def _check_trigger(request: NewOrder, names: ParameterNames) -> None:
    """A stop price, a trailing delta, or both (then it starts to trail at the stop price)."""
    if request.stop_price is None and request.trailing_delta is None:
        raise refusals.missing_both(names.of("stopPrice"), names.of("trailingDelta"))
    if request.stop_price is not None and not _is_positive(request.stop_price):
        raise refusals.invalid_stop_price()


def _check_iceberg(request: NewOrder, names: ParameterNames) -> None:
    """Only orders that rest can show a part of themselves."""
    if not _has_price(request.type):
        raise refusals.not_required(names.of("icebergQty"))
    assert request.iceberg_amount is not None
    if not request.iceberg_amount.is_finite() or request.iceberg_amount < 0:
        raise refusals.invalid_quantity()
    if request.iceberg_amount and request.time_in_force not in {None, TimeInForce.GTC}:
        if names.prefix:
            raise refusals.iceberg_not_gtc(names.of("icebergQty"), names.of("timeInForce"))
        raise refusals.unsupported_combination()


def _forbid(names: ParameterNames, name: str, value: object) -> None:
    if value is not None:
        raise refusals.not_required(names.of(name))


def _is_positive(value: Decimal) -> bool:
    return value.is_finite() and value > 0
