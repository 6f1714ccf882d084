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

if TYPE_CHECKING:
    from gridtide.domain.market import Market
    from gridtide.risk.gate import RiskGate

DEFAULT_RANGE = Decimal("0.1")
"""Half the width of the default grid, as a fraction of the start price."""
DEFAULT_LEVELS = 41
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
    values = bot.strategy.model_dump(exclude={"name", "num_grids", "intervals"}, exclude_none=True)
    return GridConfig.from_settings(bot.market, {**values, "num_grids": bot.strategy.levels})


def allocation_of(bot: BotSettings) -> Allocation:
    """What the bot may touch, and nothing else."""
    grid = bot.strategy
    return Allocation(
        quote=grid.total_investment,
        base=grid.base_amount,
        base_cost=grid.base_cost or ZERO,
    )


def gate_of(bot: BotSettings) -> RiskGate:
    """The risk gate with the owner's limits; a bot that places orders cannot do without it."""
    if not bot.risk.enabled:
        raise InvalidConfig(
            "risk: off is for comparisons in backtests; a bot that places orders keeps its limits"
        )
    return default_gate(bot.risk.max_open_orders, bot.risk.max_order_value)


def protocol_times(mode: Mode) -> ProtocolTimes:
    """Waiting times of the order protocol. Only our own sandbox, whose queue is shorter, may wait less."""
    return ProtocolTimes(queue=2_000) if mode is Mode.SANDBOX else ProtocolTimes()
