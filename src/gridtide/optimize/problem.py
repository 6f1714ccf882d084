"""What is searched: a space over a config, played by an evaluator, judged by objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gridtide.optimize.evaluation import Evaluated, spread
from gridtide.optimize.space import ParameterSet, Space, resolved

if TYPE_CHECKING:
    from gridtide.optimize.evaluation import Evaluator, Window
    from gridtide.optimize.objectives import Objective


@dataclass(frozen=True, slots=True)
class Problem:
    """The same for every window of a study."""

    space: Space
    base: ParameterSet
    """What the config says of every parameter, for conditions."""
    evaluator: Evaluator
    objectives: tuple[Objective, ...]
    """The first one decides where one is needed."""
    capital: float
    """Equity at the start of all data, or of the window that it is `within`, in quote."""
    price_places: int
    """Decimals of the market's prices."""
    base_held: float = 0.0
    """The part of the capital that is base, whose worth at the start is another one in each window."""

    def within(self, window: Window) -> Problem:
        """The same with the equity that `window` begins with."""
        if not self.base_held:
            return self
        prices = (self.evaluator.start_price(each) for each in (window, self.evaluator.span))
        now, first = map(float, prices)
        return replace(self, capital=self.capital + self.base_held * (now - first))

    def resolved(self, parameters: ParameterSet, window: Window) -> ParameterSet:
        """The set with prices where it says percentages of the window's first price."""
        return resolved(parameters, self.evaluator.start_price(window), self.price_places)

    def play(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        """Play `sets` over a window, as they were drawn. Those that break a condition are refused unplayed."""
        price = self.evaluator.start_price(window)
        ready = [resolved(each, price, self.price_places) for each in sets]
        reasons = [self.space.refusal(each, self.base) or "" for each in ready]
        allowed = [row for row, reason in enumerate(reasons) if not reason]
        answer = self.evaluator.evaluate([ready[row] for row in allowed], window, daily=daily)
        return answer if len(allowed) == len(sets) else spread(answer, allowed, reasons)
