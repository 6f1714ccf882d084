"""Crash and I/O-fault sweeps: the same short story again and again, hurt at its n-th operation, n = 1, 2, …, until
one run is never hurt. What random seeds may miss, a sweep cannot.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from gridtide.engine.settings import ProtocolTimes
from gridtide.simulation.troubles import Rates, Troubles
from gridtide.simulation.virtual_time import run_virtually
from gridtide.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gridtide.simulation.world import SimulatedDatabase

CALM = 160.0
"""Seconds until a story's last doubt is over: its exchange answers within two seconds or not at all."""

Wound = Literal["kill", "refused", "unknown"]
"""Killed there; a commit refused; a commit written but reported as failed."""


class OneWound(Troubles):
    """Nothing goes wrong but one thing, at the `at`-th operation of its kind (and, for a second crash, at another)."""

    def __init__(self, wound: Wound, at: Sequence[int]) -> None:
        super().__init__(random.Random(0), Rates())  # noqa: S311  never rolled
        self._wound = wound
        self._at = frozenset(at)
        self.operations = 0
        """Operations of the story so far; those of the calm after it do not count."""
        self._is_over = False

    def kills(self) -> bool:
        return self._wound == "kill" and self._strikes()

    def disk_fails(self) -> str:
        return self._wound if self._wound != "kill" and self._strikes() else ""

    def spare_host(self) -> None:
        self._at = frozenset()
        self._is_over = True

    def _strikes(self) -> bool:
        if self._is_over:
            return False
        self.operations += 1
        return self.operations in self._at


@dataclass(slots=True)
class SweepResult:
    """What a sweep came to: how many operations were hurt one by one, and what that broke."""

    wound: Wound
    runs: int = 0
    violations: list[str] = field(default_factory=list)


class Story(World):
    """A short life with everything in it: start and first orders, fills both ways, cancels, a gap, a reconciliation."""

    def __init__(self, troubles: OneWound, database: SimulatedDatabase | None = None) -> None:
        super().__init__(0, database, ProtocolTimes(queue=2_000), CALM)
        self.troubles = troubles
        self.side.line = troubles

    async def _trouble(self) -> None:
        for price in ("100", "98.1", "101.9", "96.4", "94", "103.2"):
            self._go(Decimal(price))
            await asyncio.sleep(2.0)
        self._cancel_by_hand()
        self._interrupt()
        await asyncio.sleep(70.0)


def sweep(
    wound: Wound, make_database: Callable[[], SimulatedDatabase] | None = None, step: int = 1
) -> SweepResult:
    """Hurt the story at each `step`-th operation in turn; ends with the first run that is never hurt."""
    result = SweepResult(wound)
    at = 1
    while True:
        troubles = OneWound(wound, (at,))
        found = run_virtually(_run(troubles, make_database() if make_database is not None else None))
        result.runs += 1
        result.violations += [f"{wound} at operation {at}: {text}" for text in found]
        if troubles.operations < at:
            return result
        at += step


async def _run(troubles: OneWound, database: SimulatedDatabase | None) -> list[str]:
    return (await Story(troubles, database).run()).violations
