"""The plan of a grid: what would be placed, what it costs at worst and what a round trip brings.

A pure function of config, market, fees and book; nothing is placed before it has passed every check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from gridtide.domain.errors import PlanRefused
from gridtide.domain.market import Asset, Symbol
from gridtide.domain.money import EXACT, ONE, ZERO, Amount, Money, Price, notional, round_half_up, tidy
from gridtide.domain.order import OrderType, Side
from gridtide.strategies.grid.break_even import RoundTripFees
from gridtide.strategies.grid.config import Sizing, StartOutside
from gridtide.strategies.grid.levels import calculate_grid_levels
from gridtide.strategies.grid.pairing import Pairing, floor_to_lot
from gridtide.strategies.grid.sizing import GridStart, minimum_investment, size_grid
from gridtide.strategies.grid.vacant import vacant_level

if TYPE_CHECKING:
    from gridtide.domain.market import FeeSchedule, Market, RuleViolation, TopOfBook
    from gridtide.strategies.grid.config import GridConfig
    from gridtide.strategies.grid.sizing import GridSize


class LevelRole(StrEnum):
    """What stands at a level when the grid has been placed."""

    BUY = "buy"
    SELL = "sell"
    VACANT = "vacant"


@dataclass(frozen=True, slots=True)
class PlannedLevel:
    """One grid price, its first order and that order's amount (0 where vacant)."""

    index: int
    price: Price
    role: LevelRole
    amount: Amount


@dataclass(frozen=True, slots=True)
class GridPlan:
    """A grid that passed every check. Ratios are plain numbers: 1.002 is a step of 0.2 %."""

    symbol: Symbol
    base: Asset
    quote: Asset
    start_price: Price
    """The one price the plan was made at."""
    levels: tuple[PlannedLevel, ...]
    vacant: int
    interval_amounts: tuple[Amount, ...]
    """Base that interval k (between levels k and k + 1) buys in each round trip."""
    purchase_amount: Amount
    """Base to be bought at the start."""
    purchase_limit: Price
    base_from_held: Amount
    """Base of the first sells that is held already."""
    total_investment: Money
    buys_cost: Money
    """Quote that the resting buys lock."""
    purchase_cost: Money
    """The initial purchase at its limit price."""
    fees_at_worst: Money
    """Value of the fees of all that in quote, whatever they are paid in."""
    quote_needed: Money
    """The most quote that placing the grid can take: with the fees only where they are paid in quote."""
    break_even_ratio: Decimal
    tightest_ratio: Decimal
    tightest_interval: int
    profit_low: Decimal
    """Net profit of a round trip as a fraction of the buy price: the least and the most of all intervals."""
    profit_high: Decimal
    minimum_investment: Money
    warnings: tuple[str, ...] = ()

    @property
    def prices(self) -> tuple[Price, ...]:
        return tuple([level.price for level in self.levels])

    @property
    def buys(self) -> tuple[PlannedLevel, ...]:
        return tuple(level for level in self.levels if level.role is LevelRole.BUY)

    @property
    def sells(self) -> tuple[PlannedLevel, ...]:
        return tuple(level for level in self.levels if level.role is LevelRole.SELL)

    @property
    def sells_amount(self) -> Amount:
        """Base that the first sells offer."""
        return Amount(sum((level.amount for level in self.sells), ZERO))

    @property
    def worst_cost(self) -> Money:
        """What placing the grid can cost at worst, in quote, fees included."""
        return Money(self.buys_cost + self.purchase_cost + self.fees_at_worst)

    @property
    def reserved(self) -> Money:
        """Quote of the investment that no order is planned for at the start price."""
        return Money(
            self.total_investment - self.buys_cost - notional(self.start_price, self.purchase_amount)
        )

    def describe(self) -> str:
        """The plan in one line, for the owner."""
        first = (
            f"buy {tidy(self.purchase_amount)} {self.base} at up to {tidy(self.purchase_limit)} first, then "
        )
        return (
            f"{first if self.purchase_amount else ''}{len(self.buys)} buys and {len(self.sells)} sells from "
            f"{tidy(self.levels[0].price)} to {tidy(self.levels[-1].price)} around {tidy(self.start_price)}, "
            f"level {self.vacant} vacant; a round trip nets {_percent(self.profit_low)} to "
            f"{_percent(self.profit_high)}, break-even step {_percent(self.break_even_ratio - 1)}; worst cost "
            f"{tidy(round_half_up(self.worst_cost, 8))} of {tidy(self.total_investment)} {self.quote}"
        )


def make_plan(config: GridConfig, market: Market, fees: FeeSchedule, book: TopOfBook) -> GridPlan:
    """Plan `config` on `market` at the price of `book`, or raise `PlanRefused` with level, rule and numbers.

    Order of checks: market, price, levels, range, break-even, amounts (grid-semantics 0). Levels outside a
    moving price band pass; they are parked when the time comes.
    """
    if config.symbol != market.symbol:
        raise PlanRefused(f"the grid is for {config.symbol}, the market is {market.symbol}")
    price = book.mid()
    if price is None:
        raise PlanRefused(f"{market.symbol} has no price yet: wait for a bid and an ask or a first trade")
    levels = calculate_grid_levels(config, market.rules.tick_size)
    _check_price_bounds(levels, market)
    _check_range(config, levels, price)
    round_trip = RoundTripFees.of(fees, post_only=config.post_only)
    _check_break_even(config, levels, round_trip)
    ask = book.ask if book.ask is not None else price
    start = GridStart(
        config=config,
        market=market,
        fees=fees,
        levels=levels,
        vacant=_vacant(config, levels, price),
        price=price,
        purchase_limit=market.rules.floor_price(ask * (ONE + config.price_cap)),
    )
    size = size_grid(start)
    _check_amounts(start, size)
    return _build(start, size, round_trip)


def _vacant(config: GridConfig, levels: list[Price], price: Price) -> int:
    # Without coins to sell every interval begins as a buy, which leaves the top level empty.
    if config.sizing is Sizing.QUOTE_ONLY:
        return len(levels) - 1
    return vacant_level(levels, price, config.vacant)


def _check_price_bounds(levels: list[Price], market: Market) -> None:
    for index, price in enumerate(levels):
        found = market.rules.violation(Side.BUY, OrderType.LIMIT, price, ONE)
        if found is not None and found.rule in {"price_bounds", "tick"}:
            raise PlanRefused(f"level {index}: {found.detail} (rule {found.rule} of {market.symbol})")


def _check_range(config: GridConfig, levels: list[Price], price: Price) -> None:
    if config.start_outside is StartOutside.ALLOW or levels[0] <= price <= levels[-1]:
        return
    where = "below" if price < levels[0] else "above"
    raise PlanRefused(
        f"the price {tidy(price)} is {where} the grid's range {tidy(levels[0])} to {tidy(levels[-1])}: "
        "move the range, or set start_outside: allow"
    )


def _check_break_even(config: GridConfig, levels: list[Price], fees: RoundTripFees) -> None:
    index, low, high = _tightest(levels)
    if fees.pays(low, high) or config.allow_below_break_even:
        return
    raise PlanRefused(
        f"levels {index} and {index + 1} ({tidy(low)} and {tidy(high)}) are {_percent(high / low - 1)} apart, and "
        f"a round trip at a fee of {_percent(fees.rate)} a side breaks even at "
        f"{_percent(fees.break_even_ratio - 1)}: use fewer levels or a wider range, or set "
        "allow_below_break_even: true"
    )


def _check_amounts(start: GridStart, size: GridSize) -> None:
    for index, side, amount in _orders_to_come(start, size):
        found = start.market.rules.violation(side, OrderType.LIMIT, start.levels[index], amount)
        if found is not None:
            raise PlanRefused(_too_little_or_too_much(start, index, side, amount, found))


def _orders_to_come(start: GridStart, size: GridSize) -> Iterator[tuple[int, Side, Amount]]:
    """Level, side and amount of every order of the grid's normal life: buys, their sells, the first sells."""
    rules = start.market.rules
    for index, amount in enumerate(size.intervals):
        yield index, Side.BUY, amount
        yield index + 1, Side.SELL, _sell_after(start, index, amount)
    for offset, amount in enumerate(size.sells):
        yield start.vacant + 1 + offset, Side.SELL, floor_to_lot(rules, amount * start.base_kept)


def _sell_after(start: GridStart, index: int, bought: Amount) -> Amount:
    pairing = Pairing.of(start.config, start.market, start.fees)
    spent = notional(start.levels[index], bought)
    return pairing.after_buy(bought * start.base_kept, ZERO, spent, start.levels[index + 1]).sell_amount


def _too_little_or_too_much(
    start: GridStart, index: int, side: Side, amount: Amount, found: RuleViolation
) -> str:
    config, quote = start.config, start.market.quote
    text = (
        f"level {index} ({side} {tidy(amount)} {start.market.base} at {tidy(start.levels[index])}): "
        f"{found.detail} (rule {found.rule} of {start.market.symbol})"
    )
    least = minimum_investment(start)
    if config.total_investment < least:
        return f"{text}: {tidy(config.total_investment)} {quote} are too little, invest at least {tidy(least)} {quote}"
    if config.sizing is Sizing.BASE_AND_QUOTE and found.rule in {"min_notional", "amount_bounds"}:
        return f"{text}: base_amount {tidy(config.base_amount)} is too little for {len(start.sells)} sells"
    return text


def _build(start: GridStart, size: GridSize, fees: RoundTripFees) -> GridPlan:
    index, low, high = _tightest(start.levels)
    profits = [fees.profit(low, high) for low, high in pairwise(start.levels)]
    bought = zip(start.buys, size.intervals, strict=False)  # intervals above the vacant level start as sells
    with localcontext(EXACT):
        buys_cost = sum((price * amount for price, amount in bought), ZERO)
        purchase_cost = start.purchase_limit * size.purchase
        at_worst = buys_cost * max(start.fees.maker, ZERO) + purchase_cost * max(start.fees.taker, ZERO)
        needed = buys_cost + purchase_cost + (at_worst if start.fees.asset == start.market.quote else ZERO)
    return GridPlan(
        symbol=start.market.symbol,
        base=start.market.base,
        quote=start.market.quote,
        start_price=start.price,
        levels=_levels(start, size),
        vacant=start.vacant,
        interval_amounts=size.intervals,
        purchase_amount=size.purchase,
        purchase_limit=start.purchase_limit,
        base_from_held=size.from_held,
        total_investment=Money(start.config.total_investment),
        buys_cost=Money(buys_cost),
        purchase_cost=Money(purchase_cost),
        fees_at_worst=Money(at_worst),
        quote_needed=Money(needed),
        break_even_ratio=fees.break_even_ratio,
        tightest_ratio=round_half_up(high / low, 12),
        tightest_interval=index,
        profit_low=min(profits),
        profit_high=max(profits),
        minimum_investment=minimum_investment(start),
        warnings=tuple(_warnings(start, needed)),
    )


def _levels(start: GridStart, size: GridSize) -> tuple[PlannedLevel, ...]:
    vacant = PlannedLevel(start.vacant, start.levels[start.vacant], LevelRole.VACANT, Amount(ZERO))
    buys = zip(start.buys, size.intervals, strict=False)
    sells = zip(start.sells, size.sells, strict=True)
    return (
        *(PlannedLevel(i, price, LevelRole.BUY, amount) for i, (price, amount) in enumerate(buys)),
        vacant,
        *(
            PlannedLevel(i, price, LevelRole.SELL, amount)
            for i, (price, amount) in enumerate(sells, start.vacant + 1)
        ),
    )


def _warnings(start: GridStart, needed: Decimal) -> Iterator[str]:
    config, quote = start.config, start.market.quote
    if needed > config.total_investment:
        yield (
            f"placing everything can take {tidy(round_half_up(needed, 2))} {quote} at worst, the investment is "
            f"{tidy(config.total_investment)}: the lowest buy may have to wait for money"
        )
    limit = start.market.rules.max_open_orders
    if limit and config.intervals > limit:
        yield f"{start.market.symbol} allows {limit} open orders: {config.intervals - limit} of the grid's will wait"
    if config.sizing is Sizing.QUOTE_ONLY and start.price < start.levels[-2]:
        yield "quote_only buys nothing at the start: buys above the price wait until it has risen past them"
    if config.allow_below_break_even:
        yield "allow_below_break_even is set: round trips of tight steps may lose money"


def _tightest(levels: Sequence[Price]) -> tuple[int, Price, Price]:
    """The interval with the smallest ratio: its index and its two prices."""
    index = min(range(len(levels) - 1), key=lambda k: levels[k + 1] / levels[k])
    return index, levels[index], levels[index + 1]


def _percent(fraction: Decimal) -> str:
    return f"{tidy(round_half_up(fraction * 100, 4))} %"
