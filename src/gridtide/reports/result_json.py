"""A result's figures as JSON and back: decimals as text, tables and curves left to their own files.

How a field is read follows from its annotation, so a new field of a known type needs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar

from gridtide.domain.money import parse_decimal, plain

_Value = TypeVar("_Value")

_EXACT = "$decimal"
"""Marks a decimal among values of which no annotation says what they are."""
_ELSEWHERE = {"Table", "Floats", "EquityCurve", "tuple[MarketResult, ...]", "tuple[BaselineResult, ...]"}
_READERS: dict[str, Callable[[Any], Any]] = {
    "Decimal": parse_decimal,
    "tuple[Decimal, ...]": lambda found: tuple(map(parse_decimal, found)),
    "Mapping[str, Decimal]": lambda found: {name: parse_decimal(value) for name, value in found.items()},
    "tuple[str, ...]": tuple,
    "tuple[tuple[int, int], ...]": lambda found: tuple(map(tuple, found)),
    "tuple[tuple[int, str, str, str], ...]": lambda found: tuple(map(tuple, found)),
    "Mapping[str, Any]": lambda found: {name: _unmarked(value) for name, value in found.items()},
}


def encode(value: Any) -> dict[str, Any]:
    """The fields of a result that are neither tables nor curves."""
    return {
        field.name: _marked(part) if field.type == "Mapping[str, Any]" else _plain(part)
        for field in fields(value)
        if field.type not in _ELSEWHERE
        for part in [getattr(value, field.name)]
    }


def decode(cls: type[_Value], found: Mapping[str, Any], **elsewhere: Any) -> _Value:
    """The value of `cls`; what `encode` left out is handed in. Raises `ValueError`, `TypeError` or `KeyError`."""
    names = {field.name: str(field.type) for field in fields(cls)}  # type: ignore[arg-type]  # a dataclass
    read = {
        name: _READERS.get(kind, lambda value: value)(found[name])
        for name, kind in names.items()
        if name in found
    }
    return cls(**read, **elsewhere)


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return plain(value)
        case Mapping():
            return {str(name): _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return value


def _marked(value: Any) -> Any:
    match value:
        case Decimal():
            return {_EXACT: plain(value)}
        case Mapping():
            return {str(name): _marked(part) for name, part in value.items()}
        case list() | tuple():
            return [_marked(part) for part in value]
        case _:
            return value


def _unmarked(value: Any) -> Any:
    match value:
        case {"$decimal": str(text), **rest} if not rest:
            return parse_decimal(text)
        case Mapping():
            return {name: _unmarked(part) for name, part in value.items()}
        case list():
            return [_unmarked(part) for part in value]
        case _:
            return value
