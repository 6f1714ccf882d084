"""Faults of events on their way to clients: dropped, doubled, out of order, late, merged, mangled."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.sandbox.endpoint import Answer, Ending
from gridtide.sandbox.faults.answers import error_answer
from gridtide.sandbox.faults.knob import (
    Kind,
    Knob,
    Layer,
    Option,
    Options,
    Proceed,
    Send,
    seconds,
    whole,
    word,
)
from gridtide.sandbox.faults.plan import Where
from gridtide.sandbox.wire import JsonObject, encode, number

if TYPE_CHECKING:
    from gridtide.sandbox.faults.schedule import Armed
    from gridtide.sandbox.faults.subjects import Outgoing, Passing

_DEPTH = Where(stream="*@depth*", event="depthUpdate")
_SUBSCRIBING = Where(endpoint="userDataStream.subscribe*", stream="*")
_ORDER_EVENTS = Where(stream="user", event="executionReport")


def drop(_armed: Armed, _outgoing: Outgoing, _options: Options, _send: Send) -> None:
    """Nothing is sent."""


def repeat(_armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    send(outgoing.raw)
    for copy in range(options["times"]):
        outgoing.world.later(options["seconds"] * (copy + 1), lambda: send(outgoing.raw))


def delay(_armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    outgoing.world.later(options["seconds"], lambda: send(outgoing.raw))


def swap(armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    """Wait for the next event of the same stream and go behind it, or go alone after a while."""
    cancel = outgoing.world.later(options["seconds"], lambda: _release(armed, outgoing, send))
    armed.memory[_channel(outgoing)] = (outgoing, send, cancel)


def after_swap(armed: Armed, outgoing: Outgoing) -> None:
    """An event of the stream went out: now the one that waits for it."""
    waiting = armed.memory.get(_channel(outgoing))
    if waiting is not None and waiting[0] is not outgoing:
        waiting[2]()
        _release(armed, waiting[0], waiting[1])


def _release(armed: Armed, outgoing: Outgoing, send: Send) -> None:
    if armed.memory.pop(_channel(outgoing), None) is not None:
        send(outgoing.raw)


def merge(armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    """The first of two events waits; the second takes its place, with what both executed."""
    channel = f"{_channel(outgoing)}/{outgoing.body.get('i', '')}" if outgoing.event else _channel(outgoing)
    waiting = armed.memory.pop(channel, None)
    if waiting is not None:
        first, cancel = waiting
        cancel()
        send(encode(_merged(first.body, outgoing.body)))
        return

    def alone() -> None:
        if armed.memory.pop(channel, None) is not None:
            send(outgoing.raw)

    armed.memory[channel] = (outgoing, outgoing.world.later(options["seconds"], alone))


def _merged(first: JsonObject, second: JsonObject) -> JsonObject:
    both = {**first, **second}
    if second.get("e") == "executionReport":
        for name in ("l", "Y", "n"):
            both[name] = number(Decimal(str(first[name])) + Decimal(str(second[name])))
    return both


def _channel(outgoing: Outgoing) -> str:
    return f"{outgoing.account}/{outgoing.stream}"


def unknown_event(_armed: Armed, outgoing: Outgoing, _options: Options, send: Send) -> None:
    send(encode({"e": "somethingNew", "E": outgoing.world.exchange.now(), "content": [{"new": True}]}))
    send(outgoing.raw)


def array(_armed: Armed, outgoing: Outgoing, _options: Options, send: Send) -> None:
    send(b"[" + outgoing.raw + b"]")


def missing_field(_armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    body = outgoing.body
    if not isinstance(body, dict):
        send(outgoing.raw)
        return
    send(encode({name: value for name, value in body.items() if name != options["field"]}))


def depth_gap(_armed: Armed, _outgoing: Outgoing, _options: Options, _send: Send) -> None:
    """A difference of the book is missing: the next one's ids do not follow."""


def crossed_book(_armed: Armed, outgoing: Outgoing, options: Options, send: Send) -> None:
    """The best bid is shown above the best ask: a bid level one tick above it is added."""
    body, best = outgoing.body, outgoing.world.listing(Where(market=_market(outgoing))).best()
    bids, ask = ("bids" if "bids" in body else "b"), best.ask
    if ask is None or not isinstance(body.get(bids), list):
        send(outgoing.raw)
        return
    level = [number(ask * (1 + Decimal(str(options["share"])))), number(Decimal(1))]
    send(encode({**body, bids: [level, *body[bids]]}))


def _market(outgoing: Outgoing) -> str:
    return outgoing.stream.partition("@")[0]


async def answer_first(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """User events of what the request does wait until its answer is out."""
    world, account = passing.world, passing.account
    world.holds[account] += 1
    try:
        return await proceed()
    finally:
        world.later(options["seconds"], lambda: _let_go(passing))


def _let_go(passing: Passing) -> None:
    world, account = passing.world, passing.account
    world.holds[account] -= 1
    if not world.holds[account]:
        for send in world.held_events.pop(account, []):
            send()


async def event_first(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    answer = await proceed()
    await asyncio.sleep(options["seconds"])
    return answer


async def subscribe_error(passing: Passing, options: Options, _proceed: Proceed) -> Answer:
    return error_answer(passing, {**options, "status": 400})


async def subscribe_silence(passing: Passing, _options: Options, _proceed: Proceed) -> Answer:
    return passing.no_answer(Ending.SILENCE)


_TRADING = Where(endpoint="trading")
_UNTIL_NEXT = seconds(1.0, "it goes alone if no other comes in this time")
KNOBS = (
    Knob("stream.drop", "The event is lost.", on_event=drop),
    Knob(
        "stream.repeat",
        "The event comes again.",
        (whole("times", 1, "how often again"), seconds(0.0, "how far apart")),
        on_event=repeat,
    ),
    Knob("stream.swap", "The event comes behind the next one.", (_UNTIL_NEXT,), on_event=swap),
    Knob("stream.delay", "The event comes late.", (seconds(1.0, "how late"),), on_event=delay),
    Knob(
        "stream.merge",
        "Two events of one order become one, with what both executed.",
        (_UNTIL_NEXT,),
        _ORDER_EVENTS,
        on_event=merge,
    ),
    Knob(
        "stream.stall",
        "No events at all while it lasts, and PINGs go on as if all were well.",
        on_event=drop,
    ),
    Knob(
        "stream.frozen",
        "A market's streams stand still while it lasts.",
        (),
        Where(stream="*@*"),
        on_event=drop,
    ),
    Knob(
        "stream.event_first",
        "User events come before the answer of the request that caused them.",
        (seconds(0.05, "how much before"),),
        _TRADING,
        on_request=event_first,
    ),
    Knob(
        "stream.answer_first",
        "User events come after the answer of the request that caused them.",
        (seconds(0.05, "how much after"),),
        _TRADING,
        on_request=answer_first,
        layer=Layer.ENGINE,
    ),
    Knob("stream.unknown_event", "An event of an unknown type comes before it.", on_event=unknown_event),
    Knob("stream.array", "The event comes inside an array.", on_event=array),
    Knob(
        "stream.missing_field",
        "The event lacks a field.",
        (word("field", "i", "which"),),
        on_event=missing_field,
    ),
    Knob("stream.depth_gap", "A difference of the book is left out.", (), _DEPTH, on_event=depth_gap),
    Knob(
        "stream.crossed_book",
        "The book is shown crossed: a bid above the best ask.",
        (Option("share", Kind.SHARE, 0.001, "how far above"),),
        Where(stream="*@depth*"),
        on_event=crossed_book,
    ),
    Knob(
        "stream.subscribe_error",
        "A subscription, to user events or to market streams, is refused.",
        (
            whole("code", -1000, "the code"),
            Option("message", Kind.TEXT, "An unknown error occurred.", "the text"),
        ),
        _SUBSCRIBING,
        on_request=subscribe_error,
        layer=Layer.NETWORK,
        on_subscribing=True,
    ),
    Knob(
        "stream.subscribe_silence",
        "A subscription is never answered and does nothing.",
        (),
        _SUBSCRIBING,
        on_request=subscribe_silence,
        layer=Layer.NETWORK,
        on_subscribing=True,
    ),
)
