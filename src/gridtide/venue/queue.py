"""Where an account's order stands among everybody else's at its price, as far as a recorded book tells.

An order comes behind the whole recorded amount of its level. What stands ahead shrinks as market trades and takers
consume the level from its front, and with cancellations as `QueueCancellations` says; it never grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.money import ZERO, multiply_exact
from gridtide.venue.order_book import Level
from gridtide.venue.rounding import divide_ceil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from gridtide.venue.working_order import WorkingOrder


class QueueFill(NamedTuple):
    """An order whose turn has come."""

    order: WorkingOrder
    amount: Decimal


def amounts_ahead(level: Level, recorded: Decimal) -> dict[int, Decimal]:
    """Recorded amount ahead of each order of the level, by order id.

    Nobody tells the queue that an order came: between two changes of a level nothing ahead of a newcomer changes, so
    whoever has no place yet stands behind all that is `recorded` now.
    """
    ahead = level.ahead
    if ahead is None:
        ahead = level.ahead = {}
    for order_id in level.orders:
        ahead.setdefault(order_id, recorded)
    return ahead


def trade_at(level: Level, recorded: Decimal, amount: Decimal, fillable: Decimal) -> list[QueueFill]:
    """A market trade of `amount` at the level's price passes along the queue; who fills, at most `fillable` together.

    The recording's level will shrink by the whole amount, whoever stood in it here.
    """
    ahead = amounts_ahead(level, recorded)
    fills: list[QueueFill] = []
    left, passed = amount, ZERO
    for order in level.orders.values():
        stands = min(max(ahead[order.order_id] - passed, ZERO), left)
        passed += stands
        left -= stands
        turn = min(left, order.remaining, fillable)
        if turn <= 0:
            break
        fills.append(QueueFill(order, turn))
        left -= turn
        fillable -= turn
    else:
        passed += left
    _pass(ahead, passed)
    level.traded += amount
    return fills


def take_front(level: Level, recorded: Decimal, amount: Decimal) -> None:
    """A taker consumed `amount` of the `recorded` part of the level."""
    _pass(amounts_ahead(level, recorded), amount)


def _pass(ahead: dict[int, Decimal], amount: Decimal) -> None:
    for order_id, stands in ahead.items():
        ahead[order_id] = max(stands - amount, ZERO)


def level_told(level: Level, former: Decimal, amount: Decimal, *, proportional: bool) -> None:
    """The recording tells that `amount` rests at the level, where `former` was known to.

    What trades do not explain was cancelled: behind everybody, unless less is left than stood ahead; or, if
    `proportional`, ahead and behind in the proportion of what stands there.
    """
    ahead = amounts_ahead(level, former)
    expected = former - level.traded
    shrinks = proportional and amount < expected
    for order_id, stands in ahead.items():
        share = divide_ceil(multiply_exact(stands, amount), expected) if shrinks else stands
        ahead[order_id] = min(stands, share, amount)
    level.traded = ZERO


def parts(level: Level, recorded: Decimal) -> Iterator[tuple[Level | None, Decimal]]:
    """The level as a taker meets it: either orders of accounts that stand together, or a recorded amount."""
    ahead = amounts_ahead(level, recorded)
    passed = ZERO
    together = Level(level.price)
    for order in level.orders.values():
        stands = min(ahead[order.order_id], recorded)
        if stands > passed:
            if together.orders:
                yield together, ZERO
                together = Level(level.price)
            yield None, stands - passed
            passed = stands
        together.orders[order.order_id] = order
        together.total += order.remaining
    yield together, recorded - passed
