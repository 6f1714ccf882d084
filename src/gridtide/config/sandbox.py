"""The exchange on your own machine: its market, its speed, its accounts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gridtide.config.fees import FeeSettings
from gridtide.config.values import AssetCode, NotNegative, Positive, Section


class SandboxSettings(Section):
    """Read in mode sandbox only."""

    market: Path | None = None
    """A file of candles or market trades to play (Parquet or CSV). Left out: a synthetic market from `seed`."""

    seed: Annotated[int, Field(ge=0)] = 1
    """The synthetic market's seed: the same seed, the same market."""

    start_price: Positive | None = None
    """Where the synthetic market begins. Left out: in the middle of the bot's range, or what fits the market."""

    speed: Positive = Decimal(1)
    """How fast the market is played: 60 plays an hour in a minute."""

    balances: dict[AssetCode, NotNegative] = Field(default_factory=dict)
    """What the account holds at the start, such as {USDT: 15000}. Empty: 15000 of the market's quote asset."""

    fees: FeeSettings = FeeSettings()
    """What an execution costs."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port on this machine only. 0: any free one."""
