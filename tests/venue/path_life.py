"""A random life along a path of prices, played in two ways: over every point, or over those that matter only."""

import random
from collections.abc import Iterable
from typing import Any

from gridtide.domain.market import Symbol, Timestamp
from gridtide.price_path.point import PathPoint
from gridtide.venue.messages import PriceMoved
from gridtide.venue.tape import Stretch
from tests.venue.operations import Life
from tests.venue.world import NOW, SYMBOL, D


class ListTape:
    """A tape over points in memory."""

    def __init__(self, points: list[PathPoint]) -> None:
        self.all = points
        self.lowest = min(point.price for point in points)
        self.highest = max(point.price for point in points)

    def points(self, start: int, end: int, since: Timestamp) -> Iterable[PathPoint]:
        return [point for point in self.all[start:end] if point.market_time >= since]


def random_path(dice: random.Random, length: int) -> list[PathPoint]:
    """Calm, jumpy, standing still, off the tick; times that stand still or leave gaps; volumes of nothing."""
    price, time, points = D(40_000), NOW, []
    for _ in range(length):
        step = dice.choice(
            (0, dice.randint(-300, 300), dice.randint(-3000, 3000), dice.randint(-40_000, 40_000))
        )
        price = max(price + D(step) / 100, D(100))
        time = Timestamp(time + dice.choice((0, 20_000, 20_000, 61_000, 700_000)))
        volume = D(dice.choice((0, dice.randint(1, 50_000), dice.randint(1, 5_000_000)))) / 100_000
        shown = price + D("0.005") if dice.random() < 0.1 else price
        points.append(PathPoint(time, shown, volume))
    return points


class PathLife(Life):
    """Equal seeds do the same things at the same points, whether `skips` or not."""

    def __init__(self, seed: int, world: dict[str, Any], path: list[PathPoint], *, skips: bool) -> None:
        self._time = NOW
        super().__init__(seed, world)
        self.path, self.tape, self.skips = path, ListTape(path), skips
        kinds = (
            self.place,
            self.place_conditional,
            self.place_list,
            self.cancel,
            self.amend,
            self.change_status,
        )
        rare = (self.meet, self.cancel_list, self.cancel_all, self.deposit, self.change_fees)
        chosen = self.dice.choices((*kinds, *rare), (30, 20, 8, 8, 3, 2, 3, 1, 1, 1, 1), k=len(path))
        busy = self.dice.choice((0.02, 0.1, 0.4))
        self.deeds_at = {number: deed for number, deed in enumerate(chosen) if self.dice.random() < busy}
        self.happened: list[str] = []
        self.walked = 0

    def play(self) -> None:
        """Along the whole path."""
        number = 0
        while number < len(self.path):
            end = self._skippable(number) if self.skips else number
            if end > number:
                last = self.path[end - 1]
                self.venue.skip_to(SYMBOL, last.price, last.market_time, Stretch(self.tape, number, end))
                number = end
            else:
                self._walk(self.path[number])
                number += 1
            self._do(number - 1)

    def _skippable(self, number: int) -> int:
        """Up to which point, without it, nothing happens from `number` on."""
        below, above = self.venue.prices_of_interest(SYMBOL)
        for end in range(number, len(self.path)):
            price = self.path[end].price
            if (below is not None and price <= below) or (above is not None and price >= above):
                return end
            if end in self.deeds_at:
                return end + 1
        return len(self.path)

    def _walk(self, point: PathPoint) -> None:
        self.walked += 1
        move = PriceMoved(point.price, point.volume, point.market_time)
        events = self.venue.move_market(SYMBOL, move, point.market_time)
        self.ledger.read(events)
        if events:
            self.happened.append(repr(events))

    def _do(self, number: int) -> None:
        deed = self.deeds_at.get(number)
        if deed is not None:
            self._time = self.path[number].market_time
            tick = self._ticks[SYMBOL]
            self._prices[SYMBOL] = self.path[number].price // tick * tick
            self.happened.append(repr(self.act(deed)))

    def _symbol(self) -> Symbol:
        return SYMBOL

    def _now(self) -> Timestamp:
        return Timestamp(self._time)
