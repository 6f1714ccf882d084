"""Rows of JSON from outside and what reading a malformed one raises. Nothing in them is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridtide.domain.errors import InvalidValue

Row = Mapping[str, Any]

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What a malformed row makes its reader raise; `InvalidValue` is a `ValueError`."""


def word(value: Any) -> str:
    """A text, certainly; anything else raises `InvalidValue`."""
    if not isinstance(value, str):
        raise InvalidValue(f"{value!r} is not a text")
    return value
