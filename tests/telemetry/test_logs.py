"""What a log line looks like, how much disk it takes, and that logging never stops anything (F61)."""

import json
import logging
import os
import stat
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.telemetry import events
from gridtide.telemetry.console import console_line
from gridtide.telemetry.logs import configure_logging, get_logger
from gridtide.telemetry.rate_limit import RateLimit
from gridtide.telemetry.rotating_file import RETRY_SECONDS, RotatingFile
from tests.telemetry.conftest import Written


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_is_json_with_time_level_event_and_values(written: Written) -> None:
    get_logger(run_id="r1").info(events.FILL_BOOKED, price=Decimal("50000.10"), slot="041B", left=None)
    (entry,) = written.entries()
    assert entry.pop("timestamp").endswith("+00:00")
    assert entry == {
        "level": "info",
        "event": "fill.booked",
        "run_id": "r1",
        "price": "50000.10",
        "slot": "041B",
        "left": None,
    }


def test_the_terminal_shows_a_line_a_person_can_read(written: Written) -> None:
    get_logger().warning(events.ORDER_REFUSED, slot="041B", message="price is too far away")
    line = written.terminal.getvalue()
    assert line[8:] == " warning  order.refused  slot=041B  message='price is too far away'\n"


def test_a_stranger_cannot_paint_the_terminal() -> None:
    """An exchange's error text may hold escape sequences; the terminal must not obey them."""
    shown = console_line({"event": "x", "text": "a\x1b[2Jb\x07c\r\nd\x9b1m"})
    assert not {"\x1b", "\x07", "\r", "\x9b"} & set(shown)
    assert "\n" not in shown


def test_a_traceback_stays_readable_without_local_variables(written: Written) -> None:
    hidden_value = 98765
    try:
        raise KeyError("missing" * (hidden_value % 2))
    except KeyError:
        get_logger().exception("failed")
    exception = written.entries()[0]["exception"]
    assert exception.startswith("Traceback (most recent call last):")
    assert "98765" not in exception
    assert "KeyError" in written.terminal.getvalue()


def test_f61_ten_thousand_errors_become_a_few_lines_and_a_count(tmp_path: Path) -> None:
    clock = Clock()
    logs = configure_logging(file=tmp_path / "log", limit=RateLimit(burst=50, per_second=5, clock=clock))
    for _ in range(10_000):
        get_logger().error("exchange.read_failed", reason="no route")
        clock.now += 1 / 10_000
    clock.now += 1
    get_logger().error("exchange.read_failed", reason="no route")
    get_logger().error("order.refused")
    logs.close()
    entries = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    failed = [entry for entry in entries if entry["event"] == "exchange.read_failed"]
    assert len(failed) < 60
    assert len(failed) + sum(entry.get("left_out", 0) for entry in failed) == 10_001, "none is forgotten"
    assert entries[-1]["event"] == "order.refused", "another kind has its own limit"


def test_f61_what_was_left_out_is_said_at_the_end(tmp_path: Path) -> None:
    logs = configure_logging(file=tmp_path / "log", limit=RateLimit(burst=1, per_second=0, clock=Clock()))
    for _ in range(4):
        get_logger().error("x")
    logs.close()
    assert '"kind":"x","count":3' in (tmp_path / "log").read_text()


def test_f61_a_library_is_limited_as_one_kind(tmp_path: Path) -> None:
    """Its texts are endlessly many, so they cannot be what is counted."""
    logs = configure_logging(file=tmp_path / "log", limit=RateLimit(burst=3, per_second=0, clock=Clock()))
    for number in range(100):
        logging.getLogger("ccxt").error(f"request {number} failed")
    assert len((tmp_path / "log").read_text().splitlines()) == 3
    logs.close()


def test_f61_kinds_are_forgotten_before_they_fill_the_memory() -> None:
    limit = RateLimit(clock=Clock())
    for number in range(5_000):
        limit.admit(f"kind {number}")
    assert len(limit._buckets) <= 1_000  # noqa: SLF001  # the bound is the point


def test_f61_the_file_never_grows_beyond_its_size(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = RotatingFile(path, max_bytes=1_000, backups=2)
    for number in range(200):
        file.write(f"{number:049d}\n".encode())
    file.close()
    sizes = {found.name: found.stat().st_size for found in tmp_path.iterdir()}
    assert sizes == {"log": 1_000, "log.1": 1_000, "log.2": 1_000}
    assert path.read_text().splitlines()[-1] == f"{199:049d}"
    assert (tmp_path / "log.1").read_text().splitlines()[-1] == f"{179:049d}"


def test_f61_without_backups_the_old_lines_go(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "log", max_bytes=100, backups=0)
    for _ in range(10):
        file.write(b"x" * 39 + b"\n")
    file.close()
    assert [found.name for found in tmp_path.iterdir()] == ["log"]
    assert file.lost == 0


def test_only_the_owner_can_read_the_log(tmp_path: Path) -> None:
    path = tmp_path / "made" / "log"
    file = RotatingFile(path, max_bytes=100, backups=1)
    for _ in range(4):
        file.write(b"x" * 50 + b"\n")
    file.close()
    for found in (path, path.with_name("log.1")):
        assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_log_that_was_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    path.chmod(0o644)
    file = RotatingFile(path, max_bytes=1_000, backups=1)
    file.write(b"new\n")
    file.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "old\nnew\n"


@pytest.mark.parametrize("place", ["a_file/log", "a_folder"])
def test_f61_a_place_that_cannot_be_written_costs_lines_and_nothing_else(tmp_path: Path, place: str) -> None:
    (tmp_path / "a_file").write_text("")
    (tmp_path / "a_folder").mkdir()
    logs = configure_logging(file=tmp_path / place)
    get_logger().error("x")
    logging.getLogger("ccxt").error("y")
    logs.close()
    assert logs.file is not None
    assert logs.file.lost == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_f61_a_read_only_folder_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    file = RotatingFile(tmp_path / "log", 1_000, 1)
    file.write(b"x\n")
    tmp_path.chmod(0o700)
    assert file.lost == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_f61_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    """And when there is room again, the log goes on in a new line."""
    clock = Clock()
    path = tmp_path / "log"
    path.symlink_to("/dev/full")
    file = RotatingFile(path, 1_000, 1, clock)
    file.write(b"lost\n")
    file.write(b"lost too: the disk is left alone for a while\n")
    assert file.lost == 2
    path.unlink()
    clock.now += RETRY_SECONDS + 1
    file.write(b"back\n")
    file.close()
    assert path.read_text() == "\nback\n"


def test_f61_a_terminal_that_is_gone_is_no_error(tmp_path: Path) -> None:
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    logs = configure_logging(file=tmp_path / "log", console=Gone())  # type: ignore[arg-type]  # all it needs
    get_logger().error("x")
    logs.close()
    assert '"event":"x"' in (tmp_path / "log").read_text()


def test_the_level_is_obeyed(tmp_path: Path) -> None:
    logs = configure_logging(file=tmp_path / "log", level="warning")
    get_logger().info("quiet")
    get_logger().warning("heard")
    logging.getLogger("somebody").info("quiet")
    logs.close()
    assert "quiet" not in (tmp_path / "log").read_text()


def test_many_threads_write_whole_lines(written: Written) -> None:
    def write(name: str) -> None:
        for number in range(20):
            get_logger().info(f"from.{name}", number=number)

    threads = [threading.Thread(target=write, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written.entries()) == 80


def test_closing_puts_everything_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), threading.excepthook, sys.unraisablehook)
    configure_logging(file=tmp_path / "log").close()
    assert (root.level, list(root.handlers), threading.excepthook, sys.unraisablehook) == before


def test_event_names_are_words_with_dots() -> None:
    """And no name stands for two things."""
    names = [value for name, value in vars(events).items() if name.isupper()]
    assert len(set(names)) == len(names)
    assert all(name.replace(".", "").replace("_", "").isalpha() and name.islower() for name in names)


def test_a_closed_log_stays_closed(tmp_path: Path) -> None:
    """A thread that speaks after the end does not open the file again; its line is counted as lost."""
    file = RotatingFile(tmp_path / "bot.log", 1_000, 1)
    file.write(b"one\n")
    file.close()
    (tmp_path / "bot.log").unlink()
    file.write(b"two\n")
    assert file.lost == 1
    assert not (tmp_path / "bot.log").exists()
