"""What the tests of faults share: a sandbox without faults between two tests, and the truth behind what was shown."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import RestClient

SYMBOL = "BTCUSDT"
PLACE = "POST order"


class Case:
    """One test: a client, faults to arm, and the truth."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.faults = sandbox.faults
        self.rest = RestClient(sandbox)
        self._orders_before = len(sandbox.truth()["orders"])

    def orders(self) -> list[dict[str, Any]]:
        """The orders that really exist and are new in this test."""
        found: list[dict[str, Any]] = self.sandbox.truth()["orders"]
        return found[self._orders_before :]

    def statuses(self) -> list[str]:
        return [order["status"] for order in self.orders()]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until it holds; fails after five seconds."""
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.005)


@contextmanager
def fresh_case(sandbox: RunningSandbox) -> Iterator[Case]:
    """A case at 50,000 without open orders; afterwards no fault is in force and the venue's books still add up."""
    client = RestClient(sandbox)
    client.signed("DELETE", "/api/v3/openOrders", symbol=SYMBOL)
    sandbox.move("50000", volume="1")
    try:
        yield Case(sandbox)
    finally:
        sandbox.faults.clear()
        sandbox.call(lambda running: running.exchange.venue.check())
