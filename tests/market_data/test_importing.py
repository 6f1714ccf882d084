"""What others downloaded is taken over: freqtrade's folders and plain files, with nothing claimed that is not there."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.market_data.importing import import_files
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import TRADES, Series, Span
from gridtide.market_data.store import MarketStore
from tests.market_data.stored import CANDLES, JANUARY, MARKET_TRADES, MINUTE, NOW, SYMBOL, minutes, span_of
from tests.market_data.writing import write_csv, write_parquet

ROW = (100.0, 102.0, 99.0, 101.0, 12.5)
ROWS = [[JANUARY + number * MINUTE, *ROW] for number in (0, 1, 2, 5, 6)]
"""Minutes 3 and 4 are missing."""
TRADE_ROWS = [
    [JANUARY + 10, "7", None, "buy", 100.5, 0.25, 25.125],
    [JANUARY + 10, "8", None, "sell", 100.25, 0.5, 50.125],
    [JANUARY + MINUTE, "9", None, "buy", 100.0, 1.0, 100.0],
]


@pytest.fixture
def store(tmp_path: Path) -> MarketStore:
    return MarketStore(tmp_path / "data")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "user_data" / "data" / "binance"
    folder.mkdir(parents=True)
    return folder


def write_rows(path: Path, rows: Sequence[Sequence[object]]) -> None:
    content = json.dumps(rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def test_a_folder_of_freqtrade_with_candles_and_market_trades(store: MarketStore, theirs: Path) -> None:
    write_rows(theirs / "BTC_USDT-1m.json", ROWS)
    write_rows(theirs / "ETH_USDT-1h.json.gz", [[JANUARY, *ROW]])
    write_rows(theirs / "BTC_USDT-trades.json.gz", TRADE_ROWS)
    write_rows(theirs / "pairs.json", [])
    report = import_files(store, theirs, "binance", NOW)
    hours = Series("binance", "ETH/USDT", "1h")  # type: ignore[arg-type]  # a symbol is a text
    assert report.rows == {CANDLES: 5, hours: 1, MARKET_TRADES: 2}
    rows = store.rows(CANDLES, span_of(0, 10))
    assert [int(at) for at in rows.timestamps] == [row[0] for row in ROWS]
    trades = store.rows(MARKET_TRADES, span_of(0, 10))
    assert trades.columns["id"].tolist() == [7, 8]  # of the last millisecond there may have been more
    assert trades.columns["taker"].tolist() == [1, -1]


def test_what_an_import_lacks_stays_to_be_downloaded(store: MarketStore, theirs: Path) -> None:
    write_rows(theirs / "BTC_USDT-1m.json", ROWS)
    import_files(store, theirs, "binance", NOW)
    assert store.missing(CANDLES, span_of(0, 8)) == (span_of(3, 2), span_of(7, 1))


def test_disorder_and_duplicates_are_mended_and_an_open_candle_left_out(
    store: MarketStore, theirs: Path
) -> None:
    write_rows(theirs / "BTC_USDT-1m.json", [ROWS[2], ROWS[0], ROWS[1], ROWS[1]])
    now = JANUARY + 2 * MINUTE + 30_000
    assert import_files(store, theirs, "binance", now).rows == {CANDLES: 2}
    assert len(store.rows(CANDLES, span_of(0, 10))) == 2


def test_an_import_does_not_touch_what_was_downloaded(store: MarketStore, theirs: Path) -> None:
    store.add(CANDLES, [Part(span_of(0, 2), "binance api")], minutes([0, 1], price=500.0))
    write_rows(theirs / "BTC_USDT-1m.json", ROWS)
    import_files(store, theirs, "binance", NOW)
    assert store.rows(CANDLES, span_of(0, 3)).columns["open"].tolist() == [500.0, 500.0, 100.0]


def test_plain_files_and_a_single_one(store: MarketStore, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1m-2021-01.csv", [tuple(row) for row in ROWS])
    report = import_files(store, path, "kraken", NOW)
    assert report.rows == {Series("kraken", SYMBOL, "1m"): 5}


def test_a_parquet_file_with_a_date_that_has_a_zone_as_freqtrade_writes_it(
    store: MarketStore, theirs: Path
) -> None:
    candles = ", ".join(
        f"(make_timestamptz({row[0]} * 1000), 100.0, 102.0, 99.0, 101.0, 12.5)" for row in ROWS
    )
    write_parquet(
        theirs / "BTC_USDT-1m.parquet",
        f"SELECT * FROM (VALUES {candles}) rows(date, open, high, low, close, volume)",
    )
    assert import_files(store, theirs, "binance", NOW).rows == {CANDLES: 5}
    rows = store.rows(CANDLES, span_of(0, 10))
    assert [int(at) for at in rows.timestamps] == [row[0] for row in ROWS]


@pytest.mark.parametrize(
    "name, rows, complaint",
    [
        ("BTC_USDT-1m.json", [[JANUARY, 100.0, 90.0, 99.0, 95.0, 1.0]], "row 1: high is below low"),
        ("BTC_USDT-1m.json", [[1, 2]], "cannot be read"),
        ("BTC_USDT-trades.json", ROWS, "holds candles, but its name says market trades"),
        ("BTC_USDT-8h-futures.json", ROWS, "not of a spot market"),
        ("prices-1m.json", ROWS, "does not tell its market"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_the_others_are_taken(
    store: MarketStore, theirs: Path, name: str, rows: list[list[object]], complaint: str
) -> None:
    write_rows(theirs / name, rows)
    with pytest.raises(DataUnusable, match=f"holds nothing that can be imported .*{complaint}"):
        import_files(store, theirs, "binance", NOW)
    write_rows(theirs / "ETH_USDT-1m.json", ROWS)
    report = import_files(store, theirs, "binance", NOW)
    assert report.files == 1
    assert complaint in report.notes[0]


def test_nothing_at_all_is_an_error(store: MarketStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file and no folder"):
        import_files(store, tmp_path / "nowhere", "binance", NOW)


# --- feather -----------------------------------------------------------------------------------------


def test_feather_without_its_library_says_which_one_is_needed(store: MarketStore, theirs: Path) -> None:
    if importlib.util.find_spec("pyarrow") is not None:
        pytest.skip("pyarrow is installed here")
    (theirs / "BTC_USDT-1m.feather").write_bytes(b"ARROW1")
    with pytest.raises(
        DataUnusable, match="needs the library pyarrow: nothing of it was imported; install pyarrow"
    ):
        import_files(store, theirs, "binance", NOW)


def test_feather_files_as_freqtrade_writes_them(store: MarketStore, theirs: Path) -> None:
    """Candles with a column `date` with a zone, market trades with text ids; LZ4 and level 9 as it chooses."""
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is no dependency of gridtide")
    feather = pytest.importorskip("pyarrow.feather")
    times = pyarrow.array([row[0] for row in ROWS], pyarrow.timestamp("ms", tz="UTC"))
    numbers = list(zip(*(row[1:] for row in ROWS), strict=True))
    names = ["open", "high", "low", "close", "volume"]
    table = pyarrow.table({"date": times, **dict(zip(names, map(list, numbers), strict=True))})
    feather.write_feather(table, str(theirs / "BTC_USDT-1m.feather"), compression="lz4", compression_level=9)
    columns = ["timestamp", "id", "type", "side", "price", "amount", "cost"]
    trades = dict(zip(columns, map(list, zip(*TRADE_ROWS, strict=True)), strict=True))
    feather.write_feather(pyarrow.table(trades), str(theirs / "BTC_USDT-trades.feather"), compression="lz4")
    report = import_files(store, theirs, "binance", NOW)
    assert report.rows == {CANDLES: 5, MARKET_TRADES: 2}
    assert [int(at) for at in store.rows(CANDLES, span_of(0, 10)).timestamps] == [row[0] for row in ROWS]
    day = Span(JANUARY, JANUARY + 86_400_000)
    assert store.rows(Series("binance", SYMBOL, TRADES), day).columns["id"].tolist() == [7, 8]
