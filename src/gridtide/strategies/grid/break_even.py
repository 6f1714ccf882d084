"""What a step from level to level must bring so that a round trip does not lose (grid-semantics 5).

Three ways to pay: fees in quote or a third asset cost quote twice; a buy's fee taken out of the base bought
leaves less to sell.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final, Self

from gridtide.domain.money import EXACT, ONE, FeeRate

if TYPE_CHECKING:
    from gridtide.domain.market import FeeSchedule

_RATIO: Final = Context(prec=60)
_SHOWN: Final = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class RoundTripFees:
    """The rate a side that grid orders pay, and whether a buy pays it in the base it bought."""

    rate: FeeRate
    taken_in_base: bool

    @classmethod
    def of(cls, fees: FeeSchedule, *, post_only: bool) -> Self:
        """Maker rate for post-only grids, taker rate for those that may take."""
        return cls(fees.maker if post_only else fees.taker, fees.taken_from_received)

    @property
    def break_even_ratio(self) -> Decimal:
        """r* = (1+f)/(1−f), or 1/(1−f)² with the buy's fee in base, to 12 decimals (AT-20)."""
        with localcontext(_RATIO):
            kept = ONE - self.rate
            ratio = ONE / (kept * kept) if self.taken_in_base else (ONE + self.rate) / kept
            return ratio.quantize(_SHOWN)

    def pays(self, low: Decimal, high: Decimal) -> bool:
        """Whether a round trip from `low` to `high` ends above break-even; exact, nothing is divided."""
        with localcontext(EXACT):
            kept = ONE - self.rate
            if self.taken_in_base:
                return high * kept * kept > low
            return high * kept > low * (ONE + self.rate)

    def profit(self, low: Decimal, high: Decimal) -> Decimal:
        """Net profit of a round trip as a fraction of `low`, to 12 decimals (AT-21).

        With r = high/low: r − 1 − (1+r)·f, or r·(1−f)² − 1 with the buy's fee in base.
        """
        with localcontext(_RATIO):
            ratio, kept = high / low, ONE - self.rate
            net = ratio * kept * kept - ONE if self.taken_in_base else ratio - ONE - (ONE + ratio) * self.rate
            return net.quantize(_SHOWN)
