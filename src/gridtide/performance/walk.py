"""What performance needs of a price path and of its crossing index, which it does not know by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]


class Walk(Protocol):
    """The walk of one market's price, point by point; as `PricePath` is."""

    @property
    def prices(self) -> NDArray[Any]:
        """A price each point, in units of ``10**-places``."""
        ...

    @property
    def places(self) -> int: ...

    def __len__(self) -> int: ...

    def price(self, index: int) -> Decimal: ...

    def time(self, index: int) -> int: ...

    def times(self, indices: Integers) -> Integers: ...

    def firsts_at(self, times_ms: Integers) -> Integers: ...

    def units_below(self, price: Decimal) -> int: ...

    def units_above(self, price: Decimal) -> int: ...


class Scan(Protocol):
    """Fast answers about a walk; as `CrossingIndex` gives them."""

    @property
    def path(self) -> Walk: ...

    def next_touch(
        self, start: int, at_or_below: int | None = None, at_or_above: int | None = None
    ) -> int | None: ...

    def range_of(self, start: int, stop: int) -> tuple[int, int]: ...

    def ranges_of(self, bounds: Integers) -> tuple[Integers, Integers]: ...

    def stays(self, low: int, high: int, start: int, stop: int) -> Integers: ...

    def next_descent(
        self, start: int, stop: int, holding: tuple[float, float], peak: float, fraction: float
    ) -> tuple[int, int]: ...
