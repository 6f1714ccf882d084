"""What the exchange lets us ask for: aligned windows as Binance counts them, with time passed in.

The rule it keeps: as long as a request arrives within `MARGIN_MS` of the moment it was spent, no window of the
exchange sees more of us than its limit. Reads leave a reserve for orders and cancels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MARGIN_MS = 500
"""Clock error plus time on the wire. A request near the edge of a window is counted on both sides of it."""

READ_RESERVE = 0.2
"""Share of the request weight that reads may not touch."""

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_HEADER = re.compile(r"x-mbx-(used-weight|order-count)-(\d+)([smhd])")


class LimitKind(StrEnum):
    """What a limiter counts, in Binance's words."""

    REQUEST_WEIGHT = "REQUEST_WEIGHT"
    RAW_REQUESTS = "RAW_REQUESTS"
    ORDERS = "ORDERS"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `limit` of `kind` in each window of `interval_ms`, windows aligned to the epoch."""

    kind: LimitKind
    interval_ms: int
    limit: int


class _Window:
    """The count of one limiter in the windows that matter now."""

    def __init__(self, rate: RateLimit) -> None:
        self.rate = rate
        self._margin = min(MARGIN_MS, rate.interval_ms // 4)
        self._used: dict[int, int] = {}

    def used(self, now: int) -> int:
        return max(self._used.get(index, 0) for index in self._indices(now))

    def room(self, now: int) -> int:
        return max(0, self.rate.limit - self.used(now))

    def spend(self, amount: int, now: int) -> None:
        for index in self._indices(now):
            self._used[index] = self._used.get(index, 0) + amount
        for stale in [index for index in self._used if index < now // self.rate.interval_ms - 1]:
            del self._used[stale]

    def observe(self, count: int, sent: int, now: int) -> None:
        """Take over the exchange's count, if it certainly belongs to the window of `now`."""
        indices = self._indices(now)
        if len(indices) == 1 and self._indices(sent) == indices:
            (index,) = indices
            self._used[index] = max(self._used.get(index, 0), count)

    def until_next(self, now: int) -> int:
        """Milliseconds until requests of the window of `now` count no more."""
        interval = self.rate.interval_ms
        return ((now + self._margin) // interval + 1) * interval + self._margin - now

    def _indices(self, now: int) -> set[int]:
        interval = self.rate.interval_ms
        return {(now - self._margin) // interval, (now + self._margin) // interval}


class RateBudget:
    """The request and order budget of one key. Times are exchange time in milliseconds."""

    def __init__(self, limits: Iterable[RateLimit]) -> None:
        self._windows = [_Window(limit) for limit in limits]
        self._paused_until = 0
        self._orders_paused_until = 0

    def replace_limits(self, limits: Iterable[RateLimit]) -> None:
        """Use the limits the exchange publishes; counts of limiters that stay are kept."""
        known = {window.rate: window for window in self._windows}
        self._windows = [known.get(limit) or _Window(limit) for limit in limits]

    def pause(self, milliseconds: int, now: int) -> None:
        """The exchange said Retry-After: nothing leaves until then."""
        self._paused_until = max(self._paused_until, now + milliseconds)

    def pause_orders(self, milliseconds: int, now: int) -> None:
        """The exchange counts too many orders: none leaves until then."""
        self._orders_paused_until = max(self._orders_paused_until, now + milliseconds)

    def paused_for(self, now: int) -> int:
        """Milliseconds for which nothing may leave."""
        return max(0, self._paused_until - now)

    def order_capacity(self, now: int) -> int:
        """How many orders may leave at this moment."""
        if max(self._paused_until, self._orders_paused_until) > now:
            return 0
        return min((window.room(now) for window in self._windows), default=1_000)

    def spend_order(self, now: int) -> bool:
        """Take the budget of one order, or nothing and answer False."""
        if self.order_capacity(now) < 1:
            return False
        self._spend(now, weight=1, orders=1)
        return True

    def spend_cancel(self, now: int) -> bool:
        """Take the budget of one cancel, which no order limiter counts."""
        if self.paused_for(now) or any(w.room(now) < 1 for w in self._windows if not _counts_orders(w)):
            return False
        self._spend(now, weight=1, orders=0)
        return True

    def spend_read(self, weight: int, now: int) -> int:
        """Take the budget of one read and answer 0, or take nothing and answer the milliseconds to wait."""
        paused = self.paused_for(now)
        if paused:
            return paused
        waits = [w.until_next(now) for w in self._windows if not _leaves_reserve(w, weight, now)]
        if waits:
            return max(waits)
        self._spend(now, weight=weight, orders=0)
        return 0

    def observe(self, headers: Mapping[str, str], sent: int, now: int) -> None:
        """Learn the exchange's own counts from the headers of an answer to a request sent at `sent`."""
        for name, value in headers.items():
            match = _HEADER.fullmatch(name)
            if match is None or not value.isdigit():
                continue
            kind = LimitKind.REQUEST_WEIGHT if match[1] == "used-weight" else LimitKind.ORDERS
            interval = int(match[2]) * _UNIT_MS[match[3]]
            for window in self._windows:
                if window.rate.kind is kind and window.rate.interval_ms == interval:
                    window.observe(int(value), sent, now)

    def _spend(self, now: int, *, weight: int, orders: int) -> None:
        costs = {LimitKind.REQUEST_WEIGHT: weight, LimitKind.RAW_REQUESTS: 1, LimitKind.ORDERS: orders}
        for window in self._windows:
            if costs[window.rate.kind]:
                window.spend(costs[window.rate.kind], now)


def _counts_orders(window: _Window) -> bool:
    return window.rate.kind is LimitKind.ORDERS


def _leaves_reserve(window: _Window, weight: int, now: int) -> bool:
    """Whether a read of `weight` fits below the reserve; a read heavier than all of it may pass an idle window."""
    if _counts_orders(window):
        return True
    cost = weight if window.rate.kind is LimitKind.REQUEST_WEIGHT else 1
    used = window.used(now)
    return used == 0 or used + cost <= window.rate.limit * (1 - READ_RESERVE)
