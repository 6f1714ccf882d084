"""Contenders that take turns round by round in one process, so that a busy machine disturbs each of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Found(NamedTuple):
    """What a run came to, to see that all traded the same grid."""

    fills: int
    final_value: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of one contender, in seconds. `parts`: CPU seconds of what it is made of, by name."""

    cpu: float
    wall: float
    found: Found
    parts: Mapping[str, float]


@dataclass(slots=True)
class Contender:
    """Something that takes turns; its first one, in which code is loaded or compiled, is kept apart."""

    play: Callable[[], Found]
    points: int
    parts: dict[str, float] = field(default_factory=dict)
    """What the latest run noted about itself."""
    turns: list[Turn] = field(default_factory=list)
    first_cpu: float = 0.0

    def turn(self) -> Turn:
        self.parts.clear()
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        found = self.play()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return Turn(cpu, wall, found, dict(self.parts))

    @property
    def found(self) -> Found:
        return self.turns[-1].found

    def shown(self) -> dict[str, Any]:
        """Its figures: medians over its turns."""
        cpus, fills = [turn.cpu for turn in self.turns], self.found.fills
        cpu = statistics.median(cpus)
        return {
            "cpu_seconds": round(cpu, 4),
            "cpu_seconds_best_and_worst": [round(min(cpus), 4), round(max(cpus), 4)],
            "wall_seconds": round(statistics.median(turn.wall for turn in self.turns), 4),
            "cpu_seconds_of_first_run": round(self.first_cpu, 4),
            "parts_cpu_seconds": {
                part: round(statistics.median(turn.parts[part] for turn in self.turns), 4)
                for part in self.turns[-1].parts
            },
            "points": self.points,
            "fills": fills,
            "microseconds_a_fill": round(cpu / fills * 1e6, 1) if fills else None,
            "final_value": round(self.found.final_value, 2),
        }


Contenders = dict[str, Contender]


def measure(contenders: Contenders, rounds: int) -> None:
    """One turn each to load and compile, then `rounds` turns each, by turns."""
    for contender in contenders.values():
        contender.first_cpu = contender.turn().cpu
    for _ in range(rounds):
        for contender in contenders.values():
            contender.turns.append(contender.turn())


def ratio(one: Contender, other: Contender) -> float:
    """Median over the rounds of how the CPU seconds of the same round compare."""
    pairs = zip(one.turns, other.turns, strict=True)
    return round(statistics.median(mine.cpu / yours.cpu for mine, yours in pairs), 3)


def cost_of_one_more_fill(few: Contender, more: Contender) -> float:
    """CPU microseconds, from two runs over the same data; NaN where they traded alike."""
    fills = more.found.fills - few.found.fills
    pairs = zip(more.turns, few.turns, strict=True)
    seconds = statistics.median(mine.cpu - yours.cpu for mine, yours in pairs)
    return round(seconds / fills * 1e6, 1) if fills else float("nan")


def difference(one: Contender, other: Contender) -> dict[str, float]:
    """How far `one` came from `other`, as fractions of the other."""
    mine, yours = one.found, other.found
    return {
        "fills": round(mine.fills / yours.fills - 1, 5) if yours.fills else float(mine.fills),
        "final_value": round(mine.final_value / yours.final_value - 1, 5),
    }
