"""The doctor with the real program: all is well where it is, also while the bot runs, and it changes nothing."""

import asyncio
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from gridtide.cli.control_client import ask
from gridtide.domain.errors import GridtideError
from gridtide.storage.findings import SAYS
from tests.cli.conftest import Command
from tests.e2e.bots import Bot

FAST = ("--speed", "10", "--json")


def examined_elsewhere(folder: Path) -> tuple[int, dict[str, Any]]:
    """`gridtide doctor` as a process of its own."""
    command = [sys.executable, "-m", "gridtide", "doctor", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def until_running(state: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if ask(state, "status")["open_orders"]:
                return
        except GridtideError:
            pass
        time.sleep(0.1)
    raise AssertionError("the bot did not start")


def test_all_is_well_while_the_bot_runs_and_after(command: Command, folder: Path) -> None:
    """Every rule is looked at; the running bot goes on trading and agrees with the exchange at its end."""
    found: dict[str, Any] = {}

    def look() -> None:
        until_running(folder / ".gridtide")
        found["running"] = examined_elsewhere(folder)
        found["still there"] = ask(folder / ".gridtide", "status")
        ask(folder / ".gridtide", "stop")

    looker = threading.Thread(target=look)
    looker.start()
    ended = command("run", "grid.yaml", *FAST)
    looker.join()
    assert ended.code == 0, ended.err
    code, examined = found["running"]
    assert (code, examined["broken"], examined["running"]) == (0, [], True), examined
    assert {item["id"] for item in examined["findings"]} == set(SAYS)
    assert found["still there"]["state"] in ("RUNNING", "OUT_OF_RANGE")

    with Bot(folder / ".gridtide").living_sandbox():
        at_rest = command("doctor", "--json")
        assert at_rest.code == 0, at_rest.out
        unchecked = [item for item in at_rest.json["findings"] if item["outcome"] != "held"]
        assert unchecked == []
        text = command("doctor").out
    assert "held       I6        the account holds what the books say, to the last unit:" in text
    assert "All is well: 25 held." in text


def test_a_bot_that_stopped(bot: Bot, command: Command, folder: Path, quick_looks: None) -> None:
    """In turn: nothing is changed; an exchange that is away; news while no bot ran; books that are wrong."""
    path = Path(bot.database_url.removeprefix("sqlite:///"))
    before = hashlib.sha256(path.read_bytes()).hexdigest(), os.stat(path).st_mtime_ns
    away(command, folder, bot)
    with bot.living_sandbox():
        assert command("doctor", "grid.yaml").code == 0
        assert (hashlib.sha256(path.read_bytes()).hexdigest(), os.stat(path).st_mtime_ns) == before
        news(command, bot, path)
        wrong(command, path)


def away(command: Command, folder: Path, bot: Bot) -> None:
    """Exit 2: what needs no exchange is looked at all the same."""
    (folder / "away.yaml").write_text(
        (folder / "grid.yaml").read_text()
        + "exchange: {rest_url: 'http://127.0.0.1:9', api_key: k, api_secret: s}\n"
        + f"storage: {{url: '{bot.database_url}'}}\n"
    )
    examined = command("doctor", "away.yaml", "--json")
    assert examined.code == 2
    outcomes = {item["id"]: item["outcome"] for item in examined.json["findings"]}
    assert outcomes["exchange"] == "broken"
    assert outcomes["I14"] == outcomes["I5"] == "held"
    assert outcomes["I6"] == outcomes["F46"] == "unchecked"


def news(command: Command, bot: Bot, path: Path) -> None:
    """What filled while no bot ran is no difference: the next run books it. Rights that are too wide are told."""

    async def play() -> None:
        handle = await bot.sandbox()
        before = len((await handle.truth())["fills"])
        await handle.resume()
        for _ in range(200):
            await asyncio.sleep(0.05)
            if len((await handle.truth())["fills"]) > before:
                break
        await handle.hold()

    asyncio.run(play())
    path.chmod(0o644)
    examined = command("doctor", "grid.yaml", "--json").json
    path.chmod(0o600)
    assert examined["broken"] == ["rights"], examined
    (resting,) = [item for item in examined["findings"] if item["id"] == "I8"]
    assert "to be booked by the next run" in resting["detail"]


def wrong(command: Command, path: Path) -> None:
    """Money that the account does not have."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE baselines SET amount = '1' WHERE asset = 'USDT'")
    examined = command("doctor", "grid.yaml")
    assert examined.code == 1
    assert re.search(r"broken +I6 .* the books .*\n +-> look at the account", examined.out)
