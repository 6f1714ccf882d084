"""Faults of the way back: the request acted, and its answer is lost, late, mangled or a lie."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from gridtide.sandbox.endpoint import Answer, Delivery, Ending
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.faults.knob import (
    Kind,
    Knob,
    Layer,
    Option,
    Options,
    Proceed,
    flag,
    number,
    seconds,
    whole,
    word,
)
from gridtide.sandbox.faults.plan import Where
from gridtide.sandbox.faults.requests import ENDINGS
from gridtide.sandbox.faults.subjects import with_content

if TYPE_CHECKING:
    from gridtide.sandbox.faults.subjects import Passing

_PAGE = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center></body></html>"
_PLACING = Where(endpoint="POST order")


async def lost(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    await proceed()
    return passing.no_answer(Ending(options["how"]))


async def delayed(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    answer = await proceed()
    await asyncio.sleep(options["seconds"])
    return answer


async def cut(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    return replace(await proceed(), delivery=Delivery(cut_at=options["byte"]))


async def empty(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    return with_content(replace(await proceed(), status=options["status"]), b"")


async def html(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    status = options["status"]
    return with_content(replace(await proceed(), status=status), _PAGE % (status, status), "text/html")


async def a_list(_passing: Passing, _options: Options, proceed: Proceed) -> Answer:
    return with_content(await proceed(), b"[]")


async def invalid_json(_passing: Passing, _options: Options, proceed: Proceed) -> Answer:
    return with_content(await proceed(), b'{"symbol": "BTCUSDT", "orderId": }')


async def wrong_client_id(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    answer = await proceed()
    if isinstance(answer.body, dict) and "clientOrderId" in answer.body:
        return replace(answer, body={**answer.body, "clientOrderId": options["client_order_id"]})
    return answer


async def status(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """Any HTTP status with any code, whether the request acts or not."""
    if options["executed"]:
        await proceed()
    return error_answer(passing, options)


def error_answer(passing: Passing, options: Options) -> Answer:
    """The error that options `code`, `message`, `status` and `retry_after` describe."""
    after = options.get("retry_after")
    retry_at = None if after is None else passing.world.exchange.now() + round(after * 1000)
    code, message, given = options["code"], options["message"], options["status"]
    return passing.refusal(ApiError(code, message, status=given, retry_at=retry_at))


KNOBS = (
    Knob(
        "answer.lost",
        "The request acts and its answer never comes.",
        (word("how", "drop", "the connection closes, is reset, or stays silent", *ENDINGS),),
        on_request=lost,
    ),
    Knob(
        "answer.delayed", "The answer comes late.", (seconds(1.0, "how late, 0 to 20"),), on_request=delayed
    ),
    Knob(
        "answer.cut",
        "The answer ends in the middle and the connection with it (WebSocket API: one frame, cut).",
        (whole("byte", 20, "how many bytes of the body come"),),
        on_request=cut,
    ),
    Knob("answer.empty", "The answer has no body.", (whole("status", 200, "HTTP status"),), on_request=empty),
    Knob(
        "answer.html",
        "The answer is the page of a gateway.",
        (whole("status", 502, "HTTP status"),),
        on_request=html,
    ),
    Knob("answer.list", "The answer is an empty list.", on_request=a_list),
    Knob("answer.invalid_json", "The answer is no JSON.", on_request=invalid_json),
    Knob(
        "answer.wrong_client_id",
        "The answer names another client order id.",
        (word("client_order_id", "somebody-else", "which"),),
        _PLACING,
        on_request=wrong_client_id,
    ),
    Knob(
        "answer.status",
        "The answer is any HTTP status with any code, whether the request acted or not.",
        (
            whole("status", 500, "HTTP status"),
            whole("code", -1000, "the code"),
            Option(
                "message", Kind.TEXT, "An unknown error occurred while processing the request.", "the text"
            ),
            number("retry_after", None, "seconds of a Retry-After; none without"),
            flag("executed", "whether the request acts", default=True),
        ),
        on_request=status,
        layer=Layer.ANSWER,
    ),
)
