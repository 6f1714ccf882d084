"""What a grid would be, before anything is placed: the same plan the strategy makes, from the same reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from gridtide.bootstrap.bots import grid_config, make_strategy
from gridtide.domain.errors import PlanRefused
from gridtide.domain.market import Asset, Symbol
from gridtide.domain.money import EXACT, ZERO, Money, divide_down, notional, tidy
from gridtide.risk.stress_card import Inventory, PlannedBuy
from gridtide.strategies.grid.break_even import RoundTripFees
from gridtide.strategies.grid.plan import GridPlan, make_plan

if TYPE_CHECKING:
    from gridtide.config.bot import BotSettings
    from gridtide.domain.balance import Balance
    from gridtide.domain.market import FeeSchedule, Market, TopOfBook
    from gridtide.ports.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan and the account it was made for."""

    bot: BotSettings
    market: Market
    fees: FeeSchedule
    book: TopOfBook
    balances: Mapping[Asset, Balance]
    plan: GridPlan

    def inventory(self) -> Inventory:
        """The grid as its stress card sees it: the initial purchase at the start price, the buys below it."""
        plan = self.plan
        fees = RoundTripFees.of(self.fees, post_only=grid_config(self.bot).post_only)
        buys = [PlannedBuy(level.price, level.amount) for level in plan.buys]
        return Inventory(
            price=plan.start_price,
            base=plan.sells_amount,
            base_cost=notional(plan.start_price, plan.sells_amount),
            buys=buys,
            fee_rate=fees.rate,
            fee_in_base=fees.taken_in_base,
            round_trip_profit=_mean_profit(plan, fees),
        )


def _mean_profit(plan: GridPlan, fees: RoundTripFees) -> Money:
    """Net quote that a round trip brings in the mean over the intervals."""
    total = ZERO
    for amount, (low, high) in zip(plan.interval_amounts, pairwise(plan.prices), strict=True):
        total = EXACT.add(total, EXACT.multiply(fees.profit(low, high), notional(low, amount)))
    return Money(divide_down(total, Decimal(len(plan.interval_amounts))))


async def preview(exchange: Exchange, bot: BotSettings, *, is_funded: bool = False) -> Preview:
    """Plan the grid of `bot` on a connected exchange. Raises `PlanRefused` or `InvalidInput`; places nothing.

    With `is_funded` the bot has its money in its orders already, and what is free on the account says nothing.
    """
    symbol = Symbol(bot.market)
    market = exchange.market(symbol)
    fees = await exchange.fees(symbol)
    book = await exchange.top_of_book(symbol)
    balances = await exchange.balances()
    plan = make_plan(grid_config(bot), market, fees, book)
    if not is_funded:
        check_funds(bot, market, balances)
    return Preview(bot, market, fees, book, balances, plan)


async def check_strategy(exchange: Exchange, bot: BotSettings) -> None:
    """Raise where a bot that trades no grid could not start: its strategy is not there, or its money is not."""
    make_strategy(bot)
    check_funds(bot, exchange.market(Symbol(bot.market)), await exchange.balances())


def check_funds(bot: BotSettings, market: Market, balances: Mapping[Asset, Balance]) -> None:
    """Raise `PlanRefused` where the account holds less than the bot is to use."""
    needs = ((market.quote, bot.strategy.total_investment), (market.base, bot.strategy.base_amount))
    for asset, need in needs:
        free = _free(balances, asset)
        if need > free:
            raise PlanRefused(
                f"the bot is to use {tidy(need)} {asset}, but the account has {tidy(free)} free; "
                "nothing was placed: lower total_investment or bring funds in"
            )


def _free(balances: Mapping[Asset, Balance], asset: Asset) -> Decimal:
    return balances[asset].free if asset in balances else ZERO
