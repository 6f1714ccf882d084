"""The Python API of sweeps: `gridtide.sweep(config, data, sets)` for notebooks and scripts (design.md 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide import __version__
from gridtide.bootstrap.backtest import prepare_bot
from gridtide.bootstrap.bots import allocation_of
from gridtide.bootstrap.engine_backtest import SetBacktest, data_within, point_bounds
from gridtide.bootstrap.notebook import data_of, settings_of
from gridtide.bootstrap.sweep_parameters import parameters_of
from gridtide.config.fingerprint import config_hash, redacted_view
from gridtide.config.strategy import GridSettings
from gridtide.domain.errors import InvalidConfig, InvalidInput
from gridtide.domain.market import MarketStatus
from gridtide.market_data.checksums import data_checksum
from gridtide.market_data.load import LoadedData
from gridtide.market_data.series import WHOLE, Span, parse_time
from gridtide.optimize.engine_sets import Window
from gridtide.optimize.set_rules import Account
from gridtide.optimize.sweep import Sweeper
from gridtide.optimize.sweep_result import Origin
from gridtide.optimize.swept_path import SweptPath
from gridtide.price_path.candle_path import PathRule, runs_of

if TYPE_CHECKING:
    from gridtide.bootstrap.backtest import Prepared
    from gridtide.config.settings import AppSettings
    from gridtide.domain.market import Market
    from gridtide.optimize.sweep_result import SweepResult

KEPT_WINDOWS = 8
"""Windows whose paths are kept: a search comes back to the same few."""
Moment = str | int | date | datetime
"""A date or time as text, ms UTC, or Python's own; without a zone it is UTC."""


def sweep(
    config: str | Path | Mapping[str, Any] | AppSettings,
    data: Any,
    sets: Any,
    *,
    threads: int | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
    daily: bool = False,
    use_engine: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Play many sets of parameters over one market's data, and give a row of figures for each.

    `config` and `data` as for `gridtide.backtest`, with one bot. `sets`: a dict of parameter to a list of values (every
    combination), a list of dicts, a data frame, a NumPy record array, or a CSV or Parquet file with a row a set; see
    `gridtide.optimize.parameter_sets.sets_of`. Parameters are keys of the strategy by their names, and others by the
    end of their place: ``risk.max_open_orders``, ``fees.maker``. `from_` and `to` bound the time of the data, the end
    not included. `daily`: also the equity at each day's end. `progress` is told how many sets of how many are done.

    Grids are played by compiled code on all cores (or `threads`). What it cannot express is played by the engine, which
    takes some ten thousand times as long, or refused without `use_engine`; `SweepResult.notes` says how many and why. A
    set that makes no config, or whose grid cannot be placed, is refused in its row.

    Raises `InvalidConfig`, `DataUnusable` and other `InvalidInput` with a sentence that says what to change.
    """
    found = sweeper_of(config, data, from_=from_, to=to)
    return found.play(sets, threads=threads, daily=daily, use_engine=use_engine, progress=progress)


def sweeper_of(
    config: str | Path | Mapping[str, Any] | AppSettings,
    data: Any,
    *,
    from_: Moment | None = None,
    to: Moment | None = None,
) -> Sweeper:
    """What plays sets of `config` over `data`, as often as it is asked; see `sweep`."""
    settings = settings_of(config)
    loaded = _loaded(settings, data, from_, to)
    (bot,), backtest = settings.bots, settings.backtest
    prepared = [
        prepare_bot(settings, bot, [loaded], rule) for rule in runs_of(PathRule(backtest.candle_path))
    ]
    market = prepared[0].market
    return Sweeper(
        parameters=parameters_of(settings),
        account=_account(settings, market),
        paths=SweptPaths(prepared),
        engine=SetBacktest(settings, loaded),
        origin=Origin(config_hash(settings), loaded.checksum, __version__, redacted_view(settings)),
        is_grid=isinstance(bot.strategy, GridSettings),
        has_gaps=bool(loaded.gaps),
        obstacle=_obstacle(prepared[0]),
    )


def _account(settings: AppSettings, market: Market) -> Account:
    """An account that holds just what the bot is to use holds, in each set, what that set is to use."""
    balance, given = settings.backtest.balance, allocation_of(settings.bots[0])
    used = {asset: part for asset, part in ((market.quote, given.quote), (market.base, given.base)) if part}
    return Account(market.base, market.quote, balance, follows=balance == used)


def _obstacle(prepared: Prepared) -> str:
    """What of the market keeps the kernel out, whatever the set."""
    changes = prepared.rules.schedule(prepared.market).changes
    is_open = prepared.market.status is MarketStatus.TRADING
    return "" if is_open and not changes else "market rules that change with time"


class SweptPaths:
    """A `PathSource`: nothing is derived before it is asked for, and the last windows are kept."""

    def __init__(self, prepared: Sequence[Prepared]) -> None:
        self._prepared = prepared
        self._known: dict[Window | None, Sequence[SweptPath]] = {}

    def __call__(self, window: Window | None) -> Sequence[SweptPath]:
        if window not in self._known:
            if len(self._known) > KEPT_WINDOWS:
                self._known = {None: self(None)}
            self._known[window] = self._made(window)
        return self._known[window]

    def _made(self, window: Window | None) -> Sequence[SweptPath]:
        if window is None:
            return [SweptPath.of(each.index.path, each.market) for each in self._prepared]
        bounds = point_bounds(self._prepared[0].data, window)
        return [path.window(*bounds) for path in self(None)]


def _loaded(settings: AppSettings, data: Any, from_: Moment | None, to: Moment | None) -> LoadedData:
    """One market's data, those of the time that is asked for."""
    if len(settings.bots) != 1:
        raise InvalidConfig(
            f"a sweep varies one bot, and the config has {len(settings.bots)}: keep one of them; nothing was played"
        )
    span = _span(from_, to)
    if isinstance(data, LoadedData) and span != WHOLE:
        part = data_within(data, Window(*span))
        return replace(part, checksum=data_checksum(part.columns))
    found = data_of(settings, data, span)
    if len(found) != 1:
        raise InvalidInput(f"a sweep plays one market, and there are data of {len(found)}: name those of one")
    return found[0]


def _span(from_: Moment | None, to: Moment | None) -> Span:
    return Span(
        WHOLE.start if from_ is None else _milliseconds(from_), WHOLE.end if to is None else _milliseconds(to)
    )


def _milliseconds(moment: Moment) -> int:
    """Raises `InvalidInput` for a text that is no time."""
    if isinstance(moment, int):
        return moment
    return parse_time(moment if isinstance(moment, str) else moment.isoformat())
