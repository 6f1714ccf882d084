"""The grid strategy: config, levels, plan and the trading itself."""

from gridtide.strategies.grid.config import (
    GridConfig,
    GridSpacing,
    PriceRounding,
    ProfitMode,
    Sizing,
    StartOutside,
    VacantRule,
)
from gridtide.strategies.grid.levels import calculate_grid_levels
from gridtide.strategies.grid.plan import GridPlan, LevelRole, PlannedLevel, make_plan
from gridtide.strategies.grid.strategy import GridTradingStrategy

__all__ = [
    "GridConfig",
    "GridPlan",
    "GridSpacing",
    "GridTradingStrategy",
    "LevelRole",
    "PlannedLevel",
    "PriceRounding",
    "ProfitMode",
    "Sizing",
    "StartOutside",
    "VacantRule",
    "calculate_grid_levels",
    "make_plan",
]
