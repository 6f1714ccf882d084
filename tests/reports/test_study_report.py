"""The report of a study: everything is said, nothing of the user is markup, and a real browser draws it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridtide.reports.study_charts import MOST_CELLS, axes_of, heat_map, pairs_of, study_charts
from gridtide.reports.study_report import study_html, write_study_html
from gridtide.reports.study_view import ShownObjective, ShownStatistic, ShownWindow, StudyView
from tests.reports.browser import chromium

DAY = 86_400_000
EVIL = '</script><script>document.title="broken"</script>&"'


def study(trials: int = 300, seed: int = 1) -> StudyView:
    """Two numeric parameters and a choice; the objective is best where the width is near ten."""
    rng = np.random.default_rng(seed)
    width, levels = rng.uniform(2, 30, trials), rng.integers(5, 80, trials).astype(float)
    spacing = np.array(rng.choice(["arithmetic", "geometric"], trials), dtype=object)
    sharpe = 2 - ((width - 10) / 10) ** 2 + rng.normal(0, 0.1, trials)
    sharpe[0] = np.nan  # a refused set
    fall = width / 100
    windows = tuple(
        ShownWindow(
            k * DAY, (k + 30) * DAY, (k + 31) * DAY, (k + 41) * DAY, 50, "width 10", 1.5, 0.2 * k, 0.01 * k
        )
        for k in range(4)
    )
    return StudyView(
        title="BTC/USDT, grid: 300 trials",
        start=0,
        stop=80 * DAY,
        verdict="This choice is overfitted: nine of ten winners fell below the median afterwards.",
        verdict_level="overfitted",
        cards=(("trials", "300"), ("PBO", "0.9")),
        notes=("12 sets were refused",),
        objectives=(
            ShownObjective("sharpe", "Sharpe", True),
            ShownObjective("max_drawdown", "drawdown", False),
        ),
        parameters={"width": width, "num_grids": levels, "spacing": spacing},
        figures={"sharpe": sharpe, "max_drawdown": fall, "final_equity": 1000 + 10 * sharpe},
        front=(5, 9, 0),
        windows=windows,
        times=np.arange(0, 40 * DAY, DAY),
        equity=1000 + np.cumsum(rng.normal(0, 5, 40)),
        hold=1000 + np.cumsum(rng.normal(0, 9, 40)),
        statistics=(
            ShownStatistic("overfitting", "0.9", "how often the best inside fell below the median outside"),
        ),
        settings=(("mode", "sandbox"),),
        origin=(("data", "abc"),),
    )


def test_it_says_everything() -> None:
    """Verdict first, then figures, windows, front, settings and where it comes from."""
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", study_html(study()), flags=re.DOTALL)
    wanted = (
        "This choice is overfitted",
        "12 sets were refused",
        "how often the best",
        "width 10",
        "1970-02-01",
        "mode",
    )
    places = [page.index(text) for text in wanted[:3]]
    assert places == sorted(places)
    assert all(text in page for text in wanted)
    assert page.count("<tr>") > 10


def test_nothing_of_the_user_is_taken_for_markup() -> None:
    """A title, a note or a parameter's value that contains markup stands there as text."""
    shown = study(20)
    evil = replace(
        shown,
        title=EVIL,
        verdict=EVIL,
        notes=(EVIL,),
        cards=((EVIL, EVIL),),
        settings=((EVIL, EVIL),),
        parameters={**shown.parameters, "spacing": np.array([EVIL] * 19 + ["x"], dtype=object)},
    )
    assert EVIL not in study_html(evil)
    assert '<script>document.title="broken"' not in study_html(evil)


def test_the_map_shows_the_median_and_how_many_trials_it_stands_on() -> None:
    """Two values of one parameter, two of another, three trials in one cell."""
    shown = replace(
        study(5),
        parameters={"a": np.array([1.0, 1.0, 1.0, 2.0, 2.0]), "b": np.array([1.0, 1.0, 1.0, 1.0, 2.0])},
        figures={"sharpe": np.array([1.0, 9.0, 2.0, 5.0, np.nan])},
    )
    trace = heat_map(shown, "a", "b").traces[0]
    assert (trace["x"], trace["y"]) == (["1", "2"], ["1", "2"])
    assert trace["z"] == [[2.0, 5.0], [None, None]]
    assert trace["customdata"] == [[3, 1], [0, 0]]


def test_many_values_share_cells() -> None:
    """Random samples have a value each: the map stays readable, and no trial is lost."""
    shown = study(3_000)
    trace = heat_map(shown, "width", "spacing").traces[0]
    assert len(trace["x"]) <= MOST_CELLS
    assert sum(map(sum, trace["customdata"])) == 2_999


def test_percentages_stand_in_the_order_of_their_numbers() -> None:
    """A study keeps -5% as text; as text it would come after -10%, and 5% after 10%."""
    shares = np.array(["5%", "-10%", "10%", "-5%", "-2.5%"], dtype=object)
    shown = replace(
        study(5), parameters={"a": shares, "b": np.ones(5)}, figures={"sharpe": np.arange(1.0, 6.0)}
    )
    trace = heat_map(shown, "a", "b").traces[0]
    assert trace["x"] == ["-10%", "-5%", "-2.5%", "5%", "10%"]
    assert trace["z"] == [[2.0, 4.0, 5.0, 1.0, 3.0]]


@pytest.mark.parametrize("unit", ["%", " words"])
def test_no_trial_is_lost_where_texts_are_many(unit: str) -> None:
    """Sixty percentages share cells with their neighbours; sixty words share the last one."""
    texts = np.array([f"{number}{unit}" for number in range(60)], dtype=object)
    shown = replace(study(60), parameters={"a": texts, "b": np.ones(60)}, figures={"sharpe": np.arange(60.0)})
    trace = heat_map(shown, "a", "b").traces[0]
    assert len(trace["x"]) <= MOST_CELLS
    assert sum(map(sum, trace["customdata"])) == 60


def test_the_spread_of_a_percentage_counts_its_numbers() -> None:
    """The objective grows where a percentage is above 30, and hardly with the choices beside it."""
    texts = np.array([f"{number}%" for number in range(60)], dtype=object)
    others = {"b": np.arange(60.0) % 2, "c": np.arange(60.0) % 3}
    shown = replace(
        study(60), parameters={**others, "a": texts}, figures={"sharpe": np.maximum(np.arange(60.0) - 30, 0)}
    )
    assert pairs_of(shown)[0][0] == "a"


def test_the_most_telling_parameters_come_first() -> None:
    assert "width" in pairs_of(study())[0]
    assert pairs_of(replace(study(4), parameters={"a": np.ones(4), "b": np.arange(4.0)})) == []


def test_one_objective_is_drawn_over_the_drawdown() -> None:
    assert axes_of(study()) == ("sharpe", "max_drawdown")
    assert axes_of(replace(study(), objectives=study().objectives[:1])) == ("max_drawdown", "sharpe")


def test_a_study_without_walk_forward_has_no_chart_of_it() -> None:
    bare = replace(study(), times=np.array([], dtype=np.int64), equity=np.array([]), hold=None, windows=())
    assert not {"forward", "inside-outside"} & set(study_charts(bare))
    assert "Walk-forward" not in study_html(bare)


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_a_real_browser_draws_every_chart(tmp_path: Path, size: tuple[int, int]) -> None:
    """Nothing fails, nothing is asked of anybody, and a phone needs no sideways scrolling."""
    path = tmp_path / "study.html"
    write_study_html(study(), path)
    failed: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.on("console", lambda line: failed.append(line.text) if line.type == "error" else None)
        page.on(
            "request", lambda asked: failed.append(asked.url) if not asked.url.startswith("file:") else None
        )
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.chart .main-svg').length >= 6")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator(".chart").count() == len(study_charts(study()))
    assert [text for text in failed if not text.startswith(("blob:", "data:"))] == []
