"""Long histories in a saved state: taken in a moment, turned into rows later, perhaps in another thread.

Whatever can still change is turned into its row at once, so the rows tell of the moment in which they were taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class History:
    """Rows of what does not change any more. May be gone through once or often, by any thread."""

    __slots__ = ("_items", "_row")

    def __init__(self, items: Iterable[T], row: Callable[[T], Any]) -> None:
        self._items: list[Any] = list(items)
        self._row: Callable[[Any], Any] = row

    def __iter__(self) -> Iterator[Any]:
        return map(self._row, self._items)


def whole(state: Any) -> Any:
    """A state with the rows of its histories in their place: JSON-compatible through and through."""
    match state:
        case dict():
            return {name: whole(value) for name, value in state.items()}
        case list():
            return [whole(value) for value in state]
        case History():
            return list(state)
        case _:
            return state
