"""Cancelling one order and placing another in one request (protocol section 6.6).

Filters and the order count are looked at before either step; what each step came to is told in any case.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.cancelling import RESTRICTION, check_restriction
from gridtide.sandbox.endpoints.order_parameters import NEW_ORDER, NEW_ORDER_OPTIONS, single_order
from gridtide.sandbox.endpoints.order_shapes import cancellation
from gridtide.sandbox.endpoints.placing import placement
from gridtide.sandbox.errors import ApiError, invalid_data, one_of
from gridtide.venue.admission import check_cancel_replace
from gridtide.venue.messages import VenueRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.parameters import Parameter
    from gridtide.sandbox.wire import JsonObject
    from gridtide.venue.messages import NewOrder

_TOO_MANY_REQUESTS = 429


class ReplaceMode(StrEnum):
    """Whether the new order is placed although the cancel failed."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


class ExceededMode(StrEnum):
    """Whether the order is cancelled although the account may not place another at the moment."""

    DO_NOTHING = "DO_NOTHING"
    CANCEL_ONLY = "CANCEL_ONLY"


class Outcome(StrEnum):
    """What became of one of the two steps."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    NOT_ATTEMPTED = "NOT_ATTEMPTED"


_MODE = parameters.choice("cancelReplaceMode", ReplaceMode, invalid_data("cancelReplaceMode"))
_CANCEL_ORDER_ID = parameters.integer("cancelOrderId")
_CANCEL_CLIENT_ID = parameters.text("cancelOrigClientOrderId")
_CANCEL_NEW_CLIENT_ID = parameters.client_id("cancelNewClientOrderId")
_EXCEEDED_MODE = parameters.choice(
    "orderRateLimitExceededMode", ExceededMode, invalid_data("orderRateLimitExceededMode")
)

_OPTIONS: tuple[Parameter[Any], ...] = (
    *NEW_ORDER_OPTIONS, _CANCEL_ORDER_ID, _CANCEL_CLIENT_ID, _CANCEL_NEW_CLIENT_ID, RESTRICTION, _EXCEEDED_MODE,
)  # fmt: skip

_Step = tuple[Outcome, "JsonObject | None"]


def cancel_replace(exchange: SandboxExchange, call: Call) -> JsonObject:
    """Both steps; -2021 where one of them failed, -2022 where nothing was done."""
    if call.get(_CANCEL_ORDER_ID) is None and call.get(_CANCEL_CLIENT_ID) is None:
        raise one_of("cancelOrigClientOrderId", "cancelOrderId")
    request = single_order(exchange, call)
    exchange.venue.check_order(request)
    check_cancel_replace(exchange.venue.filters(request.symbol))
    exceeded = _exceeded(exchange, call)
    canceled = _attempt(lambda: _cancel(exchange, call, request))
    if canceled[0] is Outcome.SUCCESS or call.need(_MODE) is ReplaceMode.ALLOW_FAILURE:
        placed = _attempt(lambda: _place(exchange, call, request, tells=canceled[0] is Outcome.SUCCESS))
    else:
        exchange.count_unattempted(call.account_id)
        placed = Outcome.NOT_ATTEMPTED, None
    return _answer(canceled, placed, exceeded=exceeded and call.need(_MODE) is ReplaceMode.STOP_ON_FAILURE)


def _exceeded(exchange: SandboxExchange, call: Call) -> bool:
    """Whether the order count is full; raises -1015 then, unless the cancel is wanted nevertheless."""
    try:
        exchange.admit_orders(call.account_id)
    except ApiError:
        if call.get(_EXCEEDED_MODE) is not ExceededMode.CANCEL_ONLY:
            raise
        return True
    return False


def _attempt(step: Callable[[], JsonObject]) -> _Step:
    try:
        return Outcome.SUCCESS, step()
    except VenueRefusal as refusal:
        return Outcome.FAILURE, {"code": refusal.code, "msg": refusal.message}
    except ApiError as error:
        return Outcome.FAILURE, error.body


def _cancel(exchange: SandboxExchange, call: Call, request: NewOrder) -> JsonObject:
    order_id, client_order_id = call.get(_CANCEL_ORDER_ID), call.get(_CANCEL_CLIENT_ID)
    check_restriction(exchange, call, request.symbol, order_id, client_order_id)
    done = exchange.cancel_order(
        request.account_id,
        request.symbol,
        order_id=order_id,
        client_order_id=client_order_id,
        new_client_order_id=call.get(_CANCEL_NEW_CLIENT_ID) or "",
    )
    return cancellation(exchange, done)


def _place(exchange: SandboxExchange, call: Call, request: NewOrder, *, tells: bool) -> JsonObject:
    """The new order; listeners hear of its rejection where its predecessor is gone (user-data-stream.md)."""
    try:
        return placement(exchange, call, exchange.place_order(request))
    except VenueRefusal as refusal:
        if tells:
            exchange.tell_rejected(request, refusal.message)
        raise


def _answer(canceled: _Step, placed: _Step, *, exceeded: bool) -> JsonObject:
    answer: JsonObject = {
        "cancelResult": canceled[0],
        "newOrderResult": placed[0],
        "cancelResponse": canceled[1],
        "newOrderResponse": placed[1],
    }
    worked = [step[0] is Outcome.SUCCESS for step in (canceled, placed)]
    if all(worked):
        return answer
    status = _TOO_MANY_REQUESTS if exceeded else None
    if any(worked):
        raise ApiError(-2021, "Order cancel-replace partially failed.", status=status, data=answer)
    raise ApiError(-2022, "Order cancel-replace failed.", status=status, data=answer)


ENDPOINTS = (
    Endpoint(
        cancel_replace,
        "POST",
        "/api/v3/order/cancelReplace",
        "order.cancelReplace",
        right=Right.TRADE,
        required=(*NEW_ORDER, _MODE),
        optional=_OPTIONS,
        free_on_success=True,
        shows_order_counts=True,
    ),
)
