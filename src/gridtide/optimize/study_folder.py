"""A study as a folder: what was asked, every trial, and what came of it. The same question goes on where it stopped;
another one is refused, and nothing in the folder is ever lost by a kill.

::

    study.json      the question, its fingerprint, and once it is answered: choice, front, windows, verdict
    trials.parquet  every trial: window, parameters, figures, reason
    equity.parquet  walk-forward equity, and that of holding, a row a day
    parts/          what random and exhaustive searches have tried so far
    optuna.journal  what learning searches have tried so far
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import orjson

from gridtide.domain.errors import DataUnusable, InvalidInput, StorageFailed
from gridtide.reports.table_files import database, write_arrays
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.trials import Trials

KIND = "gridtide study"
FORMAT = 1
"""Rises when an older gridtide could not read the folder any more."""
ANSWER = "study.json"
TRIALS = "trials.parquet"
EQUITY = "equity.parquet"
_LOCK = "study.lock"


@dataclass(frozen=True, slots=True)
class Question:
    """What a study asks. Two with the same `key` try the same sets on the same data."""

    config_hash: str
    data_checksum: str
    space: Mapping[str, Any]
    """As the file said it."""
    method: str
    seed: int
    objectives: tuple[str, ...]
    windows: Mapping[str, Any]
    prunes: bool

    def plain(self) -> dict[str, Any]:
        """JSON-compatible."""
        return {
            "config_hash": self.config_hash,
            "data_checksum": self.data_checksum,
            "space": self.space,
            "method": self.method,
            "seed": self.seed,
            "objectives": list(self.objectives),
            "windows": dict(self.windows),
            "prunes": self.prunes,
        }

    @property
    def key(self) -> str:
        """A fingerprint of all of it; how many trials are wanted is no part of the question."""
        return hashlib.sha256(orjson.dumps(self.plain(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """An open study; one program at a time has it."""

    path: Path
    question: Question

    @property
    def journal(self) -> Path:
        return self.path / "optuna.journal"

    def parts(self, window: str) -> Path:
        """Where the trials of a window are kept, as they come."""
        return self.path / "parts" / window

    def keep(
        self,
        answer: Mapping[str, Any],
        trials: Mapping[str, Trials],
        equity: Mapping[str, NDArray[Any]],
    ) -> None:
        """Write what came of it. `trials` by window, `equity` by column. Raises `StorageFailed`."""
        try:
            with database() as connection:
                _put(connection, self.path / TRIALS, table_of(trials))
                _put(connection, self.path / EQUITY, equity)
        except (OSError, duckdb.Error) as error:
            raise StorageFailed(
                f"{self.path} could not be written ({str(error).splitlines()[0]}): the trials are kept; free some "
                "space and run the same command again"
            ) from None
        self.say(answer)

    def say(self, answer: Mapping[str, Any]) -> None:
        """Write `study.json`."""
        content = {
            "kind": KIND,
            "format": FORMAT,
            "key": self.question.key,
            "question": self.question.plain(),
        }
        whole = orjson.dumps({**content, **answer}, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
        write_whole(self.path / ANSWER, whole)


@contextmanager
def study_folder(path: Path, question: Question) -> Iterator[StudyFolder]:
    """Open or begin the study in `path`.

    Raises `InvalidInput` for a folder that holds another study or something else, or that another program works in.
    """
    found = read_study(path) if (path / ANSWER).exists() else None
    if found is None and path.exists() and not _is_new(path):
        raise InvalidInput(
            f"{path} is there and is no study: it was left as it is; give a folder that does not exist yet"
        )
    if found is not None and found["key"] != question.key:
        differs = _difference(found["question"], question.plain())
        raise InvalidInput(
            f"{path} holds another study ({differs}): it was left as it is; give another folder, or ask the same again"
        )
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InvalidInput(
                f"{path} is in use by another search: let it end, or give another folder"
            ) from None
        folder = StudyFolder(path, question)
        if found is None:
            folder.say({"state": "begun"})
        yield folder


def _is_new(path: Path) -> bool:
    """An empty folder, or one that a search was killed in before it wrote a word."""
    return path.is_dir() and {each.name for each in path.iterdir()} <= {_LOCK}


def read_study(path: Path) -> dict[str, Any]:
    """What `study.json` says. Raises `InvalidInput` for a folder that is none or of a newer gridtide, `DataUnusable`
    for a damaged one."""
    try:
        found: dict[str, Any] = orjson.loads((path / ANSWER).read_bytes())
        kind, written = found["kind"], found["format"]
    except FileNotFoundError:
        raise InvalidInput(
            f"{path} is no study (it has no {ANSWER}): give a folder that optimize wrote"
        ) from None
    except (OSError, ValueError, LookupError, TypeError):
        raise DataUnusable(
            f"{path / ANSWER} is damaged: it was left as it is; search into another folder"
        ) from None
    if kind != KIND or not isinstance(written, int) or written > FORMAT:
        raise InvalidInput(
            f"{path} was written by a newer gridtide: it was left as it is; update gridtide to read it"
        )
    return found


def table_of(trials: Mapping[str, Trials]) -> dict[str, NDArray[Any]]:
    """All trials below each other, with their window first."""
    parts = {window: each.columns() for window, each in trials.items() if len(each)}
    names = list(dict.fromkeys(name for columns in parts.values() for name in columns))
    window = (
        np.concatenate([np.full(len(trials[name]), name) for name in parts]) if parts else np.empty(0, "U1")
    )
    return {
        "window": window,
        **{name: _column([columns[name] for columns in parts.values()]) for name in names},
    }


def _column(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Windows may have drawn values of different kinds; text holds all."""
    if {part.dtype.kind for part in parts} - {"i", "f"} and len({part.dtype.kind for part in parts}) > 1:
        return np.concatenate([part.astype(np.str_) for part in parts])
    return np.concatenate(parts)


def _put(connection: duckdb.DuckDBPyConnection, path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    unfinished = path.with_suffix(".unfinished")
    write_arrays(connection, arrays, unfinished)
    unfinished.replace(path)


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    names = [name.replace("_", " ") for name in other if one.get(name) != other[name]]
    return f"another {', '.join(names)}"
