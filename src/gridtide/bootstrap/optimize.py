"""Composes a search: a config, its market's data and a space become a study, its answer, and a verdict that is kept."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide import __version__
from gridtide.bootstrap.engine_backtest import with_overrides
from gridtide.bootstrap.kept_verdicts import FOLDER, bot_fingerprint, keep_verdict
from gridtide.bootstrap.optimize_data import save_data
from gridtide.bootstrap.optimize_worker import recipe_of
from gridtide.bootstrap.sweep import sweeper_of
from gridtide.bootstrap.trial_tally import TallyEntry, count_trials
from gridtide.config.fingerprint import config_hash
from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import ZERO
from gridtide.optimize.cluster import Cluster, cluster_at, key_of, mark
from gridtide.optimize.objectives import objectives_named
from gridtide.optimize.parameter_sets import sets_of
from gridtide.optimize.problem import Problem
from gridtide.optimize.space import is_relative, parse_space, resolved
from gridtide.optimize.storages import trial_store
from gridtide.optimize.study import (
    DRAWN,
    Advance,
    Searched,
    StudyWish,
    check_wish,
    figures_at,
    plain_figures,
    plain_front,
    plain_set,
    plain_walk,
    run_study,
)
from gridtide.optimize.study_folder import Question, StudyFolder, study_folder
from gridtide.optimize.sweep_evaluator import SweepEvaluator
from gridtide.optimize.walk_forward import cut
from gridtide.optimize.workers import WorkerEvaluator

if TYPE_CHECKING:
    from gridtide.bootstrap.optimize_verdict import Judged
    from gridtide.config.settings import AppSettings
    from gridtide.market_data.load import LoadedData
    from gridtide.optimize.evaluation import Evaluator
    from gridtide.optimize.space import ParameterSet, Space
    from gridtide.optimize.storages import TrialStore
    from gridtide.optimize.sweep import Sweeper
    from gridtide.optimize.walk_forward import WalkForward

Listener = Callable[[Advance], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for."""

    space: Mapping[str, Any]
    """As a space file says it; numbers as text."""
    space_name: str
    objectives: tuple[str, ...]
    study: StudyWish
    jobs: int | None = None
    """Processes, or threads of the kernel; None: one a core."""
    cluster: str | None = None
    """Address of a Dask scheduler."""
    storage: str | None = None
    """A file or a PostgreSQL address, for learning searches; None: in the study's folder."""
    has_whole: bool = True
    """Whether to search all data too, for the set to trade."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A search that was checked and can begin."""

    settings: AppSettings
    data: LoadedData
    wish: Wish
    question: Question
    space: Space
    evaluator: SweepEvaluator


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a study, as it is kept in its folder."""

    folder: Path
    plain: dict[str, Any]
    """`study.json`, without the question."""
    searched: Searched
    judged: Judged | None
    trading: AppSettings | None
    """The config with the chosen set, for the prices where the data end; None where nothing was chosen."""
    notes: tuple[str, ...] = field(default=())
    chosen: ParameterSet = field(default_factory=dict)
    """As it was drawn; empty where nothing was chosen."""

    @property
    def sentence(self) -> str | None:
        return None if self.judged is None else self.judged.verdict.sentence


def prepare_optimization(settings: AppSettings, data: LoadedData, wish: Wish) -> Prepared:
    """Check everything that can be known before anything is played. Raises `InvalidInput` and its kin."""
    sweeper = sweeper_of(settings, data)
    space = parse_space(wish.space, wish.space_name)
    _check_names(space, sweeper)
    question = Question(
        config_hash=config_hash(settings),
        data_checksum=data.checksum,
        space=dict(wish.space),
        method=wish.study.method,
        seed=wish.study.seed,
        objectives=wish.objectives,
        windows={name: getattr(wish.study.windows, name) for name in type(wish.study.windows).__slots__},
        prunes=wish.study.prunes,
    )
    found = Prepared(
        settings, data, wish, question, space, SweepEvaluator(sweeper, data.columns, _jobs(wish))
    )
    problem = _problem(found, found.evaluator)
    check_wish(problem, wish.study)
    _check_windows(found)
    return found


def _check_windows(prepared: Prepared) -> None:
    """Data may have gaps, but none that a whole window falls into: it would end the study when all else is done."""
    for step in cut(prepared.evaluator.span, prepared.wish.study.windows):
        for window in step:
            if not prepared.evaluator.has_data(window):
                start, stop = (datetime.fromtimestamp(ms / 1000, UTC) for ms in window)
                raise InvalidInput(
                    f"the data have nothing from {start:%Y-%m-%d} to {stop:%Y-%m-%d}, which is a window of the "
                    "walk-forward; nothing was played: get the missing data, or ask for fewer windows with --windows"
                )


def _check_names(space: Space, sweeper: Sweeper) -> None:
    """A strategy that is no grid knows its own settings: what it does not, it refuses set by set."""
    known = {each.key for each in sweeper.parameters}
    for name in (*space.domains, *(name for each in space.conditions for name in each.names)):
        with suppress(InvalidInput):
            sweeper.parameters.named(name)
            known.add(name)
    space.check_names(known)


def run_optimization(
    prepared: Prepared, folder: Path, *, config: Path | None, listener: Listener = lambda advance: None
) -> Answer:
    """Search, go on where it stopped, judge, and keep the answer in `folder` and the verdict beside `config`.

    Ctrl-C (`KeyboardInterrupt`) leaves everything that was tried in the folder.
    """
    begun = time.perf_counter()
    wish = prepared.wish
    with ExitStack() as stack:
        study = stack.enter_context(study_folder(folder, prepared.question))
        store = stack.enter_context(_store(wish, study))
        evaluator = stack.enter_context(_workers(prepared))
        problem = _problem(prepared, evaluator)
        with _counting(prepared, study, config, listener) as counted:
            searched = run_study(
                problem, wish.study, study, store, has_whole=wish.has_whole, listener=counted
            )
        answer = _answer(prepared, problem, searched, study, config)
        plain = {**answer.plain, "seconds": round(time.perf_counter() - begun, 3)}
        assert searched.walk is not None
        study.keep(plain, searched.by_window, _curves(prepared, searched.walk))
        if config is not None and answer.judged is not None:
            _keep_verdict(prepared, problem, answer, study, config.absolute().parent)
    return Answer(folder, plain, searched, answer.judged, answer.trading, answer.notes, answer.chosen)


@contextmanager
def _counting(
    prepared: Prepared, study: StudyFolder, config: Path | None, listener: Listener
) -> Iterator[Listener]:
    """Write down how many sets were tried, also by a walk-forward alone and by a search that was stopped."""
    tried = 0

    def counted(advance: Advance) -> None:
        nonlocal tried
        tried = max(tried, advance.told.told)
        listener(advance)

    try:
        yield counted
    finally:
        if config is not None and tried:
            _count(prepared, study, config.absolute().parent, tried)


def _curves(prepared: Prepared, walk: WalkForward) -> dict[str, Any]:
    """The walk-forward's equity, and what holding made of the same money over the same time."""
    prices = prepared.evaluator.prices_at(walk.times)
    return {"time": walk.times, "equity": walk.equity, "hold": walk.equity[0] * prices / prices[0]}


# --- what plays --------------------------------------------------------------------------------------


def _jobs(wish: Wish) -> int:
    if wish.jobs is not None:
        return wish.jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _problem(prepared: Prepared, evaluator: Evaluator) -> Problem:
    settings, span = prepared.settings, prepared.evaluator.span
    (bot,) = settings.bots
    base_asset, _, quote = bot.market.partition("/")
    balance = settings.backtest.balance
    price = prepared.evaluator.start_price(span)
    base_held = balance.get(base_asset, ZERO)
    capital = balance.get(quote, ZERO) + base_held * price
    return Problem(
        space=prepared.space,
        base={each.key: each.base for each in prepared.evaluator.sweeper.parameters if each.base is not None},
        evaluator=evaluator,
        objectives=objectives_named(prepared.wish.objectives),
        capital=float(capital),
        price_places=prepared.data.columns.price_places,
        base_held=float(base_held),
    )


@contextmanager
def _workers(prepared: Prepared) -> Iterator[Evaluator]:
    """The kernel plays in this process, on threads; what the engine must play goes to processes, and everything to a
    cluster that was named."""
    wish, local = prepared.wish, prepared.evaluator
    jobs = _jobs(wish)
    if wish.cluster is None and (jobs == 1 or not _needs_engine(prepared)):
        yield local
        return
    with ExitStack() as stack:
        cluster: Cluster | None = None
        if wish.cluster is not None:
            cluster = stack.enter_context(cluster_at(wish.cluster))
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gridtide-")))
        key = key_of(prepared.question.config_hash, prepared.data.checksum, __version__)
        save_data(prepared.data, place)
        mark(place, key)
        if cluster is not None:
            cluster.send(key, place)
        yield WorkerEvaluator(recipe_of(prepared.settings, place, key), local, jobs, cluster)


def _needs_engine(prepared: Prepared) -> bool:
    """By a first look at one set: whether processes are worth their start."""
    problem = _problem(prepared, prepared.evaluator)
    first = cut(prepared.evaluator.span, prepared.wish.study.windows)[0].inside
    sample = [prepared.space.drawn(_first_look())]
    return bool(problem.play(sample, first).by_engine.any())


def _first_look() -> Any:
    import random

    return random.Random(0)  # noqa: S311  any set will do


@contextmanager
def _store(wish: Wish, study: StudyFolder) -> Iterator[TrialStore | None]:
    if wish.study.method in DRAWN:
        if wish.storage is not None:
            raise InvalidInput(
                f"--storage is for tpe and nsga2, which learn from their trials; {wish.study.method} keeps its own in "
                "the study's folder (--save)"
            )
        yield None
        return
    with trial_store(wish.storage or str(study.journal)) as store:
        yield store


# --- the answer --------------------------------------------------------------------------------------


def _answer(
    prepared: Prepared, problem: Problem, searched: Searched, study: StudyFolder, config: Path | None
) -> Answer:
    assert searched.walk is not None
    plain: dict[str, Any] = {
        "state": "done",
        "version": __version__,
        "market": prepared.settings.bots[0].market,
        "time": list(prepared.evaluator.span),
        "capital": problem.capital,
        "trials": {name: len(trials) for name, trials in searched.by_window.items()},
        "played": searched.tried,
        "by_engine": sum(int(trials.answers.by_engine.sum()) for trials in searched.by_window.values()),
        "walk_forward": plain_walk(problem, searched.walk),
    }
    whole = searched.whole
    if whole is None:
        return Answer(study.path, plain, searched, None, None)
    plain["refused"] = dict(list(whole.refusals().items())[:20])
    front = whole.front(problem.objectives, problem.capital)
    plain["front"] = plain_front(problem, whole, front)
    order = whole.ranking(problem.objectives, problem.capital)
    if not len(order):
        return Answer(study.path, plain, searched, None, None)
    return _chosen(prepared, problem, searched, study, config, plain, int(order[0]))


def _chosen(
    prepared: Prepared,
    problem: Problem,
    searched: Searched,
    study: StudyFolder,
    config: Path | None,
    plain: dict[str, Any],
    row: int,
) -> Answer:
    from gridtide.bootstrap.optimize_verdict import judge_study

    whole = searched.whole
    assert whole is not None
    chosen = whole.sets[row]
    span = prepared.evaluator.span
    now = resolved(chosen, prepared.evaluator.last_price, problem.price_places)
    trading = config_with(prepared, now)
    place = Path() if config is None else config.absolute().parent
    tried, others = _count(prepared, study, place if config is not None else None, len(whole))
    judged = judge_study(
        problem,
        searched,
        row,
        tried=tried,
        seed=prepared.wish.study.seed,
        trading=trading,
        columns=prepared.data.columns,
    )
    plain["chosen"] = {
        "set": plain_set(chosen),
        "played": plain_set(problem.resolved(chosen, span)),
        "now": plain_set(now),
        "in_sample": plain_figures(figures_at(whole, row)),
        "fingerprint": bot_fingerprint(trading.bots[0]),
    }
    confirm(prepared, problem.resolved(chosen, span))
    plain["tried_ever"] = tried
    plain["verdict"] = judged.verdict.to_json()
    notes = []
    if others:
        notes.append(
            f"{others} earlier studies of this market and time count too: {tried:,} sets were tried in all"
        )
    looked_at = judged.verdict.evidence.looked_at
    if looked_at is not None and looked_at < whole.played:
        notes.append(
            f"cross-validation and the reality check looked at {looked_at:,} of the {whole.played:,} played sets, by "
            "lot; the chance of luck is stated for all of them"
        )
    if any(map(is_relative, chosen.values())):
        notes.append(
            "percentages are taken from the price where each window begins; the set to trade, from the last price"
        )
    return Answer(study.path, plain, searched, judged, trading, tuple(notes), chosen)


def _keep_verdict(
    prepared: Prepared, problem: Problem, answer: Answer, study: StudyFolder, place: Path
) -> None:
    """For the set as it would be traded now and as it was played; after the study, which a verdict points to."""
    assert answer.trading is not None
    about = {
        "study": study.question.key,
        "time": list(prepared.evaluator.span),
        "data_checksum": prepared.data.checksum,
        "version": __version__,
    }
    set_played = problem.resolved(answer.chosen, prepared.evaluator.span)
    as_played = config_with(prepared, set_played)
    for each in {bot_fingerprint(bot): bot for bot in (answer.trading.bots[0], as_played.bots[0])}.values():
        keep_verdict(place, each, answer.plain["verdict"], about)


def confirm(prepared: Prepared, played: ParameterSet) -> None:
    """Play the chosen set once more in the engine. Raises `Defect` where a fill or a figure is another one."""
    sweeper = prepared.evaluator.sweeper
    sweeper.play([dict(played)], threads=1).confirm(0)


def config_with(prepared: Prepared, parameters: ParameterSet) -> AppSettings:
    """The config with a set in the place of its own values."""
    sets = sets_of(prepared.evaluator.sweeper.parameters, [dict(parameters)])
    return with_overrides(prepared.settings, sets.overrides(0))


def _count(prepared: Prepared, study: StudyFolder, place: Path | None, trials: int) -> tuple[int, int]:
    """All sets ever tried for this choice, and how many other studies they come from."""
    if place is None:
        return trials, 0
    (bot,) = prepared.settings.bots
    span = prepared.evaluator.span
    entry = TallyEntry(study.question.key, bot.market, bot.strategy.name, span.start, span.stop, trials)
    return count_trials(place / FOLDER, entry)
