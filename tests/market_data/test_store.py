"""The layers: what was stored comes back, whole files or none, one writer at a time, little kept in memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.candle import Candle
from gridtide.domain.errors import DataUnusable, InvalidInput, StorageFailed
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.market_data import parquet_file
from gridtide.market_data.block import Block, block_of_candles, joined, make_block
from gridtide.market_data.disk_layer import pages_of
from gridtide.market_data.file_table import FileKind
from gridtide.market_data.files import CandleFile, TradeFile, open_market
from gridtide.market_data.memory_layer import MemoryLayer
from gridtide.market_data.parquet_file import Part
from gridtide.market_data.series import Series, Span, merged, without
from tests.market_data.stored import (
    CANDLES,
    DAY,
    FEBRUARY,
    JANUARY,
    MARKET_TRADES,
    MINUTE,
    minutes,
    opened,
    span_of,
)

HOUR_AROUND_FEBRUARY = Span(FEBRUARY - 30 * MINUTE, FEBRUARY + 30 * MINUTE)

spans = st.builds(lambda start, length: Span(start, start + length), st.integers(0, 60), st.integers(0, 15))


def times(block: Block) -> list[int]:
    return [(int(at) - JANUARY) // MINUTE for at in block.timestamps]


# --- time --------------------------------------------------------------------------------------------


@given(wanted=spans, covered=st.lists(spans, max_size=6))
def test_what_is_missing_is_what_no_span_covers(wanted: Span, covered: list[Span]) -> None:
    """Against the plain way: one moment after the other."""
    moments = set(range(*wanted)) - {moment for span in covered for moment in range(*span)}
    rest = without(wanted, covered)
    assert {moment for span in rest for moment in range(*span)} == moments
    assert merged(rest) == rest


def test_pages_are_months_of_candles_and_days_of_market_trades() -> None:
    span = Span(FEBRUARY - 1, FEBRUARY + 1)
    assert [page.name for page in pages_of(CANDLES, span)] == [
        "BTCUSDT-1m-2021-01.parquet",
        "BTCUSDT-1m-2021-02.parquet",
    ]
    assert [page.name for page in pages_of(MARKET_TRADES, span)] == [
        "BTCUSDT-trades-2021-01-31.parquet",
        "BTCUSDT-trades-2021-02-01.parquet",
    ]


@pytest.mark.parametrize(
    "exchange, symbol", [("../up", "BTC/USDT"), ("binance", "../..//"), ("binance", "BTC")]
)
def test_no_name_leads_out_of_the_folder(exchange: str, symbol: str) -> None:
    with pytest.raises(InvalidInput):
        Series(exchange, Symbol(symbol))


# --- rows --------------------------------------------------------------------------------------------


def test_disorder_and_duplicates_become_order_and_the_later_word_counts() -> None:
    block = joined(FileKind.CANDLES, [minutes([5, 3], price=100.0), minutes([4, 3], price=200.0)])
    assert times(block) == [3, 4, 5]
    assert block.columns["open"].tolist() == [200.0, 200.0, 100.0]


def test_market_trades_are_each_kept_once_and_those_without_an_id_all() -> None:
    def trades(*rows: tuple[int, float, int]) -> Block:
        at, prices, ids = zip(*rows, strict=True)
        same = {"amount": [1.0] * len(rows), "taker": [1] * len(rows)}
        return make_block(FileKind.TRADES, {"timestamp": at, "price": prices, "id": ids, **same})

    both = joined(FileKind.TRADES, [trades((5, 2.0, 8), (5, 1.0, 7)), trades((5, 2.0, 8), (6, 3.0, 9))])
    assert both.columns["id"].tolist() == [7, 8, 9]
    nameless = joined(FileKind.TRADES, [trades((5, 2.0, 0), (5, 2.0, 0)), trades((5, 1.0, 0))])
    assert nameless.columns["price"].tolist() == [2.0, 2.0, 1.0]


# --- files -------------------------------------------------------------------------------------------


def test_rows_come_back_over_the_end_of_a_month_and_say_where_they_are_from(tmp_path: Path) -> None:
    rows = minutes(range(-30, 30), FEBRUARY)
    opened(tmp_path).add(CANDLES, [Part(HOUR_AROUND_FEBRUARY, "somebody")], rows)
    store = opened(tmp_path)
    assert store.rows(CANDLES, HOUR_AROUND_FEBRUARY).checksum() == rows.checksum()
    assert store.missing(CANDLES, Span(HOUR_AROUND_FEBRUARY.start - 1, FEBRUARY)) == (
        Span(HOUR_AROUND_FEBRUARY.start - 1, HOUR_AROUND_FEBRUARY.start),
    )
    assert {part.origin for part in store.parts(CANDLES, HOUR_AROUND_FEBRUARY)} == {"somebody"}
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


def test_open_times_off_the_minute_stay_as_they_are(tmp_path: Path) -> None:
    rows = minutes(range(10), JANUARY + 14_789)
    opened(tmp_path).add(CANDLES, [Part(span_of(0, 11), "x")], rows)
    assert opened(tmp_path).rows(CANDLES, span_of(0, 11)).timestamps[0] == JANUARY + 14_789


def test_a_time_without_any_candle_is_known_to_be_empty(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 60), "x")], minutes([]))
    assert store.missing(CANDLES, span_of(0, 60)) == ()
    assert len(store.rows(CANDLES, span_of(0, 60))) == 0


def test_new_rows_take_the_place_of_old_ones_and_repairs_do_not(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 10), "x")], minutes([0, 1, 2, 5], price=100.0))
    store.add(CANDLES, [Part(span_of(1, 3), "y")], minutes([1, 3], price=200.0))
    assert times(store.rows(CANDLES, span_of(0, 10))) == [0, 1, 3, 5]
    store.add(CANDLES, [Part(span_of(0, 6), "z")], minutes([0, 4], price=300.0), repairs=True)
    rows = store.rows(CANDLES, span_of(0, 10))
    assert times(rows) == [0, 1, 3, 4, 5]
    assert rows.columns["open"].tolist() == [100.0, 200.0, 200.0, 300.0, 100.0]


def test_each_file_is_a_market_file_of_its_own(tmp_path: Path) -> None:
    """What is stored can be played, and read by any tool."""
    trades = make_block(
        FileKind.TRADES,
        {"timestamp": [JANUARY], "price": [1.5], "amount": [2.0], "taker": [-1], "id": [7]},
    )
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 5), "x")], minutes(range(5)))
    store.add(MARKET_TRADES, [Part(span_of(0, 5), "x")], trades)
    candles = open_market(tmp_path / "binance/BTC-USDT/1m/BTCUSDT-1m-2021-01.parquet")
    played = open_market(tmp_path / "binance/BTC-USDT/trades/BTCUSDT-trades-2021-01-01.parquet")
    assert isinstance(candles, CandleFile)
    assert (candles.extent.rows, candles.market.symbol) == (5, "BTC/USDT")
    assert isinstance(played, TradeFile)
    (trade,) = played
    assert (trade.side, trade.trade_id) == ("SELL", 7)


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "changed"])
def test_a_damaged_file_is_refused_and_left(tmp_path: Path, damage: str) -> None:
    opened(tmp_path).add(CANDLES, [Part(span_of(0, 500), "x")], minutes(range(500)))
    (path,) = tmp_path.rglob("*.parquet")
    content = bytearray(path.read_bytes())
    match damage:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "flipped":
            content[len(content) // 3] ^= 1
            path.write_bytes(content)
        case "foreign":
            duckdb.execute(f"COPY (SELECT 1 AS one) TO '{path}' (FORMAT parquet)")
        case _:
            metadata = "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE key = 'gridtide'::BLOB"
            ((told,),) = duckdb.execute(metadata, [str(path)]).fetchall()
            duckdb.execute(
                f"COPY (SELECT * REPLACE (volume * 2 AS volume) FROM read_parquet('{path}')) TO '{path}' "
                f"(FORMAT parquet, KV_METADATA {{gridtide: '{told}'}})"
            )
    before = path.read_bytes()
    with pytest.raises(DataUnusable, match=r"cannot be used .* remove it and download again"):
        opened(tmp_path).rows(CANDLES, span_of(0, 500))
    assert path.read_bytes() == before


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up, or the process dies, before the rename: the old file stays, and the next write clears up."""
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 5), "x")], minutes(range(5)))

    def fails(_path: Path, _flags: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(parquet_file, "_flush", fails)
        with pytest.raises(StorageFailed, match=r"No space left .* what was stored before is untouched"):
            store.add(CANDLES, [Part(span_of(5, 5), "x")], minutes(range(5, 10)))
    assert times(opened(tmp_path).rows(CANDLES, span_of(0, 10))) == list(range(5))
    assert len(list(tmp_path.rglob("*.unfinished"))) == 1
    store.add(CANDLES, [Part(span_of(5, 5), "x")], minutes(range(5, 10)))
    assert len(store.rows(CANDLES, span_of(0, 10))) == 10
    assert list(tmp_path.rglob("*.unfinished")) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "binance").write_text("a file in the way")
    with pytest.raises(InvalidInput, match=r"cannot be written .* data\.folder"):
        opened(tmp_path).add(CANDLES, [Part(span_of(0, 5), "x")], minutes(range(5)))


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.market_data.stored import CANDLES, minutes, opened, span_of
from gridtide.market_data.parquet_file import Part
store = opened(Path({folder!r}))
print("ready", flush=True)
sys.stdin.readline()
for number in range({first}, 24, 2):
    store.add(CANDLES, [Part(span_of(number, 1), "x")], minutes([number]))
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each adds every other minute to the same file; without the lock they would overwrite each other's rows."""
    root = str(Path(__file__).parents[2])
    codes = [WRITER.format(root=root, folder=str(tmp_path), first=first) for first in (0, 1)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for code in codes
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.communicate("go\n")
    assert [process.returncode for process in running] == [0, 0]
    store = opened(tmp_path)
    assert times(store.rows(CANDLES, span_of(0, 24))) == list(range(24))
    assert store.missing(CANDLES, span_of(0, 24)) == ()


# --- memory ------------------------------------------------------------------------------------------


def test_a_second_reading_comes_from_memory_until_the_file_changes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 5), "x")], minutes(range(5)))
    first = store.rows(CANDLES, span_of(0, 5))
    second = store.rows(CANDLES, span_of(0, 5))
    assert np.shares_memory(first.timestamps, second.timestamps)
    opened(tmp_path).add(CANDLES, [Part(span_of(5, 5), "x")], minutes(range(5, 10)))
    assert len(store.rows(CANDLES, span_of(0, 10))) == 10


def test_blocks_in_memory_cannot_be_changed(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 5), "x")], minutes(range(5)))
    with pytest.raises(ValueError, match="read-only"):
        store.rows(CANDLES, span_of(0, 5)).columns["open"][0] = 1.0


@given(keys=st.lists(st.integers(0, 5), max_size=40))
def test_the_memory_stays_within_its_bytes_and_forgets_the_one_used_longest_ago(keys: list[int]) -> None:
    block = minutes(range(10))
    memory = MemoryLayer[int](3 * block.size)
    model: list[int] = []
    for key in keys:
        assert (memory.get(key) is not None) == (key in model)
        memory.put(key, block)
        model = [*(each for each in model if each != key), key][-3:]
        assert memory.size == len(model) * block.size
    assert all(memory.get(key) is not None for key in model)


def test_a_block_larger_than_the_memory_is_not_kept() -> None:
    memory = MemoryLayer[str](100)
    memory.put("large", minutes(range(1000)))
    assert (memory.get("large"), memory.size) == (None, 0)


def test_series_of_other_exchanges_and_timeframes_stand_apart(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(CANDLES, [Part(span_of(0, 5), "x")], minutes(range(5)))
    for other in (replace(CANDLES, exchange="kraken"), replace(CANDLES, timeframe="5m"), MARKET_TRADES):
        assert store.missing(other, Span(JANUARY, JANUARY + DAY)) == (Span(JANUARY, JANUARY + DAY),)


def test_a_price_that_a_file_could_not_give_back_is_refused() -> None:
    """Sixteen digits and more: no exchange has them, but none would be rounded in silence."""
    one = Price(Decimal("0.12345678901234567891"))
    with pytest.raises(DataUnusable, match="more digits than a market file keeps"):
        block_of_candles([Candle(Timestamp(JANUARY), one, one, one, one, Amount(Decimal(1)))])
