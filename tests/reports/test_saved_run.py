"""A saved run comes back as it was, to the last digit; a folder is a whole run or none, and nothing else is touched."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.domain.errors import DataUnusable, InvalidInput, StorageFailed
from gridtide.reports.saved_run import FIGURES, load_run, save_run
from gridtide.reports.table import Table
from gridtide.reports.table_files import database, read_table, write_table
from tests.reports.builders import result, same

BOTS = (("grid", "BTC/USDT"), ("GRID", "ETH/USDT"), ('"; DROP', "LTC/USDT"))


def test_it_comes_back_equal(tmp_path: Path) -> None:
    """Every field of the result, of its markets, and of their tables and curves; types included."""
    saved = result(bots=BOTS)
    save_run(saved, tmp_path / "runs" / "first")
    loaded = load_run(tmp_path / "runs" / "first")
    assert same(loaded, saved)
    assert loaded.summary() == saved.summary()


def test_a_run_without_fills(tmp_path: Path) -> None:
    saved = result(fills=0)
    save_run(saved, tmp_path / "run")
    assert same(load_run(tmp_path / "run"), saved)


def test_the_files_can_be_queried(tmp_path: Path) -> None:
    """Money is a DECIMAL in the files, so SQL adds it up exactly; the figures stand in JSON as `--json` prints them."""
    saved = result()
    save_run(saved, tmp_path / "run")
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT sum(profit), typeof(any_value(profit)), any_value(bot) FROM read_parquet(?)",
            [str(tmp_path / "run" / "fills.parquet")],
        ).fetchall()
    assert found == [(sum(saved.fills["profit"]), "DECIMAL(38,12)", "btc-grid")]
    figures = orjson.loads((tmp_path / "run" / FIGURES).read_bytes())
    assert figures["summary"] == orjson.loads(orjson.dumps(saved.summary()))
    assert (figures["config_hash"], figures["data_checksum"]) == (saved.config_hash, saved.data_checksum)


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**25), max_value=10**25, places=9)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.none() | decimals | st.just(Decimal(10**37)) | st.just(Decimal("1E-20")),
            st.integers(-(2**62), 2**62),
            st.none() | st.booleans(),
            st.floats(allow_nan=False),
            st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        ),
        max_size=6,
    )
)
def test_any_table_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    """Whatever a table holds: more digits than a DECIMAL takes, gaps, odd text, no rows at all."""
    names = ("money", "count", "flag", "ratio", "a \"text'")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = Table("any", dict(zip(names, columns, strict=True)))
    path = tmp_path_factory.mktemp("table") / "it's.parquet"
    with database() as connection:
        kinds = write_table(connection, table, path)
        found = read_table(connection, "any", path, kinds)
    assert all(found[name] == table[name] for name in names)
    assert [type(value) for name in names for value in found[name]] == [
        type(value) for name in names for value in table[name]
    ]


def test_saving_again_replaces(tmp_path: Path) -> None:
    """And leaves nothing beside it."""
    save_run(result(), tmp_path / "run")
    save_run(result(final="16000"), tmp_path / "run")
    assert load_run(tmp_path / "run").final_equity == 16000
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_is_no_saved_run_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letters.txt").write_text("dear")
    (tmp_path / "file").write_text("kept")
    for name in ("mine", "file"):
        with pytest.raises(InvalidInput, match="is no saved run: it was left as it is"):
            save_run(result(), tmp_path / name)
    assert (tmp_path / "mine" / "letters.txt").read_text() == "dear"
    assert (tmp_path / "file").read_text() == "kept"
    (tmp_path / "empty").mkdir()
    save_run(result(), tmp_path / "empty")
    assert load_run(tmp_path / "empty").fill_count


def test_a_failure_amid_writing_keeps_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full once most is written: the former run is whole, and nothing half-written is left."""
    save_run(result(), tmp_path / "run")

    def full(*_: object, **__: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageFailed, match="No space left"):
        save_run(result(final="16000"), tmp_path / "run")
    assert load_run(tmp_path / "run").final_equity == result().final_equity
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_folders_that_cannot_be_loaded(tmp_path: Path) -> None:
    """None, somebody else's, a newer gridtide's, a damaged one: each is told apart in one sentence."""
    with pytest.raises(InvalidInput, match="nowhere is no saved run"):
        load_run(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FIGURES).write_text("[1]")
    with pytest.raises(InvalidInput, match="is no saved run"):
        load_run(tmp_path / "other")
    save_run(result(), tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "newer")
    figures = orjson.loads((tmp_path / "newer" / FIGURES).read_bytes()) | {"format": 2, "version": "9.0"}
    (tmp_path / "newer" / FIGURES).write_bytes(orjson.dumps(figures))
    with pytest.raises(InvalidInput, match=r"newer gridtide \(9.0\)"):
        load_run(tmp_path / "newer")
    for name in ("fills.parquet", "curve.parquet"):
        shutil.copytree(tmp_path / "run", tmp_path / name)
        (tmp_path / name / name).write_bytes(b"PAR1")
        with pytest.raises(DataUnusable, match="is damaged"):
            load_run(tmp_path / name)
    shutil.copytree(tmp_path / "run", tmp_path / "less")
    del figures["markets"], figures["result"]
    (tmp_path / "less" / FIGURES).write_bytes(orjson.dumps(figures | {"format": 1}))
    with pytest.raises(DataUnusable, match="is damaged"):
        load_run(tmp_path / "less")
