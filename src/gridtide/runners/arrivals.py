"""When the requests of a recorded session reached the exchange, so that a backtest can let its own arrive likewise.

A request is known by what it was for, not by its id: the account's name is part of an id, and a wish that could not be
placed at once takes another id for each attempt. The first order accepted for a slot's purpose is the first one here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.commands import SubmitOrder
from gridtide.domain.errors import InvalidInput
from gridtide.engine.order_ids import decode

if TYPE_CHECKING:
    from gridtide.domain.commands import CancelOrder


class RequestKind(StrEnum):
    """What was asked for."""

    ORDER = "order"
    CANCEL = "cancel"


class Acceptance(NamedTuple):
    """A request that the exchange accepted, and the point of the market's path after which it did."""

    kind: RequestKind
    client_order_id: str
    after: int


class Arrival(NamedTuple):
    """After which point a request takes effect, and its place among all requests."""

    after: int
    rank: int


class Arrivals:
    """The acceptances of one bot on one market, in their order. `take` hands each out once."""

    def __init__(self, acceptances: Iterable[Acceptance]) -> None:
        """Raises `InvalidInput` for an order of somebody else: nothing would know what it was for."""
        self._known: dict[tuple[object, ...], Arrival] = {}
        counted: Counter[tuple[object, ...]] = Counter()
        for rank, accepted in enumerate(acceptances):
            purpose = _purpose(accepted.kind, accepted.client_order_id)
            self._known[*purpose, counted[purpose]] = Arrival(accepted.after, rank)
            counted[purpose] += 1
        self._taken: Counter[tuple[object, ...]] = Counter()

    def take(self, command: SubmitOrder | CancelOrder) -> Arrival | None:
        """When `command` takes effect; None: it never reached the exchange."""
        kind = RequestKind.ORDER if isinstance(command, SubmitOrder) else RequestKind.CANCEL
        purpose = _purpose(kind, command.client_order_id)
        arrival = self._known.pop((*purpose, self._taken[purpose]), None)
        self._taken[purpose] += arrival is not None
        return arrival

    @property
    def left(self) -> tuple[Arrival, ...]:
        """Those that nobody asked for, in their order."""
        return tuple(sorted(self._known.values(), key=lambda arrival: arrival.rank))


def _purpose(kind: RequestKind, client_order_id: str) -> tuple[object, ...]:
    decoded = decode(client_order_id)
    if decoded is None:
        raise InvalidInput(
            f"{client_order_id[:40]!r} is no order of a bot of ours: leave it out of the arrivals"
        )
    return kind, decoded.slot.key, decoded.cycle
