"""The sandbox exchange in the foreground: started, shown to the person, ended with Ctrl-C with its state saved."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from gridtide.cli.exchange_markets import markets_to_play, read_config
from gridtide.cli.exchange_settings import make_plan
from gridtide.cli.exchange_snippets import snippet
from gridtide.cli.output import print_json, table
from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.folder_lock import FolderLock
from gridtide.sandbox.launch import folder_name, settle_memory
from gridtide.sandbox.server import serve
from gridtide.sandbox.settings import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gridtide.cli.exchange_options import Asked
    from gridtide.cli.exchange_settings import Plan
    from gridtide.cli.exchange_snippets import Client
    from gridtide.sandbox.server import Sandbox

LOG_FILE = "sandbox.log"
LOCK_FILE = "sandbox.lock"
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_LARGEST_LOG = 1_000_000


def serve_alone(asked: Asked, *, as_json: bool) -> None:
    """Start it, say where it is, and wait for Ctrl-C or its own end; its state is saved. Raises `InvalidInput`."""
    config = read_config(asked.config)
    launches, rules = markets_to_play(asked, config)
    kind = " + ".join(launch.kind for launch in launches)
    if rules:
        kind += " by the rules of a file"
    name = folder_name(" ".join(launch.symbol or "" for launch in launches), kind)
    with _folder(asked, name) as folder, _log_in(folder):
        plan = make_plan(asked, config, launches, rules, folder, kind)
        serve(plan.settings, lambda sandbox: _on_ready(sandbox, plan, asked.show, as_json=as_json))
    if not as_json:
        print("\nEnded." + ("" if folder is None else f" Its state is in {folder}."), flush=True)


# --- where it lives ----------------------------------------------------------------------------------


@contextmanager
def _folder(asked: Asked, name: str) -> Iterator[Path | None]:
    """The folder of an exchange with these markets, locked; None where nothing is to be kept."""
    if not asked.keeps_state:
        yield None
        return
    folder = asked.state_folder / "alone" / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock(folder / LOCK_FILE)
        is_ours = lock.acquire()
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be written ({error.strerror}); nothing was started: give another --state-folder, or "
            "--no-state"
        ) from None
    if not is_ours:
        raise InvalidInput(
            f"a sandbox with these markets runs already, from {folder}: nothing was started; end that one first, give "
            "this one another --state-folder, or --no-state"
        )
    try:
        yield folder
    finally:
        lock.release()


@contextmanager
def _log_in(folder: Path | None) -> Iterator[None]:
    """What happens inside goes to the folder's log, or to stderr where there is none and it matters."""
    root = logging.getLogger()
    before = root.level
    handler: logging.Handler = logging.StreamHandler()
    if folder is not None:
        path = folder / LOG_FILE
        with suppress(FileNotFoundError):
            if path.stat().st_size > _LARGEST_LOG:
                path.unlink()
        path.touch(mode=0o600)
        handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    root.addHandler(handler)
    root.setLevel(logging.WARNING if folder is None else logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


# --- while it runs -----------------------------------------------------------------------------------


def _on_ready(sandbox: Sandbox, plan: Plan, show: Client | None, *, as_json: bool) -> None:
    with suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, sandbox.ended.set)
    if plan.given_fees is not None:
        sandbox.exchange.venue.set_fees(plan.settings.accounts[0].account_id, plan.given_fees)
    if as_json:
        print_json(_whereabouts(sandbox, plan))
    else:
        _tell(sandbox, plan, show)
    settle_memory()


def _whereabouts(sandbox: Sandbox, plan: Plan) -> dict[str, Any]:
    """Where it is and how to get in. A made-up key opens play money on this machine and nothing else."""
    accounts = [account for account in plan.settings.accounts if account.keys]
    key = accounts[0].keys[0] if accounts else ApiKey("")
    control = None if sandbox.control_port is None else f"http://127.0.0.1:{sandbox.control_port}/control"
    return {
        "markets": [entry.market.symbol for entry in plan.settings.markets],
        "rest_url": sandbox.url,
        "stream_url": f"{sandbox.ws_url}/stream/ws",
        "ws_api_url": f"{sandbox.ws_url}/ws-api/v3",
        "api_key": key.key,
        "api_secret": key.secret if plan.shows_secret else None,
        "control_url": control,
        "control_token_file": None if plan.token_file is None else str(plan.token_file),
        "state": None if plan.folder is None else str(plan.folder),
        "goes_on": not plan.is_new,
        "port": sandbox.port,
    }


def _tell(sandbox: Sandbox, plan: Plan, show: Client | None) -> None:
    values = _whereabouts(sandbox, plan)
    rows = {
        "markets": ", ".join(values["markets"]),
        "REST": values["rest_url"],
        "streams": f"{sandbox.ws_url} (ccxt: {values['stream_url']})",
        "WebSocket API": values["ws_api_url"],
        "API key": values["api_key"],
        "API secret": values["api_secret"] or "as you gave it",
        "control": values["control_url"],
        "control token": values["control_token_file"] or "as you gave it",
        "state": values["state"] or "not kept",
    }
    if values["control_url"] is None:
        del rows["control"], rows["control token"]
    print(table([(name, str(value)) for name, value in rows.items()]))
    for note in plan.notes:
        print(note)
    if show is not None:
        secret = values["api_secret"] or "YOUR-SECRET"
        print("\n" + snippet(show, f"127.0.0.1:{sandbox.port}", values["api_key"], secret).rstrip())
    hint = "" if show is not None else " How to point a client at it: --show ccxt, or docs/sandbox.md."
    print(f"\nPlay money, on this machine only.{hint} Ctrl-C ends it.", flush=True)
