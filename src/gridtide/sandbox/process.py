"""The embedded sandbox: a process of its own that outlives whoever started it, found again through its folder.

The folder (mode 0700) holds ``launch.json``, ``sandbox.json`` (where it listens and how to get in, 0600), its state
file, its log, and a lock that the living process holds.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import aiohttp
import orjson

from gridtide.domain.errors import InvalidInput, StorageFailed, Transient
from gridtide.sandbox.folder_lock import FolderLock
from gridtide.sandbox.launch import ACCOUNT, LaunchSpec
from gridtide.sandbox.state_file import write_private

LAUNCH_FILE = "launch.json"
CONTACT_FILE = "sandbox.json"
LOCK_FILE = "sandbox.lock"
LOG_FILE = "sandbox.log"

_START_SECONDS = 20.0
_STOP_SECONDS = 30.0
"""Longer than it tries to save."""
_ANSWER_SECONDS = 5.0
_POLL_SECONDS = 0.05
_LARGEST_LOG = 1_000_000

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Sandboxes this process started, by process id. Kept, because they live on and a collected `Popen` complains."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a sandbox listens and how to get in: the content of ``sandbox.json``."""

    pid: int
    port: int
    control_port: int
    instance_id: str
    control_token: str = field(repr=False)
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    market_start: int

    def write(self, folder: Path) -> None:
        write_private(folder / CONTACT_FILE, orjson.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Contact | None:
        """What the folder's last sandbox left; None where there is none or it makes no sense."""
        try:
            return cls(**orjson.loads((folder / CONTACT_FILE).read_bytes()))
        except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class SandboxHandle:
    """A living embedded sandbox. The methods talk to its control API; they raise `Transient` if it is gone."""

    folder: Path
    contact: Contact
    account_id: str = ACCOUNT

    @property
    def url(self) -> str:
        """Of the REST API, without path."""
        return f"http://127.0.0.1:{self.contact.port}"

    @property
    def stream_url(self) -> str:
        """Of the market streams, as ccxt needs it (protocol section 2.2)."""
        return f"ws://127.0.0.1:{self.contact.port}/stream/ws"

    @property
    def ws_api_url(self) -> str:
        """Of the WebSocket API."""
        return f"ws://127.0.0.1:{self.contact.port}/ws-api/v3"

    @property
    def api_key(self) -> str:
        return self.contact.api_key

    @property
    def secret(self) -> str:
        return self.contact.secret

    async def status(self) -> dict[str, Any]:
        """Instance id, market time and price of each market, held, finished."""
        return await self._ask("GET", "status")

    async def hold(self) -> dict[str, Any]:
        """Stop the market; once this returns nothing moves. Gives the status."""
        return await self._ask("POST", "hold")

    async def resume(self) -> dict[str, Any]:
        """Let the market go on. Gives the status."""
        return await self._ask("POST", "resume")

    async def truth(self, account_id: str | None = None) -> dict[str, Any]:
        """Orders, fills and balances exactly as the venue has them, decimals as text."""
        return await self._ask("GET", "truth", params={"account": account_id or self.account_id})

    async def deposit(self, asset: str, amount: str, account_id: str | None = None) -> dict[str, Any]:
        """Add to an account; a negative amount takes away. Gives the balance."""
        body = {"account": account_id or self.account_id, "asset": asset, "amount": amount}
        return await self._ask("POST", "deposit", json=body)

    async def save(self) -> dict[str, Any]:
        """Returns once all that happened so far is on the disk. Gives the status."""
        return await self._ask("POST", "save")

    async def shutdown(self) -> None:
        """Make it save its state and end; returns once it has.

        Raises `StorageFailed` where it ended and could not save, `Transient` if all that takes too long.
        """
        with suppress(Transient):
            await self._ask("POST", "shutdown")
        await asyncio.to_thread(_wait_for_end, self.folder, self.contact.pid)

    async def _ask(self, method: str, operation: str, **arguments: Any) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.contact.control_port}/control/{operation}"
        headers = {"Authorization": f"Bearer {self.contact.control_token}"}
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.request(method, url, **arguments) as response,
            ):
                answer = orjson.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
            raise Transient("the sandbox exchange does not answer on its control port") from None
        if not isinstance(answer, dict):
            raise Transient("something else than the sandbox exchange answers on its control port")
        if response.status != 200:
            raise InvalidInput(f"the sandbox exchange refused {operation}: {answer.get('error')}")
        return answer


async def attach(state_folder: Path) -> SandboxHandle | None:
    """The folder's sandbox if it is alive, else None. Another program on its old port is not mistaken for it."""
    contact = Contact.read(state_folder)
    if contact is None:
        return None
    handle = SandboxHandle(state_folder, contact)
    try:
        status = await handle.status()
    except (Transient, InvalidInput):
        return None
    return handle if status.get("instance_id") == contact.instance_id else None


async def start_process(state_folder: Path, launch: LaunchSpec) -> SandboxHandle:
    """Start the folder's sandbox in a process of its own, in its own session; returns once it listens.

    It takes up the state saved in the folder. If it lives already (somebody else was starting it), that one is
    given. Raises `InvalidInput` with the reason where it cannot start, "port taken" among them. Cancelled, it ends what
    it started.
    """
    starting = asyncio.create_task(asyncio.to_thread(_start, state_folder, launch))
    try:
        return await _reached(state_folder, await asyncio.shield(starting))
    except asyncio.CancelledError:
        if "ready" in await starting and (handle := await attach(state_folder)) is not None:
            await handle.shutdown()
        raise


async def _reached(state_folder: Path, report: Mapping[str, Any]) -> SandboxHandle:
    if "error" in report:
        raise InvalidInput(report["error"])
    deadline = time.monotonic() + _START_SECONDS
    while (handle := await attach(state_folder)) is None:
        if "locked" not in report or time.monotonic() > deadline:
            raise InvalidInput(f"the sandbox exchange did not come up; its log is {state_folder / LOG_FILE}")
        await asyncio.sleep(_POLL_SECONDS)
    return handle


def read_launch(state_folder: Path) -> LaunchSpec:
    """What the folder's sandbox was last launched with. Raises `InvalidInput` where there is nothing."""
    try:
        return LaunchSpec.from_json(orjson.loads((state_folder / LAUNCH_FILE).read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError):
        raise InvalidInput(f"there is no readable {LAUNCH_FILE} in {state_folder}") from None


# --- the parent's side -------------------------------------------------------------------------------


def _start(folder: Path, launch: LaunchSpec) -> Mapping[str, Any]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _open_log(folder / LOG_FILE) as log:
        child = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, "-P", "-m", "gridtide.sandbox", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C in our terminal must not reach it
        )
    _send_launch(child, launch)
    report = _read_report(child)
    if "ready" in report:
        _CHILDREN[child.pid] = child
    else:
        child.wait()
    return report


def _open_log(path: Path) -> IO[bytes]:
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LARGEST_LOG:
            path.unlink()
    log = path.open("ab")
    path.chmod(0o600)
    return log


def _send_launch(child: subprocess.Popen[bytes], launch: LaunchSpec) -> None:
    """By pipe and not by file: only the process that holds the folder's lock writes there."""
    assert child.stdin is not None
    with suppress(BrokenPipeError), child.stdin as pipe:
        pipe.write(orjson.dumps(launch.to_json()))


def _read_report(child: subprocess.Popen[bytes]) -> Mapping[str, Any]:
    """The one line a sandbox prints once it listens or has failed."""
    assert child.stdout is not None
    impatience = threading.Timer(_START_SECONDS, child.kill)
    impatience.start()
    with child.stdout as pipe:
        line = pipe.readline()
    impatience.cancel()
    try:
        report = orjson.loads(line)
    except orjson.JSONDecodeError:
        report = None
    return report if isinstance(report, dict) else {"error": "the sandbox exchange ended at its start"}


def _wait_for_end(folder: Path, pid: int) -> None:
    """Until the folder's lock is free: then the state is saved and the process gone."""
    deadline = time.monotonic() + _STOP_SECONDS
    lock = FolderLock(folder / LOCK_FILE)
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise Transient(f"the sandbox exchange (process {pid}) was told to end and has not yet")
        time.sleep(_POLL_SECONDS)
    is_unsaved = lock.is_unsaved()
    lock.release()
    child = _CHILDREN.pop(pid, None)
    if child is not None:
        child.wait()
    if is_unsaved:
        raise StorageFailed(
            "the sandbox exchange ended and could not save its last state: what it did since its save before is lost, "
            f"and its state in {folder} is the one of then; {folder / LOG_FILE} says why. The bot's own books are "
            "kept. Free some space; if the next run finds orders missing, begin anew with another --state-folder"
        )


def was_cut_short(state_folder: Path) -> bool:
    """Whether the folder's last sandbox was killed or could not save: its state is older than its end."""
    return FolderLock(state_folder / LOCK_FILE).is_unsaved()
