"""Faults of the matching engine: slow, silent about what it did, and fills at the worst moment."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.faults.knob import (
    Kind,
    Knob,
    Layer,
    Option,
    Options,
    Proceed,
    flag,
    seconds,
    share,
)
from gridtide.sandbox.faults.plan import Where
from gridtide.venue.messages import VenueRefusal

if TYPE_CHECKING:
    from gridtide.sandbox.faults.subjects import Passing
    from gridtide.venue.messages import VenueOrder

_TEXTS = {
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
}
_TRADING = Where(endpoint="trading")
_PLACING = Where(endpoint="POST order")
_CANCELLING = Where(endpoint="DELETE order")


def unknown(code: int) -> ApiError:
    """The error with which the exchange says that it does not know what became of a request."""
    return ApiError(code, _TEXTS.get(code, "An unknown error occurred while processing the request."))


async def queue(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """Wait for the engine; -1007 once that takes too long, while the request still enters when its turn comes."""
    wait, patience = options["seconds"], options["timeout_seconds"]
    if wait < patience:
        await asyncio.sleep(wait)
        return await proceed()
    passing.world.exchange.seam.spawn(_later(wait, proceed))
    await asyncio.sleep(patience)
    return passing.refusal(unknown(-1007))


async def timeout(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    passing.world.exchange.seam.spawn(_later(options["seconds"], proceed))
    return passing.refusal(unknown(-1007))


async def unknown_outcome(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    if options["executed"]:
        await proceed()
    return passing.refusal(unknown(options["code"]))


async def fill_before_answer(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """The order rests and is hit before its answer leaves, which still says what it was at placement."""
    answer = await proceed()
    body = answer.body
    order_id = body.get("orderId") if isinstance(body, dict) and not answer.is_error else None
    if isinstance(order_id, int):
        _hit(passing, options["share"], order_id=order_id)
    return answer


async def fill_in_cancel_race(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """The order a cancel is after is hit just before the cancel acts."""
    values = passing.passage.incoming.raw.values
    client_id, order_id = values.get("origClientOrderId"), values.get("orderId", "")
    _hit(
        passing, options["share"], order_id=int(order_id) if order_id.isdigit() else None, client_id=client_id
    )
    return await proceed()


def _hit(passing: Passing, part: float, *, order_id: int | None, client_id: str | None = None) -> None:
    """Let somebody take a share of what is left of an open order, in whole lots and at least one."""
    exchange = passing.world.exchange
    try:
        symbol = exchange.listing(passing.passage.incoming.raw.values.get("symbol", "")).symbol
        order = exchange.venue.order(passing.account, symbol, order_id, client_id)
        exchange.hit_order(order, _lots(passing, order, part))
    except (ApiError, VenueRefusal, InvalidInput) as error:
        passing.world.log.add("action", "engine.fill", account=passing.account, detail=f"not done: {error}")


def _lots(passing: Passing, order: VenueOrder, part: float) -> Decimal:
    left = order.amount - order.executed_amount
    lot = passing.world.exchange.venue.market(order.symbol).rules.lot_size or Decimal("0.00000001")
    return min(left, max(lot, left * Decimal(str(part)) // lot * lot))


async def _later(wait: float, proceed: Proceed) -> None:
    await asyncio.sleep(wait)
    await proceed()


KNOBS = (
    Knob(
        "engine.queue",
        "The request waits for the engine; past the timeout the answer is -1007 and it still enters later. "
        "Waits above QUEUE break an assumption: drawn in a profile of their own only.",
        (
            seconds(15.0, "how long the request waits, up to 300"),
            seconds(10.0, "after how long the answer is -1007", "timeout_seconds"),
        ),
        _TRADING,
        on_request=queue,
        layer=Layer.ENGINE,
    ),
    Knob(
        "engine.timeout",
        "The answer is -1007 at once; the request is accepted afterwards.",
        (seconds(1.0, "after how long it enters"),),
        _TRADING,
        on_request=timeout,
        layer=Layer.ENGINE,
    ),
    Knob(
        "engine.unknown",
        "The answer is -1006, -1007 or -1008, whether the request acted or not.",
        (
            Option("code", Kind.WHOLE, -1006, "which", ("-1006", "-1007", "-1008")),
            flag("executed", "whether the request acts", default=True),
        ),
        _TRADING,
        on_request=unknown_outcome,
        layer=Layer.ENGINE,
    ),
    Knob(
        "engine.fill",
        "The order is hit before its answer leaves.",
        (share("share", 1.0, "how much of what is left is filled"),),
        _PLACING,
        on_request=fill_before_answer,
        layer=Layer.ENGINE,
    ),
    Knob(
        "engine.cancel_race",
        "The order is hit just before its cancel acts.",
        (share("share", 0.5, "how much of what is left is filled; 1 fills it"),),
        _CANCELLING,
        on_request=fill_in_cancel_race,
        layer=Layer.ENGINE,
    ),
)
