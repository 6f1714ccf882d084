"""A search that draws its sets by number (random, exhaustive), kept as one file a batch.

A file is whole or not there, and says which numbers it holds: a killed search goes on at the first one missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from gridtide.domain.errors import DataUnusable, StorageFailed
from gridtide.optimize.evaluation import FIGURES, Evaluated
from gridtide.optimize.trials import DrawnSets, Trials, joined

if TYPE_CHECKING:
    from gridtide.optimize.drawing import Drawing
    from gridtide.optimize.space import ParameterSet

_ENDING = ".npz"


class DrawnTrials:
    """The trials of one drawing. `folder`: where they are kept; None: nowhere."""

    def __init__(self, drawing: Drawing, folder: Path | None) -> None:
        self._drawing = drawing
        self._folder = folder
        self._answers = [] if folder is None else _read(folder)
        self.told = sum(map(len, self._answers))
        """How many are done."""

    def ask(self, count: int) -> list[ParameterSet]:
        """The next sets; fewer, or none, where the space ends."""
        end = (
            self.told + count if self._drawing.count is None else min(self.told + count, self._drawing.count)
        )
        return [self._drawing[number] for number in range(self.told, end)]

    def tell(self, sets: Sequence[ParameterSet], answer: Evaluated) -> None:
        """Keep what became of the sets that were asked for last."""
        if self._folder is not None:
            _write(self._folder, self.told, answer)
        self._answers.append(answer)
        self.told += len(sets)

    def trials(self) -> Trials:
        """All that are done."""
        return Trials(DrawnSets(self._drawing, self.told), joined(self._answers))


def _write(folder: Path, first: int, answer: Evaluated) -> None:
    target = folder / f"{first:012d}{_ENDING}"
    unfinished = target.with_suffix(".unfinished")
    columns: dict[str, Any] = {**answer.figures, "reason": np.array(answer.reasons, dtype=np.str_)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            np.savez(file, **columns, by_engine=answer.by_engine)
        unfinished.replace(target)
    except OSError as error:
        raise StorageFailed(
            f"{folder} could not be written ({error.strerror or error}): what was tried before is kept; free some "
            "space and run the same command again"
        ) from None


def _read(folder: Path) -> list[Evaluated]:
    """What was kept, as far as it follows on without a hole."""
    found: list[Evaluated] = []
    told = 0
    for path in sorted(folder.glob(f"*{_ENDING}")):
        if int(path.stem) != told:
            break
        found.append(_read_one(path))
        told += len(found[-1])
    return found


def _read_one(path: Path) -> Evaluated:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            figures = {name: arrays[name] for name in FIGURES}
            return Evaluated(figures, tuple(map(str, arrays["reason"])), arrays["by_engine"])
    except (OSError, ValueError, KeyError, BadZipFile):
        raise DataUnusable(
            f"{path} is damaged: delete it and what follows it there, and the search plays their sets again"
        ) from None
