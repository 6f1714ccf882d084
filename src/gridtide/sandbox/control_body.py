"""Reads the bodies of control requests: JSON objects with known fields. What is wrong with one is one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import parse_decimal
from gridtide.venue.rounding import LARGEST, UNIT, is_multiple

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from aiohttp import web

T = TypeVar("T")
U = TypeVar("U")


class Body:
    """The fields of one request, each read as what it must be. Raises `InvalidInput`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def is_empty(self, name: str) -> bool:
        """Whether the field is the empty text."""
        return self._values.get(name) == ""

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"{name} is needed as a text")
        return value

    def decimal(self, name: str) -> Decimal:
        """An exact decimal: a text or a whole number, because a JSON fraction has lost its last digits."""
        value = self._values.get(name)
        if isinstance(value, float) or value is None:
            raise InvalidInput(f'{name} is needed as a text, such as "0.5"')
        number = parse_decimal(value)
        if abs(number) >= LARGEST or not is_multiple(number, UNIT):
            raise InvalidInput(
                f"{name} has more digits than an exchange keeps (15 before the point, 8 behind); nothing was changed"
            )
        return number

    def whole(self, name: str) -> int:
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST:
            raise InvalidInput(f"{name} is needed as a whole number from 0 on")
        return value

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise InvalidInput(f"{name} is needed as true or false")
        return value

    def items(self, name: str) -> list[Any]:
        """A list as it was sent."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise InvalidInput(f"{name} is needed as a list of texts")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.items(name)
        if not all(isinstance(each, str) for each in value):
            raise InvalidInput(f"{name} is needed as a list of texts")
        return tuple(value)

    def inner(self, name: str) -> dict[str, Any]:
        """An object as it was sent."""
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise InvalidInput(f"{name} is needed as an object")
        return value

    def decimals(self, name: str) -> dict[str, Decimal]:
        """An object of decimals, such as ``{"USDT": "100"}``."""
        value = self.inner(name)
        return {each: Body(value).decimal(each) for each in value}

    def given(self, name: str, read: Callable[[str], T], default: U) -> T | U:
        """The field as `read` reads it, `default` where it was not sent."""
        return read(name) if name in self else default


async def read_body(
    request: web.BaseRequest, needed: Iterable[str] = (), optional: Iterable[str] = ()
) -> Body:
    """The body of a request; no body is an empty object. Raises `InvalidInput` for a missing or an unknown field."""
    content = await request.read()
    try:
        values = orjson.loads(content) if content.strip() else {}
    except orjson.JSONDecodeError:
        raise InvalidInput("the body is not JSON") from None
    if not isinstance(values, dict):
        raise InvalidInput("the body is no JSON object")
    known = [*needed, *optional]
    if missing := [name for name in needed if values.get(name) is None]:
        raise InvalidInput(f"{', '.join(missing)} must be given")
    if unknown := [name for name in values if name not in known]:
        allowed = f"it takes {', '.join(known)}" if known else "it takes no field"
        raise InvalidInput(f"unknown field {str(unknown[0])[:40]!r}: {allowed}; nothing was changed")
    return Body(values)
