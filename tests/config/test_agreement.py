"""The settings say what the parts they are for understand: no key without effect, no default told twice differently."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from gridtide.bootstrap.bots import grid_config
from gridtide.config import BotSettings, GridSettings, RiskSettings, load_settings
from gridtide.risk.gate import default_gate
from gridtide.strategies.grid.config import GridConfig
from tests.config.conftest import GOOD, Write

MINIMAL: dict[str, Any] = {"lower_price": "1", "upper_price": "2", "num_grids": 3, "total_investment": "9"}


def bot_with(**changes: Any) -> BotSettings:
    return BotSettings(name="grid", market="BTC/USDT", strategy=GridSettings(**{**MINIMAL, **changes}))


def test_the_grid_knows_every_setting_and_has_no_other() -> None:
    """`name` chooses the strategy, `intervals` is another way to write `num_grids`, the symbol is the bot's market."""
    settings = set(GridSettings.model_fields) - {"name", "intervals"}
    assert settings == {field.name for field in fields(GridConfig)} - {"symbol"}


def test_the_grids_defaults_are_the_same_in_the_file_and_in_code() -> None:
    assert grid_config(bot_with()) == GridConfig("BTC/USDT", **MINIMAL)


@pytest.mark.parametrize("count", ["num_grids: 41", "intervals: 40"])
def test_a_config_becomes_a_grid(write: Write, count: str) -> None:
    (bot,) = load_settings(write(GOOD.replace("num_grids: 41", count))).bots
    grid = grid_config(bot)
    assert (grid.num_grids, grid.lower_price, grid.spacing) == (41, Decimal(50000), "geometric")


def test_every_choice_of_the_file_is_one_of_the_grid() -> None:
    for name in ("spacing", "vacant", "sizing", "profit", "rounding", "start_outside"):
        for choice in GridSettings.model_fields[name].annotation.__args__:  # type: ignore[union-attr]  # a Literal
            assert getattr(grid_config(bot_with(**{name: choice})), name) == choice


def test_every_limit_is_a_rule_of_the_gate() -> None:
    limits = RiskSettings().model_dump(exclude={"enabled"})
    assert default_gate() == default_gate(**limits)
