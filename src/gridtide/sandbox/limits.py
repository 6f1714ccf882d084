"""Request weights per address and order counts per account, in windows aligned to the clock (section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from gridtide.sandbox.errors import ApiError

if TYPE_CHECKING:
    from gridtide.sandbox.settings import Limits

_SECOND = 1000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND


@dataclass(slots=True)
class Window:
    """A count that starts anew at every multiple of `length` milliseconds."""

    length: int
    limit: int
    count: int = 0
    _index: int = -1

    def read(self, now: int) -> int:
        """The count in the window that holds `now`."""
        if now // self.length != self._index:
            self._index = now // self.length
            self.count = 0
        return self.count

    def add(self, amount: int, now: int) -> None:
        """Raise the count, or lower it, never below zero."""
        self.count = max(0, self.read(now) + amount)

    def take(self, now: int) -> bool:
        """Count one; False once that is more than the limit."""
        self.add(1, now)
        return self.count <= self.limit

    def end(self, now: int) -> int:
        """When the window that holds `now` ends."""
        return (now // self.length + 1) * self.length


@dataclass(slots=True)
class _Address:
    weight: Window
    requests: Window
    connections: Window
    refusals: int = 0
    banned_until: int = 0


@dataclass(slots=True)
class _OrderCounts:
    seconds: Window
    day: Window

    def windows(self) -> tuple[Window, Window]:
        return self.seconds, self.day


@dataclass(slots=True)
class RateLimiter:
    """What every address and account has used up. Refusals are `ApiError` -1003 and -1015."""

    limits: Limits
    _addresses: dict[str, _Address] = field(default_factory=dict)
    _orders: dict[str, _OrderCounts] = field(default_factory=dict)

    # --- addresses -----------------------------------------------------------------------------------

    def admit(self, address: str, weight: int, now: int) -> None:
        """Charge a request; raises -1003 with 429 where the window is full, and 418 while banned."""
        entry = self._address(address)
        if now < entry.banned_until:
            raise banned(entry.banned_until)
        if not entry.requests.take(now):
            self._refuse(entry, entry.requests, "raw requests per 5 MINUTE", now)
        if entry.weight.read(now) + weight > entry.weight.limit:
            self._refuse(entry, entry.weight, "request weight per 1 MINUTE", now)
        entry.refusals = 0
        entry.weight.add(weight, now)

    def refund(self, address: str, weight: int, now: int) -> None:
        """Give back the weight of a successful order placement or cancel."""
        self._address(address).weight.add(-weight, now)

    def used_weight(self, address: str, now: int) -> int:
        return self._address(address).weight.read(now)

    def admit_connection(self, address: str, weight: int, now: int) -> None:
        """Charge and count a WebSocket connection attempt; raises -1003."""
        self.admit(address, weight, now)
        connections = self._address(address).connections
        if not connections.take(now):
            raise ApiError(-1003, "Too many requests queued.", retry_at=connections.end(now))

    def _refuse(self, entry: _Address, full: Window, what: str, now: int) -> NoReturn:
        entry.refusals += 1
        if entry.refusals > self.limits.refusals_before_ban:
            entry.refusals = 0
            entry.banned_until = now + self.limits.ban_seconds * _SECOND
            raise banned(entry.banned_until)
        raise ApiError(
            -1003,
            f"Too much request weight used; current limit is {full.limit} {what}. "
            "Please use WebSocket Streams for live updates to avoid polling the API.",
            retry_at=full.end(now),
        )

    def _address(self, address: str) -> _Address:
        entry = self._addresses.get(address)
        if entry is None:
            entry = self._addresses[address] = _Address(
                Window(_MINUTE, self.limits.request_weight_per_minute),
                Window(5 * _MINUTE, self.limits.raw_requests_per_5_minutes),
                Window(5 * _MINUTE, self.limits.connections_per_5_minutes),
            )
        return entry

    # --- orders --------------------------------------------------------------------------------------

    def admit_order(self, account_id: str, now: int, orders: int = 1) -> None:
        """Raise -1015 where so many more orders would exceed a window; counts nothing yet."""
        for window, interval in zip(self._counts(account_id).windows(), ("10 SECOND", "1 DAY"), strict=True):
            if window.read(now) + orders > window.limit:
                raise ApiError(
                    -1015,
                    f"Too many new orders; current limit is {window.limit} orders per {interval}.",
                    retry_at=window.end(now),
                )

    def count_order(self, account_id: str, now: int, orders: int = 1) -> None:
        """An order was accepted, or a list of so many."""
        self._add_orders(account_id, orders, now)

    def credit_first_fill(self, account_id: str, *, is_maker: bool, now: int) -> None:
        """An order filled for the first time: the unfilled order count goes down."""
        self._add_orders(account_id, -(self.limits.maker_fill_credit if is_maker else 1), now)

    def order_counts(self, account_id: str, now: int) -> tuple[int, int]:
        """Unfilled orders of the account in the running 10 seconds and the running day."""
        counts = self._counts(account_id)
        return counts.seconds.read(now), counts.day.read(now)

    def _add_orders(self, account_id: str, amount: int, now: int) -> None:
        for window in self._counts(account_id).windows():
            window.add(amount, now)

    def _counts(self, account_id: str) -> _OrderCounts:
        counts = self._orders.get(account_id)
        if counts is None:
            counts = self._orders[account_id] = _OrderCounts(
                Window(10 * _SECOND, self.limits.orders_per_10_seconds),
                Window(_DAY, self.limits.orders_per_day),
            )
        return counts

    # --- as the exchange shows them ------------------------------------------------------------------

    def rules(self) -> list[dict[str, object]]:
        """The limits as ``exchangeInfo`` lists them."""
        return [
            _rule("REQUEST_WEIGHT", "MINUTE", 1, self.limits.request_weight_per_minute),
            *self._order_rules(),
            _rule("RAW_REQUESTS", "MINUTE", 5, self.limits.raw_requests_per_5_minutes),
        ]

    def _order_rules(self) -> list[dict[str, object]]:
        return [
            _rule("ORDERS", "SECOND", 10, self.limits.orders_per_10_seconds),
            _rule("ORDERS", "DAY", 1, self.limits.orders_per_day),
        ]

    def order_usage(self, account_id: str, now: int) -> list[dict[str, object]]:
        """The order limits with what the account has used."""
        counts = self.order_counts(account_id, now)
        return [{**rule, "count": count} for rule, count in zip(self._order_rules(), counts, strict=True)]

    def weight_usage(self, address: str, now: int) -> dict[str, object]:
        """The weight limit with what the address has used."""
        rule = _rule("REQUEST_WEIGHT", "MINUTE", 1, self.limits.request_weight_per_minute)
        return {**rule, "count": self.used_weight(address, now)}


def _rule(kind: str, interval: str, length: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": length, "limit": limit}


def banned(until: int) -> ApiError:
    return ApiError(
        -1003,
        f"Way too much request weight used; IP banned until {until}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        status=418,
        retry_at=until,
    )
