"""Request parameters: from raw text to typed values, with the exchange's error for every way to get one wrong.

A parameter is declared once, as a `Parameter[T]`; handlers read it through `Call` and never see raw text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar
from urllib.parse import unquote_plus

from gridtide.sandbox.errors import ApiError, illegal_characters, invalid_data, mandatory

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_INTEGER = r"^[0-9]{1,19}$"
_SYMBOL = r"^[A-Z0-9-_.]{1,20}$"
_CLIENT_ID = r"^[a-zA-Z0-9-_]{1,36}$"
_LARGEST_LONG = 2**63 - 1
_MICROSECOND_DIGITS = 16
_MICROSECONDS = 1000
"""In a millisecond."""


# --- raw text ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawParameters:
    """Parameters as sent: decoded values by name, and the very text that the signature covers."""

    values: Mapping[str, str]
    signed_text: str


def from_query_and_body(query: str, body: str) -> RawParameters:
    """Parameters of a REST request; where a name stands in both, the query wins (protocol section 3.1)."""
    values = {**_split(body), **_split(query)}
    return RawParameters(values, _without_signature(query) + _without_signature(body))


def from_json(params: Mapping[str, object]) -> RawParameters:
    """Parameters of a WebSocket API request: signed sorted by name and not percent-encoded (section 3.2)."""
    values = {name: _json_text(value) for name, value in params.items()}
    signed = "&".join(f"{name}={values[name]}" for name in sorted(values) if name != "signature")
    return RawParameters(values, signed)


def _split(text: str) -> dict[str, str]:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in text.split("&") if part)]
    if "%" in text or "+" in text:
        pairs = [(_unquoted(name), _unquoted(value)) for name, value in pairs]
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ApiError(-1101, "Duplicate values for a parameter detected.")
    return values


def _unquoted(text: str) -> str:
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise ApiError(-1100, "Illegal characters found in a parameter.") from None


def _without_signature(text: str) -> str:
    if "signature=" not in text:
        return text
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def _json_text(value: object) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return json.dumps(value, separators=(",", ":"))


# --- typed parameters --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """A parameter's name and how its text becomes a value; `decode(name, text)` raises `ApiError`."""

    name: str
    decode: Callable[[str, str], T]


def _decode_text(_name: str, text: str) -> str:
    return text


def _matching(pattern: str) -> Callable[[str, str], str]:
    compiled = re.compile(pattern, re.ASCII)

    def decode(name: str, text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise illegal_characters(name, pattern)
        return text

    return decode


_decode_digits = _matching(_INTEGER)
_decode_decimal_text = _matching(_DECIMAL)


def _decode_integer(name: str, text: str) -> int:
    value = int(_decode_digits(name, text))
    if value > _LARGEST_LONG:
        raise ApiError(-1108, f"Parameter '{name}' overflowed.")
    return value


def microseconds(digits: str) -> int:
    """A time as sent: in microseconds where it has 16 digits or more, else in milliseconds."""
    value = int(digits)
    return value if len(digits) >= _MICROSECOND_DIGITS else value * _MICROSECONDS


def _decode_time(name: str, text: str) -> int:
    _decode_integer(name, text)
    return microseconds(text)


def _decode_boolean(name: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise invalid_data(name)
    return text.lower() == "true"


def _decode_symbols(name: str, text: str) -> tuple[str, ...]:
    try:
        symbols = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError(-1135, f"JSON sent for parameter '{name}' is not valid") from None
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise ApiError(-1135, f"JSON sent for parameter '{name}' is not valid")
    if not symbols:
        raise ApiError(-1105, f"Parameter '{name}' was empty.")
    if len(set(symbols)) < len(symbols):
        raise ApiError(-1151, "Symbol is present multiple times in the list.")
    return tuple(symbols)


def text(name: str) -> Parameter[str]:
    """Any text."""
    return Parameter(name, _decode_text)


def symbol(name: str = "symbol") -> Parameter[str]:
    """A market's exchange id, as text; whether it exists is the handler's question."""
    return Parameter(name, _matching(_SYMBOL))


def symbols(name: str = "symbols") -> Parameter[tuple[str, ...]]:
    """A JSON list of distinct symbols."""
    return Parameter(name, _decode_symbols)


def client_id(name: str) -> Parameter[str]:
    """A client order id."""
    return Parameter(name, _matching(_CLIENT_ID))


def integer(name: str) -> Parameter[int]:
    """A whole number from zero to the largest 64-bit one. Order ids come as JSON strings too."""
    return Parameter(name, _decode_integer)


def start_time() -> Parameter[int]:
    """``startTime``: the first millisecond of a span, which may have been sent in microseconds."""
    return Parameter("startTime", lambda name, text: -(-_decode_time(name, text) // _MICROSECONDS))


def end_time() -> Parameter[int]:
    """``endTime``: the last millisecond of a span, which may have been sent in microseconds."""
    return Parameter("endTime", lambda name, text: _decode_time(name, text) // _MICROSECONDS)


def boolean(name: str) -> Parameter[bool]:
    """``true`` or ``false``."""
    return Parameter(name, _decode_boolean)


def decimal(name: str) -> Parameter[Decimal]:
    """A plain decimal: no sign, no exponent."""
    return Parameter(name, lambda name, text: Decimal(_decode_decimal_text(name, text)))


def limit(most: int, default: int) -> Parameter[int]:
    """A page size; larger ones are cut to `most`, zero is refused. `default` documents what absence means."""
    assert 0 < default <= most

    def decode(name: str, text: str) -> int:
        value = _decode_integer(name, text)
        if value < 1:
            raise invalid_data(name)
        return min(value, most)

    return Parameter("limit", decode)


def choice(name: str, values: type[E], error: ApiError) -> Parameter[E]:
    """One of the words of an enumeration; any other raises a copy of `error`."""

    members = {member.value: member for member in values}

    def decode(_name: str, text: str) -> E:
        member = members.get(text)
        if member is None:
            raise ApiError(error.code, error.message)
        return member

    return Parameter(name, decode)


def word(name: str, words: Container[str], error: ApiError) -> Parameter[str]:
    """One of `words`; any other raises a copy of `error`."""

    def decode(_name: str, text: str) -> str:
        if text not in words:
            raise ApiError(error.code, error.message)
        return text

    return Parameter(name, decode)


def decode_all(
    raw: Mapping[str, str],
    required: tuple[Parameter[Any], ...],
    optional: tuple[Parameter[Any], ...],
    ignored: frozenset[str],
    *,
    strict: bool,
) -> dict[str, object]:
    """All declared parameters that were sent, decoded. Raises -1102, -1104, -1105 and what `decode` raises."""
    values: dict[str, object] = {}
    for parameter in required:
        sent = raw.get(parameter.name, "")
        if not sent:
            raise mandatory(parameter.name)
        values[parameter.name] = parameter.decode(parameter.name, sent)
    for parameter in optional:
        optional_text = raw.get(parameter.name)
        if optional_text is None:
            continue
        if not optional_text:
            raise ApiError(-1105, f"Parameter '{parameter.name}' was empty.")
        values[parameter.name] = parameter.decode(parameter.name, optional_text)
    unread = sum(1 for name in raw if name not in values and name not in ignored) if strict else 0
    if unread:
        read, sent_count = len(raw) - unread, len(raw)
        raise ApiError(
            -1104,
            f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent_count}'.",
        )
    return values
