"""What a sweep may vary: keys of the config, each with the config's own value and the config's own validation.

Which keys there are is told from above; nothing here knows what one means.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gridtide.domain.errors import InvalidInput


class Kind(StrEnum):
    """How the values of a parameter are kept in a column."""

    DECIMAL = "decimal"
    INTEGER = "integer"
    FLAG = "flag"
    WORD = "word"
    FREE = "free"
    """Whatever a strategy of somebody else takes."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of the config."""

    key: str
    """As a table of sets names it: ``lower_price``, ``risk.max_open_orders``, ``fees.maker``."""
    path: tuple[str, ...]
    """Where it stands: ``("strategy", "lower_price")``, ``("backtest", "fees", "maker")``."""
    kind: Kind
    base: Any
    """The config's own value as the config holds it; None where it is left out."""
    parse: Callable[[Any], Any]
    """The config's own check of one value, which gives it as the config holds it; raises `InvalidInput`."""
    off: Any = None
    """The one value of a number that is none: ``off`` where the config says so, else that it is left out."""


class Parameters:
    """All keys of one config that sets may vary, found by name."""

    __slots__ = ("_known", "_unknown")

    def __init__(self, known: Iterable[Parameter], unknown: Callable[[str], Parameter] | None = None) -> None:
        """`unknown` makes a parameter of a key that only a strategy of somebody else can know."""
        self._known = {parameter.key: parameter for parameter in known}
        self._unknown = unknown

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._known.values())

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Parameter:
        return self._known[key]

    def named(self, name: str) -> Parameter:
        """The parameter that a person means: by its key, its whole path with dots, or the end of one that no other
        ends with. Raises `InvalidInput` with the nearest names."""
        if name in self._known:
            return self._known[name]
        parts = tuple(name.split("."))
        meant = [each for each in self if each.path[-len(parts) :] == parts]
        if len(meant) == 1:
            return meant[0]
        if self._unknown is not None and not meant:
            return self._unknown(name)
        near = [each.key for each in meant] or difflib.get_close_matches(
            name, list(self._known), n=3, cutoff=0.6
        )
        hint = f"did you mean {' or '.join(near)}?" if near else f"it knows {', '.join(sorted(self._known))}"
        raise InvalidInput(f"{name}: the config has no such setting that sets could vary; {hint}")
