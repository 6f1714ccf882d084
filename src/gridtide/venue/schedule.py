"""What is known in advance of a market: from when on other rules or another status hold.

A schedule is a plain value. Who plays the market asks it for the next change, goes there and lets the venue `obey` it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridtide.domain.market import MarketRules, Timestamp


@dataclass(frozen=True, slots=True)
class MarketChange:
    """From `at` (market time) on these rules and this status hold; None: as before."""

    at: Timestamp
    rules: MarketRules | None = None
    status: MarketStatus | None = None


@dataclass(frozen=True, slots=True)
class MarketSchedule:
    """The changes of one market, oldest first."""

    changes: tuple[MarketChange, ...] = ()
    _times: tuple[Timestamp, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        times = tuple(change.at for change in self.changes)
        if list(times) != sorted(times):
            raise InvalidInput("the changes of a market must stand in the order of their times")
        object.__setattr__(self, "_times", times)

    def next_after(self, now: Timestamp) -> Timestamp | None:
        """When the next change comes; None: never again."""
        number = bisect_right(self._times, now)
        return self._times[number] if number < len(self._times) else None

    def rules_at(self, now: Timestamp) -> MarketRules | None:
        """The rules that hold at `now`; None before the first change of rules."""
        found = (change.rules for change in reversed(self._until(now)) if change.rules is not None)
        return next(found, None)

    def status_at(self, now: Timestamp) -> MarketStatus | None:
        """The status at `now`; None before the first change of status."""
        found = (change.status for change in reversed(self._until(now)) if change.status is not None)
        return next(found, None)

    def merged(self, other: MarketSchedule) -> MarketSchedule:
        """The changes of both; at one time those of `other` come later."""
        return MarketSchedule(tuple(sorted((*self.changes, *other.changes), key=lambda change: change.at)))

    def while_trading(self, other: MarketSchedule, at_first: MarketStatus) -> MarketSchedule:
        """The changes that come while by `other` the market trades, its status being `at_first` until that says one."""
        open_ = MarketStatus.TRADING
        return MarketSchedule(
            tuple(each for each in self.changes if (other.status_at(each.at) or at_first) is open_)
        )

    def _until(self, now: Timestamp) -> tuple[MarketChange, ...]:
        return self.changes[: bisect_right(self._times, now)]


def halts(gaps: Iterable[tuple[Timestamp, Timestamp]]) -> MarketSchedule:
    """A market that is halted in each gap of its data, from the first time without data up to the first with data
    again: new orders are refused, open ones stay, and the move to the first price after the gap meets them."""
    changes = []
    for start, end in gaps:
        changes.append(MarketChange(start, status=MarketStatus.HALT))
        changes.append(MarketChange(end, status=MarketStatus.TRADING))
    return MarketSchedule(tuple(changes))
