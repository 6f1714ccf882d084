"""How the command line reaches a running bot: one JSON object a line over a Unix socket of the state folder.

Only the bot's owner may open the socket (0600 in a folder of 0700). A request never raises into the bot. A lock beside
the socket decides who has the folder: the kernel grants it to one process and frees it however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gridtide.domain.errors import Fenced, GridtideError, InvalidInput

SOCKET_NAME = "control.sock"
LOCK_NAME = "control.lock"
MAX_LINE = 65_536
REQUEST_SECONDS = 5.0
MAX_PATH = 100
"""Bytes a socket's address may have (108 on Linux, fewer elsewhere)."""

Handler = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

_log = logging.getLogger(__name__)


class ControlSocket:
    """Answers requests with what `handle` returns; a `GridtideError` becomes ``{"ok": false, "error": sentence}``."""

    def __init__(self, folder: Path, handle: Handler) -> None:
        self._folder = folder
        self._handle = handle
        self._server: asyncio.Server | None = None
        self._lock: int | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take the folder and listen; raises `Fenced` where another bot has it, even one that just begins."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                f"the state folder {self._folder} cannot be made ({error.strerror}): nothing was started; give another "
                "--state-folder"
            ) from None
        self._lock = _locked(self._folder)
        try:
            with socket_address(self._folder) as address:
                self._server = await asyncio.start_unix_server(
                    self._accept, sock=_bound(address), limit=MAX_LINE
                )
        except BaseException:
            self._release()
            raise

    async def close(self) -> None:
        """Finish the answers that are under way, stop listening, then leave the folder to others."""
        try:
            await self._stop_listening()
        finally:
            self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _stop_listening(self) -> None:
        if self._server is None:
            return
        self._server.close()
        if self._answers:
            await asyncio.wait(self._answers, timeout=REQUEST_SECONDS)
        for task in self._answers:
            task.cancel()
        with contextlib.suppress(OSError):
            (self._folder / SOCKET_NAME).unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                line = await reader.readline()
            if line:
                self._answers.add(task)
                answer = await self._answer(line)
                writer.write(json.dumps(answer, default=str).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # whoever asked is gone, asked too slowly or too much
        finally:
            self._answers.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict) or not isinstance(request.get("command"), str):
                raise InvalidInput('a request is one JSON object with a "command"')
            return {"ok": True, **await self._handle(request)}
        except json.JSONDecodeError:
            return {"ok": False, "error": "the request is no JSON"}
        except GridtideError as error:
            return {"ok": False, "error": str(error)}
        except Exception:  # a request must never stop the bot
            _log.exception("control.request_failed")
            return {"ok": False, "error": "the bot could not answer; its log says why"}


@contextlib.contextmanager
def socket_address(folder: Path) -> Iterator[str]:
    """The address of the folder's socket; a long path is reached through the folder's descriptor."""
    address = str(folder / SOCKET_NAME)
    if len(os.fsencode(address)) <= MAX_PATH:
        yield address
        return
    if not Path("/proc/self/fd").is_dir():
        raise InvalidInput(f"the path {folder} is too long for a socket: give a shorter --state-folder")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int:
    """A descriptor that holds the folder's lock. The file stays: removing it could let two processes in."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"{folder / LOCK_NAME} cannot be opened ({error.strerror}): nothing was started; change its rights or "
            "give another --state-folder"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Fenced(
            f"another bot runs in {folder}: nothing was started; stop it with `gridtide stop` or give this one "
            "another --state-folder"
        ) from None
    return descriptor


def _bound(address: str) -> socket.socket:
    """A listening socket that nobody else could open at any moment, in place of one that a killed bot left."""
    Path(address).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise InvalidInput(
            f"no socket can be made at {address} ({error.strerror}): nothing was started; give another --state-folder"
        ) from None
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening
