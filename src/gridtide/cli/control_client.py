"""Talks to a running bot over the socket in its state folder."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from gridtide.domain.errors import GridtideError, InvalidInput, Transient
from gridtide.runners.control_socket import SOCKET_NAME, socket_address

CONNECT_SECONDS = 3.0


class NoBotRuns(InvalidInput):
    """Nobody answers in the state folder."""


class Refusal(GridtideError):
    """The bot answered, and said no."""


def ask(folder: Path, command: str, *, timeout_seconds: float = 30.0, **values: Any) -> dict[str, Any]:
    """The bot's answer to `command`.

    Raises `NoBotRuns` where none answers, `Refusal` with the bot's own sentence, `Transient` where it takes too long.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(CONNECT_SECONDS)
            _connect(connection, folder)
            connection.settimeout(timeout_seconds)
            connection.sendall(json.dumps({"command": command, **values}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
    except TimeoutError:
        raise Transient(
            f"the bot in {folder} did not answer within {timeout_seconds:g} s; it goes on as before: ask again"
        ) from None
    except OSError:
        line = b""
    if not line:
        raise Transient(f"the bot in {folder} ended before it answered; `gridtide status` shows what is left")
    answer: dict[str, Any] = json.loads(line)
    if not answer.pop("ok", False):
        raise Refusal(str(answer.get("error", "the bot refused and did not say why")))
    return answer


def no_bot_runs(folder: Path) -> None:
    """Raise `InvalidInput` where a bot answers in the folder."""
    try:
        ask(folder, "status")
    except NoBotRuns:
        return
    except (Refusal, Transient):
        pass  # it is there, and busy
    raise InvalidInput(f"a bot runs in {folder}: nothing was done; end it with `gridtide stop` first")


def _connect(connection: socket.socket, folder: Path) -> None:
    if (folder / SOCKET_NAME).exists():
        with socket_address(folder) as address:
            try:
                connection.connect(address)
            except OSError:
                pass
            else:
                return
    raise NoBotRuns(f"no bot runs in {folder}: start one with `gridtide run`, or name its --state-folder")
