"""Rows of JSON from outside: what a reader may count on, and what reading a malformed one raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridtide.domain.errors import InvalidValue

Row = Mapping[str, Any]

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""`InvalidValue` is a `ValueError`."""


def word(value: Any) -> str:
    """A text, certainly; anything else raises `InvalidValue`."""
    if not isinstance(value, str):
        raise InvalidValue(f"{value!r} is not a text")
    return value
