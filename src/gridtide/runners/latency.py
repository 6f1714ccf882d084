"""When the parts of a reaction happened: event received, decided, committed. For the bench, kept bounded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.domain.fill import FillKey

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Reaction:
    """One batch of events and what it led to, in seconds of the monotonic clock."""

    received: float
    """When the oldest event of the batch was put into the queue."""
    decided: float
    committed: float
    cause: FillKey | None = None
    """The first execution in the batch, if there was one."""


class ReactionLog:
    """Reactions by the client order id of the orders they sent."""

    def __init__(self) -> None:
        self._reactions: OrderedDict[str, Reaction] = OrderedDict()

    def note(self, client_order_id: str, reaction: Reaction) -> None:
        self._reactions[client_order_id] = reaction
        while len(self._reactions) > KEPT:
            self._reactions.popitem(last=False)

    def items(self) -> list[tuple[str, Reaction]]:
        return list(self._reactions.items())
