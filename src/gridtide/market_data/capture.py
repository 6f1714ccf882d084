"""Raw captures of an exchange's market streams as a source: order book differences and trades, as they came.

A line is ``<time of receipt, ns> <message>``: combined-stream messages of ``depth`` and ``trade`` and, once at least,
the answer to a REST depth request. Only what follows a snapshot without a gap is played.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import orjson

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.market_data.known_markets import market_of, symbol_of_name

if TYPE_CHECKING:
    from gridtide.domain.market import Market
    from gridtide.market_data.source import MarketMoment

Row = Mapping[str, Any]
Levels = tuple[tuple[Decimal, Decimal], ...]

SUFFIXES = (".jsonl.gz", ".jsonl")
_SKIPPED = b'@bookTicker"'
"""The best prices follow from the book; most lines are of this kind, so they are not even parsed."""
_PREFIX = 120
_WAITING = 5_000
"""Differences kept while a snapshot is waited for: some minutes."""


def is_capture(path: Path) -> bool:
    """Whether the name is that of a capture, or of a folder that holds some."""
    return path.name.endswith(SUFFIXES) or (path.is_dir() and bool(captures_in(path)))


def captures_in(folder: Path) -> list[Path]:
    """The captures of a folder by name, which must be their order in time."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES))


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading can start again: lines read of a file, the update id the book stood at (0: no book yet) and the
    time; and how many moments have been handed out since."""

    file: int = 0
    line: int = 0
    update_id: int = 0
    time: int = 0
    handed_out: int = 0


class _Book:
    """What the reader knows of the book. Where it has none, or a gap, differences wait for a snapshot."""

    def __init__(self, place: Place) -> None:
        self.update_id = place.update_id
        self.time = place.time
        self.waiting: list[DepthUpdate] | None = None if place.update_id else []
        self.missing = "" if place.update_id else "it has no snapshot of the order book"

    @property
    def is_whole(self) -> bool:
        return self.waiting is None

    def add(self, update: DepthUpdate) -> list[MarketMoment]:
        """A difference: it is played, waits, or is older than the book."""
        if self.waiting is not None:
            if self.waiting and update.first_update_id > self.waiting[-1].last_update_id + 1:
                self.waiting.clear()
            self.waiting.append(update)
            return []
        if update.last_update_id <= self.update_id:
            return []
        if update.first_update_id > self.update_id + 1:
            self.missing = f"after update {self.update_id} comes {update.first_update_id}"
            self.waiting = [update]
            return []
        return [self._played(update)]

    def begin(self, snapshot: DepthUpdate) -> list[MarketMoment]:
        """A snapshot: where one is waited for and what waits follows it, both are played."""
        if self.waiting is None:
            return []
        later = [each for each in self.waiting if each.last_update_id > snapshot.last_update_id]
        if later and later[0].first_update_id > snapshot.last_update_id + 1:
            return []
        self.waiting = None
        first_time = later[0].market_time if later else snapshot.market_time
        return [self._played(each) for each in (replace(snapshot, market_time=first_time), *later)]

    def _played(self, update: DepthUpdate) -> DepthUpdate:
        self.update_id = update.last_update_id
        return replace(update, market_time=self.at(update.market_time))

    def at(self, time: int) -> Timestamp:
        """The exchange's time of an event; messages of different streams may overtake each other a little."""
        self.time = max(self.time, time)
        return Timestamp(self.time)


class CaptureFile:
    """One or more captures of one market, one after the other, read line by line."""

    def __init__(self, paths: Sequence[Path], symbol: Symbol | None = None) -> None:
        self._paths = tuple(paths)
        self._symbol = symbol or symbol_of_name(self._paths[0].name)
        self._exchange_id = self._symbol.replace("/", "")
        self._place = Place()
        self._rest = self._moments(Place())
        self.market = self._guess_market()

    def _guess_market(self) -> Market:
        """From the first snapshot; raises `DataUnusable` where there is none."""
        first, _ = next(self._moments(Place()))
        assert isinstance(first, DepthUpdate)
        levels = (*first.bids[:1000], *first.asks[:1000])
        return market_of(self._symbol, (price for price, _ in levels), (amount for _, amount in levels))

    def __iter__(self) -> Iterator[MarketMoment]:
        return self

    def __next__(self) -> MarketMoment:
        moment, self._place = next(self._rest)
        return moment

    # --- leaving and coming back ---------------------------------------------------------------------

    def position(self) -> dict[str, Any]:
        place = self._place
        return {
            "source": "capture",
            "files": [path.name for path in self._paths],
            "file": place.file,
            "line": place.line,
            "update_id": place.update_id,
            "time": place.time,
            "handed_out": place.handed_out,
        }

    def seek(self, position: Mapping[str, Any]) -> None:
        files = [path.name for path in self._paths]
        if position.get("source") != "capture" or position.get("files") != files:
            known = position.get("files") or [position.get("file", "another market")]
            raise InvalidInput(
                f"the saved position belongs to {', '.join(map(str, known))}, not to {', '.join(files)}: "
                "play that one, or start anew"
            )
        names = ("file", "line", "update_id", "time", "handed_out")
        self._place = Place(*(int(position[name]) for name in names))
        anchor = replace(self._place, handed_out=0)
        self._rest = islice(self._moments(anchor), self._place.handed_out, None)

    # --- reading -------------------------------------------------------------------------------------

    def _moments(self, start: Place) -> Iterator[tuple[MarketMoment, Place]]:
        """Every moment, and the place to go on after it."""
        book, before = _Book(start), start
        where = self._paths[0].name
        for file, number, line in self._lines(start):
            where = f"{self._paths[file].name}, line {number}"
            was_whole = book.is_whole
            try:
                moments = self._read(line, book)
            except (ValueError, KeyError, TypeError, ArithmeticError):
                raise DataUnusable(
                    f"{where} is no captured message (time of receipt in ns, a space, the message): "
                    "correct the file or capture it again"
                ) from None
            after = Place(file, number, book.update_id, book.time)
            for count, moment in enumerate(moments, start=1):
                yield moment, after if was_whole else replace(before, handed_out=count)
            if book.is_whole:
                before = after
            elif book.waiting is not None and len(book.waiting) > _WAITING:
                break
        if not book.is_whole:
            raise DataUnusable(
                f"{where}: {book.missing}, and no snapshot follows: name the capture that comes before it too, or one "
                "with the answer to a REST depth request in it"
            )

    def _lines(self, start: Place) -> Iterator[tuple[int, int, bytes]]:
        """Index of the file, number of the line (from 1), the line."""
        for file in range(start.file, len(self._paths)):
            read = start.line if file == start.file else 0
            for number, line in _lines_of(self._paths[file], read):
                yield file, number, line

    def _read(self, line: bytes, book: _Book) -> list[MarketMoment]:
        """What a line makes happen; a `ValueError` or the like for one that is none."""
        if _SKIPPED in line[:_PREFIX] or not line.strip():
            return []
        receipt, _, text = line.partition(b" ")
        received, message = int(receipt) // 1_000_000, orjson.loads(text)
        if not isinstance(message, dict):
            raise TypeError(text)
        if "lastUpdateId" in message:
            return book.begin(_snapshot(message, Timestamp(received)))
        data = message.get("data", message)
        if data.get("s") != self._exchange_id:
            return []
        match data.get("e"):
            case "depthUpdate":
                return book.add(_difference(data))
            case "trade" if book.is_whole:
                return [self._trade(data, book)]
            case _:
                return []

    def _trade(self, data: Row, book: _Book) -> MarketTrade:
        return MarketTrade(
            self._symbol,
            book.at(int(data["E"])),
            Price(_number(data["p"])),
            Amount(_number(data["q"])),
            Side.SELL if data["m"] else Side.BUY,
            int(data["t"]),
        )


def _snapshot(message: Row, received: Timestamp) -> DepthUpdate:
    update_id = int(message["lastUpdateId"])
    return DepthUpdate(
        update_id, update_id, _levels(message["bids"]), _levels(message["asks"]), received, is_snapshot=True
    )


def _difference(data: Row) -> DepthUpdate:
    return DepthUpdate(
        int(data["U"]), int(data["u"]), _levels(data["b"]), _levels(data["a"]), Timestamp(int(data["E"]))
    )


def _levels(rows: list[list[str]]) -> Levels:
    return tuple([(_number(price), _number(amount)) for price, amount, *_ in rows])


def _number(text: object) -> Decimal:
    """The exact decimal; a text only, because a JSON number would be a float."""
    if not isinstance(text, str):
        raise TypeError(text)
    number = Decimal(text)
    if not number.is_finite() or number < 0:
        raise ValueError(text)
    return number


def _lines_of(path: Path, read: int) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line after the first `read`."""
    number = read
    try:
        with _open(path) as file:
            for number, line in enumerate(islice(file, read, None), start=read + 1):
                yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnusable(
            f"{path.name} cannot be read after line {number} ({error}): it is damaged or cut short; fetch it again"
        ) from None


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path))
    return path.open("rb")
