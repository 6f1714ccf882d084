"""Many seeds, over all cores: sums what they did, keeps what they broke. No seed depends on another."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
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
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from _as_they_come(pool, chunks, workers)


def _as_they_come(
    pool: ProcessPoolExecutor, chunks: list[Sequence[int]], workers: int
) -> Iterator[list[SeedResult]]:
    """Keep every worker busy without queueing a whole night at once."""
    ahead = iter(chunks)
    running: set[Future[list[SeedResult]]] = set()
    while True:
        while len(running) < 2 * workers and (chunk := next(ahead, None)) is not None:
            running.add(pool.submit(run_chunk, chunk))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()
