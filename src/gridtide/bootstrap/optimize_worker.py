"""What a worker of a search builds: the config's bot over the data that were sent or are in sight.

It is told the bot and how backtests are played, and nothing else of a config: no key, no database, no address.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.bootstrap.optimize_data import load_data
from gridtide.bootstrap.sweep import sweeper_of
from gridtide.config.load import load_settings
from gridtide.optimize.cluster import folder_here
from gridtide.optimize.sweep_evaluator import SweepEvaluator
from gridtide.optimize.workers import Recipe

if TYPE_CHECKING:
    from gridtide.config.settings import AppSettings
    from gridtide.optimize.evaluation import Evaluator

SECTIONS = ("bots", "backtest")


def recipe_of(settings: AppSettings, folder: Path, key: str) -> Recipe:
    """For workers; the data lie in `folder`, marked with `key`."""
    tree = settings.model_dump(mode="json", include=set(SECTIONS))
    return Recipe(key, build_evaluator, {"settings": tree, "folder": str(folder.absolute()), "key": key})


def build_evaluator(values: Mapping[str, Any]) -> Evaluator:
    """See `recipe_of`."""
    settings = load_settings(overrides=values["settings"], env_file=None, secrets_folders=())
    data = load_data(folder_here(values["folder"], values["key"]))
    return SweepEvaluator(sweeper_of(settings, data), data.columns)
