"""A Binance-compatible exchange on your own machine: REST and WebSocket over the venue.

It shares no wire code with the exchange adapters, so that a test of one against the other proves something. Importing
the package loads nothing: whoever only looks for a running sandbox does not pay for the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridtide.sandbox.launch import LaunchSpec
    from gridtide.sandbox.process import SandboxHandle, attach, start_process
    from gridtide.sandbox.server import Sandbox, run_sandbox, serve
    from gridtide.sandbox.settings import SandboxSettings

__all__ = [
    "LaunchSpec",
    "Sandbox",
    "SandboxHandle",
    "SandboxSettings",
    "attach",
    "run_sandbox",
    "serve",
    "start_process",
]

_MODULES = {
    "LaunchSpec": "launch",
    "Sandbox": "server",
    "SandboxHandle": "process",
    "SandboxSettings": "settings",
    "attach": "process",
    "run_sandbox": "server",
    "serve": "server",
    "start_process": "process",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
