"""Market files: read exactly, refused clearly, cheap in memory, left and taken up again."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.domain.market import Symbol
from gridtide.domain.order import Side
from gridtide.market_data.files import CandleFile, TradeFile, open_market, to_decimal
from gridtide.market_data.known_markets import market_of, symbol_of_name
from gridtide.market_data.source import MarketSource
from gridtide.price_path.candle_path import PathRule
from tests.market_data.writing import (
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

D = Decimal


def candle_file(path: Path) -> CandleFile:
    source = open_market(path)
    assert isinstance(source, CandleFile)
    return source


# --- reading -----------------------------------------------------------------------------------------


def test_candles_of_a_csv_file(tmp_path: Path) -> None:
    """Every digit arrives; a candle plays as four points that share its volume."""
    source = candle_file(write_csv(tmp_path / "BTCUSDT-1m-x.csv", CANDLES))
    first, second, third = source.candles()
    assert (first.timestamp, first.open, first.high) == (START, D("100.1"), D("102.25"))
    assert second.volume == 0
    assert third.volume == D("3.00000001")
    assert (source.extent.rows, source.timeframe_ms, source.gaps) == (3, MINUTE, ())
    points = list(source)
    assert [str(point.price) for point in points[:4]] == ["100.1", "99.5", "102.25", "101.0"]
    assert sum(point.volume for point in points) == D("15.50000001")
    assert len(points) == 12


@pytest.mark.parametrize(
    "timestamp",
    [
        f"{START}",
        f"{START}::DOUBLE",
        "TIMESTAMP '2021-01-01 00:00:00'",
        "TIMESTAMP_NS '2021-01-01 00:00:00'",
        "TIMESTAMP_S '2021-01-01 00:00:00'",
        "TIMESTAMPTZ '2021-01-01 01:00:00+01'",
        "DATE '2021-01-01'",
        "'2021-01-01 00:00:00'",
    ],
)
@pytest.mark.parametrize("type_", ["DOUBLE", "DECIMAL(20, 8)", "VARCHAR"])
def test_column_types(tmp_path: Path, timestamp: str, type_: str) -> None:
    """Integer ms and any timestamp type, floats and exact types give the same candle."""
    prices = ", ".join(
        f"'{value}'::{type_} AS {name}"
        for name, value in (
            ("open", "28923.63"),
            ("high", "28961.66"),
            ("low", "28913.12"),
            ("close", "28961.66"),
            ("volume", "27.457032"),
        )
    )
    path = write_parquet(tmp_path / "BTCUSDT-1m.parquet", f"SELECT {timestamp} AS timestamp, {prices}")
    (candle,) = candle_file(path).candles()
    assert candle.timestamp == START
    assert (candle.open, candle.high, candle.low) == (D("28923.63"), D("28961.66"), D("28913.12"))
    assert candle.volume == D("27.457032")


def test_market_trades(tmp_path: Path) -> None:
    """Each with its taker's side; equal times are fine, the file's order counts; without a column `id` none has one."""
    source = open_market(write_csv(tmp_path / "BTCUSDT-trades.csv", TRADES, TRADE_COLUMNS))
    assert isinstance(source, TradeFile)
    trades = list(source)
    assert [trade.price for trade in trades] == [D("100.1"), D("100.2"), D(100)]
    assert [trade.side for trade in trades] == [Side.BUY, Side.SELL, Side.BUY]
    assert [trade.timestamp - START for trade in trades] == [0, 0, 5]
    assert {trade.trade_id for trade in trades} == {0}


def test_the_path_rule_is_selectable(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", CANDLES)
    source = open_market(path, rule=PathRule.HIGH_FIRST)
    assert isinstance(source, CandleFile)
    prices = [str(point.price) for point in source]
    assert prices[:4] == ["100.1", "102.25", "99.5", "101.0"]


def test_gaps_are_noted(tmp_path: Path) -> None:
    """Nothing is invented for missing candles; where they are missing can be asked."""
    rows: list[Row] = [(START + minute * MINUTE, *CANDLES[0][1:]) for minute in (0, 1, 2, 5, 6)]
    source = candle_file(write_csv(tmp_path / "BTCUSDT-1m.csv", rows))
    assert source.gaps == ((START + 2 * MINUTE, START + 5 * MINUTE),)
    assert len(list(source)) == 20


@pytest.mark.parametrize("name, timeframe_ms", [("BTCUSDT-1h.csv", 3_600_000), ("BTCUSDT.csv", MINUTE)])
def test_a_single_candle_tells_its_timeframe_by_name(tmp_path: Path, name: str, timeframe_ms: int) -> None:
    assert candle_file(write_csv(tmp_path / name, CANDLES[:1])).timeframe_ms == timeframe_ms


@given(units=st.integers(1, 10**15))
def test_floats_give_back_the_exchanges_decimal(units: int) -> None:
    """A decimal of at most 8 places survives the way through a double (16 digits and less)."""
    exact = D(units) / 10**8
    assert to_decimal(float(exact)) == exact


def test_noise_of_binary_floats_is_cut() -> None:
    """0.1 + 0.2 is 0.3 for an exchange."""
    assert to_decimal(0.1 + 0.2) == D("0.3")
    assert to_decimal(1e-08) == D("0.00000001")
    assert to_decimal("27.457032") == D("27.457032")


# --- refusing ----------------------------------------------------------------------------------------


def spoilt(row: int, column: int, value: object) -> list[Row]:
    rows = [list(candle) for candle in CANDLES]
    rows[row][column] = value
    return [tuple(candle) for candle in rows]


@pytest.mark.parametrize(
    "rows, complaint",
    [
        (spoilt(1, 2, "99"), "row 2: high is below low"),
        (spoilt(1, 1, "104"), "row 2: open is not between low and high"),
        (spoilt(2, 4, "103"), "row 3: close is not between low and high"),
        (spoilt(2, 5, "-1"), "row 3: volume is negative"),
        (spoilt(0, 3, "0"), "row 1: a price is not above zero"),
        (spoilt(0, 3, "nan"), "row 1: low is not a number"),
        (spoilt(1, 4, "inf"), "row 2: close is not a number"),
        (spoilt(1, 4, ""), "row 2: close is not a number"),
        (spoilt(1, 4, "abc"), "row 2: close is not a number"),
        (spoilt(1, 0, START), "row 2: its time is not after the row before"),
        (spoilt(2, 0, START - MINUTE), "row 3: its time is not after the row before"),
        (spoilt(0, 0, START // 1000), "row 1: timestamp looks like seconds"),
        (spoilt(2, 0, START * 1000), "row 3: timestamp looks like microseconds"),
        (spoilt(1, 0, "yesterday"), "timestamp is no time"),
        ([], "holds no candles"),
    ],
)
def test_bad_candles(tmp_path: Path, rows: list[Row], complaint: str) -> None:
    """The first bad row is named, with what is wrong and what to do."""
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", rows)
    with pytest.raises(DataUnusable, match=f"{path.name}.*{complaint}"):
        open_market(path)


@pytest.mark.parametrize(
    "row, complaint",
    [
        ((START, "0", "1", "buy"), "price is not above zero"),
        ((START, "1", "0", "buy"), "amount is not above zero"),
        ((START, "1", "1", "long"), "side is neither buy nor sell"),
        ((START - 1, "1", "1", "buy"), "its time is before the row before"),
    ],
)
def test_bad_trades(tmp_path: Path, row: Row, complaint: str) -> None:
    path = write_csv(tmp_path / "BTCUSDT-trades.csv", [TRADES[0], row], TRADE_COLUMNS)
    with pytest.raises(DataUnusable, match=f"row 2: {complaint}"):
        open_market(path)


def test_missing_columns(tmp_path: Path) -> None:
    """The sentence says what is needed and what is there."""
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", [(START, "1")], "timestamp, open")
    with pytest.raises(
        DataUnusable, match=r"lacks the column high, low, close, volume.*it has timestamp, open"
    ):
        open_market(path)
    path = write_csv(tmp_path / "BTCUSDT-trades.csv", [(START, "1")], "timestamp, price")
    with pytest.raises(DataUnusable, match="lacks the column amount, side: market trades need"):
        open_market(path)


@pytest.mark.parametrize(
    "columns, told",
    [
        ("open_time,open,high,low,close,volume", "rename open_time to timestamp"),
        ("Date,Open,High,Low,Close,Vol", "rename date to timestamp, vol to volume"),
        (
            "1609459200000,28923.63,29000,28900,28950,12.5",
            "above it, such as timestamp,open,high,low,close,volume",
        ),
        ("1609459200000,1,1,1,1,1", "its first line holds numbers and no names"),
        ("timestamp,open,high,low,close", "lacks the column volume.*rename or add what is missing"),
        ("time,price,qty,side", "market trades need.*rename time to timestamp, qty to amount"),
    ],
)
def test_columns_of_other_names(tmp_path: Path, columns: str, told: str) -> None:
    """What exchanges and other programs write is named with what to do about it; so are files without a header."""
    values = [(START, *[str(number) for number in range(1, columns.count(",") + 1)])]
    with pytest.raises(DataUnusable, match=told):
        open_market(write_csv(tmp_path / "BTCUSDT-1m.csv", values, columns))


def test_files_that_are_none(tmp_path: Path) -> None:
    """Absent, a folder, empty, garbage, cut short, of an unknown kind: one sentence each."""
    with pytest.raises(DataUnusable, match="there is no file"):
        open_market(tmp_path / "absent.parquet")
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(DataUnusable, match="is not a file"):
        open_market(tmp_path / "folder.parquet")
    for name, content, complaint in (
        ("BTCUSDT.parquet", b"", "is empty"),
        ("BTCUSDT.parquet", b"not parquet at all" * 10, "cannot be read"),
        ("BTCUSDT.csv", bytes(range(256)) * 20, ""),
        ("BTCUSDT.xlsx", b"PK", "neither .parquet nor .csv"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DataUnusable, match=f"{name}.*{complaint}"):
            open_market(path)


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_file_cut_short(tmp_path: Path, keep: float) -> None:
    whole = write_parquet(tmp_path / "BTCUSDT-1m.parquet", _many_candles(20_000))
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(DataUnusable, match="cannot be read"):
        open_market(whole)


def test_damage_inside_a_file(tmp_path: Path) -> None:
    """A page that does not unpack is found when the file is opened, before anything is placed."""
    whole = write_parquet(tmp_path / "BTCUSDT-1m.parquet", _many_candles(20_000))
    data = bytearray(whole.read_bytes())
    data[1000:3000] = bytes(2000)
    whole.write_bytes(data)
    with pytest.raises(DataUnusable):
        open_market(whole)


def _many_candles(rows: int) -> str:
    return (
        f"SELECT {START} + i * {MINUTE} AS timestamp, 100.0 + random() AS open, 102.0 AS high, 99.0 AS low, "
        f"100.0 + random() AS close, random() AS volume FROM range({rows}) t(i)"
    )


# --- the market --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, symbol",
    [
        ("BTCUSDT-1m-2021.parquet", "BTC/USDT"),
        ("BTCUSDT.csv", "BTC/USDT"),
        ("XRPETH-1m-2019-10.parquet", "XRP/ETH"),
        ("XRP_ETH-1m.csv", "XRP/ETH"),
        ("btc-usdt-1h.csv", "BTC/USDT"),
        ("ETHBTC-trades.csv", "ETH/BTC"),
        ("1000SATSUSDT-1m.csv", "1000SATS/USDT"),
    ],
)
def test_symbols_from_file_names(name: str, symbol: str) -> None:
    assert symbol_of_name(name) == symbol


def test_a_name_that_tells_nothing(tmp_path: Path) -> None:
    """The market can be named instead."""
    path = write_csv(tmp_path / "prices.csv", CANDLES)
    with pytest.raises(DataUnusable, match=r"prices\.csv does not tell its market"):
        open_market(path)
    assert open_market(path, Symbol("ABC/USDT")).market.symbol == "ABC/USDT"
    with pytest.raises(DataUnusable, match="names no market"):
        open_market(path, Symbol("ABC"))


def test_rules_of_known_and_unknown_markets() -> None:
    """Known: the exchange's tick and lot. Unknown: as fine as the numbers seen. Never coarser than the data."""
    bitcoin = market_of(Symbol("BTC/USDT"), [D("40000.1")], [D(1)]).rules
    assert (bitcoin.tick_size, bitcoin.lot_size, bitcoin.min_notional) == (D("0.01"), D("0.00001"), D(5))
    finer = market_of(Symbol("SUI/USDT"), [D("0.123456")], [D(1)]).rules
    assert (finer.tick_size, finer.lot_size) == (D("0.000001"), D("0.1"))
    unknown = market_of(Symbol("ABC/USDT"), [D("1.50"), D("7.125")], [D("3.0")]).rules
    assert (unknown.tick_size, unknown.lot_size, unknown.min_notional) == (D("0.001"), D(1), D(5))
    assert market_of(Symbol("ABC/BTC")).rules.min_notional == D("0.0001")


def test_bounds_of_an_unknown_market_leave_room_for_lira_and_for_billions() -> None:
    lira = market_of(Symbol("BTC/TRY"), [D(3_000_000)], [D("0.00001")]).rules
    assert lira.max_price is not None
    assert lira.max_price > 30_000_000
    tiny = market_of(Symbol("PEPE/USDT"), [D("0.00000712")], [D(1)]).rules
    assert tiny.max_amount is not None
    assert tiny.max_amount > 10**9
    assert market_of(Symbol("BTC/USDT")).rules.max_price == 1_000_000


# --- leaving and coming back -------------------------------------------------------------------------


@pytest.mark.parametrize("played", [0, 1, 3, 4, 5, 11, 12])
def test_a_candle_file_goes_on_after_any_point(tmp_path: Path, played: int) -> None:
    """Position and seek meet at the very next point, in the middle of a candle too."""
    path = write_csv(tmp_path / "BTCUSDT-1m.csv", CANDLES)
    whole = list(open_market(path))
    first = open_market(path)
    for _ in range(played):
        next(first)
    second = open_market(path)
    second.seek(first.position())
    assert second.position() == first.position()
    assert list(second) == whole[played:]


def test_a_trade_file_goes_on(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTCUSDT-trades.csv", TRADES, TRADE_COLUMNS)
    first, second = open_market(path), open_market(path)
    next(first)
    second.seek(first.position())
    assert list(second) == list(first)


def test_a_position_of_another_file_is_refused(tmp_path: Path) -> None:
    one = open_market(write_csv(tmp_path / "BTCUSDT-1m.csv", CANDLES))
    other = open_market(write_csv(tmp_path / "ETHUSDT-1m.csv", CANDLES))
    with pytest.raises(InvalidInput, match=r"belongs to ETHUSDT-1m\.csv"):
        one.seek(other.position())


def test_files_are_sources(tmp_path: Path) -> None:
    assert isinstance(open_market(write_csv(tmp_path / "BTCUSDT-1m.csv", CANDLES)), MarketSource)


# --- real files --------------------------------------------------------------------------------------


def test_a_real_year_of_minutes() -> None:
    """The year 2021 of BTC/USDT: rows and gaps as its README states them."""
    source = candle_file(real("candles/BTCUSDT-1m-2021.parquet"))
    assert source.extent.rows == 524_607
    missing = [(gap.before - gap.after) // MINUTE - 1 for gap in source.gaps]
    assert missing == [79, 90, 150, 284, 270, 120]
    assert source.market.rules.tick_size == D("0.01")
    assert next(source).price == D("28923.63")


def test_real_market_trades() -> None:
    """With the ids they had."""
    source = open_market(real("trades/BTCUSDT-trades-2024-08-08T2354.parquet"))
    assert isinstance(source, TradeFile)
    trades = list(source)
    assert len(trades) == 19_904
    assert {trade.side for trade in trades} == set(Side)
    ids = [trade.trade_id for trade in trades]
    assert ids[0] == 3_735_683_259
    assert ids == sorted(set(ids))


def test_a_year_of_minutes_is_cheap_in_memory() -> None:
    """Playing half a million candles costs some 70 MB, 30 of them for starting DuckDB (Linux)."""
    path = real("candles/BTCUSDT-1m-2021.parquet")
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc")
    program = (
        "import sys\n"
        "from gridtide.market_data.files import open_market\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6\n"
        "before = resident()\n"
        "source = open_market(sys.argv[1])\n"
        "source.seek(source.position() | {'row': 400_000})\n"
        "most = max(resident() for count, _ in enumerate(source) if count % 10_000 == 0)\n"
        "print(most - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 90
