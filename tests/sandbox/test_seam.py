"""The seam for faults: hooks around requests and events; nothing without them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.gateway import Passage
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import connect, signed


def with_hooks(sandbox: RunningSandbox, **hooks: object) -> None:
    def install() -> None:
        for name, hook in hooks.items():
            setattr(sandbox.sandbox.exchange.seam, name, hook)

    sandbox.call(lambda _: install())


def test_a_request_may_be_taken_through_the_gateway_step_by_step() -> None:
    """Opened once and acted on twice: both acts are true, the first answer comes back, changed."""
    with running_sandbox() as sandbox:
        sandbox.move("50000")

        async def around(passage: Passage) -> Answer:
            exchange = sandbox.sandbox.exchange
            call = passage.open()
            first, second = (passage.act(call, exchange) for _ in range(2))
            assert (first.status, second.status) == (200, 200)
            return replace(first, status=504, body={"code": -1007})

        with_hooks(sandbox, around_request=around)
        reply = RestClient(sandbox).order("BUY", "0.001", "40000")
        assert (reply.status, reply.code) == (504, -1007)
        assert [order["status"] for order in sandbox.truth()["orders"]] == ["NEW", "NEW"]


async def test_an_event_may_be_changed_dropped_or_sent_later() -> None:
    """By account and stream; the hook decides when and what is sent."""
    seen: list[tuple[str, str, bool]] = []

    def only_balances(account: str, stream: str, event: bytes, send: Callable[[bytes], None]) -> None:
        seen.append((account, stream, b"executionReport" in event))
        if b"executionReport" not in event:
            asyncio.get_running_loop().call_later(0.01, partial(send, event))

    with running_sandbox(sandbox_settings()) as sandbox:
        sandbox.move("50000")
        with_hooks(sandbox, on_event=only_balances)
        async with connect(sandbox.ws_api_url) as api:
            await api.ask("userDataStream.subscribe.signature", signed({}, sandbox.api_key, sandbox.secret))
            await asyncio.to_thread(RestClient(sandbox).order, "BUY", "0.001", "40000")
            assert (await api.event())["event"]["e"] == "outboundAccountPosition"
    assert seen == [("main", "user", True), ("main", "user", False)]
