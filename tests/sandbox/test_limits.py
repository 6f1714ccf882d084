"""Weights, order counts, 429 and then 418 (protocol section 4)."""

import pytest

from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.limits import RateLimiter, Window
from gridtide.sandbox.settings import Limits
from gridtide.testing.sandbox_exchange import running_sandbox, sandbox_settings
from tests.sandbox.rest_client import RestClient

MINUTE = 60_000


def test_windows_are_aligned_to_the_clock() -> None:
    """A window of 10 s ends at :10, :20 …, however late in it the first request came."""
    window = Window(10_000, limit=2)
    assert window.take(19_999)
    assert window.end(19_999) == 20_000
    assert window.take(20_000)
    assert window.take(20_001)
    assert not window.take(29_999)
    assert window.take(30_000)


def test_a_full_window_is_429_then_418() -> None:
    """-1003 with the end of the window; whoever goes on is banned for the stated time, whatever he asks."""
    limiter = RateLimiter(Limits(request_weight_per_minute=10, refusals_before_ban=2, ban_seconds=120))
    limiter.admit("a", 10, now=5)
    for _ in range(2):
        with pytest.raises(ApiError) as refused:
            limiter.admit("a", 1, now=6)
        assert (refused.value.status, refused.value.code, refused.value.retry_at) == (429, -1003, MINUTE)
    with pytest.raises(ApiError, match="IP banned until 120007") as banned:
        limiter.admit("a", 1, now=7)
    assert (banned.value.status, banned.value.code, banned.value.retry_at) == (418, -1003, 120_007)
    with pytest.raises(ApiError):
        limiter.admit("a", 0, now=2 * MINUTE)
    limiter.admit("a", 1, now=120_007)
    limiter.admit("another", 10, now=8)


def test_raw_requests_have_their_own_limit() -> None:
    limiter = RateLimiter(Limits(raw_requests_per_5_minutes=1))
    limiter.admit("a", 0, now=0)
    with pytest.raises(ApiError, match="raw requests per 5 MINUTE") as refused:
        limiter.admit("a", 0, now=1)
    assert refused.value.retry_at == 5 * MINUTE


def test_orders_are_counted_per_account_and_fills_give_credit() -> None:
    """+1 an order; a first fill takes 1 off as taker, 5 as maker, and never below zero."""
    limiter = RateLimiter(Limits(orders_per_10_seconds=3))
    for _ in range(3):
        limiter.admit_order("a", now=0)
        limiter.count_order("a", now=0)
    with pytest.raises(ApiError, match="current limit is 3 orders per 10 SECOND") as refused:
        limiter.admit_order("a", now=0)
    assert (refused.value.status, refused.value.code, refused.value.retry_at) == (429, -1015, 10_000)
    limiter.admit_order("b", now=0)
    limiter.credit_first_fill("a", is_maker=False, now=1)
    assert limiter.order_counts("a", now=1) == (2, 2)
    limiter.credit_first_fill("a", is_maker=True, now=1)
    assert limiter.order_counts("a", now=1) == (0, 0)


def test_over_the_wire() -> None:
    """Weight headers on every answer, order counts on orders; -1015 and -1003 carry Retry-After in seconds."""
    limits = Limits(request_weight_per_minute=120, orders_per_10_seconds=2, refusals_before_ban=1)
    with running_sandbox(sandbox_settings(limits=limits)) as sandbox:
        sandbox.move("50000")
        rest = RestClient(sandbox)
        assert rest.get("/api/v3/ping").headers["x-mbx-used-weight-1m"] == "1"
        first = rest.order("BUY", "0.001", "40000")
        assert (first.headers["x-mbx-order-count-10s"], first.headers["x-mbx-order-count-1d"]) == ("1", "1")
        assert first.headers["x-mbx-used-weight"] == "1", "a successful order weighs nothing"
        rest.order("BUY", "0.001", "40000")
        full = rest.order("BUY", "0.001", "40000")
        assert (full.status, full.code) == (429, -1015)
        assert 1 <= int(full.headers["retry-after"]) <= 10
        assert full.headers["x-mbx-used-weight"] == "2", "a failed one weighs 1"
        wrong = rest.order("BUY", "0.0000123", "40000")
        assert wrong.code == -1013, "what is wrong with the order itself comes first"
        counted = rest.signed("GET", "/api/v3/rateLimit/order").body
        assert [(row["interval"], row["count"]) for row in counted] == [("SECOND", 2), ("DAY", 2)]
        over = rest.get("/api/v3/ticker/24hr")
        assert (over.status, over.code, over.body["code"]) == (429, -1003, -1003)
        assert 1 <= int(over.headers["retry-after"]) <= 60
        banned = rest.get("/api/v3/ticker/24hr")
        assert (banned.status, banned.code) == (418, -1003)
        assert int(banned.headers["retry-after"]) > 60
        assert rest.get("/api/v3/time").status == 418
