"""Thirty virtual days of the whole bot on a real SQLite file: does anything grow that should not?

A calm market with a few hundred fills a day, a fault or a kill now and then. Each virtual day samples memory, file
sizes and open handles; the slope over the last two thirds says whether they are flat.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from gridtide.domain.events import StreamInterrupted, StreamRestored
from gridtide.exchanges.venue_side import VenueSide
from gridtide.runners.live import LiveRun
from gridtide.runners.watchdogs.host import resident_bytes
from gridtide.simulation.host import MortalJournal
from gridtide.simulation.troubles import Rates, Troubles
from gridtide.simulation.virtual_time import run_virtually
from gridtide.simulation.world import SYMBOL, World
from gridtide.storage.database import Database, open_database
from gridtide.storage.retention import Retention
from gridtide.storage.tables import METADATA
from gridtide.strategies.grid.config import GridConfig
from gridtide.telemetry.journal_log import JournalLog
from gridtide.telemetry.logs import configure_logging, get_logger
from tests.simulation.sqlite_database import SqliteFile

DAY = 86_400.0
MOVE_SECONDS = 60.0
SEED = 30
FAULTS = Rates(
    request_lost=0.002,
    answer_lost=0.002,
    delayed=0.05,
    read_fails=0.002,
    read_lags=0.01,
    event_lost=0.005,
    event_repeated=0.01,
    event_delayed=0.05,
    kill=0.00001,
)
"""A bad week at most places; everything the bot has to get over happens now and then."""


GRID = {"lower_price": "94", "upper_price": "106", "num_grids": 40, "total_investment": "2000"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One virtual day's end. Sizes in bytes; `bot_bytes` is all memory that can be reached from the run."""

    day: int
    fills: int
    orders: int
    starts: int
    resident: int
    bot_bytes: int
    exchange_bytes: int
    database: int
    wal: int
    log: int
    journal_rows: int
    handles: int
    start_seconds: float
    """How long opening the database took at the newest start."""


class DailyWorld(World):
    """A world without an end: it trades for as many days as asked and is looked at each day."""

    def __init__(self, database: SqliteFile, log: Path, days: int) -> None:
        super().__init__(SEED, database)
        self.file, self.log, self.days = database, log, days
        self.samples: list[Sample] = []
        self.troubles.rates = FAULTS
        self._entries = JournalLog(get_logger(run_id="thirty days"))

    def _draw_config(self) -> GridConfig:
        return GridConfig.from_settings(SYMBOL, GRID)

    def _build(self, host: Any) -> LiveRun:
        begun = time.perf_counter()
        run = super()._build(host)
        self.start_seconds = time.perf_counter() - begun
        run.on_entry = self._entries
        return run

    async def _trouble(self) -> None:
        """The days."""
        for day in range(1, self.days + 1):
            until = day * DAY
            while asyncio.get_running_loop().time() < until:
                self._live_a_minute()
                await asyncio.sleep(MOVE_SECONDS)
            self._look_after()
            self.samples.append(self._sample(day))

    def _live_a_minute(self) -> None:
        self._walk()
        if self.rng.random() < 1 / 720 and self.host is not None:
            self.host.kill()
        if self.rng.random() < 1 / 360:
            self.side.tell(StreamInterrupted("drawn"))
            asyncio.get_running_loop().call_later(5.0, self.side.tell, StreamRestored())

    def _walk(self) -> None:
        self._go(self.price * Decimal(str(1 + self.rng.gauss(0, 0.0018))) + (100 - self.price) / 100)

    def _sample(self, day: int) -> Sample:
        gc.collect()
        path = self.file.path
        return Sample(
            day=day,
            fills=len(self.oracle.own_fills()),
            orders=self.oracle.orders,
            starts=self.crashes + 1,
            resident=resident_bytes() or 0,
            bot_bytes=deep_size(self.run_now, _OTHERS),
            exchange_bytes=deep_size((self.venue, self.oracle, self.side), ()),
            database=_size(path),
            wal=_size(path.with_name(path.name + "-wal")),
            log=sum(_size(found) for found in self.log.parent.glob(f"{self.log.name}*")),
            journal_rows=self.file.journal_rows(),
            handles=len(os.listdir("/proc/self/fd")),
            start_seconds=round(self.start_seconds, 4),
        )


_NOT_STATE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.FrameType,
    types.CodeType,
)
"""What everything refers to and nothing keeps state in."""
_OTHERS = (VenueSide, MortalJournal, World, Troubles, SqliteFile, Database, asyncio.AbstractEventLoop)
"""Where the bot ends and the rest of the world begins."""


def deep_size(root: object, others: tuple[type, ...]) -> int:
    """Bytes of everything that can be reached from `root` without passing through `others`."""
    ends = (*_NOT_STATE, *others, World)
    seen: set[int] = set()
    size, ahead = 0, [root]
    while ahead:
        found = ahead.pop()
        if id(found) in seen or isinstance(found, ends):
            continue
        seen.add(id(found))
        size += sys.getsizeof(found)
        ahead += gc.get_referents(found)
    return size


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


# --- report ------------------------------------------------------------------------------------------

GROWS = {
    "resident": "the exchange lives in this process (exchange_bytes); a restart in it leaves half a megabyte",
    "bot_bytes": "what is remembered for late messages is capped: 4,000 orders, 5,000 events, 10,000 reactions, 12 MB",
    "exchange_bytes": "an exchange keeps its history; no part of the bot",
    "database": "orders, fills, postings and closed lots are the books: see database_bytes_a_fill",
    "log": "it rotates at 10 MB and keeps five",
}
"""Why something may grow at all."""


def slope(values: list[float]) -> float:
    """Least squares, a day."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    below = sum((index - middle) ** 2 for index in range(len(values)))
    return (
        sum((index - middle) * (value - mean) for index, value in enumerate(values)) / below if below else 0.0
    )


def verdicts(samples: list[Sample]) -> dict[str, Any]:
    """By what was measured: its slope a day over the last two thirds, and whether that is flat (below 1 % a day)."""
    late = samples[len(samples) // 3 :]
    found: dict[str, Any] = {}
    for name in (
        "resident",
        "bot_bytes",
        "exchange_bytes",
        "database",
        "wal",
        "log",
        "journal_rows",
        "handles",
    ):
        values = [float(getattr(sample, name)) for sample in late]
        a_day = slope(values)
        is_flat = abs(a_day) <= 0.01 * max(values[-1], 1)
        found[name] = {"last": values[-1], "a_day": round(a_day, 1), "flat": is_flat}
        if not is_flat:
            found[name]["because"] = GROWS.get(name, "unknown: this is a leak")
    return found


def table_sizes(file: SqliteFile) -> dict[str, int]:
    """Rows of each table."""
    with closing(open_database(file.url)) as database, database.transaction() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        }


def run_days(
    folder: Path, days: int, retention: Retention | None = None
) -> tuple[DailyWorld, dict[str, Any]]:
    """Live them; the world and what the report says."""
    file = SqliteFile(folder / "bot.db", frozen_wake_up=False, retention=retention)
    log = folder / "gridtide.log"
    logs = configure_logging(file=log)
    started = time.monotonic()

    async def live() -> tuple[DailyWorld, Any]:
        world = DailyWorld(file, log, days)
        return world, await world.run()

    try:
        world, result = run_virtually(live())
    finally:
        logs.close()
        file.close()
    books = verdicts(world.samples)
    late = world.samples[len(world.samples) // 3 :]
    fills = late[-1].fills - late[0].fills
    return world, {
        "days": days,
        "seconds": round(time.monotonic() - started, 1),
        "fills": result.fills,
        "orders": result.orders,
        "starts": result.crashes + 1,
        "faults": {name: count for name, count in result.faults.items() if count},
        "violations": result.violations + file.replay_differences(),
        "verdicts": books,
        "database_bytes_a_fill": round((late[-1].database - late[0].database) / fills, 1) if fills else None,
        "rows": table_sizes(file),
    }


@contextlib.contextmanager
def _folder(kept: str) -> Iterator[Path]:
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="gridtide-days-") as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", default="", help="keep database and log here")
    arguments = parser.parse_args()
    with _folder(arguments.folder) as folder:
        world, report = run_days(folder, arguments.days)
    for sample in world.samples:
        print(json.dumps(asdict(sample)))
    print(json.dumps(report, indent=2))
    sys.exit(bool(report["violations"]))


if __name__ == "__main__":
    main()
