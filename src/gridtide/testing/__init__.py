"""Helpers for the tests of gridtide and of programs written by others.

`OfflineExchange` is a whole exchange without sockets; `running_sandbox` starts one on a free port, moved by the test.
As a pytest fixture: ``pytest_plugins = ["gridtide.testing.sandbox_exchange"]``, then `sandbox_exchange`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridtide.testing.offline_exchange import OfflineExchange
    from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox
    from gridtide.testing.settings import account_settings, sandbox_settings

__all__ = ["OfflineExchange", "RunningSandbox", "account_settings", "running_sandbox", "sandbox_settings"]

_MODULES = {
    "OfflineExchange": "offline_exchange",
    "RunningSandbox": "sandbox_exchange",
    "account_settings": "settings",
    "running_sandbox": "sandbox_exchange",
    "sandbox_settings": "settings",
}


def __getattr__(name: str) -> Any:
    """Loaded when asked for: pytest is needed for the fixture only."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
