"""One bot: its market, its strategy, its limits."""

from __future__ import annotations

from gridtide.config.risk import RiskSettings
from gridtide.config.strategy import GridSettings, StrategySettings
from gridtide.config.values import MarketName, Name, Section
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import InvalidConfig


class BotSettings(Section):
    """A bot trades one strategy on one market and keeps its own books."""

    name: Name
    """The bot's name. Its books are kept under it: the same name goes on where it stopped."""

    market: MarketName
    """The spot market, base and quote: BTC/USDT."""

    strategy: StrategySettings
    """What it does."""

    risk: RiskSettings = RiskSettings()
    """What it may not do."""

    on_stop: StopPolicy = StopPolicy.KEEP
    """What a stop leaves behind. keep: the orders stay and the next run goes on with them. cancel: they are cancelled.
    liquidate: they are cancelled and the base is sold."""

    @property
    def is_grid(self) -> bool:
        return isinstance(self.strategy, GridSettings)

    @property
    def grid(self) -> GridSettings:
        """The settings of its grid. Raises `InvalidConfig` where it trades something else."""
        if not isinstance(self.strategy, GridSettings):
            raise InvalidConfig(
                f"bots.{self.name}.strategy: this is about grids, and the bot trades {self.strategy.name}; nothing was "
                "changed: run, check and backtest take any strategy"
            )
        return self.strategy
