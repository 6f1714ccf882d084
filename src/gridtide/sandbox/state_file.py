"""The sandbox's state on disk: one JSON file, replaced as a whole, readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from gridtide.domain.errors import DataUnusable

_VERSION = 2
"""2: order lists, stops, filters and faults came into the state."""


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by `data` so that a crash leaves either the old or the new whole (mode 0600, fsync)."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
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
    write_private(path, orjson.dumps({"version": _VERSION, **state}))


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
