"""One sandbox for each test module; tests that change its settings start their own."""

from collections.abc import Iterator

import pytest

from gridtide.sandbox.settings import Limits
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.rest_client import RestClient

GENEROUS = Limits(
    request_weight_per_minute=10**9,
    orders_per_10_seconds=10**6,
    stream_messages_per_second=1000,
    connections_per_5_minutes=10**6,
)
"""Limits that no test meets by accident."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox at 50,000 shared by the tests of a module."""
    with running_sandbox(sandbox_settings(limits=GENEROUS)) as running:
        running.move("50000", volume="1")
        yield running


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    """A plain REST client; the market is back at 50,000 and no order is open."""
    client = RestClient(sandbox)
    client.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    sandbox.move("50000")
    return client
