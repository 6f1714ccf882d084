"""Many seeds, over all cores: sums what they did, keeps what they broke. No seed depends on another."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gridtide.simulation.world import SeedResult, run_seed

CHUNK = 10
"""Seeds handed to a worker at once."""


@dataclass(slots=True)
class Campaign:
    """The sum over all seeds run so far."""

    seeds: int = 0
    orders: int = 0
    fills: int = 0
    crashes: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    virtual_seconds: float = 0.0
    seconds: float = 0.0
    violations: dict[int, list[str]] = field(default_factory=dict)
    """By seed; empty is what everybody hopes for."""

    def add(self, result: SeedResult) -> None:
        self.seeds += 1
        self.orders += result.orders
        self.fills += result.fills
        self.crashes += result.crashes
        self.faults.update(result.faults)
        self.virtual_seconds += result.virtual_seconds
        if result.violations:
            self.violations[result.seed] = result.violations


def run_campaign(
    seeds: Sequence[int], workers: int, on_progress: Callable[[Campaign], None] | None = None
) -> Campaign:
    """Run every seed once, on `workers` processes (1: in this one); `on_progress` sees the sum as it grows."""
    campaign, started = Campaign(), time.monotonic()
    for results in _results(seeds, workers):
        for result in results:
            campaign.add(result)
        campaign.seconds = time.monotonic() - started
        if on_progress is not None:
            on_progress(campaign)
    return campaign


def run_chunk(seeds: Sequence[int]) -> list[SeedResult]:
    """Run some seeds in this process. A seed that raises is a violation like any other."""
    return [_run_one(seed) for seed in seeds]


def _run_one(seed: int) -> SeedResult:
    try:
        return run_seed(seed)
    except Exception as error:  # a defect of bot or simulation: the seed says where to look
        return SeedResult(seed, [f"{type(error).__name__}: {error}"])


def _results(seeds: Sequence[int], workers: int) -> Iterator[list[SeedResult]]:
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if workers <= 1:
        yield from map(run_chunk, chunks)
        return
    # Leaving the block, however that comes about, ends the workers at once: an interrupt is for this process alone.
    with multiprocessing.get_context("spawn").Pool(workers, _ignore_interrupts) as pool:
        yield from pool.imap_unordered(run_chunk, chunks)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
