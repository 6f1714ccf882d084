"""The composition roots: the only package that joins adapters and configuration with the engine.

Its names are loaded when they are first asked for: a sweep worker composes a backtest, and pays for no exchange and no
database.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gridtide.bootstrap.bots import default_bot, grid_config, protocol_times
    from gridtide.bootstrap.connection import connection_for
    from gridtide.bootstrap.doctor import Examination, examine
    from gridtide.bootstrap.live import LiveOptions, build_live, build_order, has_grid
    from gridtide.bootstrap.preview import Preview, check_strategy
    from gridtide.bootstrap.rebuild import Rebuilt, rebuild_books

__all__ = [
    "Examination",
    "LiveOptions",
    "Preview",
    "Rebuilt",
    "build_live",
    "build_order",
    "check_strategy",
    "connection_for",
    "default_bot",
    "examine",
    "grid_config",
    "has_grid",
    "protocol_times",
    "rebuild_books",
]

_HOMES = {
    "Examination": "doctor",
    "LiveOptions": "live",
    "Preview": "preview",
    "Rebuilt": "rebuild",
    "build_live": "live",
    "build_order": "live",
    "check_strategy": "preview",
    "connection_for": "connection",
    "default_bot": "bots",
    "examine": "doctor",
    "grid_config": "bots",
    "has_grid": "live",
    "protocol_times": "bots",
    "rebuild_books": "rebuild",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gridtide.bootstrap' has no attribute {name!r}")
    return getattr(import_module(f"gridtide.bootstrap.{_HOMES[name]}"), name)
