"""The liquidity of everybody else: price levels around the market's price, the same for the same price and seed.

Its amounts are a pure function of seed and price level. What a taker consumes is gone until the book forms anew
with the next move. It is built only when somebody looks, because a backtest moves far more often than it takes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue.rounding import UNIT, is_multiple, remainder, steps_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from gridtide.domain.market import MarketRules

_MASK = (1 << 64) - 1
_SPACING = 10_000
"""Levels behind the best lie about price / 10,000 apart, as in a liquid market, and at least a tick."""
_CACHED_LEVELS = 20_000
_DEFAULT_DEPTH_IN_MIN_NOTIONALS = 4_000
_DEFAULT_DEPTH_QUOTE = 20_000


def mix(seed: int, index: int) -> int:
    """A well-mixed 64-bit number of `seed` and `index` (splitmix64, Steele et al. 2014)."""
    x = (seed + index * 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


@lru_cache(maxsize=1_000)
def round_spacing(ticks: int) -> int:
    """The largest of 1, 2, 5, 10, 20, 50 … that is not above `ticks`, and at least 1."""
    power = 1
    while power * 10 <= ticks:
        power *= 10
    return max(step * power for step in (1, 2, 5) if step == 1 or step * power <= ticks)


class AmbientBook:
    """Bids and asks around a price, each a mapping of price to amount, best first."""

    __slots__ = (
        "_cache",
        "_consumed",
        "_depth",
        "_depth_quote",
        "_levels",
        "_lot",
        "_sides",
        "_tick",
        "ask_from",
        "bid_from",
        "seed",
    )

    def __init__(self, seed: int, levels: int, depth_quote: Decimal | None, rules: MarketRules) -> None:
        self.seed = seed
        self._levels = levels
        self._depth_quote = depth_quote
        self.bid_from: Decimal | None = None
        """Bids lie below this price, asks above `ask_from`; None before the first move."""
        self.ask_from: Decimal | None = None
        self._sides: dict[Side, dict[Decimal, Decimal]] = {}
        """Price to amount, best first; a side is built at the first look."""
        self._consumed: set[Side] = set()
        self._measure(rules)

    def use_rules(self, rules: MarketRules) -> None:
        """Tick and lot of the levels formed from now on; those that stand keep theirs."""
        for side in Side:
            self.restore(side, self.side(side))
        self._measure(rules)

    def _measure(self, rules: MarketRules) -> None:
        self._tick = rules.tick_size or UNIT
        self._lot = rules.lot_size or UNIT
        depth = self._depth_quote or rules.min_notional * _DEFAULT_DEPTH_IN_MIN_NOTIONALS
        self._depth = max(1, int((depth or _DEFAULT_DEPTH_QUOTE) / (self._tick * self._lot)))
        self._cache: dict[int, tuple[Decimal, Decimal]] = {}

    def form(self, bid_from: Decimal, ask_from: Decimal) -> None:
        """Form anew, in full: bids below `bid_from`, asks above `ask_from`."""
        self.bid_from, self.ask_from = bid_from, ask_from
        if self._sides:
            self._sides.clear()
            self._consumed.clear()

    def is_consumed(self, side: Side) -> bool:
        """Whether the levels of `side` are no longer those that follow from the bounds."""
        return side in self._consumed

    def restore(self, side: Side, levels: dict[Decimal, Decimal]) -> None:
        """Put back the consumed levels of a saved book, best first."""
        self._consumed.add(side)
        self._sides[side] = levels

    def side(self, side: Side) -> dict[Decimal, Decimal]:
        """The levels that orders of `side` rest on: BUY for bids. Not to be changed by the caller."""
        levels = self._sides.get(side)
        if levels is None:
            levels = self._sides[side] = dict(self._build(side))
        return levels

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """(price, amount) of one side, best first."""
        return iter(self.side(side).items())

    def best(self, side: Side) -> tuple[Decimal, Decimal] | None:
        """(price, amount) of the first of `levels`, without building the others."""
        levels = self._sides.get(side)
        if levels is not None:
            return next(iter(levels.items()), None)
        ticks = self._best(side)
        return None if ticks < 1 else self._level(ticks)

    def best_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """The prices of the `best` bid and the `best` ask, for those who look often."""
        below, above, tick = self.bid_from, self.ask_from, self._tick
        if self._sides or below is None or above is None:
            bid, ask = self.best(Side.BUY), self.best(Side.SELL)
            return None if bid is None else bid[0], None if ask is None else ask[0]
        lowest_ask = above - remainder(above, tick) + tick
        highest_bid = below - (remainder(below, tick) or tick)
        return highest_bid if highest_bid > 0 else None, lowest_ask

    def amount_at(self, side: Side, price: Decimal) -> Decimal:
        """What rests at a price; zero where there is no level."""
        return self.side(side).get(price, ZERO)

    def may_match(self, side: Side, price: Decimal) -> bool:
        """Whether an order of `side` at `price` could meet an ambient level; never wrongly False, and cheap."""
        bound = self.ask_from if side is Side.BUY else self.bid_from
        if bound is None:
            return False
        return price > bound if side is Side.BUY else price < bound

    def take(self, side: Side, price: Decimal, amount: Decimal) -> None:
        """Consume part or all of a level of `side`."""
        self._consumed.add(side)
        levels = self.side(side)
        left = levels[price] - amount
        if left:
            levels[price] = left
        else:
            del levels[price]

    def _build(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """The price next to the bound, then multiples of the spacing away from it."""
        best = self._best(side)
        if best < 1:
            return
        spacing = round_spacing(best // _SPACING)
        if side is Side.BUY:
            behind = range((best - 1) // spacing * spacing, 0, -spacing)
        else:
            first = (best // spacing + 1) * spacing
            behind = range(first, first + self._levels * spacing, spacing)
        yield self._level(best)
        yield from (self._level(ticks) for ticks in behind[: self._levels - 1])

    def _best(self, side: Side) -> int:
        """The best price of `side` in ticks; zero or less where there is none."""
        bound = self.bid_from if side is Side.BUY else self.ask_from
        if bound is None:
            return 0
        below = steps_below(bound, self._tick)
        if side is Side.SELL:
            return below + 1
        return below - 1 if is_multiple(bound, self._tick) else below

    def _level(self, ticks: int) -> tuple[Decimal, Decimal]:
        found = self._cache.get(ticks)
        if found is None:
            if len(self._cache) >= _CACHED_LEVELS:
                self._cache.clear()
            found = self._cache[ticks] = (self._tick * ticks, self._amount(ticks))
        return found

    def _amount(self, ticks: int) -> Decimal:
        """Most levels small, few large, round prices heavier, prices between the usual ones lighter."""
        spacing = round_spacing(ticks // _SPACING)
        draw = mix(self.seed, ticks) & 0xFFFF
        permille = 150 + (2200 * draw * draw >> 32)
        if ticks % (spacing * 10) == 0:
            permille *= 3
        elif ticks % spacing:
            permille //= 3
        return self._lot * max(1, self._depth * permille // (1000 * ticks))
