"""The rate budget: no window of the exchange overflows, reads leave a reserve, and what the exchange says counts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gridtide.exchanges.rate_budget import MARGIN_MS, READ_RESERVE, LimitKind, RateBudget, RateLimit

WEIGHT = RateLimit(LimitKind.REQUEST_WEIGHT, 60_000, 100)
ORDERS = RateLimit(LimitKind.ORDERS, 10_000, 20)
DAILY = RateLimit(LimitKind.ORDERS, 86_400_000, 35)
NOON = 1_790_000_000_000 // 60_000 * 60_000


@given(
    gaps=st.lists(st.integers(0, 4_000), min_size=30, max_size=150),
    errors=st.lists(st.integers(-MARGIN_MS, MARGIN_MS), min_size=150, max_size=150),
)
def test_no_window_of_the_exchange_sees_more_than_its_limit(gaps: list[int], errors: list[int]) -> None:
    """F14: whatever our clock's error and the way of each order, up to the margin."""
    budget = RateBudget([WEIGHT, ORDERS, DAILY])
    arrived: Counter[tuple[int, int]] = Counter()
    now = NOON
    for gap, error in zip(gaps, errors, strict=False):
        now += gap
        while budget.spend_order(now):
            for limit in (ORDERS, DAILY, WEIGHT):
                arrived[limit.interval_ms, (now + error) // limit.interval_ms] += 1
    limits = {limit.interval_ms: limit.limit for limit in (ORDERS, DAILY, WEIGHT)}
    assert all(count <= limits[interval] for (interval, _), count in arrived.items())


def test_a_new_window_gives_the_whole_limit_again() -> None:
    budget = RateBudget([ORDERS])
    middle = NOON + 5_000
    assert [budget.spend_order(middle) for _ in range(21)] == [True] * 20 + [False]
    assert budget.order_capacity(middle + 10_000) == 20


@given(weights=st.lists(st.integers(1, 20), min_size=1, max_size=40))
def test_reads_leave_a_reserve_for_orders(weights: list[int]) -> None:
    """However much is read, orders and cancels find the reserve untouched."""
    budget = RateBudget([WEIGHT])
    middle = NOON + 30_000
    for weight in weights:
        budget.spend_read(weight, middle)
    assert budget.order_capacity(middle) >= WEIGHT.limit * READ_RESERVE
    assert budget.spend_cancel(middle)


def test_a_read_without_room_is_told_how_long_to_wait() -> None:
    """After that time it passes."""
    budget = RateBudget([WEIGHT])
    middle = NOON + 30_000
    assert budget.spend_read(80, middle) == 0
    wait = budget.spend_read(1, middle)
    assert 30_000 <= wait <= 30_000 + 3 * MARGIN_MS
    assert budget.spend_read(1, middle + wait) == 0


def test_a_read_heavier_than_the_limit_passes_an_idle_window() -> None:
    """Otherwise a small budget could never load the markets."""
    assert RateBudget([WEIGHT]).spend_read(150, NOON + 30_000) == 0


def test_reads_cost_no_order_count_and_cancels_neither() -> None:
    budget = RateBudget([ORDERS])
    middle = NOON + 5_000
    assert budget.spend_read(50, middle) == 0
    assert budget.spend_cancel(middle)
    assert budget.order_capacity(middle) == 20


def test_cancels_pass_when_the_order_count_is_used_up() -> None:
    budget = RateBudget([WEIGHT, ORDERS])
    middle = NOON + 5_000
    while budget.spend_order(middle):
        pass
    assert budget.spend_cancel(middle)


def test_the_exchanges_own_counts_are_learnt_from_its_headers() -> None:
    """Another program on the same address uses the same limit."""
    budget = RateBudget([WEIGHT, ORDERS])
    middle = NOON + 5_000
    budget.observe({"x-mbx-used-weight-1m": "97", "x-mbx-order-count-10s": "18"}, middle, middle)
    assert budget.order_capacity(middle) == 2
    assert budget.spend_read(1, middle) > 0
    budget.observe({"x-mbx-order-count-10s": "1"}, middle, middle)
    assert budget.order_capacity(middle) == 2


def test_a_count_of_a_window_that_ended_is_not_taken_over() -> None:
    budget = RateBudget([ORDERS])
    budget.observe({"x-mbx-order-count-10s": "20"}, NOON + 9_000, NOON + 12_000)
    assert budget.order_capacity(NOON + 12_000) == 20


def test_headers_that_mean_nothing_are_passed_over() -> None:
    budget = RateBudget([ORDERS])
    headers = {
        "x-mbx-order-count-10s": "many",
        "x-mbx-order-count-1d": "9",
        "date": "today",
        "x-mbx-used-weight": "1",
    }
    budget.observe(headers, NOON + 5_000, NOON + 5_000)
    assert budget.order_capacity(NOON + 5_000) == 20


def test_retry_after_stops_everything_until_it_elapses() -> None:
    """F51."""
    budget = RateBudget([WEIGHT, ORDERS])
    middle = NOON + 5_000
    budget.pause(3_000, middle)
    assert budget.order_capacity(middle + 2_999) == 0
    assert not budget.spend_cancel(middle + 2_999)
    assert budget.spend_read(1, middle + 1_000) == 2_000
    assert budget.spend_order(middle + 3_000)
    budget.pause_orders(5_000, middle + 3_000)
    assert not budget.spend_order(middle + 7_999)
    assert budget.spend_cancel(middle + 7_999)


def test_new_limits_keep_the_counts_of_those_that_stay() -> None:
    """Read again every few minutes, and a count forgotten would be a limit broken."""
    budget = RateBudget([ORDERS])
    middle = NOON + 5_000
    while budget.spend_order(middle):
        pass
    budget.replace_limits([ORDERS, WEIGHT])
    assert not budget.spend_order(middle)
