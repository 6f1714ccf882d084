"""Captures of an order book as sources: aligned by update ids, left and taken up again, refused clearly."""

import json
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path

import pytest

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.domain.market import Symbol
from gridtide.domain.order import Side
from gridtide.market_data.capture import CaptureFile
from gridtide.market_data.files import open_market
from gridtide.market_data.source import MarketMoment, MarketSource, time_of
from tests.market_data.captures import START, difference, line, snapshot, ticker, trade, write
from tests.market_data.writing import real

D = Decimal

FIRST = (
    difference(90, 95, 0),
    trade(1, 10),
    difference(96, 103, 100, [["98.00", "1"]]),
    snapshot(100),
    ticker(103),
    trade(2, 90),
    b"\n",
    line({"result": None, "id": 1}),
    difference(104, 105, 200, [["100.00", "0"]], [["101.00", "3.5"]]),
)
SECOND = (
    difference(106, 110, 300),
    trade(3, 310, "101.00", "0.25", buyer_is_maker=False),
)


def words(moments: list[MarketMoment]) -> list[str]:
    """What comes, in short, with the time since the start."""
    short = []
    for moment in moments:
        match moment:
            case DepthUpdate(is_snapshot=True):
                word = f"snapshot {moment.last_update_id}"
            case DepthUpdate():
                word = f"depth {moment.first_update_id}-{moment.last_update_id}"
            case MarketTrade():
                word = f"trade {moment.trade_id}"
            case _:
                word = "point"
        short.append(f"{word} @{time_of(moment) - START}")
    return short


PLAYED = [
    "snapshot 100 @100",
    "depth 96-103 @100",
    "trade 2 @100",
    "depth 104-105 @200",
    "depth 106-110 @300",
    "trade 3 @310",
]


def both(folder: Path) -> list[Path]:
    return [
        write(folder / "BTCUSDT-ws-1.jsonl.gz", *FIRST),
        write(folder / "BTCUSDT-ws-2.jsonl", *SECOND),
    ]


def test_what_a_capture_plays(tmp_path: Path) -> None:
    """From the snapshot on, with what came before it and follows it; times never decrease; several files are one."""
    source = open_market(both(tmp_path))
    assert isinstance(source, MarketSource)
    moments = list(source)
    assert words(moments) == PLAYED
    assert moments[3] == DepthUpdate(
        104, 105, ((D("100.00"), D(0)),), ((D("101.00"), D("3.5")),), time_of(moments[3])
    )
    last = moments[-1]
    assert isinstance(last, MarketTrade)
    assert (last.price, last.amount, last.side) == (D(101), D("0.25"), Side.BUY)
    assert source.market.symbol == "BTC/USDT"


def test_a_folder_of_captures(tmp_path: Path) -> None:
    both(tmp_path)
    assert words(list(open_market(tmp_path, Symbol("BTC/USDT")))) == PLAYED


@pytest.mark.parametrize("played", range(len(PLAYED) + 1))
def test_it_goes_on_after_any_moment(tmp_path: Path, played: int) -> None:
    """In the middle of what a snapshot sets free, too."""
    first, second = open_market(both(tmp_path)), open_market(both(tmp_path))
    for _ in range(played):
        next(first)
    second.seek(json.loads(json.dumps(first.position())))
    assert second.position() == first.position()
    assert words(list(second)) == PLAYED[played:]


def test_a_position_of_another_capture_is_refused(tmp_path: Path) -> None:
    whole = open_market(both(tmp_path))
    one = open_market(tmp_path / "BTCUSDT-ws-1.jsonl.gz")
    with pytest.raises(InvalidInput, match=r"belongs to BTCUSDT-ws-1\.jsonl\.gz, BTCUSDT-ws-2\.jsonl"):
        one.seek(whole.position())


def test_a_gap_waits_for_the_next_snapshot(tmp_path: Path) -> None:
    """Nothing is played meanwhile; position and seek hold across it; a snapshot that nobody needs is passed over."""
    lines = (
        snapshot(100),
        difference(101, 102, 0),
        snapshot(50),
        difference(105, 106, 100),
        trade(8, 110),
        snapshot(103),
        snapshot(104),
        difference(107, 108, 200),
    )
    path = write(tmp_path / "BTCUSDT.jsonl", *lines)
    expected = ["snapshot 100", "depth 101-102", "snapshot 104", "depth 105-106", "depth 107-108"]
    whole = list(open_market(path))
    assert [word.split(" @")[0] for word in words(whole)] == expected
    for played in range(len(expected)):
        first, second = open_market(path), open_market(path)
        list(islice(first, played))
        second.seek(first.position())
        assert list(second) == whole[played:]


def test_messages_of_other_markets_are_passed_over(tmp_path: Path) -> None:
    other = trade(5, 0).replace(b"BTCUSDT", b"ETHUSDT")
    path = write(tmp_path / "BTCUSDT.jsonl", snapshot(1), other, trade(6, 1))
    assert words(list(open_market(path))) == [f"snapshot 1 @{0}", "trade 6 @1"]


@pytest.mark.parametrize(
    "broken",
    [
        b"not a line\n",
        b"17000000000 {not json}\n",
        b"17000000000 [1, 2]\n",
        trade(1, 0, price="abc"),
        trade(1, 0, amount="-1"),
        trade(1, 0).replace(b'"1"', b"1.5"),
        difference(2, 3, 0, [["1"]]),
        difference(2, 3, 0).replace(b'"U":2,', b""),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: bytes) -> None:
    """With its file and number, when it is reached; what came before was played."""
    source = open_market(write(tmp_path / "BTCUSDT.jsonl", snapshot(1), b"\n", broken))
    next(source)
    with pytest.raises(
        DataUnusable, match=r"BTCUSDT\.jsonl, line 3 is no captured message .*capture it again"
    ):
        next(source)


def test_a_capture_cut_short(tmp_path: Path) -> None:
    path = write(
        tmp_path / "BTCUSDT.jsonl.gz", snapshot(1), *(trade(number, number) for number in range(5000))
    )
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataUnusable, match=r"BTCUSDT\.jsonl\.gz cannot be read after line \d+"):
        list(open_market(path))
    path.write_bytes(b"no gzip at all")
    with pytest.raises(DataUnusable, match="cannot be read after line 0"):
        open_market(path)


def test_a_capture_without_a_snapshot(tmp_path: Path) -> None:
    """Found when it is opened; a gap at the end is told there."""
    for lines in ((), (trade(1, 0),), (difference(1, 2, 0),)):
        path = write(tmp_path / "BTCUSDT.jsonl", *lines)
        with pytest.raises(
            DataUnusable, match=r"has no snapshot of the order book.*name the capture that comes before"
        ):
            open_market(path)
    path = write(tmp_path / "BTCUSDT.jsonl", snapshot(1), difference(5, 6, 0))
    with pytest.raises(DataUnusable, match="line 2: after update 1 comes 5, and no snapshot follows"):
        list(open_market(path))


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    capture = write(tmp_path / "BTCUSDT.jsonl", snapshot(1))
    for paths, complaint in (
        ([tmp_path / "absent.jsonl.gz"], "there is no file"),
        ([capture, tmp_path / "BTCUSDT.csv"], "there is no file"),
        ([tmp_path / "BTCUSDT.csv", capture], "only captures"),
        ([], "no market file is named"),
    ):
        with pytest.raises(DataUnusable, match=complaint):
            open_market(paths)


def test_the_real_capture() -> None:
    """Both files of 2024-08-08, as their README counts them: 6,495 differences, all trades after the snapshot."""
    files = [real(f"l2/BTCUSDT-ws-2024-08-0{day}.jsonl.gz") for day in (8, 9)]
    source = open_market(files)
    assert isinstance(source, CaptureFile)
    assert (source.market.rules.tick_size, source.market.rules.lot_size) == (D("0.01"), D("0.00001"))
    moments = list(source)
    updates = [moment for moment in moments if isinstance(moment, DepthUpdate)]
    assert len(updates) == 1 + 6495 - 2, "all but the two before the snapshot, and the snapshot"
    assert all(later.first_update_id == before.last_update_id + 1 for before, later in pairwise(updates[1:]))
    times = [time_of(moment) for moment in moments]
    assert times == sorted(times)
