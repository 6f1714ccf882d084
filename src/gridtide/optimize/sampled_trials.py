"""A search that learns from its trials (TPE, NSGA-II), by Optuna, asked and told in batches.

Each batch is sampled with a generator seeded by the search's seed and the number of trials told before it: a search
that was killed and went on tries the very sets that one in a single go tries.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from gridtide.optimize.evaluation import FIGURES, Evaluated
from gridtide.optimize.space import Choices, Range
from gridtide.optimize.trials import Trials, nothing

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage

    from gridtide.optimize.conditions import Value
    from gridtide.optimize.objectives import Objective
    from gridtide.optimize.space import Domain, ParameterSet, Space

METHODS = ("tpe", "nsga2")
_ROW = "row"
"""The attribute that keeps a trial's whole answer: figures, reason, whether the engine played it."""
_NO_VALUE = "its objective is not defined: nothing, or too little, was traded"
_LOST_AFTER = timedelta(hours=1)
"""So long a trial of another driver may run before it counts as lost with it."""


class SampledTrials:
    """One study of an Optuna storage.

    `is_shared`: several drivers work on it at once; then the seed does not decide what is tried. `flush` is called when
    a batch is told. `batch` is the population of NSGA-II too.
    """

    def __init__(
        self,
        space: Space,
        method: str,
        seed: int,
        objectives: Sequence[Objective],
        capital: float,
        *,
        name: str,
        batch: int,
        storage: BaseStorage | None = None,
        is_shared: bool = False,
        flush: Callable[[], None] = lambda: None,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._method, self._seed = space, method, seed
        self._objectives, self._capital = objectives, capital
        self._batch, self._is_shared, self._flush = batch, is_shared, flush
        self._distributions = {name: _distribution(domain) for name, domain in space.domains.items()}
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            load_if_exists=True,
            directions=["maximize"] * len(objectives),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=10),
        )
        self._asked: list[optuna.Trial] = []
        self._given_up: set[int] = set()
        self._forget_lost()

    @property
    def told(self) -> int:
        """How many are done, by whichever driver."""
        return sum(_is_told(trial) for trial in self._study.get_trials(deepcopy=False))

    def ask(self, count: int) -> list[ParameterSet]:
        """The next sets, as the sampler proposes them."""
        self._study.sampler = self._sampler(self.told)
        self._asked = [self._study.ask(self._distributions) for _ in range(count)]
        return [self._set_of(trial.params) for trial in self._asked]

    def tell(self, sets: Sequence[ParameterSet], answer: Evaluated) -> None:
        """Tell the sampler, and keep, what became of the sets that were asked for last."""
        scores = [each.scores(answer.figures, self._capital) for each in self._objectives]
        for row, trial in enumerate(self._asked):
            values = [float(score[row]) for score in scores]
            reason = answer.reasons[row] or (_NO_VALUE if any(map(math.isnan, values)) else "")
            trial.set_user_attr(_ROW, _packed(answer, row, reason))
            if row in self._given_up:
                self._study.tell(trial, state=TrialState.PRUNED)
            elif reason:
                self._study.tell(trial, state=TrialState.FAIL)
            else:
                self._study.tell(trial, values)
        self._asked, self._given_up = [], set()
        self._flush()

    def report(self, row: int, step: int, score: float) -> bool:
        """Tell the score over a part of the window of one of the sets asked for last; whether to give it up."""
        trial = self._asked[row]
        trial.report(score, step)
        if trial.should_prune():
            self._given_up.add(row)
        return row in self._given_up

    def trials(self) -> Trials:
        """All that are done, by number."""
        done = [trial for trial in self._study.get_trials(deepcopy=False) if _is_told(trial)]
        sets = [self._set_of(trial.params) for trial in done]
        return Trials(sets, _unpacked([trial.user_attrs[_ROW] for trial in done]) if done else nothing())

    # --- parts ---------------------------------------------------------------------------------------

    def _sampler(self, told: int) -> BaseSampler:
        seed = None if self._is_shared else _derived(self._seed, told)
        if self._method == "nsga2":
            return optuna.samplers.NSGAIISampler(population_size=max(self._batch, 2), seed=seed)
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(10, min(self._batch, 50)))

    def _set_of(self, params: Mapping[str, Any]) -> dict[str, Value]:
        return {name: _value(domain, params[name]) for name, domain in self._space.domains.items()}

    def _forget_lost(self) -> None:
        """Trials whose driver was killed: nobody else drives a study that is not shared."""
        now = datetime.now()  # noqa: DTZ005  Optuna's times name no zone and are the machine's
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if (
                not self._is_shared
                or trial.datetime_start is None
                or now - trial.datetime_start > _LOST_AFTER
            ):
                with suppress(ValueError):  # another driver was faster
                    self._study.tell(trial.number, state=TrialState.FAIL)


def _is_told(trial: FrozenTrial) -> bool:
    """Lost trials failed too, but have no answer."""
    return trial.state.is_finished() and _ROW in trial.user_attrs


def _derived(seed: int, told: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed} {told}".encode(), digest_size=4).digest())


def _distribution(domain: Domain) -> BaseDistribution:
    """What can be counted is sampled by position, so that no value passes through a float."""
    match domain:
        case Range(is_whole=True):
            return IntDistribution(int(domain.low), int(domain.high), log=domain.is_log)
        case Range():
            return FloatDistribution(float(domain.low), float(domain.high), log=domain.is_log)
        case Choices(is_ordered=False):
            return CategoricalDistribution(tuple(range(domain.count)))
        case _:
            return IntDistribution(0, domain.count - 1)


def _value(domain: Domain, sampled: Any) -> Value:
    return domain.value(sampled)


def _packed(answer: Evaluated, row: int, reason: str) -> list[Any]:
    figures = [float(answer.figures[name][row]) for name in FIGURES]
    return [
        *(None if math.isnan(figure) else figure for figure in figures),
        reason,
        bool(answer.by_engine[row]),
    ]


def _unpacked(rows: Sequence[Sequence[Any]]) -> Evaluated:
    """The answers of all trials, from their attributes."""
    figures = {
        name: np.array([np.nan if row[place] is None else row[place] for row in rows], dtype=np.float64)
        for place, name in enumerate(FIGURES)
    }
    reasons = tuple(str(row[-2]) for row in rows)
    return Evaluated(figures, reasons, np.array([row[-1] for row in rows], dtype=np.bool_))
