"""Plays batches of sets in other processes, on this machine or a cluster: written against joblib, so that its user
chooses the engine (loky, Dask, or what else is registered).

A worker is told how to build its evaluator once, and then gets nothing but parameters. A batch whose worker died is
played again; none is lost and none counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import Transient
from gridtide.optimize.evaluation import Evaluated, Evaluator, Window, merged

if TYPE_CHECKING:
    from gridtide.optimize.cluster import Cluster
    from gridtide.optimize.space import ParameterSet

LOKY = "loky"
BATCHES_A_WORKER = 4
"""So many batches each: the last one to end makes the others wait little."""
_KILLED = "KilledWorker"
"""Dask's error for a batch in which worker after worker died; the library is imported only by who uses it."""
_DEATHS = 10
"""So often the workers may die while a call is played."""


@dataclass(frozen=True)
class Recipe:
    """How a worker makes its evaluator: `build` is a function of a module, `key` names what it builds from `values`.

    What is pickled with every batch is this alone, so it holds names of files, never their content.
    """

    key: str
    build: Callable[[Mapping[str, Any]], Evaluator]
    values: Mapping[str, Any] = field(default_factory=dict)


_BUILT: dict[str, Evaluator] = {}
"""Of this process: what it built last."""


def built(recipe: Recipe) -> Evaluator:
    """The evaluator of a recipe, built once in a process; one of another study gives its place up."""
    if recipe.key not in _BUILT:
        _BUILT.clear()
        _BUILT[recipe.key] = recipe.build(recipe.values)
    return _BUILT[recipe.key]


def play_batch(
    recipe: Recipe, number: int, sets: Sequence[ParameterSet], window: Window, daily: bool
) -> tuple[int, Evaluated]:
    """What a worker does."""
    return number, built(recipe).evaluate(sets, window, daily=daily)


@dataclass(frozen=True, slots=True)
class WorkerEvaluator:
    """An evaluator that has others play. `local` answers what needs no playing."""

    recipe: Recipe
    local: Evaluator
    jobs: int
    """Workers on this machine; on a cluster there are as many as there are."""
    cluster: Cluster | None = None
    backend: str = LOKY
    """Joblib's name of the engine without a cluster: ``loky``, or one that its user registered, such as ``ray``."""

    @property
    def span(self) -> Window:
        return self.local.span

    @property
    def appetite(self) -> int:
        return BATCHES_A_WORKER * self._workers()

    def start_price(self, window: Window) -> Decimal:
        return self.local.start_price(window)

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        """See `Evaluator`. Raises `Transient` where workers die again and again."""
        if not sets:
            return self.local.evaluate(sets, window, daily=daily)
        waiting = dict(enumerate(_cut(sets, BATCHES_A_WORKER * self._workers())))
        done: dict[int, Evaluated] = {}
        for _ in range(_DEATHS):
            for number, answer in self._played(waiting, window, daily):
                done[number] = answer
                del waiting[number]
            if not waiting:
                return merged([done[number] for number in sorted(done)])
        raise Transient(
            f"workers died {_DEATHS} times while they played; what was done before is kept: look for what kills them "
            "(memory, most often), then run the same command again"
        )

    def _workers(self) -> int:
        return self.jobs if self.cluster is None else self.cluster.workers()

    def _played(
        self, batches: Mapping[int, Sequence[ParameterSet]], window: Window, daily: bool
    ) -> Iterator[tuple[int, Evaluated]]:
        """The batches as they are done; ends early where workers died."""
        from joblib import Parallel, delayed  # type: ignore[import-untyped]  # ships no types
        from joblib.externals.loky.process_executor import (  # type: ignore[import-untyped]  # the same
            TerminatedWorkerError,
        )

        tasks = [
            delayed(play_batch)(self.recipe, number, batch, window, daily)
            for number, batch in tuple(batches.items())
        ]
        # As they are done where the engine can, so that a death costs no batch that is done; Dask plays those of a dead
        # worker again by itself.
        gives = "generator_unordered" if self.cluster is None and self.backend == LOKY else "list"
        with self._engine():
            try:
                yield from Parallel(batch_size=1, pre_dispatch="all", return_as=gives)(tasks)
            except TerminatedWorkerError:
                return
            except Exception as error:
                if type(error).__name__ != _KILLED:
                    raise

    @contextmanager
    def _engine(self) -> Iterator[None]:
        from joblib import parallel_config

        if self.cluster is None:
            with parallel_config(backend=self.backend, n_jobs=self.jobs):
                yield
        else:
            with parallel_config(backend="dask", client=self.cluster.client, wait_for_workers_timeout=30):
                yield


def _cut(sets: Sequence[ParameterSet], parts: int) -> list[Sequence[ParameterSet]]:
    """In about equal parts, in order."""
    size = max(1, -(-len(sets) // parts))
    return [sets[start : start + size] for start in range(0, len(sets), size)]
