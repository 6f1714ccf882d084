"""The socket by which the command line reaches a running bot: for its owner only, and harmless to the bot."""

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.control_client import NoBotRuns, Refusal, ask
from gridtide.domain.errors import Fenced, InvalidInput, Transient
from gridtide.runners.control_socket import MAX_LINE, SOCKET_NAME, ControlSocket, socket_address


@contextlib.asynccontextmanager
async def bot(folder: Path) -> AsyncIterator[list[Mapping[str, Any]]]:
    """A bot that answers with what it was asked, and the requests it got."""
    asked: list[Mapping[str, Any]] = []

    async def handle(request: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(request)
        if request["command"] == "refuse":
            raise InvalidInput("not now: the bot is busy")
        if request["command"] == "break":
            raise ZeroDivisionError("inside")
        if request["command"] == "sleep":
            await asyncio.sleep(0.3)
        return {"command": request["command"], "state": "RUNNING"}

    control = ControlSocket(folder, handle)
    await control.start()
    try:
        yield asked
    finally:
        await control.close()


async def asking(folder: Path, command: str, **values: Any) -> dict[str, Any]:
    return await asyncio.to_thread(ask, folder, command, **values)


async def raw(folder: Path, data: bytes) -> bytes:
    """What comes back for bytes that no client of ours would send."""
    with socket_address(folder) as address:
        reader, writer = await asyncio.open_unix_connection(address)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_command_and_its_answer(tmp_path: Path) -> None:
    async with bot(tmp_path) as asked:
        assert await asking(tmp_path, "status") == {"command": "status", "state": "RUNNING"}
        await asking(tmp_path, "stop", policy="cancel")
    assert asked == [{"command": "status"}, {"command": "stop", "policy": "cancel"}]


async def test_a_refusal_is_the_bots_own_sentence(tmp_path: Path) -> None:
    async with bot(tmp_path):
        with pytest.raises(Refusal, match="not now: the bot is busy"):
            await asking(tmp_path, "refuse")


async def test_a_mistake_in_an_answer_does_not_stop_the_bot(tmp_path: Path) -> None:
    async with bot(tmp_path):
        with pytest.raises(Refusal, match="its log says why"):
            await asking(tmp_path, "break")
        assert await asking(tmp_path, "status")


@pytest.mark.parametrize(
    "data", [b"junk\n", b"[]\n", b"{}\n", b'{"command": 5}\n', b"\xff\xfe\n", b"no newline"]
)
async def test_junk_is_answered_with_a_sentence(tmp_path: Path, data: bytes) -> None:
    async with bot(tmp_path) as asked:
        answer = await raw(tmp_path, data)
        assert asked == []
        assert json.loads(answer)["ok"] is False
        assert await asking(tmp_path, "status")


async def test_too_much_and_nothing_are_not_answered(tmp_path: Path) -> None:
    async with bot(tmp_path):
        with contextlib.suppress(ConnectionError):
            assert await raw(tmp_path, b"x" * (MAX_LINE * 2)) == b""
        assert await raw(tmp_path, b"") == b""
        assert await asking(tmp_path, "status")


async def test_only_the_owner_may_open_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    before = os.umask(0)
    try:
        async with bot(folder):
            assert stat.S_IMODE((folder / SOCKET_NAME).stat().st_mode) == 0o600
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)


async def test_f55_a_second_bot_in_the_folder_is_fenced(tmp_path: Path) -> None:
    async with bot(tmp_path):
        with pytest.raises(Fenced, match="another bot runs in"):
            async with bot(tmp_path):
                pytest.fail("two bots in one folder")
        assert await asking(tmp_path, "status"), "the first one was not harmed"


async def test_of_bots_started_at_once_in_a_folder_one_has_it(tmp_path: Path) -> None:
    """F55: the others read that a bot runs there, never that a socket is in their way, and the one that has the folder
    can be reached."""

    async def handle(request: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(request)

    controls = [ControlSocket(tmp_path, handle) for _ in range(10)]
    started = await asyncio.gather(*(control.start() for control in controls), return_exceptions=True)
    assert started.count(None) == 1, started
    assert all(isinstance(error, Fenced) for error in started if error is not None)
    for control, error in zip(controls, started, strict=True):
        if error is not None:
            await control.close()
    assert await asking(tmp_path, "status"), "the others' end takes nothing from it"
    await controls[started.index(None)].close()
    async with bot(tmp_path):
        assert await asking(tmp_path, "status")


async def test_the_socket_of_a_killed_bot_is_taken_over(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_NAME))
    left.close()
    with pytest.raises(NoBotRuns):
        await asking(tmp_path, "status")
    async with bot(tmp_path):
        assert await asking(tmp_path, "status")
    assert not (tmp_path / SOCKET_NAME).exists()


async def test_an_answer_under_way_is_finished_before_the_end(tmp_path: Path) -> None:
    """`gridtide stop` waits for the end of the run: its answer is the last thing the bot says."""
    async with bot(tmp_path):
        waiting = asyncio.create_task(asking(tmp_path, "sleep"))
        await asyncio.sleep(0.1)
    assert (await waiting)["command"] == "sleep"


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system has no /proc to shorten a path with"
)
async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    async with bot(folder):
        assert await asking(folder, "status")


async def test_nobody_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoBotRuns, match="start one with `gridtide run`"):
        await asking(tmp_path, "status")


async def test_a_bot_that_does_not_answer_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with bot(tmp_path):
        with pytest.raises(Transient, match=r"did not answer within 0\.1 s"):
            await asking(tmp_path, "sleep", timeout_seconds=0.1)
