"""When the engine wants to be woken for its own sake: reconciliation, rules, parked wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp


@dataclass(slots=True)
class Schedule:
    """The next moment of each kind; None where nothing of the kind waits for time."""

    light_reconciliation: Timestamp | None = None
    full_reconciliation: Timestamp | None = None
    market_refresh: Timestamp | None = None
    retry: Timestamp | None = None

    def moments(self) -> list[Timestamp]:
        """All that are set."""
        every = (self.light_reconciliation, self.full_reconciliation, self.market_refresh, self.retry)
        return [moment for moment in every if moment is not None]


def is_due(moment: Timestamp | None, now: Timestamp) -> bool:
    """Whether a moment was set and has come."""
    return moment is not None and now >= moment
