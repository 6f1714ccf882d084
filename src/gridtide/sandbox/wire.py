"""Values as the exchange writes them: decimals as text with eight places, JSON as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

JsonObject = dict[str, object]

ZERO_TEXT = "0.00000000"


def number(value: Decimal | None) -> str:
    """The decimal with eight places and never an exponent; None is zero."""
    return format(value, ".8f") if value else ZERO_TEXT


def encode(value: object) -> bytes:
    """`value` as compact JSON."""
    return orjson.dumps(value)


def encode_levels(levels: Iterable[tuple[Decimal, Decimal]]) -> list[list[str]]:
    """Price levels as the exchange lists them: ``[["price", "amount"], …]``."""
    return [[number(price), number(amount)] for price, amount in levels]
