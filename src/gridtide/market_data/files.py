"""Market files as sources: candles walk their path, market trades and captured order books are their own.

`open_market` is the door; it refuses with `DataUnusable` what cannot be played to its end.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.domain.candle import Candle, MarketTrade, timeframe_seconds
from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price, round_half_up
from gridtide.domain.order import Side
from gridtide.market_data.capture import SUFFIXES as CAPTURE_SUFFIXES
from gridtide.market_data.capture import CaptureFile, captures_in, is_capture
from gridtide.market_data.file_checks import check_rows, find_gaps, find_timeframe
from gridtide.market_data.file_table import FileKind, FileTable
from gridtide.market_data.known_markets import market_of, symbol_of_name
from gridtide.price_path.candle_path import POINTS, PathRule, points_of
from gridtide.price_path.point import PathPoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gridtide.domain.market import Market
    from gridtide.market_data.file_checks import Gap
    from gridtide.market_data.source import MarketSource

_PLACES = 8
_LOOKED_AT = 1000
"""Rows from which tick and lot are guessed."""
_DEFAULT_TIMEFRAME_MS = 60_000


def open_market(
    path: Path | str | Sequence[Path | str],
    symbol: Symbol | None = None,
    rule: PathRule = PathRule.NEARER_EXTREME_FIRST,
) -> MarketSource:
    """A source over a file; `symbol` is needed where its name does not tell the market.

    Columns: timestamp, open, high, low, close, volume for candles; timestamp, price, amount, side and, if they are
    known, ids for trades. Raw captures (``.jsonl.gz``, see `market_data.capture`) may be several, one after the other,
    or a folder of them. Tables are checked to their end before anything is played, captures as they are read.
    """
    paths = [Path(path)] if isinstance(path, Path | str) else [Path(each) for each in path]
    if not paths:
        raise DataUnusable("no market file is named: name one")
    if is_capture(paths[0]):
        return CaptureFile(_captures(paths), symbol)
    if len(paths) > 1:
        raise DataUnusable("only captures of an order book are played one after the other: name one file")
    table = FileTable(paths[0])
    if table.kind is FileKind.CANDLES:
        return CandleFile(table, symbol, rule)
    return TradeFile(table, symbol)


def _captures(paths: list[Path]) -> list[Path]:
    """The files that are meant, in their order."""
    captures = [file for path in paths for file in (captures_in(path) if path.is_dir() else [path])]
    for path in captures:
        if not path.is_file():
            raise DataUnusable(f"there is no file {path}: check the path")
        if not path.name.endswith(CAPTURE_SUFFIXES):
            raise DataUnusable(f"{path.name} is no capture of an order book: name captures only")
    return captures


class CandleFile:
    """Candles of one timeframe, played as the path of four points each.

    `gaps` lists where candles are missing; nothing is invented for them, the price jumps.
    """

    def __init__(self, table: FileTable, symbol: Symbol | None, rule: PathRule) -> None:
        self.extent = check_rows(table)
        self.timeframe_ms = find_timeframe(table) or _timeframe_of_name(table.path.name)
        self.gaps: tuple[Gap, ...] = find_gaps(table, self.timeframe_ms)
        self._table = table
        self._rule = rule
        self.market = _market(table, symbol, price_columns=4)
        self._row, self._point = 0, 0
        self._rest = self._points(0, 0)

    def candles(self, start: int = 0) -> Iterator[Candle]:
        """The candles from row `start` on."""
        for timestamp, *values in self._table.rows(start):
            first, high, low, close, volume = map(to_decimal, values)
            yield Candle(
                Timestamp(timestamp), Price(first), Price(high), Price(low), Price(close), Amount(volume)
            )

    def __iter__(self) -> Iterator[PathPoint]:
        return self

    def __next__(self) -> PathPoint:
        return next(self._rest)

    def _points(self, row: int, point: int) -> Iterator[PathPoint]:
        for number, candle in enumerate(self.candles(row), start=row):
            skipped = point if number == row else 0
            for index, path_point in enumerate(
                points_of(candle, self.timeframe_ms, self._rule)[skipped:], skipped
            ):
                self._row, self._point = divmod(number * POINTS + index + 1, POINTS)
                yield path_point

    def position(self) -> dict[str, Any]:
        return _position(self._table, self._row, self._point)

    def seek(self, position: Mapping[str, Any]) -> None:
        self._row, self._point = _checked_position(self._table, position)
        self._rest = self._points(self._row, self._point)


class TradeFile:
    """Market trades, under their own ids where the file has a column `id`."""

    def __init__(self, table: FileTable, symbol: Symbol | None) -> None:
        self.extent = check_rows(table)
        self._table = table
        self.market = _market(table, symbol, price_columns=1)
        self._row = 0
        self._rest = self._trades(0)

    def __iter__(self) -> Iterator[MarketTrade]:
        return self

    def __next__(self) -> MarketTrade:
        return next(self._rest)

    def _trades(self, row: int) -> Iterator[MarketTrade]:
        for number, (timestamp, price, amount, side, trade_id) in enumerate(self._table.rows(row), start=row):
            self._row = number + 1
            yield MarketTrade(
                self.market.symbol,
                Timestamp(timestamp),
                Price(to_decimal(price)),
                Amount(to_decimal(amount)),
                Side(side.upper()),
                trade_id or 0,
            )

    def position(self) -> dict[str, Any]:
        return _position(self._table, self._row, 0)

    def seek(self, position: Mapping[str, Any]) -> None:
        self._row, _ = _checked_position(self._table, position)
        self._rest = self._trades(self._row)


def to_decimal(value: float | str) -> Decimal:
    """The exchange's own decimal of a stored number: the shortest text of a float, at most 8 places.

    Exchanges publish at most 8 decimals, and ``repr`` of the nearest double gives them back.
    """
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    exponent = number.as_tuple().exponent
    return round_half_up(number, _PLACES) if isinstance(exponent, int) and exponent < -_PLACES else number


def _market(table: FileTable, symbol: Symbol | None, price_columns: int) -> Market:
    if symbol is None:
        symbol = symbol_of_name(table.path.name)
    prices: set[Decimal] = set()
    amounts: set[Decimal] = set()
    for row in islice(table.rows(0), _LOOKED_AT):
        prices.update(to_decimal(value) for value in row[1 : 1 + price_columns])
        amounts.add(to_decimal(row[1 + price_columns]))
    return market_of(symbol, prices, amounts)


def _timeframe_of_name(name: str) -> int:
    """What a file of one candle calls its timeframe; a minute if it says nothing."""
    for part in Path(name).stem.split("-"):
        try:
            return timeframe_seconds(part) * 1000
        except InvalidInput:
            continue
    return _DEFAULT_TIMEFRAME_MS


def _position(table: FileTable, row: int, point: int) -> dict[str, Any]:
    return {"source": "file", "file": table.path.name, "row": row, "point": point}


def _checked_position(table: FileTable, position: Mapping[str, Any]) -> tuple[int, int]:
    if position.get("source") != "file" or position.get("file") != table.path.name:
        raise InvalidInput(
            f"the saved position belongs to {position.get('file', 'another market')}, not to {table.path.name}: "
            "play that one, or start anew"
        )
    return int(position["row"]), int(position["point"])
