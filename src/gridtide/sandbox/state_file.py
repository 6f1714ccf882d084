"""The sandbox's state on disk: one JSON file, replaced as a whole, readable by its owner only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from gridtide.domain.errors import DataUnusable
from gridtide.venue.state_history import History

_ROWS_AT_ONCE = 64
_PAUSE_SECONDS = 0.0001
_GAP = b"\0"
"""Stands for a history until its rows come; no JSON has such a byte."""

_VERSION = 2
"""2: order lists, stops, filters and faults came into the state."""


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by `data` so that a crash leaves either the old or the new whole (mode 0600, fsync)."""
    _write_private(path, [data])


def _write_private(path: Path, parts: Iterable[bytes]) -> None:
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save(path: Path, state: dict[str, Any]) -> None:
    """Write the state. May run in another thread: `state` must not be shared."""
    _write_private(path, _encoded({"version": _VERSION, **state}))


def _encoded(state: dict[str, Any]) -> Iterator[bytes]:
    """The JSON of a state in parts, so that whoever else waits for the interpreter never waits long."""
    histories: list[History] = []

    def set_aside(value: object) -> orjson.Fragment:
        if not isinstance(value, History):
            raise TypeError
        histories.append(value)
        return orjson.Fragment(_GAP)

    first, *others = orjson.dumps(state, default=set_aside).split(_GAP)
    yield first
    for history, following in zip(histories, others, strict=True):
        yield from _encoded_history(history)
        yield following


def _encoded_history(history: History) -> Iterator[bytes]:
    rows, comma = iter(history), b"["
    while few := list(islice(rows, _ROWS_AT_ONCE)):
        yield comma + orjson.dumps(few)[1:-1]
        comma = b","
        time.sleep(_PAUSE_SECONDS)
    yield b"]" if comma == b"," else b"[]"


def load(path: Path) -> dict[str, Any] | None:
    """The saved state, or None where there is none. Raises `DataUnusable` for a file that is not one."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        state = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise unreadable(path) from None
    if not isinstance(state, dict) or state.get("version") != _VERSION:
        raise DataUnusable(_complaint(path, "is of another version of gridtide"))
    return state


def unreadable(path: Path) -> DataUnusable:
    """The file is a state by its version, and does not hold one."""
    return DataUnusable(_complaint(path, "cannot be read"))


def _complaint(path: Path, what: str) -> str:
    return (
        f"the sandbox's state file {path} {what}; it was left as it is: move it away to start a new exchange"
    )
