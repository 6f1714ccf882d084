"""Times in microseconds for a client that asks for them (rest-api.md and web-socket-api.md, "General API Information").

Inside, every time is in milliseconds; this is the one place that knows which numbers on the wire are times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from urllib.parse import parse_qs

import orjson

from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.wire import encode


class TimeUnit(Enum):
    """What the times of an answer or an event count."""

    MILLISECOND = "MILLISECOND"
    MICROSECOND = "MICROSECOND"


_WORDS = {word: unit for unit in TimeUnit for word in (unit.value, unit.value.lower())}

_IN_ANSWERS = frozenset(
    {
        "T", "authorizedSince", "closeTime", "connectedSince", "openTime", "retryAfter", "serverTime", "time",
        "trailingTime", "transactTime", "transactionTime", "updateTime", "workingTime",
    }
)  # fmt: skip

_IN_KLINES = (0, 6)
"""Where a kline's row has its times. Rows of klines are the only tuples that handlers give."""

_IN_EVENTS: Mapping[str, tuple[str, ...]] = {
    "24hrTicker": ("E", "O", "C"),
    "1hTicker": ("E", "O", "C"),
    "4hTicker": ("E", "O", "C"),
    "1dTicker": ("E", "O", "C"),
    "aggTrade": ("E", "T"),
    "avgPrice": ("E", "T"),
    "balanceUpdate": ("E", "T"),
    "executionReport": ("E", "T", "O", "W", "D"),
    "listStatus": ("E", "T"),
    "outboundAccountPosition": ("E", "u"),
    "trade": ("E", "T"),
}
"""By event, because the same letters mean other things elsewhere; any other event has its own time only."""

_IN_KLINE_EVENT = ("t", "T")


def time_unit(asked: str | None) -> TimeUnit:
    """The unit that the header ``X-MBX-TIME-UNIT`` asks for; raises -1194 for another word."""
    if asked is None:
        return TimeUnit.MILLISECOND
    if asked not in _WORDS:
        raise ApiError(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return _WORDS[asked]


def unit_of_query(query: str) -> TimeUnit:
    """The unit that the ``timeUnit`` of a WebSocket's address asks for; raises -1194."""
    asked = parse_qs(query, keep_blank_values=True).get("timeUnit")
    return time_unit(None if asked is None else asked[-1])


def answer_in(unit: TimeUnit, body: object) -> object:
    """A JSON-ready answer with its times in `unit`."""
    return body if unit is TimeUnit.MILLISECOND else answer_in_microseconds(body)


def event_in(unit: TimeUnit, event: bytes) -> bytes:
    """An encoded event, or an array of them, with the times in `unit`."""
    return event if unit is TimeUnit.MILLISECOND else event_in_microseconds(event)


def answer_in_microseconds(body: object) -> object:
    """A JSON-ready answer with its times in microseconds."""
    match body:
        case dict():
            return {
                name: _scaled(value) if name in _IN_ANSWERS else answer_in_microseconds(value)
                for name, value in body.items()
            }
        case list():
            return [answer_in_microseconds(each) for each in body]
        case tuple():
            return [_scaled(each) if place in _IN_KLINES else each for place, each in enumerate(body)]
        case _:
            return body


def event_in_microseconds(event: bytes) -> bytes:
    """An encoded event, or an array of them, with the times in microseconds."""
    return encode(_event(orjson.loads(event)))


def _event(event: object) -> object:
    if isinstance(event, list):
        return [_event(each) for each in event]
    if not isinstance(event, dict):
        return event
    scaled = _scale(event, _IN_EVENTS.get(str(event.get("e")), ("E",)))
    if isinstance(candle := event.get("k"), dict):
        scaled["k"] = _scale(candle, _IN_KLINE_EVENT)
    return scaled


def _scale(fields: Mapping[str, object], times: Iterable[str]) -> dict[str, object]:
    return {**fields, **{name: _scaled(fields[name]) for name in times if name in fields}}


def _scaled(value: object) -> object:
    """A time in microseconds; -1 stands for none."""
    return value * 1000 if isinstance(value, int) and value > 0 else value
