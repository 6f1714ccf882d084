"""Every REST call of an adapter: within the rate budget, on exchange time, reads repeated, orders never.

Orders and cancels go through `transmit_order` and `transmit_cancel`, which have no loop in them (R3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import stamina

from gridtide.domain.errors import GridtideError, RateLimited, Transient
from gridtide.exchanges.binance_refusals import TOO_MANY_ORDERS
from gridtide.exchanges.exchange_clock import ExchangeClock
from gridtide.exchanges.http_outcome import HttpAnswer, error_body, retry_after_seconds
from gridtide.exchanges.rate_budget import RateBudget
from gridtide.exchanges.read_errors import ClockRefused, EndpointMissing, NoSuchOrder, out_of_budget
from gridtide.exchanges.transmission import Transmission, transmit

LONGEST_PATIENCE_SECONDS = 3.0
"""A read waits this long for its budget; longer waits are the caller's to plan."""

Call = Callable[[], Awaitable[Any]]
Judge = Callable[[str, Transmission], GridtideError | None]
"""The error of a transmitted read, or None where it succeeded."""


class RestCaller:
    """Calls for one exchange, with one budget and one clock."""

    def __init__(
        self,
        exchange: str,
        clock: ExchangeClock,
        budget: RateBudget,
        judge: Judge,
        remeasure: Callable[[], Awaitable[None]],
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._budget = budget
        self._judge = judge
        self._remeasure = remeasure
        self._repeating = stamina.AsyncRetryingCaller(
            attempts=4, timeout=15.0, wait_initial=0.1, wait_max=2.0, wait_jitter=0.1
        ).on(_wait_before_repeat)

    async def read(self, what: str, weight: int, call: Call) -> Any:
        """The answer to a read, after repeats with backoff.

        Raises `Transient`, `RateLimited` or `NotPermitted`. A refused timestamp has the clock measured and the
        read repeated once.
        """
        return await self._repeating(self._read_on_time, what, weight, call)

    async def read_once(self, what: str, weight: int, call: Call) -> Any:
        """The same without repeats."""
        await self._admit(weight)
        transmission = await self._watched(call)
        error = self._judge(what, transmission)
        if error is not None:
            raise error
        return transmission.result

    async def transmit_order(self, call: Call) -> Transmission | None:
        """Send one order, once; None where the budget does not allow it and nothing was sent."""
        return await self._watched(call) if self._budget.spend_order(self._clock.now()) else None

    async def transmit_cancel(self, call: Call) -> Transmission | None:
        """Send one cancel, once; None where the budget does not allow it and nothing was sent."""
        return await self._watched(call) if self._budget.spend_cancel(self._clock.now()) else None

    async def _read_on_time(self, what: str, weight: int, call: Call) -> Any:
        try:
            return await self.read_once(what, weight, call)
        except ClockRefused:
            await self._remeasure()
            return await self.read_once(what, weight, call)

    async def _admit(self, weight: int) -> None:
        while wait_ms := self._budget.spend_read(weight, self._clock.now()):
            if wait_ms > LONGEST_PATIENCE_SECONDS * 1_000:
                raise out_of_budget(self._exchange, wait_ms / 1_000)
            await asyncio.sleep(wait_ms / 1_000)

    async def _watched(self, call: Call) -> Transmission:
        sent = self._clock.now()
        transmission = await transmit(call)
        answer = transmission.answer
        if answer is not None:
            now = self._clock.now()
            self._budget.observe(answer.headers, sent, now)
            self._obey(answer, now)
        return transmission

    def _obey(self, answer: HttpAnswer, now: int) -> None:
        """Stop calls as the exchange asks (F14, F51)."""
        error = error_body(answer) if answer.status >= 400 else None
        if error is not None and error.code == TOO_MANY_ORDERS:
            self._budget.pause_orders(int(retry_after_seconds(answer, now) * 1_000), now)
        elif answer.status in {418, 429}:
            self._budget.pause(int(retry_after_seconds(answer, now) * 1_000), now)


def _wait_before_repeat(error: Exception) -> bool | float:
    """Repeat what passes; after a request to slow down as late as asked, if that is soon."""
    if isinstance(error, RateLimited):
        soon = not error.banned and 0 < error.retry_after_seconds <= LONGEST_PATIENCE_SECONDS
        return error.retry_after_seconds if soon else False
    lasting = (EndpointMissing, NoSuchOrder, ClockRefused)
    return isinstance(error, Transient) and not isinstance(error, lasting)
