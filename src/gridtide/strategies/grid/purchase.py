"""The initial purchase: what to try next, and how the base it brought is shared over the sells.

Shares follow amounts (grid-semantics 0 and 6): lowest sells first, cost by amount, its remainder to the lowest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from gridtide.domain.ledger import DUST, KEPT
from gridtide.domain.money import ONE, ZERO, Amount, Price, multiply_exact
from gridtide.domain.order import Side, Slot
from gridtide.strategies.grid.pairing import Pairing, floor_to_lot, share_of

if TYPE_CHECKING:
    from gridtide.domain.market import MarketRules
    from gridtide.strategies.grid.plan import GridPlan
    from gridtide.strategies.protocol import ExecutionContext

INITIAL: Final = Slot("INI", Side.BUY)
MAX_TRIES: Final = 5
RETRY_MILLISECONDS: Final = 1_000
"""Between tries, so that the book can refill."""


class Try(NamedTuple):
    """One limit IOC order of the initial purchase."""

    price: Price
    amount: Amount


def next_try(
    plan: GridPlan, bought: Decimal, price_cap: Decimal, pairing: Pairing, context: ExecutionContext
) -> Try | None:
    """The next order: what is missing, at ask·(1 + cap), as far as money goes; None if nothing tradable is left."""
    rules = context.market.rules
    ask = context.book.ask if context.book.ask is not None else context.current_price()
    limit = rules.floor_price(multiply_exact(ask, ONE + price_cap))
    amount = min(
        Amount(plan.purchase_amount - bought),
        pairing.affordable(context.available(context.market.quote), limit),
    )
    if rules.max_amount:
        amount = min(amount, floor_to_lot(rules, rules.max_amount))
    return Try(limit, amount) if rules.is_tradable(limit, amount) else None


@dataclass(frozen=True, slots=True)
class Shares:
    """Base for each first sell, ascending; 0 where it did not reach."""

    wanted: tuple[Amount, ...]
    """What each sell offers if it is covered in full."""
    covered: tuple[Amount, ...]
    rest: Decimal
    """Too little to sell: dust."""


def share_base(plan: GridPlan, on_hand: Decimal, executed: Decimal, rules: MarketRules) -> Shares:
    """Share `on_hand` base, which `executed` stood for before fees, over the first sells from the lowest upward.

    Each offers floor(planned · on_hand / executed). The first one that is not covered in full takes what is
    left if that can be traded.
    """
    wanted = tuple(
        min(level.amount, share_of(rules, level.amount, on_hand, executed)) if executed else level.amount
        for level in plan.sells
    )
    left = on_hand
    covered: list[Amount] = []
    for level, amount in zip(plan.sells, wanted, strict=True):
        part = min(amount, floor_to_lot(rules, left))
        if part < amount and not rules.is_tradable(level.price, part):
            part = Amount(ZERO)
        covered.append(part)
        # Nothing above a gap: sells are covered from the lowest upward.
        left = left - part
        if part < amount:
            break
    covered += [Amount(ZERO)] * (len(wanted) - len(covered))
    return Shares(wanted, tuple(covered), left)


def distribute(plan: GridPlan, base_amount: Decimal, bought: Decimal, context: ExecutionContext) -> Shares:
    """Give the lots of the initial purchase, and of coins held before, to their sell slots."""
    held = context.lot_amount(INITIAL.key)
    surplus = min(max(base_amount - plan.base_from_held, ZERO), held)
    shares = share_base(plan, held - surplus, plan.base_from_held + bought, context.market.rules)
    _assign(KEPT, surplus, context)
    _assign(DUST, shares.rest, context)
    # The lowest comes last, so that what rounding leaves of the cost stays with it.
    for level, amount in reversed(list(zip(plan.sells, shares.covered, strict=True))):
        _assign(Slot.level(level.index, Side.SELL).key, amount, context)
    return shares


def _assign(owner: str, amount: Decimal, context: ExecutionContext) -> None:
    if amount:
        context.assign_lots(INITIAL.key, owner, Amount(amount))


def uncovered(shares: Shares) -> Sequence[Amount]:
    """The sells that wait for base."""
    return [wanted for wanted, part in zip(shares.wanted, shares.covered, strict=True) if not part]
