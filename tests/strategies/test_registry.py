"""Strategies by name: ours, foreign ones by loader, and the sentence for what is neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import pytest

from gridtide.domain.errors import InvalidConfig
from gridtide.strategies.grid import GridTradingStrategy
from gridtide.strategies.registry import (
    create_strategy,
    find_strategy,
    restore_strategy,
    strategy_names,
)
from gridtide.strategies.single_order import SingleOrderStrategy

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.strategies.protocol import ExecutionContext, StrategyState

GRID = {"lower_price": "1", "upper_price": "2", "num_grids": 3, "total_investment": "10"}


class Foreign:
    """A strategy from elsewhere: no base class, only the methods."""

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Self:
        return cls()

    def on_start(self, context: ExecutionContext) -> None: ...

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None: ...

    def get_state(self) -> StrategyState:
        return {"version": 1}

    @classmethod
    def from_state(cls, state: StrategyState) -> Self:
        return cls()


def fails_to_import() -> object:
    raise ImportError("no module named numpyy")


def test_our_own_strategies_have_names() -> None:
    assert strategy_names() == ("grid", "single_order")
    assert find_strategy("grid") is GridTradingStrategy
    assert find_strategy("single_order") is SingleOrderStrategy


def test_settings_make_a_strategy_and_its_state_makes_it_again() -> None:
    strategy = create_strategy("grid", "BTC/USDT", {"name": "grid", **GRID})
    assert isinstance(strategy, GridTradingStrategy)
    again = restore_strategy("grid", strategy.get_state())
    assert again.get_state() == strategy.get_state()


def test_a_foreign_strategy_is_loaded_when_it_is_asked_for() -> None:
    asked: list[str] = []

    def load() -> type[Foreign]:
        asked.append("foreign")
        return Foreign

    plugins = {"foreign": load, "broken": fails_to_import}
    assert strategy_names(plugins) == ("broken", "foreign", "grid", "single_order")
    find_strategy("grid", plugins)
    assert asked == []
    assert isinstance(create_strategy("foreign", "BTC/USDT", {}, plugins), Foreign)
    assert asked == ["foreign"]


def test_a_foreign_strategy_cannot_take_a_name_of_ours() -> None:
    assert find_strategy("grid", {"grid": lambda: Foreign}) is GridTradingStrategy


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(InvalidConfig, match=r"'gird' is unknown; there are foreign, grid, single_order"):
        find_strategy("gird", {"foreign": lambda: Foreign})


def test_what_does_not_load_or_is_no_strategy_is_told() -> None:
    with pytest.raises(InvalidConfig, match=r"'broken' cannot be imported: no module named numpyy"):
        find_strategy("broken", {"broken": fails_to_import})
    with pytest.raises(
        InvalidConfig, match=r"'number' is no strategy class; it lacks from_settings, from_state"
    ):
        find_strategy("number", {"number": lambda: 5})
