"""What a user may write about a grid, and the sentence for what cannot be meant."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.errors import InvalidConfig
from gridtide.strategies.grid import GridConfig, GridSpacing, ProfitMode, Sizing, VacantRule
from tests.strategies.markets import D

MINIMAL: dict[str, Any] = {
    "lower_price": "50000",
    "upper_price": 70000,
    "num_grids": 41,
    "total_investment": "10000",
}


def with_settings(**changes: Any) -> GridConfig:
    return GridConfig.from_settings("BTC/USDT", MINIMAL | changes)


def test_the_config_that_the_public_interface_names() -> None:
    config = GridConfig(
        symbol="BTC/USDT",
        lower_price=D("50000"),
        upper_price=D("70000"),
        num_grids=41,
        total_investment=D("10000"),
        spacing=GridSpacing.GEOMETRIC,
    )
    assert config.intervals == 40
    assert (config.vacant, config.sizing, config.profit) == (
        VacantRule.NEAREST,
        Sizing.EQUAL_BASE,
        ProfitMode.QUOTE,
    )
    assert config.post_only
    assert config.price_cap == D("0.002")
    assert config.mirror_after_seconds == 600


def test_texts_and_whole_numbers_become_what_they_say() -> None:
    config = with_settings(spacing="geometric", profit="base", reserve="0.05")
    assert config.lower_price == 50000
    assert isinstance(config.upper_price, Decimal)
    assert config.spacing is GridSpacing.GEOMETRIC
    assert config.reserve == D("0.05")


def test_numbers_of_a_file_are_the_digits_their_author_typed() -> None:
    """A YAML reader may hand over a binary float; its text is what stands in the file, the float is not."""
    assert with_settings(lower_price=0.1, upper_price=0.3).lower_price == D("0.1")
    with pytest.raises(InvalidConfig, match=r"lower_price: .*never a float"):
        GridConfig("BTC/USDT", 0.1, D(1), 3, D(1))  # type: ignore[arg-type]  # that is the point


def test_intervals_may_replace_levels_but_not_stand_beside_them() -> None:
    """Grid-semantics 1: `num_grids` (levels) or `intervals`, never both."""
    settings = {key: value for key, value in MINIMAL.items() if key != "num_grids"}
    assert GridConfig.from_settings("BTC/USDT", {**settings, "intervals": 40}).num_grids == 41
    with pytest.raises(InvalidConfig, match="num_grids and intervals say the same twice"):
        with_settings(intervals=40)


def test_settings_there_and_back_again() -> None:
    config = with_settings(sizing="base_and_quote", base_amount="0.5", base_cost="20000", reserve="0.01")
    assert GridConfig.from_settings("BTC/USDT", config.to_settings()) == config
    assert GridConfig.from_settings("BTC/USDT", with_settings().to_settings()) == with_settings()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"lower_price": "70000"}, r"upper_price: 70000 is not above lower_price 70000"),
        ({"lower_price": "0"}, r"lower_price: 0 is not above zero"),
        ({"lower_price": "abc"}, r"lower_price: 'abc' is not a number"),
        ({"lower_price": "NaN"}, r"lower_price: 'NaN' is not a finite number"),
        ({"num_grids": 1}, r"num_grids: 1 is outside 2 to 1000"),
        ({"num_grids": 1001}, r"num_grids: 1001 is outside"),
        ({"num_grids": "41"}, r"num_grids: '41' is not a whole number"),
        ({"num_grids": True}, r"num_grids: True is not a whole number"),
        ({"total_investment": "-1"}, r"total_investment: -1 is below zero"),
        ({"total_investment": "0"}, r"total_investment: 0 leaves nothing to trade with"),
        ({"spacing": "linear"}, r"spacing: 'linear' is not one of arithmetic, geometric"),
        ({"vacant": "middle"}, r"vacant: 'middle' is not one of nearest, above, below"),
        ({"post_only": "yes"}, r"post_only: 'yes' is not true or false"),
        ({"reserve": "1"}, r"reserve: 1 is no fraction"),
        ({"price_cap": "0.2"}, r"price_cap: 0.2 is outside 0 to 0.1"),
        ({"mirror_after_seconds": 0}, r"mirror_after_seconds: 0 is below one second"),
        ({"base_amount": "1"}, r"base_cost: say what the coins of base_amount cost"),
        ({"base_cost": "1"}, r"base_cost: there is no base_amount"),
        (
            {"sizing": "quote_only", "base_amount": "1", "base_cost": "1"},
            r"base_amount: quote_only sells nothing",
        ),
        ({"trailing": "up"}, r"trailing: up comes later; for now only none"),
        ({"trailling": "up"}, r"trailling: the grid has no such setting; it knows lower_price, .*trailing"),
        ({"total_investment": None}, r"total_investment: the grid cannot do without it"),
        ({"lower_price": True}, r"lower_price: True is not a decimal"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfig, match=message):
        with_settings(**changes)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "", "BTC/USDT/X"])
def test_a_symbol_has_base_and_quote(symbol: str) -> None:
    with pytest.raises(InvalidConfig, match="symbol"):
        GridConfig.from_settings(symbol, MINIMAL)
