"""How much each level trades (grid-semantics 3), and the least money that makes every level tradable.

Everything is linear in one unit: base a level for equal base, quote a level for equal quote. Amounts only
ever go down to the lot, so what was sized is affordable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final

from gridtide.domain.money import (
    ONE,
    ZERO,
    Amount,
    Money,
    Price,
    ceil_to_step,
)
from gridtide.strategies.grid.config import ProfitMode, Sizing
from gridtide.strategies.grid.pairing import floor_to_lot

if TYPE_CHECKING:
    from gridtide.domain.market import FeeSchedule, Market, MarketRules
    from gridtide.strategies.grid.config import GridConfig

_RATIO: Final = Context(prec=60)


@dataclass(frozen=True, slots=True)
class GridStart:
    """All that sizes depend on, fixed once at the start."""

    config: GridConfig
    market: Market
    fees: FeeSchedule
    levels: Sequence[Price]
    vacant: int
    price: Price
    purchase_limit: Price

    @property
    def buys(self) -> Sequence[Price]:
        return self.levels[: self.vacant]

    @property
    def sells(self) -> Sequence[Price]:
        return self.levels[self.vacant + 1 :]

    @property
    def base_kept(self) -> Decimal:
        """What is left of a unit of base bought, at the worse of the two rates."""
        return ONE - max(self.fees.maker, self.fees.taker, ZERO) if self.fees.taken_from_received else ONE


@dataclass(frozen=True, slots=True)
class GridSize:
    """The amounts of a grid, each a multiple of the lot."""

    intervals: tuple[Amount, ...]
    """What interval k buys at level k."""
    sells: tuple[Amount, ...]
    """What the levels above the vacant one sell at first, ascending, before the purchase's fee."""
    purchase: Amount
    from_held: Amount


def size_grid(start: GridStart) -> GridSize:
    """The amounts that the investment pays for; some may be too small to trade, which the plan checks."""
    unit = _unit(start)
    rules = start.market.rules
    sells = tuple(_level_amount(start, unit, price) for price in start.sells)
    wanted = sum(sells, ZERO)
    held = min(start.config.base_amount, wanted)
    bought = Amount(ZERO)
    if start.config.sizing is not Sizing.BASE_AND_QUOTE and wanted > held:
        bought = Amount(ceil_to_step(wanted - held, rules.lot_size))
    intervals = tuple(_level_amount(start, unit, price) for price in start.levels[:-1])
    return GridSize(intervals, sells, bought, Amount(held))


def reserve_fraction(start: GridStart) -> Decimal:
    """ρ: the share of the investment kept back.

    By default what the sized orders can cost beyond their price: the price cap and taker fee of the initial
    purchase, the maker fees of the buys. Where nothing is bought at the start only fees in quote matter.
    """
    if start.config.reserve is not None:
        return start.config.reserve
    in_quote = start.fees.asset == start.market.quote
    taker = max(start.fees.taker, ZERO)
    # The gate sets the worse rate aside for every buy that pays its fee in quote.
    maker = max(start.fees.maker, taker if in_quote else ZERO)
    with localcontext(_RATIO):
        if start.config.sizing in (Sizing.QUOTE_ONLY, Sizing.BASE_AND_QUOTE):
            return ONE - ONE / (ONE + maker) if in_quote else ZERO
        quote, base = _weights(start)
        at_worst = quote * (ONE + maker) + base * start.purchase_limit * (ONE + taker)
        return max(ONE - (quote + base * start.price) / at_worst, ZERO)


def minimum_investment(start: GridStart) -> Money:
    """The least `total_investment` with which every level can be traded, rounded up to cents (AT-16)."""
    with localcontext(_RATIO) as context:
        context.rounding = ROUND_UP
        unit = max(
            _tradable_amount(start, low, high) * (high if start.config.sizing is Sizing.EQUAL_QUOTE else ONE)
            for low, high in zip(start.levels[:-1], start.levels[1:], strict=True)
        )
        quote, base = _weights(start)
        if start.config.sizing is Sizing.BASE_AND_QUOTE:
            cost = unit * quote
        else:
            cost = unit * quote + max(unit * base - start.config.base_amount, ZERO) * start.price
        needed = cost / (ONE - reserve_fraction(start))
    return Money(ceil_to_step(needed, Decimal("0.01") if needed >= 1 else Decimal("1e-8")))


def _unit(start: GridStart) -> Decimal:
    with localcontext(_RATIO):
        quote, base = _weights(start)
        spendable = (ONE - reserve_fraction(start)) * start.config.total_investment
        held = start.config.base_amount
        if start.config.sizing is Sizing.BASE_AND_QUOTE:
            limits = [part / weight for part, weight in ((held, base), (spendable, quote)) if weight]
            return min(limits)
        unit = (spendable + held * start.price) / (quote + base * start.price)
        # Coins held beyond what the sells take are no money for the buys.
        return unit if unit * base >= held else spendable / quote


def _weights(start: GridStart) -> tuple[Decimal, Decimal]:
    """Quote that the buys, and base that the sells take a unit."""
    if start.config.sizing is Sizing.EQUAL_QUOTE:
        return Decimal(len(start.buys)), sum((ONE / price for price in start.sells), ZERO)
    return sum(start.buys, ZERO), Decimal(len(start.sells))


def _level_amount(start: GridStart, unit: Decimal, price: Price) -> Amount:
    with localcontext(_RATIO):
        amount = unit / price if start.config.sizing is Sizing.EQUAL_QUOTE else unit
    return floor_to_lot(start.market.rules, amount)


def _tradable_amount(start: GridStart, low: Price, high: Price) -> Decimal:
    """The least an interval may plan so that its buy at `low` and the sell that follows can be placed."""
    rules = start.market.rules
    buy, sell = _smallest_order(rules, low), _smallest_order(rules, high)
    if start.config.profit is ProfitMode.BASE:
        sell = sell * high / low + rules.lot_size  # it sells only what returns the quote spent
    return max(buy, ceil_to_step(sell / start.base_kept, rules.lot_size))


def _smallest_order(rules: MarketRules, price: Price) -> Decimal:
    by_value = ceil_to_step(rules.min_notional / price, rules.lot_size)
    return max(by_value, rules.min_amount, rules.lot_size)
