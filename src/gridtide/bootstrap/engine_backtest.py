"""The engine as a sweep asks for it: one set after the other over data that are read and indexed once.

Every figure is what `gridtide.backtest` gives for the same config; what a sweep does not show is not computed.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from gridtide.bootstrap.backtest import ACCOUNT, build_world, prepare_bot
from gridtide.bootstrap.backtest_account import bot_equity
from gridtide.bootstrap.backtest_checks import check_books, check_settings
from gridtide.bootstrap.backtest_figures import PlayedBot
from gridtide.bootstrap.backtest_tables import NO_LEVEL
from gridtide.bootstrap.bots import allocation_of
from gridtide.config.backtest import BacktestSettings
from gridtide.config.bot import BotSettings
from gridtide.config.problems import describe_problems
from gridtide.domain.errors import DataUnusable, InvalidConfig, PlanRefused
from gridtide.domain.journal import BotState
from gridtide.domain.money import EXACT, ZERO
from gridtide.domain.order import Side
from gridtide.engine.order_ids import decode
from gridtide.optimize.engine_sets import EngineFill, EngineRun, Window
from gridtide.performance.drawdown import max_drawdown
from gridtide.performance.figures import time_in_range, yearly_sharpe
from gridtide.performance.statistics import returns_of
from gridtide.price_path.candle_path import PathRule, runs_of
from gridtide.price_path.columns import CandleColumns
from gridtide.price_path.crossing import CrossingIndex
from gridtide.price_path.path import path_of

if TYPE_CHECKING:
    from gridtide.bootstrap.backtest import Prepared
    from gridtide.config.settings import AppSettings
    from gridtide.market_data.load import LoadedData
    from gridtide.optimize.engine_sets import Overrides
    from gridtide.runners.backtest_record import LaneRecord


class SetBacktest:
    """An `EngineBacktest` for a config with one bot."""

    def __init__(self, settings: AppSettings, data: LoadedData) -> None:
        self._settings, self._data = settings, data
        self._rules = runs_of(PathRule(settings.backtest.candle_path))
        self._prepared: dict[tuple[PathRule, Window | None], Prepared] = {}

    def __call__(self, overrides: Overrides, window: Window | None = None) -> EngineRun:
        settings = with_overrides(self._settings, overrides)
        check_settings(settings)
        runs = [self._play(settings, walk, window) for walk in range(len(self._rules))]
        return min(runs, key=lambda run: run.final_equity)

    def _play(self, settings: AppSettings, walk: int, window: Window | None) -> EngineRun:
        (bot,) = settings.bots
        each = replace(self._prepare(self._rules[walk], window), bot=bot)
        world = build_world(settings, [each])
        world.run.run(None)
        check_books(world.run.lanes, settings.backtest.balance, world.venue.balances(ACCOUNT))
        (lane,) = world.run.lanes
        played = PlayedBot(bot, each.market, each.data, lane, world.recorder.of(lane), each.index, each.rules)
        return _run_of(played, settings, walk)

    def _prepare(self, rule: PathRule, window: Window | None) -> Prepared:
        """The data of a time, indexed once; the market keeps the rules that all of the data show."""
        found = self._prepared.get((rule, window))
        if found is None:
            found = prepare_bot(self._settings, self._settings.bots[0], [self._data], rule)
            if window is not None:
                part = data_within(self._data, window)
                found = replace(found, data=part, index=CrossingIndex(path_of(part.columns, rule)))
            self._prepared[rule, window] = found
        return found


def with_overrides(settings: AppSettings, overrides: Overrides) -> AppSettings:
    """The config with values of a set in the place of its own, validated as a file would be.

    Raises `InvalidConfig` for what makes no config.
    """
    (bot,) = settings.bots
    tree: dict[str, Any] = {
        "strategy": bot.strategy.model_dump(),
        "risk": bot.risk.model_dump(),
        "backtest": settings.backtest.model_dump(),
    }
    for path, value in overrides.items():
        _put(tree, path, value)
    try:
        changed = BotSettings.model_validate(
            {**bot.model_dump(), "strategy": tree["strategy"], "risk": tree["risk"]}
        )
        backtest = BacktestSettings.model_validate(tree["backtest"])
    except ValidationError as error:
        model = BotSettings if error.title == BotSettings.__name__ else BacktestSettings
        raise InvalidConfig(describe_problems(error, model, (), "the set")) from None
    return settings.model_copy(update={"backtest": backtest}).with_bots([changed])


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *above, name = path
    for part in above:
        tree = tree[part]
    tree[name] = value


def data_within(data: LoadedData, window: Window) -> LoadedData:
    """The candles that open, or the market trades that happen, in a window. Raises `InvalidInput` where there are
    none."""
    times, (first, last) = data.columns.timestamps, _rows_within(data, window)
    cut: Any = {
        field.name: value[first:last]
        for field in fields(data.columns)
        if isinstance(value := getattr(data.columns, field.name), np.ndarray)
    }
    gaps = tuple(gap for gap in data.gaps if gap.start >= times[first] and gap.end <= times[last - 1])
    return replace(data, columns=replace(data.columns, **cut), gaps=gaps, notes=())


def point_bounds(data: LoadedData, window: Window) -> Window:
    """The same candles or market trades by the times of their points."""
    first, last = _rows_within(data, window)
    columns = data.columns
    length = columns.timeframe_ms if isinstance(columns, CandleColumns) else 1
    return Window(int(columns.timestamps[first]), int(columns.timestamps[last - 1]) + length)


def _rows_within(data: LoadedData, window: Window) -> tuple[int, int]:
    first, last = (int(place) for place in np.searchsorted(data.columns.timestamps, window))
    if first >= last:
        raise DataUnusable(f"{data.name} holds nothing of that time: choose another window")
    return first, last


# --- figures -----------------------------------------------------------------------------------------


def _run_of(played: PlayedBot, settings: AppSettings, walk: int) -> EngineRun:
    """Raises `PlanRefused` where nothing was ever placed."""
    state, statement = played.lane.engine.state, played.statement()
    stopped = "" if state.bot_state is BotState.RUNNING else state.pause_detail or state.bot_state.value
    if stopped and not played.record.fills and not played.levels:
        raise PlanRefused(stopped)
    given, backtest = allocation_of(played.bot), settings.backtest
    equity = bot_equity(played, backtest, backtest.balance.get(played.market.quote, ZERO) - given.quote)
    daily, levels = equity.daily(), played.levels
    return EngineRun(
        final_equity=equity.closing(),
        grid_profit=statement.grid_profit,
        floating_profit=EXACT.add(statement.floating_profit, statement.dust),
        fees=statement.fees,
        max_drawdown=max_drawdown(equity).fraction,
        time_in_range=time_in_range(equity, levels[0], levels[-1]) if levels else 0.0,
        sharpe=yearly_sharpe(returns_of(daily)),
        fills=_fills_of(played.record),
        daily=daily,
        stopped=stopped,
        walk=walk,
    )


def _fills_of(record: LaneRecord) -> tuple[EngineFill, ...]:
    return tuple(
        EngineFill(
            each.point,
            _level(each.fill.client_order_id),
            each.fill.side is Side.BUY,
            each.fill.price,
            each.fill.amount,
        )
        for each in record.fills
    )


def _level(client_order_id: str) -> int:
    decoded = decode(client_order_id)
    return int(decoded.slot.name) if decoded is not None and decoded.slot.name.isdigit() else NO_LEVEL
