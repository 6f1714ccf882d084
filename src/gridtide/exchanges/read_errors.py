"""What a failed read means for the caller: wait and try again, slow down, or ask a person.

Orders and cancels never come through here; order_verdict judges them.
"""

from __future__ import annotations

from gridtide.domain.errors import GridtideError, NotPermitted, RateLimited, Transient
from gridtide.exchanges.binance_refusals import BAD_TIMESTAMP, KEY_CODES, NO_SUCH_ORDER_CODES, TOO_MUCH_WEIGHT
from gridtide.exchanges.http_outcome import (
    Outcome,
    Silence,
    described,
    error_body,
    retry_after_seconds,
)


class ClockRefused(Transient):
    """The exchange found our timestamp too far off: measure the clock, then ask once more."""


class EndpointMissing(Transient):
    """This exchange does not have the asked endpoint (a testnet has no wallet API)."""


class NoSuchOrder(Transient):
    """The exchange answered that it knows no such order. An answer, not a failure; `query` turns it into one."""


def binance_read_error(exchange: str, what: str, outcome: Outcome, now_ms: int) -> GridtideError:
    """The error of a read of `what` by code and status, never by CCXT's class."""
    text = f"{exchange} did not give {what} ({described(outcome)})"
    if isinstance(outcome, Silence):
        return Transient(f"{text}; reads are repeated, nothing was placed.")
    error = error_body(outcome)
    code = error.code if error is not None else None
    if outcome.status in {418, 429} or code == TOO_MUCH_WEIGHT:
        return rate_limited(exchange, outcome.status, retry_after_seconds(outcome, now_ms))
    if code == BAD_TIMESTAMP:
        return ClockRefused(f"{text}: its clock and ours differ.")
    if code in KEY_CODES or outcome.status == 401:
        return not_permitted(exchange, described(outcome))
    if code in NO_SUCH_ORDER_CODES:
        return NoSuchOrder(text)
    if outcome.status == 404:
        return EndpointMissing(f"{text}: it has no such endpoint.")
    return Transient(f"{text}.")


def rate_limited(exchange: str, status: int, wait_seconds: float) -> RateLimited:
    banned = status == 418
    asked = "banned this address" if banned else "asks to slow down"
    return RateLimited(
        f"{exchange} {asked}; nothing is sent for {wait_seconds:.0f} s.", wait_seconds, banned=banned
    )


def out_of_budget(exchange: str, wait_seconds: float) -> RateLimited:
    return RateLimited(
        f"{exchange} allows no further read for {wait_seconds:.0f} s; this one was not sent.", wait_seconds
    )


def not_permitted(exchange: str, detail: str) -> NotPermitted:
    return NotPermitted(
        f"{exchange} does not accept the key for this ({detail}); nothing was placed. "
        "Check the key, its address list and its rights."
    )
