"""Columns for a backtest: the same numbers and the same checksum from whatever holds them, under the same rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridtide.domain.errors import DataUnusable
from gridtide.domain.order import Side
from gridtide.market_data.checksums import data_checksum
from gridtide.market_data.files import CandleFile, TradeFile, open_market
from gridtide.market_data.load import load_columns, load_market_data
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import Span
from gridtide.price_path.columns import CandleColumns, TradeColumns
from tests.market_data.stored import CANDLES as SERIES
from tests.market_data.stored import FEBRUARY, minutes, opened
from tests.market_data.writing import (
    CANDLE_COLUMNS,
    CANDLES,
    MINUTE,
    START,
    TRADE_COLUMNS,
    TRADES,
    Row,
    real,
    write_csv,
    write_parquet,
)

NAMES = CANDLE_COLUMNS.split(", ")
TRADE_NAMES = TRADE_COLUMNS.split(", ")


def as_dict(rows: list[Row] = CANDLES, names: list[str] = NAMES) -> dict[str, Any]:
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return {
        name: list(values)
        if name in {"timestamp", "side"}
        else np.array([float(str(value)) for value in values])
        for name, values in columns.items()
    }


def as_pandas(index: bool = False) -> Any:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(as_dict())
    frame["timestamp"] = pandas.to_datetime(frame["timestamp"], unit="ms", utc=True)
    return frame.set_index("timestamp") if index else frame


def as_polars() -> Any:
    polars = pytest.importorskip("polars")
    return polars.DataFrame(as_dict()).with_columns(polars.from_epoch("timestamp", time_unit="ms"))


SOURCES: dict[str, Callable[[], Any]] = {
    "dict of arrays": as_dict,
    "capital letters": lambda: {name.capitalize(): values for name, values in as_dict().items()},
    "numpy times": lambda: {
        **as_dict(),
        "timestamp": np.array(as_dict()["timestamp"]).astype("datetime64[ms]"),
    },
    "datetimes": lambda: {
        **as_dict(),
        "timestamp": [datetime.fromtimestamp(at / 1000, UTC) for at in as_dict()["timestamp"]],
    },
    "pandas": as_pandas,
    "pandas with the times as its index": lambda: as_pandas(index=True),
    "polars": as_polars,
}


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "BTCUSDT-1m-x.csv", CANDLES)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_the_same_columns_and_checksum(name: str, csv: Path) -> None:
    of_file, data = load_market_data(csv), load_market_data(SOURCES[name]())
    assert isinstance(data.columns, CandleColumns)
    assert list(data.columns.candles()) == list(load_candles(csv).candles())
    assert data.checksum == of_file.checksum
    assert (of_file.symbol, data.columns.timeframe_ms) == ("BTC/USDT", MINUTE)


def load_candles(source: Any) -> CandleColumns:
    columns = load_columns(source)
    assert isinstance(columns, CandleColumns)
    return columns


def test_parquet_and_csv_of_any_type_have_one_checksum(csv: Path, tmp_path: Path) -> None:
    parquet = write_parquet(
        tmp_path / "BTCUSDT-1m-x.parquet",
        f"SELECT epoch_ms(timestamp) AS timestamp, * EXCLUDE (timestamp) FROM read_csv('{csv}', all_varchar = false)",
    )
    assert load_market_data(parquet).checksum == load_market_data(csv).checksum


def test_the_checksum_sees_every_number(csv: Path) -> None:
    checksums = {data_checksum(load_columns(csv))}
    for name in NAMES:
        changed = as_dict()
        changed[name] = np.array(changed[name], dtype=np.float64)
        changed[name][-1] += 60_000 if name == "timestamp" else 0.0
        if name != "timestamp":
            # The last candle is 102.5, 102.5, 90.01, 95, 3.00000001: each may move a little and stay a candle.
            changed[name][-1] += {"open": -0.01, "low": -0.01, "close": 0.01, "high": 0.01, "volume": 1e-8}[
                name
            ]
        checksums.add(load_market_data(changed).checksum)
    assert len(checksums) == len(NAMES) + 1


def test_market_trades_come_with_their_takers_and_ids(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-trades.csv", TRADES, TRADE_COLUMNS)
    columns = load_columns(path)
    assert isinstance(columns, TradeColumns)
    assert columns.takers.tolist() == [1, -1, 1]
    assert columns.prices.tolist() == [1001, 1002, 1000]
    of_dict = load_market_data(as_dict(TRADES, TRADE_NAMES))
    assert of_dict.checksum == load_market_data(path).checksum
    assert of_dict.gaps == ()


@pytest.mark.parametrize(
    "name", ["candles/BTCUSDT-1m-2018-02-irregular.parquet", "candles/XRPETH-1m-2019-10.parquet"]
)
def test_real_candles_are_those_that_are_played(name: str) -> None:
    """Row by row, decimal by decimal, off-minute times included; the first few thousand."""
    path = real(name)
    source = open_market(path)
    assert isinstance(source, CandleFile)
    loaded, played = load_candles(path).candles(), source.candles()
    assert list(islice(loaded, 3000)) == list(islice(played, 3000))


def test_real_market_trades_are_those_that_are_played() -> None:
    path = real("trades/BTCUSDT-trades-2024-08-08T2354.parquet")
    source, columns = open_market(path), load_columns(path)
    assert isinstance(source, TradeFile)
    assert isinstance(columns, TradeColumns)
    unit = 10**columns.price_places
    played = [(trade.timestamp, trade.price * unit, trade.side, trade.trade_id) for trade in source]
    takers = [Side.BUY if taker > 0 else Side.SELL for taker in columns.takers.tolist()]
    loaded = zip(
        columns.timestamps.tolist(), columns.prices.tolist(), takers, columns.ids.tolist(), strict=True
    )
    assert played == list(loaded)


def test_a_folder_of_the_data_folder_is_one_market(tmp_path: Path) -> None:
    span = Span(FEBRUARY - 30 * MINUTE, FEBRUARY + 30 * MINUTE)
    store = opened(tmp_path)
    store.add(SERIES, [Part(span, "x")], minutes(range(-30, 30), FEBRUARY))
    data = load_market_data(store.disk.folder_of(SERIES))
    assert (len(data.columns), data.symbol, data.gaps) == (60, "BTC/USDT", ())
    part = load_market_data(store.disk.folder_of(SERIES), span=Span(FEBRUARY, FEBRUARY + 5 * MINUTE))
    assert len(part.columns) == 5


def test_a_folder_of_two_markets_is_refused(csv: Path) -> None:
    write_csv(csv.with_name("ETHUSDT-1m-x.csv"), CANDLES)
    with pytest.raises(DataUnusable, match=r"several markets \(BTCUSDT-1m-x, ETHUSDT-1m-x\)"):
        load_market_data(csv.parent)


# --- refusing ----------------------------------------------------------------------------------------


def spoilt(row: int, column: int, value: object) -> list[Row]:
    rows = [list(candle) for candle in CANDLES]
    rows[row][column] = value
    return [tuple(candle) for candle in rows]


BAD = [
    spoilt(1, 2, "99"),
    spoilt(1, 1, "104"),
    spoilt(2, 4, "103"),
    spoilt(2, 5, "-1"),
    spoilt(0, 3, "0"),
    spoilt(0, 3, "nan"),
    spoilt(1, 4, "inf"),
    spoilt(1, 4, ""),
    spoilt(1, 0, START),
    spoilt(2, 0, START - MINUTE),
    spoilt(0, 0, START // 1000),
    spoilt(2, 0, START * 1000),
]


@pytest.mark.parametrize("rows", BAD)
def test_bad_rows_are_refused_in_the_words_of_the_files_that_are_played(
    rows: list[Row], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1m-x.csv", rows)
    with pytest.raises(DataUnusable) as played:
        open_market(path)
    with pytest.raises(DataUnusable) as loaded:
        load_market_data(path)
    assert str(loaded.value) == str(played.value)


@pytest.mark.parametrize(
    "source, complaint",
    [
        ({"timestamp": [START], "open": [1.0]}, "lack the column high, low, close, volume"),
        ({**as_dict(), "open": [1.0]}, "different lengths"),
        ({**as_dict(), "open": ["a", "b", "c"]}, "open holds something that is not a number"),
        ({**as_dict(), "timestamp": ["a", "b", "c"]}, "timestamp is no time"),
        ({name: values[:0] for name, values in as_dict().items()}, "holds no candles"),
        (as_dict(spoilt(1, 2, "99")), "the dict, row 2: high is below low"),
        (17, "a int is no market data"),
        ("nowhere.parquet", "there is no file nowhere.parquet"),
    ],
)
def test_what_is_no_market_data_is_refused_with_a_sentence(source: Any, complaint: str) -> None:
    with pytest.raises(DataUnusable, match=complaint):
        load_market_data(source)


def test_a_year_of_minutes_loads_well_within_a_second() -> None:
    """0.3 s on a quiet two-core machine; the limit here leaves room for a busy one."""
    path = real("candles/BTCUSDT-1m-2021.parquet")
    load_market_data(path)
    began = time.process_time()
    assert len(load_columns(path)) == 524_607
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("price", [4e-9, 1.23456e-7])
def test_prices_that_8_decimals_would_change_are_refused(price: float) -> None:
    """Neither rounded to another price nor to nothing; prices of 8 decimals are as good as any."""
    candles = {name: [price] for name in NAMES} | {"timestamp": [START], "volume": [1.5]}
    trades = {"timestamp": [START], "price": [price], "amount": [1.5], "side": ["buy"]}
    for source in (candles, trades):
        with pytest.raises(DataUnusable, match="needs more than 8 decimals"):
            load_columns(source)
    candles |= {name: [1.2e-7] for name in ("open", "high", "low", "close")}
    loaded = load_columns(candles)
    assert isinstance(loaded, CandleColumns)
    assert (loaded.candle(0).close, loaded.price_places) == (Decimal("0.00000012"), 8)


def test_data_that_are_shorter_than_was_asked_for_say_so(csv: Path) -> None:
    """Where they begin later or end earlier; not where the time asked for ends between two candles."""
    whole = Span(START, START + len(CANDLES) * MINUTE)
    for span in (whole, Span(0, 2**62), Span(whole.start - MINUTE + 1, whole.end + MINUTE - 1)):
        assert load_market_data(csv, span=span).notes == ()
    late, early = load_market_data(csv, span=Span(START - MINUTE, whole.end + MINUTE)).notes
    assert "the data begin 20" in late
    assert "the data end 20" in early
