"""How a backtest is played. Trading does not read this section."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from gridtide.config.backtest_rules import MarketRulesSettings
from gridtide.config.fees import FeeSettings
from gridtide.config.values import AssetCode, Fraction, NotNegative, Section


class BacktestSettings(Section):
    """How `gridtide backtest` plays the past; nothing that trades reads it."""

    balance: dict[AssetCode, NotNegative] = Field(default_factory=dict)
    """What the simulated account holds at the start, such as {USDT: 15000}. Empty: what the bots are to use. Return and
    drawdown count all of it, used or not."""

    fees: FeeSettings = FeeSettings()
    """What an execution costs."""

    candle_path: Literal["nearer_extreme_first", "close_direction", "pessimistic"] = "nearer_extreme_first"
    """In which order the price visits a candle's extremes."""

    fill_model: Literal["touch", "trade_through", "queue"] = "touch"
    """What it takes to fill a resting order: reaching its price, going one step beyond, or waiting in the queue."""

    queue_probability: Fraction = Decimal("0.5")
    """With the fill model queue: how likely a price that reaches the order without going beyond fills it."""

    volume_cap: Annotated[Fraction, Field(gt=0)] | None = None
    """The part of a move's volume that resting orders may take together. Left out: no cap."""

    slippage: Fraction = Decimal(0)
    """By how much takers trade worse than the best price: 0.001 is 0.1 %. A limit is never passed; what rests keeps its
    price."""

    volume_slippage: Fraction = Decimal(0)
    """How much worse still a taker trades whose order is as large as all that traded in five minutes."""

    latency_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    """How long an order or a cancel takes to the exchange."""

    latency_most_ms: Annotated[int, Field(ge=0, le=60_000)] | None = None
    """With it each request takes a random time between latency_ms and this, by the seed."""

    seed: int = 1
    """Decides everything random: the queue's luck and the latency."""

    rules: list[MarketRulesSettings] = Field(default_factory=list)
    """What held on the markets at the time, where it is not what is known of them."""

    halt_at_gaps: bool = False
    """Whether the market is closed where its data has a gap, so that orders are refused there."""

    @field_validator("rules", mode="after")
    @classmethod
    def _without_empty(cls, rules: list[MarketRulesSettings]) -> list[MarketRulesSettings]:
        """An item whose keys are all commented out says nothing."""
        return [each for each in rules if not each.is_empty]
