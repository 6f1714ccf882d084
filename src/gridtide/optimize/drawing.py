"""Which sets a search without memory tries: a pure function of space, seed and number.

So it can be interrupted, continued and shared without keeping anything but how far it came.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput

if TYPE_CHECKING:
    from gridtide.optimize.conditions import Value
    from gridtide.optimize.space import Space

_ROUNDS = 4
"""Of a Feistel network; M. Luby and C. Rackoff, "How to construct pseudorandom permutations", 1988: four are enough."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The sets of a search, by number: every one of a space that can be counted once, in an order shuffled by the
    seed; of one that cannot, each drawn by itself."""

    space: Space
    seed: int

    @property
    def count(self) -> int | None:
        """How many there are; None: as many as one likes."""
        return self.space.size

    def __getitem__(self, number: int) -> dict[str, Value]:
        size = self.space.size
        if size is None:
            return self.space.drawn(random.Random(f"{self.seed} {number}"))  # noqa: S311  a search, no secret
        return self.space.set_at(shuffled(number, size, self.seed))


def drawing(space: Space, method: str, seed: int) -> Drawing:
    """For ``random`` and ``exhaustive``. Raises `InvalidInput` where exhaustive would never end."""
    if method == "exhaustive" and space.endless:
        names = ", ".join(space.endless)
        raise InvalidInput(
            f"exhaustive needs steps, and {names} has none: add a step, or choose --method random or tpe"
        )
    return Drawing(space, seed)


def shuffled(number: int, size: int, seed: int) -> int:
    """The place of `number` in a permutation of the numbers below `size`; nothing is stored."""
    half = max((size - 1).bit_length() + 1, 2) // 2
    while True:  # walks along the cycle of a permutation of a power of four until it is below size again
        number = _swapped(number, half, seed)
        if number < size:
            return number


def _swapped(number: int, half: int, seed: int) -> int:
    mask = (1 << half) - 1
    left, right = number >> half, number & mask
    for turn in range(_ROUNDS):
        mixed = hashlib.blake2b(f"{seed} {turn} {right}".encode(), digest_size=8).digest()
        left, right = right, left ^ (int.from_bytes(mixed) & mask)
    return left << half | right
