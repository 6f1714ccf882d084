"""The embedded sandbox: a process that outlives its starter and is found again, and only it."""

import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gridtide.domain.errors import InvalidInput, StorageFailed, Transient
from gridtide.sandbox import LaunchSpec, attach, start_process, state_file
from gridtide.sandbox.keeper import StateKeeper
from gridtide.sandbox.launch import STATE_FILE
from gridtide.sandbox.process import CONTACT_FILE, LAUNCH_FILE, read_launch, was_cut_short
from tests.sandbox.rest_client import RestClient, now

HELD = LaunchSpec(hold=True, balances={"USDT": "1000"})


async def test_life_of_an_embedded_sandbox(tmp_path: Path) -> None:
    """Starts quickly in its own session, is attached to again, saves at the end, goes on where it was."""
    folder = tmp_path / "state"
    assert await attach(folder) is None
    begun = time.monotonic()
    handle = await start_process(folder, HELD)
    assert time.monotonic() - begun < 6, "start-up takes under 1.5 s on a quiet machine"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in (CONTACT_FILE, LAUNCH_FILE):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert os.getsid(handle.contact.pid) == handle.contact.pid != os.getsid(0)
    assert read_launch(folder) == HELD
    assert handle.secret not in repr(handle)
    client = RestClient(handle)
    order_id = client.order("BUY", "0.001", "40000").body["orderId"]
    again = await attach(folder)
    assert again == handle
    status = await again.status()
    assert abs(status["markets"]["BTC/USDT"]["market_time"] - now()) < 60_000, "synthetic time starts now"
    await again.shutdown()
    assert await attach(folder) is None
    with pytest.raises(Transient):
        await handle.status()
    later = await start_process(folder, HELD)
    try:
        assert (later.api_key, later.secret) == (handle.api_key, handle.secret)
        assert later.contact.instance_id != handle.contact.instance_id
        assert [order["order_id"] for order in (await later.truth())["orders"]] == [order_id]
        assert (await later.resume())["held"] is False
        assert (await later.hold())["held"] is True
        assert (await later.deposit("USDT", "5"))["balance"]["free"] == "965.00000000"
    finally:
        await later.shutdown()


async def test_it_survives_its_starter_and_sigterm_saves(tmp_path: Path) -> None:
    """The starter is killed without a chance to say goodbye; SIGTERM ends the sandbox with its state saved."""
    code = (
        "import asyncio, pathlib, sys, time\n"
        "from gridtide.sandbox import LaunchSpec, start_process\n"
        "asyncio.run(start_process(pathlib.Path(sys.argv[1]), LaunchSpec(hold=True)))\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    assert await starter.stdout.readline() == b"up\n"
    starter.kill()
    await starter.communicate()
    handle = await attach(tmp_path)
    assert handle is not None
    os.kill(handle.contact.pid, signal.SIGTERM)
    async with asyncio.timeout(5):
        while not (tmp_path / "sandbox.state.json").exists():  # noqa: ASYNC110  another process makes it
            await asyncio.sleep(0.02)
    await handle.shutdown()
    assert await attach(tmp_path) is None


async def test_a_full_disk_at_the_end_is_told_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """F58: the state before stays whole, whoever asked for the end reads a sentence, the process ends with a code of
    its own, and the next start knows. Asked a second time it gives up at once."""
    handle = await start_process(tmp_path, HELD)
    client = RestClient(handle)
    kept = client.order("BUY", "0.001", "40000").body["orderId"]
    await handle.save()
    state = (tmp_path / STATE_FILE).read_bytes()
    client.order("BUY", "0.001", "40001")
    resource.prlimit(handle.contact.pid, resource.RLIMIT_FSIZE, (1024, 1024))
    ending = asyncio.create_task(handle.shutdown())
    while not ending.done():
        await asyncio.sleep(0.3)
        with suppress(ProcessLookupError):
            os.kill(handle.contact.pid, signal.SIGTERM)
    with pytest.raises(
        StorageFailed, match="could not save its last state: what it did since its save before is lost"
    ):
        await ending
    assert (tmp_path / STATE_FILE).read_bytes() == state
    assert not any(name.endswith(".partial") for name in os.listdir(tmp_path))
    assert was_cut_short(tmp_path)
    later = await start_process(tmp_path, HELD)
    assert [order["order_id"] for order in (await later.truth())["orders"]] == [kept]
    await later.shutdown()
    assert not was_cut_short(tmp_path)


async def test_a_disk_that_has_room_again_is_waited_for(tmp_path: Path) -> None:
    """F58: the last save is tried again for a while; then one sentence says what is lost."""
    path = tmp_path / "missing" / "state.json"
    keeper = StateKeeper(path, lambda: {"saved_at": 1_770_000_000_000}, lambda: 1, 60)
    finishing = asyncio.create_task(keeper.finish(asyncio.Event()))
    await asyncio.sleep(0.05)
    path.parent.mkdir()
    await finishing
    assert state_file.load(path) is not None
    await keeper.save()
    shutil.rmtree(path.parent)
    told = r"No such file.*: what it did after 2026-02-02 02:40:00 UTC is lost, and .* is as it was then"
    with pytest.raises(StorageFailed, match=told):
        await keeper.finish(asyncio.Event(), patience_seconds=0)


async def test_a_start_that_is_given_up_leaves_nothing_alive(tmp_path: Path) -> None:
    """Ctrl-C while the sandbox comes up: it is ended before the command is."""
    starting = asyncio.create_task(start_process(tmp_path, HELD))
    await asyncio.sleep(0.05)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert read_launch(tmp_path) == HELD, "it had begun"
    assert await attach(tmp_path) is None


async def test_two_starters_get_one_sandbox(tmp_path: Path) -> None:
    """A starter killed at any moment leaves a sandbox that the next start finds, even while it comes up."""
    first, second = await asyncio.gather(start_process(tmp_path, HELD), start_process(tmp_path, HELD))
    try:
        assert first == second
    finally:
        await first.shutdown()


async def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"port taken: another program listens on 127.0.0.1:{port}"):
            await start_process(tmp_path, replace(HELD, port=port))
    assert await attach(tmp_path) is None


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"220 ready\r\n", b""])
async def test_a_stranger_on_the_old_port_is_not_it(tmp_path: Path, answer: bytes) -> None:
    """Whatever it answers."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        contact = {
            "pid": 1, "port": 1, "control_port": server.sockets[0].getsockname()[1], "instance_id": "x",
            "control_token": "t", "api_key": "k", "secret": "s", "market_start": 0,
        }  # fmt: skip
        (tmp_path / CONTACT_FILE).write_text(json.dumps(contact))
        assert await attach(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
async def test_an_unreadable_contact_file_is_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / CONTACT_FILE).write_text(content)
    assert await attach(tmp_path) is None


async def test_an_unusable_market_is_one_clear_sentence(tmp_path: Path) -> None:
    """The reason comes from the sandbox's process to its starter."""
    with pytest.raises(InvalidInput, match="no-such-file"):
        await start_process(tmp_path, LaunchSpec(market_file=str(tmp_path / "no-such-file.parquet")))


def test_looking_for_a_sandbox_does_not_load_the_server() -> None:
    """Nor ccxt, nor SQLAlchemy: the import stays light for the bot and quick for the sandbox."""
    code = (
        "import sys, gridtide.sandbox.process\n"
        "assert 'gridtide.sandbox.server' not in sys.modules\n"
        "import gridtide.sandbox.server\n"
        "assert not {'ccxt', 'sqlalchemy', 'duckdb', 'numpy', 'cryptography'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
