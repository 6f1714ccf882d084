"""The Python API of backtests: `gridtide.backtest(config, data)` for notebooks and scripts (design.md 8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide import __version__
from gridtide.bootstrap.backtest import run_backtest
from gridtide.bootstrap.backtest_checks import check_settings
from gridtide.config.load import load_settings
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol
from gridtide.market_data.load import LoadedData, load_market_data
from gridtide.market_data.series import WHOLE, Span, span_of

if TYPE_CHECKING:
    from gridtide.config.settings import AppSettings
    from gridtide.reports.backtest_result import BacktestResult


def backtest(
    config: str | Path | Mapping[str, Any] | AppSettings,
    data: Any,
    *,
    from_: str | date | None = None,
    to: str | date | None = None,
    progress: Callable[[float], None] | None = None,
) -> BacktestResult:
    """Play a config over data and give the result: exact money, fills, figures, baselines.

    `config`: a file, a dict as the file would hold it, or `AppSettings`. `data`: a file, a folder, a dict of arrays or
    a data frame of candles or market trades (see `gridtide.market_data.load`), what `load_market_data` gave, or for
    several markets a dict of market to any of these. `from_` and `to` bound the time that is played, `to` not
    included: ISO dates or times as text, or `datetime` values, UTC unless they say otherwise. `progress` is told the
    fraction that has been played.

    Raises `InvalidConfig`, `DataUnusable`, `PlanRefused`, all of them `InvalidInput`, with a sentence that says what to
    change.
    """
    begun = time.perf_counter()
    settings = settings_of(config)
    check_settings(settings)
    return run_backtest(
        settings,
        data_of(settings, data, span_of(_text(from_), _text(to))),
        version=__version__,
        progress=progress,
        started_at=begun,
    )


def settings_of(config: str | Path | Mapping[str, Any] | AppSettings) -> AppSettings:
    """The settings that `config` means."""
    if isinstance(config, str | Path):
        return load_settings(Path(config))
    if isinstance(config, Mapping):
        return load_settings(overrides=config)
    return config


def data_of(settings: AppSettings, data: Any, span: Span = WHOLE) -> Sequence[LoadedData]:
    """One set of data for each market that `data` means, of the time `span`. Data whose name does not tell the market
    are the config's."""
    if isinstance(data, LoadedData):
        return [_load(data, span)]
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [loaded for each in data for loaded in data_of(settings, each, span)]
    markets = {bot.market for bot in settings.bots}
    if isinstance(data, Mapping) and data and all("/" in str(key) for key in data):
        if unknown := sorted(set(data) - markets):
            raise InvalidInput(f"there are data for {unknown[0]}, but no bot of the config trades it")
        return [_named(_load(part, span), symbol) for symbol, part in data.items()]
    loaded = _load(data, span)
    return [loaded if loaded.symbol is not None or len(markets) != 1 else _named(loaded, next(iter(markets)))]


def _load(data: Any, span: Span) -> LoadedData:
    if not isinstance(data, LoadedData):
        return load_market_data(data, span=span)
    if span != WHOLE:
        raise InvalidInput(
            "from_ and to are for data that are loaded here: give load_market_data a span, or hand over what it read"
        )
    return data


def _named(data: LoadedData, symbol: str) -> LoadedData:
    return replace(data, symbol=Symbol(symbol))


def _text(moment: str | date | None) -> str | None:
    return None if moment is None else str(moment)
