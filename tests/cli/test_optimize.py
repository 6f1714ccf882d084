"""`gridtide optimize` and `walk-forward`: the answer with its verdict, going on after Ctrl-C, a newcomer's mistakes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridtide.bootstrap.kept_verdicts import keep_verdict
from gridtide.bootstrap.optimize import run_optimization
from gridtide.cli import optimizing
from gridtide.config.load import load_settings
from gridtide.optimize.study import Advance
from tests.cli.conftest import Command

HOUR = 3_600_000
START = 1_609_459_200_000
CONFIG = """\
bots:
  - name: btc-grid
    market: BTC/USDT
    strategy: {name: grid, lower_price: 45000, upper_price: 55000, num_grids: 11, total_investment: 5000}
backtest: {balance: {USDT: 6000}}
"""
SPACE = """\
lower_price: {from: -20%, to: -6%, step: 2%}
upper_price: {from: 6%, to: 20%, step: 2%}
num_grids: [5, 10, 20]
conditions: [lower_price * 1.15 < upper_price]
"""
OPTIMIZE = ("optimize", "grid.yaml", "--data", "BTCUSDT-1h.csv", "--space", "space.yaml")
WINDOWS = ("--windows", "3", "--jobs", "1")
SEARCH = (*OPTIMIZE, *WINDOWS, "--trials", "25")


@pytest.fixture
def world(folder: Path) -> Path:
    """A config, a space, and forty days of hours around 50,000."""
    (folder / "grid.yaml").write_text(CONFIG)
    (folder / "space.yaml").write_text(SPACE)
    rng = random.Random(5)
    price, rows = 50_000.0, []
    for at in range(40 * 24):
        first = price
        price = max(price + (50_000 - price) * 0.02 + rng.gauss(0, 300), 1000.0)
        high, low = max(first, price) + abs(rng.gauss(0, 80)), min(first, price) - abs(rng.gauss(0, 80))
        rows.append(f"{START + at * HOUR},{first:.2f},{high:.2f},{low:.2f},{price:.2f},25.5\n")
    (folder / "BTCUSDT-1h.csv").write_text("timestamp,open,high,low,close,volume\n" + "".join(rows))
    return folder


def test_the_answer_has_a_verdict_and_what_choices_earned_afterwards(command: Command, world: Path) -> None:
    """JSON: windows that follow on, the chosen set for today's price, the verdict; and the folder says the same."""
    said = command(*SEARCH, "--save", "study", "--json")
    assert said.code == 0, said.err
    found = said.json
    windows = found["walk_forward"]["windows"]
    assert len(windows) == 3
    assert found["trials"] == {"w01": 25, "w02": 25, "w03": 25, "whole": 25}
    assert found["tried_ever"] == found["verdict"]["evidence"]["trials"] <= 25
    assert found["verdict"]["sentence"]
    chosen = found["chosen"]
    assert chosen["set"]["lower_price"].endswith("%")
    assert float(chosen["now"]["lower_price"]) < 50_000
    assert chosen["in_sample"]["final_equity"] > 0
    kept = json.loads((world / "study" / "study.json").read_text())
    assert kept["chosen"] == chosen
    assert kept["question"]["seed"] == 1


def test_a_person_reads_the_verdict_first_and_then_what_came_after_each_choice(
    command: Command, world: Path
) -> None:
    said = command(*SEARCH)
    assert said.code == 0, said.err
    lines = said.out.split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert "btc-grid on BTC/USDT: 100 trials" in lines[0]
    assert lines[1].lstrip("│ ").startswith(("Overfitted", "Not ", "Fragile", "Holds"))
    is_backed = lines[1].lstrip("│ ").startswith(("Fragile", "Holds"))
    title = "the set to trade now" if is_backed else "the best that was tried, and no advice to trade it"
    assert said.out.index("walk-forward") < said.out.index(title) < said.out.index("in-sample:")
    assert "study: .gridtide/studies/grid-" in said.out


def test_the_verdict_is_shown_wherever_the_chosen_config_is(command: Command, world: Path) -> None:
    """Plan and backtest of a config with the chosen set say its verdict; the config it began with has none."""
    chosen = command(*SEARCH, "--json").json["chosen"]["now"]
    text = CONFIG.replace("45000", chosen["lower_price"]).replace("55000", chosen["upper_price"])
    (world / "chosen.yaml").write_text(text.replace("num_grids: 11", f"num_grids: {chosen['num_grids']}"))
    shown = command("backtest", "chosen.yaml", "--data", "BTCUSDT-1h.csv")
    assert "Verdict of 20" in shown.out
    before = command("backtest", "grid.yaml", "--data", "BTCUSDT-1h.csv", "--json")
    assert before.json["verdicts"] == []
    assert len(command("backtest", "chosen.yaml", "--data", "BTCUSDT-1h.csv", "--json").json["verdicts"]) == 1


def test_ctrl_c_keeps_what_was_tried_and_the_same_command_goes_on(
    command: Command, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 130 and the folder; the second run gives the very answer of one that nobody interrupted."""
    real = run_optimization

    def interrupted(*arguments: Any, **named: Any) -> Any:
        def stop(advance: Advance) -> None:
            if advance.window == "w02" and advance.told.told > 5:
                raise KeyboardInterrupt

        return real(*arguments, **{**named, "listener": stop})

    monkeypatch.setattr(optimizing, "run_optimization", interrupted)
    stopped = command(*SEARCH)
    assert stopped.code == 130
    assert "run the same command again" in stopped.err
    assert ".gridtide/studies/grid-" in stopped.err
    monkeypatch.setattr(optimizing, "run_optimization", real)
    after = command(*SEARCH, "--json").json
    whole = command(*SEARCH, "--save", "elsewhere", "--json").json
    for each in (after, whole):
        del each["folder"], each["seconds"]
    assert after == whole


def test_several_objectives_give_a_front(command: Command, world: Path) -> None:
    said = command(*OPTIMIZE, *WINDOWS, "--method", "nsga2", "--trials", "30")
    assert said.code == 0, said.err
    assert "front (" in said.out
    (study,) = (world / ".gridtide" / "studies").iterdir()
    front = json.loads((study / "study.json").read_text())["front"]
    gains = [each["in_sample"]["final_equity"] for each in front]
    falls = [each["in_sample"]["max_drawdown"] for each in front]
    assert gains == sorted(gains, reverse=True)
    assert falls == sorted(falls, reverse=True)


def test_another_search_of_the_same_market_counts_the_trials_of_the_first(
    command: Command, world: Path
) -> None:
    command(*SEARCH)
    said = command(*SEARCH, "--seed", "2", "--json").json
    assert said["tried_ever"] > 25
    assert said["tried_ever"] == said["verdict"]["evidence"]["trials"]


def test_walk_forward_alone_names_no_set_to_trade(command: Command, world: Path) -> None:
    said = command("walk-forward", *SEARCH[1:], "--anchored", "--json")
    assert said.code == 0, said.err
    windows = said.json["walk_forward"]["windows"]
    assert "chosen" not in said.json
    starts = {window["in_sample_time"][0] for window in windows}
    assert len(starts) == 1
    ends = [window["out_of_sample_time"] for window in windows]
    assert np.all(np.diff([start for start, _ in ends]) > 0)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        (("--space", "none.yaml"), "none.yaml does not exist: write it with one parameter a line"),
        (("--space", "empty.yaml"), "names no parameter"),
        (("--space", "wrong.yaml"), "no parameter lower_prise; did you mean lower_price"),
        (("--space", "value.yaml"), "spacing"),
        (("--windows", "60"), "too short for 60 windows"),
        (("--in-sample", "60"), "too short for these windows"),
        (("--method", "bayes"), "choose one of random, exhaustive, tpe, nsga2"),
        (("--method", "tpe", "--objective", "sharpe", "--objective", "fees"), "tpe takes one objective"),
        (("--objective", "profit"), "did you mean grid_profit"),
        (("--method", "exhaustive", "--space", "endless.yaml"), "needs steps, and lower_price has none"),
        (("--storage", "trials.log"), "--storage is for tpe and nsga2"),
        (("--method", "tpe", "--storage", "mysql://a:secret@b/c"), "PostgreSQL address"),
        (("--save", "taken"), "taken is there and is no study"),
        (("--trials", "0"), "below one"),
    ],
)
def test_what_a_newcomer_gets_wrong_is_said_in_one_sentence(
    command: Command, world: Path, changes: tuple[str, ...], sentence: str
) -> None:
    (world / "empty.yaml").write_text("")
    (world / "wrong.yaml").write_text("lower_prise: [1, 2]")
    (world / "value.yaml").write_text("spacing: [arithmetic, cubic]")
    (world / "endless.yaml").write_text("lower_price: {from: 40000.0, to: 45000.0}")
    (world / "taken").mkdir()
    (world / "taken" / "mine").touch()
    given = dict(zip(OPTIMIZE[2::2], OPTIMIZE[3::2], strict=True))
    for name in changes[::2]:
        given.pop(name, None)
    rest = [part for pair in given.items() for part in pair]
    said = command("optimize", "grid.yaml", *rest, *changes)
    assert said.code == 2, said.err
    assert sentence in said.err
    assert "secret" not in said.err
    assert len(said.err.strip().split("\n")) == 1


def test_where_every_set_is_refused_the_reasons_are_told(command: Command, world: Path) -> None:
    (world / "space.yaml").write_text(
        "lower_price: [-10%]\nupper_price: [+10%]\nconditions: [lower_price > upper_price]\n"
    )
    said = command(*SEARCH)
    assert said.code == 0, said.err
    assert "Every set was refused" in said.out
    assert "not lower_price > upper_price" in said.out


def test_plan_check_and_run_show_the_verdict_of_their_config(command: Command, world: Path) -> None:
    """Once it is kept with the config, nobody puts money on it without having read it."""
    (world / "grid.yaml").write_text(CONFIG)
    keep_verdict(world, load_settings(world / "grid.yaml").bots[0], {"sentence": "Overfitted: luck."}, {})
    sentence = "Overfitted: luck."
    assert sentence in command("plan", "grid.yaml").out
    assert sentence in command("plan", "grid.yaml", "--json").json["verdict"]
    assert sentence in command("check", "grid.yaml").out
    assert sentence in command("run", "grid.yaml", "--for", "1s").out
