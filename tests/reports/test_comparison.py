"""Side by side: the best of each figure is the best, what differs is named, and CSV loses no digit."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from gridtide.reports.comparison import compare
from gridtide.reports.csv_files import csv_text, write_csv
from gridtide.reports.shown_figures import against_hold, settings_rows
from gridtide.reports.table import Table
from tests.reports.builders import START, result


def test_the_best_of_each_row() -> None:
    """More equity and less drawdown are better; ties and figures that are not defined win nothing."""
    runs = [
        ("a", result(max_drawdown=Decimal("0.3"), sharpe=None, fees=Decimal(5))),
        ("b", result(max_drawdown=Decimal("0.2"), sharpe=1.0, fees=Decimal(5), final="16000")),
        ("c", result(max_drawdown=Decimal("0.2"), sharpe=-1.0, fees=Decimal(5))),
    ]
    rows = {row.key: row for row in compare(runs).rows}
    assert rows["final_equity"].best == {1}
    assert rows["max_drawdown"].best == {1, 2}
    assert rows["sharpe"].best == {1}
    assert rows["sharpe"].texts == ("-", "1.00", "-1.00")
    assert rows["fees"].best == rows["fills"].best == frozenset()
    assert compare(runs).values()["best"]["max_drawdown"] == ["b", "c"]


def test_what_differs_is_named() -> None:
    """Settings by their keys, also where only one run has them; other data come first."""
    one = result(settings={"bots": [{"name": "x", "num_grids": 11}], "mode": "sandbox"})
    two = result(
        settings={"bots": [{"name": "x", "num_grids": 21, "spacing": "geometric"}], "mode": "sandbox"}
    )
    other = result(settings=dict(two.settings), data_checksum="ef" * 32)
    assert compare([("one", one), ("two", two)]).differences == (
        ("bots[0].num_grids", ("11", "21")),
        ("bots[0].spacing", ("-", "geometric")),
    )
    ((key, texts),) = compare([("two", two), ("other", other)]).differences
    assert (key, texts[1]) == ("data", "BTCUSDT-1m.parquet (efefefefefef)")


def test_above_holding() -> None:
    (hold, *_) = result().baselines
    assert against_hold(result()) == result().final_equity - hold.final_equity
    assert against_hold(result(baselines=())) is None


def test_secrets_are_hidden_once_more() -> None:
    """The settings come without secrets; whatever is named like one shows nothing even so."""
    others = {"sandbox": {"seed": 1}, "logging": {}, "storage": {"url": "x"}}
    assert settings_rows({**others, "mode": "live"}) == [("mode", "live")], "no backtest reads the others"
    rows = dict(settings_rows({"exchange": {"api_key": "abc", "secret": None}, "bots": [], "risk": {}}))
    assert rows == {"exchange.api_key": "***", "exchange.secret": "-", "bots": "-", "risk": "{}"}


def test_csv_is_exact(tmp_path: Path) -> None:
    """Every digit of the money, times in both writings, quotes where they are needed, a line each fill of each bot."""
    saved = result(bots=(('say "hi", you', "BTC/USDT"), ("b", "ETH/USDT")), fills=4)
    paths = write_csv(saved, tmp_path / "out")
    assert [path.name for path in paths] == [
        *("fills.csv", "round_trips.csv", "level_profits.csv", "curve.csv")
    ]
    with paths[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["bot"] for row in rows] == ['say "hi", you'] * 4 + ["b"] * 4
    assert [Decimal(row["price"]) for row in rows[:4]] == list(saved.fills["price"])
    assert (rows[0]["fee"], rows[1]["profit"]) == ("0.00000123400000", "1.234567890123")
    assert (rows[0]["time"], rows[0]["time_utc"]) == (str(START), "2021-01-01 00:00:00.000")
    with paths[3].open(newline="") as file:
        curve = list(csv.DictReader(file))
    assert [float(row["equity"]) for row in curve] == saved.curve.equity.tolist()
    assert float(curve[-1]["baseline_hold"]) == saved.baselines[0].curve[-1]


def test_csv_of_what_is_not_there() -> None:
    """None stays empty, flags are words, and a table without rows still has its names."""
    table = Table("any", {"closed_at": [None, 0], "done": [True, False], "money": [None, Decimal("1E-8")]})
    assert csv_text(table) == (
        "closed_at,closed_at_utc,done,money\n,,true,\n0,1970-01-01 00:00:00.000,false,0.00000001\n"
    )
    assert csv_text(Table("none", {"a": [], "b": []})) == "a,b\n"
