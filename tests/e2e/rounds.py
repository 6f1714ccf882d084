"""Rounds of real trouble: real processes, real files, real signals, and in the end books equal to the exchange's.

One bot lives through all rounds in one folder. A seed decides every round, as far as an operating system lets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridtide.domain.errors import Transient
from gridtide.domain.journal import PauseReason
from gridtide.sandbox.folder_lock import FolderLock
from gridtide.sandbox.process import LOCK_FILE, attach, was_cut_short
from gridtide.storage import sqlite_file
from gridtide.storage.reader import open_reader
from gridtide.storage.sqlite_library import sqlite3
from tests.e2e.bots import Bot, differences

DISK_BYTES = 160 * 1024 * 1024
"""Of the small disk; the bot stops by itself with less than 64 MB free."""
START_SECONDS = 60.0
COMPANIONS = ("", "-wal", "-shm", "-journal")
REFUSALS = {
    "second": ("another gridtide", "another bot runs"),
    "storage": (
        "nothing will be sent",
        "locked",
        "disk",
        "No space",
        "cannot be",
        "could not be",
        "File too large",
    ),
    "older": ("is older than its orders",),
}
"""What a process that ends may say, by what was done to it."""


class RoundFailed(AssertionError):
    """Something that must never happen did."""


@dataclass(slots=True)
class Tally:
    """What all rounds came to."""

    rounds: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    """Processes that ended by themselves, by why they had to."""
    fills: int = 0
    orders: int = 0
    violations: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Rounds:
    """`run` lives through them; raises `RoundFailed` with seed and acts."""

    def __init__(
        self, folder: Path, disk: Path, seed: int, longest_stop_seconds: float = 20.0, speed: int = 120
    ) -> None:
        """`disk` holds the books and nothing else, so that a full one is not the exchange's too."""
        self.rng = random.Random(seed)
        self.seed = seed
        self.longest_stop_seconds = longest_stop_seconds
        self.disk = disk
        self.bot = Bot(folder / "state", ("--speed", str(speed), "--seed", str(seed)))
        self.bot.environment["STORAGE__URL"] = f"sqlite:///{disk / 'gridtide.db'}"
        self.tally = Tally()
        self.story: list[str] = []
        self.on_round: Callable[[str], None] | None = None
        """Told each round at its beginning."""
        self._process: subprocess.Popen[str] | None = None
        self._excuse = "none"
        """Why the process may end by itself."""

    def run(self, rounds: int, block: int) -> Tally:
        """All rounds; after each block everything comes to rest and is compared."""
        begun = time.monotonic()
        acts = self._acts()
        for number in range(1, rounds + 1):
            act = self.rng.choices(list(acts), weights=[weight for weight, _ in acts.values()])[0]
            self.story.append(f"{number}:{act}")
            if self.on_round is not None:
                self.on_round(self.story[-1])
            self._alive()
            acts[act][1]()
            self.tally.acts[act] = self.tally.acts.get(act, 0) + 1
            self.tally.rounds += 1
            if number % block == 0 or number == rounds:
                self._come_to_rest()
        self.tally.seconds = round(time.monotonic() - begun, 1)
        return self.tally

    def _acts(self) -> dict[str, tuple[int, Callable[[], None]]]:
        """By name: how often, and what is done."""
        acts: dict[str, tuple[int, Callable[[], None]]] = {
            "kill": (56, self._kill_soon),
            "stop": (10, self._stop_and_go),
            "stop and second": (6, self._stop_and_second),
            "two at once": (8, self._two_at_once),
            "locked": (10, self._lock),
            "file limit": (6, self._limit_files),
            "rolled back": (6, self._roll_back),
            "exchange killed": (4, self._kill_exchange),
        }
        if os.path.ismount(self.disk):
            acts["disk full"] = (6, self._fill_disk)
        else:
            self.tally.skipped.append("disk full: no small file system can be mounted here")
        self.tally.skipped.append("clock step: the machine's clock is everybody's; simulated seeds step it")
        return acts

    # --- acts ----------------------------------------------------------------------------------------

    def _kill_soon(self) -> None:
        """F07, F08, F32: at any moment, often right after the start or in the middle of reconciliation."""
        time.sleep(self.rng.choice((0.05, 0.4, 0.8, 1.2, 2.0)) * self.rng.random())
        self._kill()

    def _stop_and_go(self) -> None:
        """F56: frozen, and nobody noticed."""
        process = self._running(settled=True)
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.rng.uniform(min(1.0, self.longest_stop_seconds / 2), self.longest_stop_seconds))
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        self._see_if_gone("storage")

    def _stop_and_second(self) -> None:
        """F55, F56: somebody starts another one while the first is frozen."""
        first = self._running(settled=self.rng.random() < 0.7)
        first.send_signal(signal.SIGSTOP)
        second = self.bot.start()
        self._wait(lambda: second.poll() is not None, 3.0)
        first.send_signal(signal.SIGCONT)
        self._one_remains(first, second)

    def _two_at_once(self) -> None:
        """F55: exactly one trades."""
        if self._process is not None:
            self._kill()
        self._one_remains(self.bot.start(), self.bot.start())

    def _lock(self) -> None:
        """F57: another program holds the database, now and then for longer than anybody waits."""
        self._running(settled=self.rng.random() < 0.8)
        with closing(sqlite3.connect(self.database, isolation_level=None, timeout=10)) as other:
            try:
                other.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise RoundFailed(f"the bot holds its database for longer than 10 s: {error}") from error
            time.sleep(self.rng.choice((0.3, 1.5, min(6.5, self.longest_stop_seconds))))
            other.execute("ROLLBACK")
        self._see_if_gone("storage")

    def _limit_files(self) -> None:
        """F58: no file of the bot may grow any more; its writes fail as on a full disk."""
        process = self._running(settled=True)
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self.rng.choice((0, 4096, 65536)), hard))
        self._wait(lambda: process.poll() is not None, 2.5)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        self._see_if_gone("storage")

    def _fill_disk(self) -> None:
        """F58: ENOSPC, on a real file system."""
        process = self._running(settled=True)
        ballast = self.disk / "ballast"
        try:
            _fill(ballast)
            self._wait(lambda: process.poll() is not None, 2.5)
        finally:
            ballast.unlink(missing_ok=True)
        self._see_if_gone("storage")

    def _roll_back(self) -> None:
        """F46: an older database is put in its place: it must not be traded on. Then the newest is put back.

        A copy that has all orders as sent, some of them without an answer yet, lacks nothing: it is what a killed
        process leaves, and the bot may go on from it.
        """
        self._running(settled=True)
        older = self.disk / "older.db"
        older.unlink(missing_ok=True)
        sqlite_file.backup(self.database, older)
        had = sent_orders(older)
        self._wait(lambda: not placed_orders(self.database) <= had, 4.0)
        self._kill()
        lacks_some = not placed_orders(self.database) <= had
        with self._instead_of_the_database(older):
            process = self.bot.start()
            if lacks_some:
                self._end_of(process, START_SECONDS, "older")
            else:
                self.bot.kill(process)
        if not lacks_some:
            self._count_end("nothing: the older books had all orders")

    def _kill_exchange(self) -> None:
        """The exchange is killed when all it did is saved, and woken up from there by the next start."""
        self._running(settled=True)
        self._kill()
        exchange = asyncio.run(self._saved_exchange())
        if exchange is None:
            self._count_end("nothing: a bot that had to end had ended its exchange with it")
        else:
            os.kill(exchange, signal.SIGKILL)
            time.sleep(0.1)

    async def _saved_exchange(self) -> int | None:
        """Process id of the exchange once all it did is on its disk: a real one forgets no order either.

        None where it ended in good order, because the bot was about to end by itself when it was killed: a lock that
        it met in an earlier round shows only when it has to write. An exchange that lives may be slow to answer.
        """
        deadline = time.monotonic() + START_SECONDS
        folder = self.bot.sandbox_folder
        while time.monotonic() < deadline:
            if _has_ended(folder):
                if self._excuse == "none" or was_cut_short(folder):
                    raise self._failed(f"the exchange is gone (the bot's excuse: {self._excuse})")
                return None
            handle = await attach(folder)
            with contextlib.suppress(Transient):
                if handle is not None:
                    await handle.hold()
                    await handle.save()
                    return handle.contact.pid
        raise self._failed(f"the exchange lives and does not answer for {START_SECONDS:.0f} s")

    # --- the process -----------------------------------------------------------------------------------

    @property
    def database(self) -> Path:
        return Path(self.bot.database_url.removeprefix("sqlite:///"))

    def _ensure_running(self) -> None:
        if self._process is None:
            self._process, self._excuse = self.bot.start(), "none"

    def _running(self, *, settled: bool) -> subprocess.Popen[str]:
        """The bot's process; once it trades where it has to be `settled`."""
        process = self._alive()
        if settled or not self._has_books():
            self._wait(lambda: self._trades() or process.poll() is not None, START_SECONDS)
            if process.poll() is not None:
                return self._running(settled=settled)
        time.sleep(0.2 * self.rng.random())
        return process

    def _alive(self) -> subprocess.Popen[str]:
        """The process, or a new one where what was done to the last one ended it a little later."""
        if self._process is not None and self._process.poll() is not None:
            self._end_of(self._process, 5, self._excuse)
            self._process = None
        self._ensure_running()
        assert self._process is not None
        return self._process

    def _has_books(self) -> bool:
        named = [any(self.bot.folder.glob(f"sandbox/*/{name}.json")) for name in ("sandbox", "books")]
        return all(named) and self.database.exists()

    def _trades(self) -> bool:
        """Whether the books say that a run began and is not over, and that the bot is at work."""
        if not self._has_books():
            return False
        with contextlib.suppress(Exception), open_reader(self.bot.database_url) as reader:
            stored = reader.bots()[-1]
            runs = reader.runs(stored.bot_id)
            state = reader.state(stored.bot_id)
            assert self._process is not None
            mine = any(run.run_id.endswith(f"-{self._process.pid}") for run in runs[-3:])
            return mine and state is not None and state.state == "RUNNING"
        return False

    def _kill(self) -> None:
        assert self._process is not None
        self.bot.kill(self._process)
        self._process = None

    def _see_if_gone(self, why: str) -> None:
        """A process that could not write ends with a sentence; the next round starts another."""
        self._excuse = why
        self._alive()

    def _one_remains(self, one: subprocess.Popen[str], other: subprocess.Popen[str]) -> None:
        both = (one, other)
        self._wait(lambda: any(process.poll() is not None for process in both), START_SECONDS)
        time.sleep(0.3)
        alive = [process for process in both if process.poll() is None]
        for process in both:
            if process.poll() is not None:
                self._end_of(process, 5, "second")
        if len(alive) != 1:
            raise self._failed(f"{len(alive)} of two instances trade")
        self._process = alive[0]

    def _end_of(self, process: subprocess.Popen[str], seconds: float, why: str) -> None:
        """See a process end and say what it may say."""
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self._failed(f"a process goes on that should have ended ({why})") from None
        told = output + errors
        if "Traceback" in told or not any(words in told for words in REFUSALS.get(why, ())):
            raise self._failed(f"a process ended with {process.returncode} ({why}): {told[-2000:]}")
        self._count_end(why)

    def _count_end(self, why: str) -> None:
        self.tally.ends[why] = self.tally.ends.get(why, 0) + 1

    def _wait(self, reached: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not reached() and time.monotonic() < deadline:
            time.sleep(0.05)

    # --- files -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _instead_of_the_database(self, other: Path) -> Iterator[None]:
        kept = self.disk / "newest"
        kept.mkdir()
        self._move(self.database, kept / self.database.name)
        shutil.copy(other, self.database)
        try:
            yield
        finally:
            for suffix in COMPANIONS:
                self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)
            self._move(kept / self.database.name, self.database)
            kept.rmdir()

    @staticmethod
    def _move(source: Path, target: Path) -> None:
        for suffix in COMPANIONS:
            found = source.with_name(source.name + suffix)
            if found.exists():
                found.rename(target.with_name(target.name + suffix))

    # --- rest ------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        """Start it once more, let it settle, end it in good order, and compare everything with the exchange."""
        if self._process is not None:
            self._kill()
        summary: dict[str, Any] = {}
        for seconds in ("6s", "15s", "30s", "60s"):  # an order of unknown fate takes its time (T11)
            summary = self._summary_of(self.bot.start("--for", seconds))
            if summary["exchange_agrees"]:
                break
        truth = self.bot.truth()
        found = differences(self.bot, truth)
        if not summary["books_balanced"]:
            found.append("the books do not balance")
        if not summary["exchange_agrees"]:
            found.append(f"the exchange does not agree: {summary}")
        with open_reader(self.bot.database_url) as reader:
            state = reader.state(reader.bots()[-1].bot_id)
        if state is not None and state.reason is not PauseReason.NONE:
            found.append(f"the bot is paused: {state.reason} {state.detail}")
        self.tally.fills, self.tally.orders = len(truth["fills"]), len(truth["orders"])
        if found:
            raise self._failed("; ".join(found)[:4000])

    def _summary_of(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """What a run that ended by itself printed; its exit code is 1 where the exchange does not agree yet."""
        try:
            output, errors = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            raise self._failed("the last run of a block did not end in 180 s") from None
        if process.returncode not in (0, 1) or "exchange_agrees" not in output:
            raise self._failed(
                f"the last run ended with {process.returncode}: {output[-2000:]} {errors[-2000:]}"
            )
        return dict(json.loads(output))

    def _failed(self, what: str) -> RoundFailed:
        self.tally.violations.append(what)
        return RoundFailed(f"seed {self.seed}, rounds {' '.join(self.story[-60:])}: {what}")

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.bot.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
        self.bot.end()


def _has_ended(sandbox_folder: Path) -> bool:
    """Whether no process holds the folder's lock."""
    lock = FolderLock(sandbox_folder / LOCK_FILE)
    is_free = lock.acquire()
    if is_free:
        lock.release()
    return is_free


def sent_orders(database: Path) -> set[str]:
    """Client order ids of the rows that say their order was sent, whatever came of it."""
    return _client_order_ids(database, "tx_count > 0")


def placed_orders(database: Path) -> set[str]:
    """Client order ids of the orders that the exchange has named: what it can show of the bot."""
    return _client_order_ids(database, "tx_count > 0 AND order_id <> ''")


def _client_order_ids(database: Path, condition: str) -> set[str]:
    with closing(sqlite3.connect(database, timeout=10)) as books:
        return {name for (name,) in books.execute(f"SELECT client_order_id FROM orders WHERE {condition}")}


def _fill(path: Path) -> None:
    """Take all the room there is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (16_777_216, 1_048_576, 65_536, 4_096):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, b"x" * size)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own at `folder` where that may be mounted, else the folder as it is."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    try:
        yield folder
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
