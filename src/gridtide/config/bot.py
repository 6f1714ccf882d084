"""One bot: its market, its strategy, its limits."""

from __future__ import annotations

from gridtide.config.risk import RiskSettings
from gridtide.config.strategy import GridSettings
from gridtide.config.values import MarketName, Name, Section
from gridtide.domain.commands import StopPolicy


class BotSettings(Section):
    """A bot trades one strategy on one market and keeps its own books."""

    name: Name
    """The bot's name. Its books are kept under it: the same name goes on where it stopped."""

    market: MarketName
    """The spot market, base and quote: BTC/USDT."""

    strategy: GridSettings
    """What it does."""

    risk: RiskSettings = RiskSettings()
    """What it may not do."""

    on_stop: StopPolicy = StopPolicy.KEEP
    """What a stop leaves behind. keep: the orders stay and the next run goes on with them. cancel: they are cancelled.
    liquidate: they are cancelled and the base is sold."""
