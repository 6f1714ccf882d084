"""The exchange's bulk archive against a local server of its layout: what is sound is stored, the rest is named."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import stamina

from gridtide.domain.errors import Transient
from gridtide.market_data.archive import ArchiveSupplier
from gridtide.market_data.from_trades import TradesSupplier
from gridtide.market_data.gaps import GapPolicy
from gridtide.market_data.series import Span
from gridtide.market_data.store import candles_of
from tests.market_data.archive_server import (
    DAILY,
    DAILY_TRADES,
    MONTHLY,
    ArchiveServer,
    archive_server,
    kline_line,
    trade_line,
)
from tests.market_data.stored import (
    CANDLES,
    DAY,
    FEBRUARY,
    JANUARY,
    MARCH,
    MARKET_TRADES,
    MINUTE,
    NOW,
    download,
    opened,
)

TWO_MONTHS = Span(JANUARY, MARCH)


@pytest.fixture(autouse=True)
def _repeat_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
async def server() -> AsyncIterator[ArchiveServer]:
    async with archive_server() as running:
        yield running


@pytest.fixture
async def archive(server: ArchiveServer) -> AsyncIterator[ArchiveSupplier]:
    supplier = ArchiveSupplier(server.url, now=lambda: NOW, silence_seconds=0.15)
    yield supplier
    await supplier.close()


def month(start: int, end: int, unit: int = 1) -> list[str]:
    """Hourly rows are enough for a month of a test; they are what its candles are."""
    return [kline_line(at, unit=unit) for at in range(start, end, 60 * MINUTE)]


def put_two_months(server: ArchiveServer) -> None:
    server.put(MONTHLY.format("2021-01"), month(JANUARY, FEBRUARY))
    server.put(MONTHLY.format("2021-02"), month(FEBRUARY, MARCH))


async def test_months_are_stored_and_a_second_run_asks_for_nothing(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    put_two_months(server)
    first = await download(tmp_path, TWO_MONTHS, archive)
    assert (first.rows, first.new_rows, first.not_given, first.notes) == (59 * 24, 59 * 24, (), ())
    assert server.requests == 4  # two zips, two checksums
    server.seen.clear()
    second = await download(tmp_path, TWO_MONTHS, archive)
    assert server.requests == 0
    assert (second.rows, second.new_rows, second.checksum) == (first.rows, 0, first.checksum)


async def test_a_wrong_checksum_is_named_and_nothing_of_the_file_is_stored(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    put_two_months(server)
    server.files[MONTHLY.format("2021-01") + ".CHECKSUM"] = b"0" * 64 + b"  BTCUSDT-1m-2021-01.zip"
    report = await download(tmp_path, TWO_MONTHS, archive)
    assert report.rows == 28 * 24
    assert report.not_given == (Span(JANUARY, FEBRUARY),)
    assert "BTCUSDT-1m-2021-01.zip has another checksum than the archive states" in report.notes[0]


async def test_a_file_without_a_checksum_is_not_trusted(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    put_two_months(server)
    del server.files[MONTHLY.format("2021-02") + ".CHECKSUM"]
    report = await download(tmp_path, TWO_MONTHS, archive)
    assert report.not_given == (Span(FEBRUARY, MARCH),)
    assert "has no checksum beside it" in report.notes[0]


@pytest.mark.parametrize("spoil", ["truncated", "no zip", "words"])
async def test_a_damaged_zip_with_a_fitting_checksum_is_refused(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path, spoil: str
) -> None:
    put_two_months(server)
    path = MONTHLY.format("2021-01")
    match spoil:
        case "truncated":
            server.put_bytes(path, server.files[path][:-200])
        case "no zip":
            server.put_bytes(path, b"<html>this is no archive</html>")
        case _:
            server.put(path, ["some,words,that,are,no,candle", "1,2,3,4,5,x"])
    report = await download(tmp_path, TWO_MONTHS, archive)
    assert report.rows == 28 * 24
    assert report.not_given == (Span(JANUARY, FEBRUARY),)
    assert "BTCUSDT-1m-2021-01.zip" in report.notes[0]
    assert "nothing of it was stored" in report.notes[0]


async def test_a_broken_transfer_is_repeated(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    """A connection cut half-way and an overloaded server cost a repeat each, no data."""
    put_two_months(server)
    server.cut_short[MONTHLY.format("2021-01")] = 1
    server.unavailable[MONTHLY.format("2021-02")] = 1
    report = await download(tmp_path, TWO_MONTHS, archive)
    assert (report.rows, report.not_given) == (59 * 24, ())
    assert server.seen[MONTHLY.format("2021-01")] == 2


async def test_a_server_that_falls_silent_ends_with_a_sentence_and_what_came_before_is_kept(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    put_two_months(server)
    server.silent.add(MONTHLY.format("2021-02"))
    with (
        stamina.set_testing(True, attempts=1),
        pytest.raises(Transient, match=r"BTCUSDT-1m-2021-02\.zip to its end .* run the same command again"),
    ):
        await download(tmp_path, TWO_MONTHS, archive)
    server.silent.clear()
    server.seen.clear()
    report = await download(tmp_path, TWO_MONTHS, archive)
    assert report.not_given == ()
    assert MONTHLY.format("2021-01") not in server.seen


async def test_a_missing_month_is_taken_from_its_days_and_missing_days_are_named(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    server.put(MONTHLY.format("2021-01"), month(JANUARY, FEBRUARY))
    for day in (1, 2, 4):
        start = FEBRUARY + (day - 1) * DAY
        server.put(DAILY.format(f"2021-02-{day:02d}"), month(start, start + DAY))
    report = await download(tmp_path, Span(JANUARY, FEBRUARY + 4 * DAY), archive)
    assert report.rows == (31 + 3) * 24
    assert report.not_given == (Span(FEBRUARY + 2 * DAY, FEBRUARY + 3 * DAY),)


async def test_months_that_are_not_over_are_not_asked_for(server: ArchiveServer, tmp_path: Path) -> None:
    archive = ArchiveSupplier(server.url, now=lambda: FEBRUARY + DAY // 2)
    put_two_months(server)
    await download(tmp_path, TWO_MONTHS, archive, now=FEBRUARY + DAY // 2)
    await archive.close()
    assert set(server.seen) == {MONTHLY.format("2021-01"), MONTHLY.format("2021-01") + ".CHECKSUM"}


async def test_microseconds_and_a_line_of_names_are_understood(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    """As the archive writes its files from 2025 on."""
    names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker,taker_quote,ignore"
    server.put(MONTHLY.format("2021-01"), [names, *month(JANUARY, FEBRUARY, unit=1000)])
    report = await download(tmp_path, Span(JANUARY, FEBRUARY), archive)
    rows = opened(tmp_path).rows(CANDLES, Span(JANUARY, FEBRUARY))
    assert (report.rows, int(rows.timestamps[0])) == (31 * 24, JANUARY)


async def test_market_trades_come_by_days_with_their_takers(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    lines = [
        trade_line(7, JANUARY + 5, 100.1, 0.5, maker_bought=True),
        trade_line(8, JANUARY + 5, 100.2, 0.25, maker_bought=False),
    ]
    server.put(DAILY_TRADES.format("2021-01-01"), lines)
    await download(tmp_path, Span(JANUARY, JANUARY + DAY), archive, series=MARKET_TRADES)
    rows = opened(tmp_path).rows(MARKET_TRADES, Span(JANUARY, JANUARY + DAY))
    assert rows.columns["taker"].tolist() == [-1, 1]
    assert rows.columns["id"].tolist() == [7, 8]
    assert rows.columns["price"].tolist() == [100.1, 100.2]


async def test_a_gap_of_the_archive_is_named_and_never_filled(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    lines = [kline_line(JANUARY + number * MINUTE) for number in range(31 * 1440) if not 100 <= number < 103]
    server.put(MONTHLY.format("2021-01"), lines)
    report = await download(tmp_path, Span(JANUARY, FEBRUARY), archive, gaps=GapPolicy.REPAIR)
    assert [tuple(gap) for gap in report.gaps] == [(JANUARY + 100 * MINUTE, JANUARY + 103 * MINUTE, 3)]
    assert report.rows == 31 * 1440 - 3


async def test_a_gap_is_repaired_from_market_trades_which_stand_as_its_origin(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    """Minutes 100 and 102 had trades, minute 101 had none: it stays missing. A second run asks nobody."""
    span = Span(JANUARY, JANUARY + DAY)
    server.put(
        DAILY.format("2021-01-01"),
        [kline_line(JANUARY + number * MINUTE) for number in range(1440) if not 100 <= number < 103],
    )
    prices = (100.0, 102.0, 99.0, 101.0)
    lines = [
        trade_line(4 * minute + number, JANUARY + minute * MINUTE + number, price, 3.125, maker_bought=False)
        for minute in (100, 102)
        for number, price in enumerate(prices)
    ]
    server.put(DAILY_TRADES.format("2021-01-01"), lines)
    trades = TradesSupplier(archive)
    report = await download(tmp_path, span, archive, repairers=[trades], gaps=GapPolicy.REPAIR)
    assert [tuple(gap) for gap in report.gaps] == [(JANUARY + 101 * MINUTE, JANUARY + 102 * MINUTE, 1)]
    assert {part.origin for part in report.parts} == {"archive", "trades of archive"}
    assert server.seen[DAILY_TRADES.format("2021-01-01")] == 1
    rows = opened(tmp_path).rows(CANDLES, span)
    built, published = (list(candles_of(rows.within(one_minute(minute)))) for minute in (100, 103))
    assert replace(built[0], timestamp=published[0].timestamp) == published[0]
    server.seen.clear()
    again = await download(tmp_path, span, archive, repairers=[trades], gaps=GapPolicy.REPAIR)
    assert (server.requests, again.checksum) == (0, report.checksum)


def one_minute(number: int) -> Span:
    return Span(JANUARY + number * MINUTE, JANUARY + (number + 1) * MINUTE)


def files_below(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern))


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.market_data.stored import NOW, Span, download
from gridtide.market_data.archive import ArchiveSupplier
archive = ArchiveSupplier({url!r}, now=lambda: NOW)
asyncio.run(download(Path({folder!r}), Span({start}, {end}), archive))
"""


async def test_a_run_that_is_killed_goes_on_where_it_was(
    server: ArchiveServer, archive: ArchiveSupplier, tmp_path: Path
) -> None:
    """SIGKILL in the middle of the second file: the first is not asked for again, and no unfinished file is left."""
    put_two_months(server)
    second = MONTHLY.format("2021-02")
    server.silent.add(second)
    root = str(Path(__file__).parents[2])
    code = KILLED.format(root=root, url=server.url, folder=str(tmp_path), start=JANUARY, end=MARCH)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    async with asyncio.timeout(20):
        await server.fell_silent.wait()
    process.kill()
    await process.wait()
    server.silent.clear()
    server.seen.clear()
    report = await download(tmp_path, TWO_MONTHS, archive)
    assert set(server.seen) == {second, second + ".CHECKSUM"}
    assert (report.rows, report.new_rows) == (59 * 24, 28 * 24)
    assert files_below(tmp_path, "*.unfinished") == []
