"""Studies: what a folder keeps, that the same question goes on and another is refused, and that all trials count."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from gridtide.bootstrap.kept_verdicts import bot_fingerprint, keep_verdict, kept_verdicts, verdict_line
from gridtide.bootstrap.notebook import settings_of
from gridtide.bootstrap.trial_tally import TallyEntry, count_trials
from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.optimize.problem import Problem
from gridtide.optimize.storages import trial_store
from gridtide.optimize.study import WHOLE, Advance, Searched, StudyWish, check_wish, plain_walk, run_study
from gridtide.optimize.study_folder import Question, read_study, study_folder
from gridtide.optimize.walk_forward import WindowWish
from tests.backtest.worlds import config, grid_settings
from tests.optimize.toy import CAPITAL, DAY, Toy, toy_problem

QUESTION = Question("c", "d", {"x": ["1"]}, "random", 1, ("final_equity",), {"windows": 3}, False)
WISH = StudyWish(trials=40, windows=WindowWish(windows=3))


def run(problem: Problem, wish: StudyWish, folder: Path, **more: Any) -> Searched:
    with ExitStack() as stack:
        study = stack.enter_context(study_folder(folder, QUESTION))
        learns = wish.method in ("tpe", "nsga2")
        store = stack.enter_context(trial_store(str(study.journal))) if learns else None
        return run_study(problem, wish, study, store, **more)


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_a_study_that_is_run_again_tries_nothing_twice(method: str, tmp_path: Path) -> None:
    """And more trials go on from those that are there."""
    wish = replace(WISH, method=method)
    first = run(toy_problem(Toy()), wish, tmp_path / "a")
    assert {name: len(trials) for name, trials in first.by_window.items()} == dict.fromkeys(
        ["w01", "w02", "w03", WHOLE], 40
    )
    toy = Toy()
    again = run(toy_problem(toy), wish, tmp_path / "a")
    assert toy.calls == [1, 1, 1]  # what was chosen, after each window
    assert again.walk is not None
    assert first.walk is not None
    assert np.array_equal(again.walk.equity, first.walk.equity)
    more = run(toy_problem(Toy()), replace(wish, trials=50), tmp_path / "a")
    assert more.whole is not None
    assert first.whole is not None
    assert list(more.whole.sets)[:40] == list(first.whole.sets)


def test_progress_counts_over_all_windows(tmp_path: Path) -> None:
    seen: list[Advance] = []
    run(toy_problem(Toy()), WISH, tmp_path / "a", listener=seen.append)
    assert [each.window for each in seen if each.told.told == 40] == ["w01", "w02", "w03", WHOLE]
    assert {(each.windows, each.trials) for each in seen} == {(4, 40)}
    best = [each.told.best for each in seen if each.window == WHOLE]
    assert all(value is not None for value in best)
    assert best == sorted(best, key=float)  # type: ignore[arg-type]  # none is None, as the line above says


def test_a_walk_forward_alone_chooses_nothing_for_today(tmp_path: Path) -> None:
    found = run(toy_problem(Toy()), WISH, tmp_path / "a", has_whole=False)
    assert found.whole is None
    assert set(found.by_window) == {"w01", "w02", "w03"}


def test_a_folder_keeps_every_trial_for_others_to_read(tmp_path: Path) -> None:
    problem = toy_problem(Toy())
    with study_folder(tmp_path / "a", QUESTION) as study:
        found = run_study(problem, WISH, study, None)
        assert found.walk is not None
        study.keep(
            {"state": "done", "walk_forward": plain_walk(problem, found.walk)},
            found.by_window,
            {"time": found.walk.times, "equity": found.walk.equity},
        )
    rows = duckdb.read_parquet(f"{tmp_path}/a/trials.parquet")
    assert rows.columns[:4] == ["window", "x", "y", "final_equity"]
    refused = rows.filter("reason = 'x is unlucky'")
    assert len(rows) == 160
    assert refused.filter("final_equity IS NULL OR isnan(final_equity)").shape == refused.shape
    equity = duckdb.read_parquet(f"{tmp_path}/a/equity.parquet").fetchnumpy()
    assert np.array_equal(equity["equity"], found.walk.equity)
    kept = read_study(tmp_path / "a")
    assert kept["key"] == QUESTION.key
    assert len(kept["walk_forward"]["windows"]) == 3
    assert kept["walk_forward"]["first_equity"] == CAPITAL


def test_another_question_something_else_and_a_second_search_are_refused(tmp_path: Path) -> None:
    with study_folder(tmp_path / "a", QUESTION), ExitStack() as stack:
        with pytest.raises(InvalidInput, match="in use by another search"):
            stack.enter_context(study_folder(tmp_path / "a", QUESTION))
        with pytest.raises(InvalidInput, match="another seed, windows"):
            stack.enter_context(study_folder(tmp_path / "a", replace(QUESTION, seed=2, windows={})))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").touch()
    with ExitStack() as stack, pytest.raises(InvalidInput, match="is no study"):
        stack.enter_context(study_folder(tmp_path / "b", QUESTION))
    (tmp_path / "a" / "study.json").write_text("{")
    with pytest.raises(DataUnusable, match="damaged"):
        read_study(tmp_path / "a")


@pytest.mark.parametrize(
    "wish, sentence",
    [
        (StudyWish("tpe"), "tpe takes one objective"),
        (StudyWish("bayes"), "there is no method bayes"),
        (StudyWish("random", prunes=True), "--prune works with --method tpe"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_played(
    wish: StudyWish, sentence: str
) -> None:
    toy = Toy()
    with pytest.raises(InvalidInput, match=sentence):
        check_wish(toy_problem(toy, "final_equity", "max_drawdown"), wish)
    assert toy.calls == []


def test_the_trials_of_all_studies_on_the_same_time_count(tmp_path: Path) -> None:
    entry = TallyEntry("one", "BTC/USDT", "grid", 0, 100 * DAY, 500)
    assert count_trials(tmp_path, entry) == (500, 0)
    assert count_trials(tmp_path, replace(entry, trials=800)) == (800, 0)
    assert count_trials(tmp_path, entry) == (800, 0)  # a shorter look at it does not untry what was tried
    assert count_trials(tmp_path, replace(entry, study="two", start=50 * DAY, trials=100)) == (900, 1)
    assert count_trials(tmp_path, replace(entry, study="three", start=99 * DAY, stop=200 * DAY)) == (1400, 2)
    assert count_trials(tmp_path, replace(entry, study="later", start=200 * DAY, stop=300 * DAY)) == (500, 0)
    assert count_trials(tmp_path, replace(entry, study="four", market="ETH/USDT")) == (500, 0)
    (tmp_path / "trials.json").write_text("[]")
    with pytest.raises(DataUnusable, match="counts the sets"):
        count_trials(tmp_path, entry)


def test_searches_that_end_at_once_lose_no_count_and_no_verdict(tmp_path: Path) -> None:
    """Eight at a time, each with studies of its own: what one reads and writes back holds what the others wrote."""
    bot = settings_of(config()).bots[0]

    def end(number: int) -> None:
        count_trials(tmp_path, TallyEntry(str(number), "BTC/USDT", "grid", 0, DAY, 10))
        keep_verdict(tmp_path, bot, {"sentence": str(number)}, {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(end, range(40)))
    assert count_trials(tmp_path, TallyEntry("0", "BTC/USDT", "grid", 0, DAY, 10)) == (400, 39)
    assert len(kept_verdicts(tmp_path / "grid.yaml", bot)) == 40


def test_a_verdict_is_kept_with_what_a_bot_trades_however_it_is_written(tmp_path: Path) -> None:
    """Levels or intervals, 90 or 90.0, another account or name: the same grid. Another range: another one."""
    bot = settings_of(config()).bots[0]
    same = settings_of(
        config(grid_settings(num_grids=None, intervals=10, lower_price="90.0"), {"balance": {"USDT": "9999"}})
    ).bots[0]
    other = settings_of(config(grid_settings(lower_price="91"))).bots[0]
    assert bot_fingerprint(bot) == bot_fingerprint(same) != bot_fingerprint(other)
    place = tmp_path / "grid.yaml"
    assert verdict_line(place, bot) is None
    for _ in range(2):
        keep_verdict(tmp_path, bot, {"sentence": "Fragile."}, {"study": "one"})
    assert len(kept_verdicts(place, same)) == 1
    keep_verdict(tmp_path, same, {"sentence": "Overfitted."}, {"study": "two"})
    line = verdict_line(place, bot)
    assert line is not None
    assert line.endswith("the last of 2 verdicts: Overfitted.")
    about = {"study": "three", "time": [0, 366 * DAY]}
    keep_verdict(tmp_path, same, {"sentence": "Holds.", "evidence": {"trials": 5000}}, about)
    line = verdict_line(place, bot)
    assert line is not None
    assert line.endswith(" on 1970-01-01 to 1971-01-02 and 5,000 tries, the last of 3 verdicts: Holds.")
    assert verdict_line(place, other) is None
    assert verdict_line(None, bot) is None
    (found,) = (tmp_path / ".gridtide" / "verdicts").glob("*.json")
    found.write_text("damaged")
    assert verdict_line(place, bot) is None  # what cannot be read must not stop a bot
