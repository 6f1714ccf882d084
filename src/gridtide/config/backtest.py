"""How a backtest is played. Trading does not read this section."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from gridtide.config.fees import FeeSettings
from gridtide.config.values import AssetCode, NotNegative, Section


class BacktestSettings(Section):
    """Checked when the file is read; not used by the commands that trade."""

    balance: dict[AssetCode, NotNegative] = Field(default_factory=lambda: {"USDT": Decimal(15000)})
    """What the simulated account holds at the start."""

    fees: FeeSettings = FeeSettings()
    """What an execution costs."""

    candle_path: Literal["nearer_extreme_first", "close_direction", "pessimistic"] = "nearer_extreme_first"
    """In which order the price visits a candle's extremes."""

    fill_model: Literal["touch", "trade_through", "queue"] = "touch"
    """What it takes to fill a resting order: reaching its price, going one step beyond, or waiting in the queue."""
