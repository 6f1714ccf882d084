"""Small captures for tests: lines as a recorder writes them."""

import gzip
from pathlib import Path
from typing import Any

import orjson

START = 1_700_000_000_000
Rows = list[list[str]]


def line(message: object, at: int = START) -> bytes:
    """A line that was received at `at`, ms."""
    return f"{at}000000 ".encode() + orjson.dumps(message) + b"\n"


def snapshot(update_id: int, bids: Rows | None = None, asks: Rows | None = None) -> bytes:
    """The answer to a REST depth request."""
    levels = {"bids": bids or [["100.00", "5"], ["99.00", "8"]], "asks": asks or [["101.00", "4"]]}
    return line({"lastUpdateId": update_id, **levels})


def difference(first: int, last: int, at: int, bids: Rows | None = None, asks: Rows | None = None) -> bytes:
    data = {"e": "depthUpdate", "E": START + at, "s": "BTCUSDT", "U": first, "u": last}
    return _stream("depth@100ms", {**data, "b": bids or [], "a": asks or []})


def trade(
    trade_id: int, at: int, price: str = "100.00", amount: str = "1", *, buyer_is_maker: bool = True
) -> bytes:
    data = {"e": "trade", "E": START + at, "s": "BTCUSDT", "t": trade_id, "p": price, "q": amount}
    return _stream("trade", {**data, "T": START + at, "m": buyer_is_maker, "M": True})


def ticker(update_id: int) -> bytes:
    best = {"b": "100.00", "B": "5", "a": "101.00", "A": "4"}
    return _stream("bookTicker", {"u": update_id, "s": "BTCUSDT", **best})


def _stream(name: str, data: dict[str, Any]) -> bytes:
    return line({"stream": f"btcusdt@{name}", "data": data})


def write(path: Path, *lines: bytes) -> Path:
    """A capture, packed if its name says so."""
    data = b"".join(lines)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
