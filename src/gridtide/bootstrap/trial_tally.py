"""How many sets were ever tried on a market, over all studies: the best of many searches is the best of all their
trials, and a verdict has to count them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gridtide.bootstrap.verdict_lock import changing
from gridtide.domain.errors import DataUnusable
from gridtide.reports.whole_file import write_whole

_NAME = "trials.json"


@dataclass(frozen=True, slots=True)
class TallyEntry:
    """One study's trials on all its data."""

    study: str
    """The key of its question."""
    market: str
    strategy: str
    start: int
    stop: int
    """Of the data, ms UTC."""
    trials: int

    def overlaps(self, other: TallyEntry) -> bool:
        """Whether both looked at the same market, with the same strategy, at some common time."""
        return (
            (self.market, self.strategy) == (other.market, other.strategy)
            and self.start < other.stop
            and other.start < self.stop
        )


def count_trials(folder: Path, entry: TallyEntry) -> tuple[int, int]:
    """Write down a study's trials (again, where it went on), and give how many it and all that overlap it made, and how
    many other studies those are. `folder`: where verdicts are kept. Raises `StorageFailed` and `DataUnusable`."""
    with changing(folder):
        return _counted(folder / _NAME, entry)


def _counted(path: Path, entry: TallyEntry) -> tuple[int, int]:
    entries = {each.study: each for each in _read(path)}
    known = entries.get(entry.study)
    if known is None or known.trials < entry.trials:
        entries[entry.study] = entry
        plain = [{name: getattr(each, name) for name in TallyEntry.__slots__} for each in entries.values()]
        write_whole(path, orjson.dumps({"studies": plain}, option=orjson.OPT_INDENT_2))
    others = [each for each in entries.values() if each.study != entry.study and each.overlaps(entry)]
    own = max(entry.trials, known.trials if known else 0)
    return own + sum(each.trials for each in others), len(others)


def _read(path: Path) -> list[TallyEntry]:
    try:
        rows: list[Mapping[str, Any]] = orjson.loads(path.read_bytes())["studies"]
        return [TallyEntry(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError):
        raise DataUnusable(
            f"{path} is damaged: it counts the sets that were tried here before, so repair it, or move it away and "
            "start counting anew"
        ) from None
