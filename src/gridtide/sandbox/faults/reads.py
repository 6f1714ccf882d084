"""Faults of queries: errors, the past instead of the present, and pages that are short or shuffled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.faults.answers import error_answer
from gridtide.sandbox.faults.knob import (
    Kind,
    Knob,
    Layer,
    Option,
    Options,
    Proceed,
    number,
    seconds,
    share,
    whole,
)
from gridtide.sandbox.faults.past import PastExchange
from gridtide.sandbox.faults.plan import Where

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.faults.subjects import Passing

_READS = Where(endpoint="reads")
_ORDER = Where(endpoint="GET order")
_ORDERS = Where(endpoint="GET order|openOrders.status|allOrders")
_LISTS = Where(endpoint="myTrades|allOrders|openOrders.status")
_MISSING = {
    -2013: "Order does not exist.",
    -2026: "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
}


async def error(passing: Passing, options: Options, _proceed: Proceed) -> Answer:
    return error_answer(passing, options)


async def missing(passing: Passing, options: Options, _proceed: Proceed) -> Answer:
    code = options["code"]
    return passing.refusal(ApiError(code, _MISSING[code]))


async def lag(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """Orders, executions and balances as they stood `seconds` ago."""
    _look_at_past(passing, lag_ms=round(options["seconds"] * 1000))
    return await proceed()


async def blind(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """Orders younger than `seconds` do not exist yet for queries; which ones depends on their id only."""
    young, part, armed = options["seconds"] * 1000, options["share"], options["armed"]
    _look_at_past(passing, blind_ms=round(young), blind_share=part, salt=f"{armed.seed}/{armed.name}")
    return await proceed()


def _look_at_past(
    passing: Passing, *, lag_ms: int = 0, blind_ms: int = 0, blind_share: float = 0.0, salt: str = ""
) -> None:
    world = passing.world
    past = PastExchange(passing.shown, world.journal, lag_ms, blind_ms, blind_share, salt)
    # It has what the handlers of queries ask for; anything else it passes on.
    passing.shown = cast("SandboxExchange", past)


async def half_page(_passing: Passing, _options: Options, proceed: Proceed) -> Answer:
    answer = await proceed()
    if not isinstance(answer.body, list):
        return answer
    return replace(answer, body=answer.body[: len(answer.body) // 2])


async def shuffled(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    answer = await proceed()
    if not isinstance(answer.body, list) or len(answer.body) < 2:
        return answer
    rows = list(answer.body)
    options["draw"].shuffle(rows)
    # A shuffle may leave rows where they were: then the first and the last change places.
    if rows == answer.body:
        rows[0], rows[-1] = rows[-1], rows[0]
    return replace(answer, body=rows)


KNOBS = (
    Knob(
        "reads.error",
        "A query fails and looks at nothing.",
        (
            whole("status", 500, "HTTP status"),
            whole("code", -1001, "the code"),
            Option("message", Kind.TEXT, "Internal error; unable to process your request.", "the text"),
            number("retry_after", None, "seconds of a Retry-After; none without"),
        ),
        _READS,
        on_request=error,
        layer=Layer.READ,
    ),
    Knob(
        "reads.lag",
        "Queries show the past: give each endpoint a lag of its own by one fault each.",
        (seconds(1.0, "how long ago, up to 120"),),
        _READS,
        on_request=lag,
        layer=Layer.READ,
    ),
    Knob(
        "reads.blind",
        "New orders do not exist yet for queries (-2013) although they were placed.",
        (seconds(5.0, "up to which age"), share("share", 1.0, "how many of the orders, chosen by id")),
        _ORDERS,
        on_request=blind,
        layer=Layer.READ,
    ),
    Knob(
        "reads.missing",
        "A query of an order says that it does not exist (-2013) or is archived (-2026).",
        (Option("code", Kind.WHOLE, -2013, "which", ("-2013", "-2026")),),
        _ORDER,
        on_request=missing,
        layer=Layer.READ,
    ),
    Knob("reads.half_page", "A list has only its first half.", (), _LISTS, on_request=half_page),
    Knob("reads.shuffled", "The rows of a list are out of order.", (), _LISTS, on_request=shuffled),
)
