"""What came of one HTTP request, reduced to what a verdict may be drawn from: an answer, or how there was none.

Texts taken from outside are quoted through `quoted`, which keeps signatures and keys out of every message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

_SECRET = re.compile(r"(?i)\b(signature|api_?key|secret)\b(\"?\s*[=:]\s*\"?)[^&\s\"]+")
_LONG_TOKEN = re.compile(r"[A-Za-z0-9+/=_%-]{40,}")
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
_QUOTE_LENGTH = 200


class Silence(StrEnum):
    """Why there is no answer, sorted by what it proves."""

    NOT_SENT = "the transport was never called"
    NOT_CONNECTED = "no connection could be made"
    LOST = "the connection broke or timed out before an answer was complete"

    @property
    def proves_nothing_left(self) -> bool:
        """Whether no byte of the request can have reached the exchange."""
        return self is not Silence.LOST


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer: status, headers with lower-case names, and the body as text."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The parsed body, or None where it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


Outcome = HttpAnswer | Silence


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """``{"code": -2010, "msg": "…"}``."""

    code: int
    message: str

    def __str__(self) -> str:
        return f"{self.code} {quoted(self.message)}"


def error_body(answer: HttpAnswer) -> ErrorBody | None:
    """Code and message of a JSON error, None for everything else."""
    match answer.json():
        case {"code": int(code), "msg": str(message)} if not isinstance(code, bool):
            return ErrorBody(code, message)
        case _:
            return None


def quoted(text: str) -> str:
    """A text from outside, short enough for a message and without anything that looks like a secret."""
    plain = " ".join(text.split())
    plain = _SECRET.sub(r"\1\2***", plain)
    return _LONG_TOKEN.sub("***", plain)[:_QUOTE_LENGTH]


def described(outcome: Outcome) -> str:
    """The outcome in a few words for a person."""
    if isinstance(outcome, Silence):
        return outcome.value
    error = error_body(outcome)
    if error is not None:
        return f"HTTP {outcome.status}, {error}"
    return f"HTTP {outcome.status} without a readable answer"


def retry_after_seconds(answer: HttpAnswer, now_ms: int) -> float:
    """How long the exchange asks us to wait: the header, else the end of the ban named in the text, else a guess.

    The guess is the shortest ban for a 418 and one order window for anything else.
    """
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        pass
    until = _BANNED_UNTIL.search(answer.body)
    if until is not None:
        return max(0.0, (int(until[1]) - now_ms) / 1000)
    return 120.0 if answer.status == 418 else 10.0
