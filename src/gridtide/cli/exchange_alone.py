"""The sandbox exchange in the foreground: started like an embedded one, shown to the person, ended with Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gridtide.cli.embedded import DEFAULT_SYMBOL, launch_spec, sandbox_folder
from gridtide.cli.output import print_json, table
from gridtide.cli.world import read_wish
from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.process import attach, start_process

if TYPE_CHECKING:
    from gridtide.cli.world import Wish
    from gridtide.sandbox.process import SandboxHandle

POLL_SECONDS = 1.0


async def serve_alone(wish: Wish, *, as_json: bool) -> None:
    """Start it, say where it is, and wait for Ctrl-C or its own end; its state is saved."""
    settings, bot = read_wish(wish)
    spec = replace(launch_spec(settings, bot, wish.play), hold=False)
    folder = sandbox_folder(wish.state_folder / "alone", spec)
    if await attach(folder) is not None:
        raise InvalidInput(
            f"a sandbox with this market runs already, from {folder}: nothing was started; end that one first, or give "
            "this one another --state-folder"
        )
    handle = await start_process(folder, spec)
    try:
        _tell(handle, spec.symbol or DEFAULT_SYMBOL, as_json=as_json)
        await _until_asked(handle)
    finally:
        await handle.shutdown()


def _tell(handle: SandboxHandle, symbol: str, *, as_json: bool) -> None:
    """Where it is and how to get in. The key opens play money on this machine and nothing else."""
    values: dict[str, Any] = {
        "market": symbol,
        "rest_url": handle.url,
        "stream_url": handle.stream_url,
        "ws_api_url": handle.ws_api_url,
        "api_key": handle.api_key,
        "api_secret": handle.secret,
        "state": str(handle.folder),
    }
    if as_json:
        print_json(values)
        return
    print(table([(name.replace("_", " "), str(value)) for name, value in values.items()]))
    print("\nPlay money, on this machine only. Ctrl-C ends it; its state is kept.", flush=True)


async def _until_asked(handle: SandboxHandle) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked.set)
    while not asked.is_set() and await attach(handle.folder) is not None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await asked.wait()
        except TimeoutError:
            continue
