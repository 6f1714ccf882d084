"""The embedded sandbox's own process: ``python -m gridtide.sandbox FOLDER``, started by `start_process` only.

It reads on its standard input what to launch, says once on its standard output whether it listens or why not, and
never again.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

import orjson

from gridtide.domain.errors import GridtideError, StorageFailed
from gridtide.domain.market import Timestamp
from gridtide.sandbox.clock import WallClock
from gridtide.sandbox.folder_lock import FolderLock
from gridtide.sandbox.launch import (
    STATE_FILE,
    Credentials,
    Identity,
    LaunchSpec,
    build_settings,
    settle_memory,
)
from gridtide.sandbox.process import LAUNCH_FILE, LOCK_FILE, Contact
from gridtide.sandbox.server import Sandbox, serve
from gridtide.sandbox.state_file import write_private

_LOG = logging.getLogger(__name__)

NOT_SAVED = 4
"""Exit code of a sandbox whose last state could not be written."""


def main(folder: Path) -> int:
    """Serve the folder's sandbox until it is told to end; the exit code says whether it could start and save."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    lock = FolderLock(folder / LOCK_FILE)
    if not lock.acquire():
        _report({"locked": True})
        return 3
    try:
        launch = LaunchSpec.from_json(orjson.loads(sys.stdin.buffer.read()))
        write_private(folder / LAUNCH_FILE, orjson.dumps(launch.to_json()))
        identity = _identity(folder)
        settings = build_settings(launch, folder, identity)
        serve(settings, lambda sandbox: _on_ready(sandbox, folder, identity, lock))
        lock.end()
    except StorageFailed as error:
        _LOG.error("sandbox.state_lost reason=%s", error)
        return NOT_SAVED
    except GridtideError as error:
        _report({"error": str(error)})
        return 2
    except Exception:
        _LOG.exception("sandbox.ended")
        _report({"error": f"the sandbox exchange failed; its log is in {folder}"})
        return 1
    return 0


def _identity(folder: Path) -> Identity:
    """A new instance; keys and the market's beginning stay those of the folder's first sandbox."""
    previous = Contact.read(folder)
    credentials = Credentials.generate()
    market_start = WallClock().now()
    if previous is not None:
        credentials = Credentials(previous.api_key, previous.secret)
        if (folder / STATE_FILE).exists():
            market_start = Timestamp(previous.market_start)
    return Identity(secrets.token_hex(8), secrets.token_urlsafe(32), credentials, market_start)


def _on_ready(sandbox: Sandbox, folder: Path, identity: Identity, lock: FolderLock) -> None:
    assert sandbox.control_port is not None
    contact = Contact(
        pid=os.getpid(),
        port=sandbox.port,
        control_port=sandbox.control_port,
        instance_id=identity.instance_id,
        control_token=identity.control_token,
        api_key=identity.credentials.api_key,
        secret=identity.credentials.secret,
        market_start=identity.market_start,
    )
    contact.write(folder)
    lock.begin()
    settle_memory()
    _LOG.info("sandbox.listening port=%s", sandbox.port)
    _report({"ready": True})


def _report(report: dict[str, object]) -> None:
    """Tell the parent, then let go of its pipe: the parent may end at any time, we go on. Later reports go nowhere."""
    with suppress(OSError):  # the parent was killed while it waited: whoever comes next attaches
        sys.stdout.buffer.write(orjson.dumps(report) + b"\n")
        sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
