"""gridtide: a grid trading system for crypto spot markets.

Importing it loads nothing else: a sweep worker pays for neither ccxt nor SQLAlchemy. The public names are loaded when
they are first asked for.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # without `typing`, which takes longer than all else before Ctrl-C is minded
if TYPE_CHECKING:
    from typing import Any

    from gridtide.bootstrap.notebook import backtest
    from gridtide.bootstrap.sweep import sweep
    from gridtide.config.exchange import ExchangeSettings
    from gridtide.config.settings import AppSettings
    from gridtide.engine.context import BacktestContext, LiveContext
    from gridtide.risk.sizing import fixed_fractional_size, kelly_fraction
    from gridtide.strategies.grid.config import GridConfig, GridSpacing
    from gridtide.strategies.grid.levels import calculate_grid_levels
    from gridtide.strategies.grid.strategy import GridTradingStrategy
    from gridtide.strategies.protocol import ExecutionContext, Strategy

__version__ = "0.1.0"

__all__ = [
    "AppSettings",
    "BacktestContext",
    "ExchangeSettings",
    "ExecutionContext",
    "GridConfig",
    "GridSpacing",
    "GridTradingStrategy",
    "LiveContext",
    "Strategy",
    "__version__",
    "backtest",
    "calculate_grid_levels",
    "fixed_fractional_size",
    "kelly_fraction",
    "sweep",
]

_HOMES = {
    "AppSettings": "config.settings",
    "BacktestContext": "engine.context",
    "ExchangeSettings": "config.exchange",
    "ExecutionContext": "strategies.protocol",
    "GridConfig": "strategies.grid.config",
    "GridSpacing": "strategies.grid.config",
    "GridTradingStrategy": "strategies.grid.strategy",
    "LiveContext": "engine.context",
    "Strategy": "strategies.protocol",
    "backtest": "bootstrap.notebook",
    "calculate_grid_levels": "strategies.grid.levels",
    "fixed_fractional_size": "risk.sizing",
    "kelly_fraction": "risk.sizing",
    "sweep": "bootstrap.sweep",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gridtide' has no attribute {name!r}")
    return getattr(import_module(f"gridtide.{_HOMES[name]}"), name)
