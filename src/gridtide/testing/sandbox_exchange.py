"""A sandbox exchange for tests: in a thread of its own, on a free port, with a market you move by hand.

As a pytest fixture, in a ``conftest.py``::

    pytest_plugins = ["gridtide.testing.sandbox_exchange"]

    def test_something(sandbox_exchange):
        sandbox_exchange.move("50000")
        client = your_client(sandbox_exchange.url, sandbox_exchange.api_key, sandbox_exchange.secret)

or without pytest: ``with running_sandbox() as sandbox: …``. Nothing moves unless a test says so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.sandbox.faults.board import FaultBoard
from gridtide.sandbox.server import Sandbox
from gridtide.sandbox.settings import SandboxSettings
from gridtide.testing import by_hand
from gridtide.testing.settings import (
    ACCOUNT,
    API_KEY,
    BTC_USDT,
    FEES,
    SECRET,
    account_settings,
    sandbox_settings,
)

__all__ = [
    "ACCOUNT",
    "API_KEY",
    "BTC_USDT",
    "FEES",
    "SECRET",
    "RunningSandbox",
    "account_settings",
    "running_sandbox",
    "sandbox_exchange",
    "sandbox_settings",
]

T = TypeVar("T")

_START_SECONDS = 10.0


class RunningSandbox:
    """A sandbox in a thread of its own. Its methods may be called from any other thread."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._sandbox: Sandbox | None = None

    # --- where it is ---------------------------------------------------------------------------------

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; touch it only through `call`."""
        assert self._sandbox is not None, "the sandbox has not been started"
        return self._sandbox

    @property
    def url(self) -> str:
        """Of the REST API, without path."""
        return self.sandbox.url

    @property
    def stream_url(self) -> str:
        """Of the market streams, as ccxt needs it (protocol section 2.2)."""
        return f"{self.sandbox.ws_url}/stream/ws"

    @property
    def ws_api_url(self) -> str:
        """Of the WebSocket API."""
        return f"{self.sandbox.ws_url}/ws-api/v3"

    @property
    def api_key(self) -> str:
        return self.settings.accounts[0].keys[0].key

    @property
    def secret(self) -> str:
        return self.settings.accounts[0].keys[0].secret

    # --- what a test does with it --------------------------------------------------------------------

    def move(
        self,
        price: str | Decimal,
        *,
        volume: str | Decimal = ZERO,
        symbol: str = "BTC/USDT",
        market_time: int | None = None,
        taker: Side | None = None,
    ) -> None:
        """Walk a market to `price`; resting orders on the way fill. `market_time` is wall time by default."""
        at = None if market_time is None else Timestamp(market_time)
        self.call(
            lambda sandbox: by_hand.move(
                sandbox.exchange, symbol, price, volume, sandbox.exchange.now() if at is None else at, taker
            )
        )

    def hold(self) -> None:
        """Stop the markets that have a source."""
        self.call(lambda sandbox: sandbox.player.hold())

    def resume(self) -> None:
        """Let the markets that have a source go on."""
        self.call(lambda sandbox: sandbox.player.resume())

    def deposit(self, asset: str, amount: str | Decimal, account_id: str = ACCOUNT) -> None:
        """Add to an account; a negative amount takes away."""
        self.call(lambda sandbox: by_hand.deposit(sandbox.exchange, account_id, asset, amount))

    def truth(self, account_id: str = ACCOUNT) -> dict[str, Any]:
        """Orders, fills and balances exactly as the venue has them, decimals as text."""
        return self.call(lambda sandbox: sandbox.truth(account_id))

    @property
    def faults(self) -> FaultBoard:
        """Arms and removes faults: ``sandbox.faults.add("answer.lost", endpoint="POST order", nth=1)``."""
        return FaultBoard(lambda action: self.call(lambda sandbox: action(sandbox.faults)))

    def call(self, action: Callable[[Sandbox], T]) -> T:
        """Run `action` inside the sandbox's event loop and give its result."""

        async def run() -> T:
            return action(self.sandbox)

        return self.wait_for(run())

    def wait_for(self, work: Awaitable[T]) -> T:
        """Await something in the sandbox's event loop."""

        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(_START_SECONDS)

    # --- life ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread and listen."""
        self._thread.start()
        try:
            self.wait_for(self._start())
        except BaseException:
            self._end_thread()
            raise

    def stop(self) -> None:
        """Save, if there is a state file, and end the thread."""
        try:
            self.wait_for(self.sandbox.stop())
        finally:
            self._end_thread()

    async def _start(self) -> None:
        self._sandbox = Sandbox(self.settings)
        await self._sandbox.start()

    def _run(self) -> None:
        with self._runner:  # at its end it cancels what is still waiting
            self._loop.run_forever()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)


@contextmanager
def running_sandbox(settings: SandboxSettings | None = None) -> Iterator[RunningSandbox]:
    """A running sandbox for the length of a block."""
    running = RunningSandbox(settings or sandbox_settings())
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def sandbox_exchange() -> Iterator[RunningSandbox]:
    """A fresh sandbox exchange with BTC/USDT at 50,000, one account with 100,000 USDT and 1 BTC, and control."""
    with running_sandbox() as running:
        running.move("50000", volume="1")
        yield running
