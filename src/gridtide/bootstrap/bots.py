"""From a bot's settings to what engine and strategy take; and the bot of a run without a config."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.config.bot import BotSettings
from gridtide.config.settings import Mode
from gridtide.config.strategy import GridSettings
from gridtide.domain.errors import InvalidConfig
from gridtide.domain.money import ZERO, floor_to_step, nearest_to_step
from gridtide.engine.settings import Allocation, ProtocolTimes
from gridtide.risk.gate import default_gate
from gridtide.strategies.grid.config import GridConfig
from gridtide.strategies.grid.strategy import GridTradingStrategy
from gridtide.strategies.registry import ENTRY_POINT_GROUP, create_strategy, restore_strategy

if TYPE_CHECKING:
    from gridtide.domain.market import Market
    from gridtide.risk.gate import RiskGate
    from gridtide.strategies.protocol import Strategy, StrategyState
    from gridtide.strategies.registry import Loaders

DEFAULT_RANGE = Decimal("0.1")
"""Half the width of the default grid, as a fraction of the start price."""
DEFAULT_LEVELS = 41
NO_LIMIT = 1_000_000
"""Open orders where the owner wants no limit."""
DEFAULT_SHARE = Decimal("0.75")
"""Share of the account that the default grid uses; the rest is reserve (grid-semantics 8)."""


def default_bot(market: Market, price: Decimal, quote_free: Decimal) -> BotSettings:
    """The bot of `gridtide run` without a config: ±10 % around the price, 41 levels, 75 % of the account."""
    tick = market.rules.tick_size
    return BotSettings(
        name="grid",
        market=market.symbol,
        strategy=GridSettings(
            lower_price=nearest_to_step(price * (1 - DEFAULT_RANGE), tick),
            upper_price=nearest_to_step(price * (1 + DEFAULT_RANGE), tick),
            num_grids=DEFAULT_LEVELS,
            total_investment=floor_to_step(quote_free * DEFAULT_SHARE, Decimal("0.01")),
            spacing="geometric",
        ),
    )


def grid_config(bot: BotSettings) -> GridConfig:
    """The strategy's own config."""
    values = bot.grid.model_dump(exclude={"name", "num_grids", "intervals"}, exclude_none=True)
    return GridConfig.from_settings(bot.market, {**values, "num_grids": bot.grid.levels})


def make_strategy(bot: BotSettings) -> Strategy:
    """A fresh strategy as the config names it. Raises `InvalidConfig` for a name that nobody offers, and for settings
    that it does not take."""
    if isinstance(bot.strategy, GridSettings):
        return GridTradingStrategy(grid_config(bot))
    try:
        return create_strategy(bot.strategy.name, bot.market, bot.strategy.own, installed_strategies())
    except InvalidConfig as error:
        raise InvalidConfig(f"bots.{bot.name}, {error}") from error


def revive_strategy(bot: BotSettings, state: StrategyState) -> Strategy:
    """The bot's strategy as it was. Raises `InvalidConfig` where what it comes from is not installed any more."""
    return restore_strategy(bot.strategy.name, state, installed_strategies())


def installed_strategies() -> Loaders:
    """What installed packages offer; nothing of them is imported before it is asked for."""
    from importlib.metadata import entry_points

    return {point.name: point.load for point in entry_points(group=ENTRY_POINT_GROUP)}


def allocation_of(bot: BotSettings) -> Allocation:
    """What the bot may touch, and nothing else."""
    given = bot.strategy
    return Allocation(
        quote=given.total_investment,
        base=given.base_amount,
        base_cost=given.base_cost or ZERO,
    )


def gate_of(bot: BotSettings) -> RiskGate:
    """The risk gate with the owner's limits; a bot that places orders cannot do without it."""
    if not bot.risk.enabled:
        raise InvalidConfig(
            "risk: off is for comparisons in backtests; a bot that places orders keeps its limits"
        )
    return default_gate(bot.risk.max_open_orders, bot.risk.max_order_value)


def backtest_gate(bot: BotSettings) -> RiskGate:
    """The same gate; with `risk: off` only what the market and the account themselves demand."""
    return gate_of(bot) if bot.risk.enabled else default_gate(NO_LIMIT)


def protocol_times(mode: Mode) -> ProtocolTimes:
    """Waiting times of the order protocol. Only our own sandbox, whose queue is shorter, may wait less."""
    return ProtocolTimes(queue=2_000) if mode is Mode.SANDBOX else ProtocolTimes()
