"""What `optimize` and `walk-forward` do, step by step: settings, space, data, the search with its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.bootstrap.optimize import Prepared, Wish, prepare_optimization, run_optimization
from gridtide.cli import backtesting
from gridtide.cli.failures import INTERRUPTED
from gridtide.cli.options import STATE_FOLDER
from gridtide.cli.output import print_json, say, warn
from gridtide.config.yaml_file import read_yaml
from gridtide.domain.errors import InvalidConfig, InvalidInput
from gridtide.optimize.study import METHODS

if TYPE_CHECKING:
    from gridtide.config.settings import AppSettings
    from gridtide.market_data.load import LoadedData
    from gridtide.optimize.study import Advance, StudyWish

DEFAULT_OBJECTIVES = {"nsga2": ("final_equity", "max_drawdown")}
Listener = Callable[["Advance"], None]


def settings_for(config: Path, market: str | None) -> AppSettings:
    """The config, which must have one bot; with `market` it plays there."""
    settings = backtesting.settings_for(config, market)
    if len(settings.bots) != 1:
        raise InvalidConfig(
            f"a search is for a config with one bot, {config} has {len(settings.bots)}: keep one of them"
        )
    return settings


def wish_for(
    space: Path,
    objectives: Sequence[str] | None,
    study: StudyWish,
    *,
    jobs: int | None,
    cluster: str | None,
    storage: str | None,
    has_whole: bool,
) -> Wish:
    """What was asked for; raises `InvalidInput` for a space file that is not there or is none."""
    if not space.exists():
        raise InvalidInput(
            f"{space} does not exist: write it with one parameter a line, such as num_grids: [20, 40, 80] and "
            "lower_price: {from: -30%, to: -5%, step: 5%}"
        )
    if study.method not in METHODS:
        raise InvalidInput(f"there is no method {study.method}: choose one of {', '.join(METHODS)}")
    chosen = tuple(objectives) if objectives else DEFAULT_OBJECTIVES.get(study.method, ("sharpe",))
    values = read_yaml(space).data
    return Wish(values, space.name, chosen, study, jobs, cluster, storage, has_whole)


def data_for(
    settings: AppSettings,
    files: Sequence[Path] | None,
    start: str | None,
    end: str | None,
    timeframe: str,
    folder: Path | None,
) -> LoadedData:
    """One market's data."""
    found = backtesting.data_for(settings, files, start, end, timeframe, folder)
    if len(found) != 1:
        raise InvalidInput(
            f"a search plays one market, and there are {len(found)} sets of data: name one with --data"
        )
    return found[0]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a study is kept, and where its page goes. None: a folder for each question, no page."""

    study: Path | None
    report: Path | None


def search_and_show(
    config: Path, settings: AppSettings, data: LoadedData, wish: Wish, places: Places, *, json: bool
) -> int:
    """Search with progress; the answer as JSON or for a person. Interrupted, it says how to go on."""
    backtesting.check_places(report=places.report)
    prepared = prepare_optimization(settings, data, wish)
    folder = places.study if places.study is not None else _folder(config, prepared)
    try:
        with progress_bar(prepared.wish.objectives[0], quiet=json) as listener:
            answer = run_optimization(prepared, folder, config=config, listener=listener)
    except KeyboardInterrupt:
        warn(
            f"Interrupted. All that was tried is kept in {folder}: run the same command again, and it goes on there."
        )
        return INTERRUPTED
    written = {} if places.report is None else _written(folder, places.report)
    if json:
        print_json({"folder": str(folder), **written, **answer.plain})
        return 0
    from gridtide.cli.optimize_view import print_answer

    print_answer(prepared, answer)
    say(f"study: {folder}")
    for kind, path in written.items():
        warn(f"{kind}: {path}")
    return 0


def _written(folder: Path, report: Path) -> dict[str, str]:
    from gridtide.bootstrap.study_view import study_view
    from gridtide.reports.study_report import write_study_html

    write_study_html(study_view(folder), report)
    return {"report": str(report)}


def _folder(config: Path, prepared: Prepared) -> Path:
    """A folder for each question: the same one finds what it tried before."""
    kind = config.stem if prepared.wish.has_whole else f"{config.stem}-walk"
    return STATE_FOLDER / "studies" / f"{kind}-{prepared.question.key}"


@contextmanager
def progress_bar(objective: str, *, quiet: bool) -> Iterator[Listener]:
    """Window, share, rate, best so far and time left, on a terminal; else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda advance: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[best]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("searching", total=None, rate="", best="")
        first: list[int] = []

        def show(advance: Advance) -> None:
            done = (advance.number - 1) * advance.trials + advance.told.told
            first.append(
                done
            ) if not first else None  # what an earlier run tried is no part of this one's rate
            seconds = bars.tasks[0].elapsed or 0.0
            rate = f"{(done - first[0]) / seconds:,.0f} sets/s" if seconds and done > first[0] else ""
            best = "" if advance.told.best is None else f"{objective} {advance.told.best:,.4g}"
            name = f"window {advance.window}" if advance.window != "whole" else "all data"
            total = advance.windows * advance.trials
            bars.update(task, description=name, completed=done, total=total, rate=rate, best=best)

        yield show
