"""The seam for faults: hooks before acting, before answering, before sending an event; nothing without them."""

import asyncio
import time
from dataclasses import replace

from gridtide.sandbox.endpoint import Answer, Call
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.rest_client import RestClient
from tests.sandbox.socket_client import connect, signed


def with_hooks(sandbox: RunningSandbox, **hooks: object) -> None:
    def install() -> None:
        for name, hook in hooks.items():
            setattr(sandbox.sandbox.exchange.seam, name, hook)

    sandbox.call(lambda _: install())


def test_a_request_may_be_held_up_before_it_acts() -> None:
    """Whoever waits longer than his receive window is refused just before the venue (section 3.1)."""

    async def wait(_call: Call) -> None:
        await asyncio.sleep(0.05)

    with running_sandbox() as sandbox:
        sandbox.move("50000")
        rest = RestClient(sandbox)
        with_hooks(sandbox, before_acting=wait)
        begun = time.monotonic()
        assert rest.order("BUY", "0.001", "40000").status == 200
        assert time.monotonic() - begun > 0.05
        assert rest.order("BUY", "0.001", "40000", recvWindow="40").code == -1021
        assert len(sandbox.truth()["orders"]) == 1


def test_an_answer_may_be_replaced_after_the_act() -> None:
    """The order stands although its answer says otherwise: the truth is kept apart."""

    async def lie(call: Call, answer: Answer) -> Answer:
        return replace(answer, status=504, body={"code": -1007}) if call.endpoint.free_on_success else answer

    with running_sandbox() as sandbox:
        sandbox.move("50000")
        with_hooks(sandbox, before_answering=lie)
        reply = RestClient(sandbox).order("BUY", "0.001", "40000")
        assert (reply.status, reply.code) == (504, -1007)
        assert [order["status"] for order in sandbox.truth()["orders"]] == ["NEW"]


async def test_an_event_may_be_changed_or_dropped() -> None:
    """By account; market data have none."""
    seen: list[tuple[str, bytes]] = []

    def drop_orders(account_id: str, event: bytes) -> bytes | None:
        seen.append((account_id, event))
        return None if b"executionReport" in event else event

    with running_sandbox(sandbox_settings()) as sandbox:
        sandbox.move("50000")
        with_hooks(sandbox, before_sending=drop_orders)
        async with connect(sandbox.ws_api_url) as api:
            await api.ask("userDataStream.subscribe.signature", signed({}, sandbox.api_key, sandbox.secret))
            await asyncio.to_thread(RestClient(sandbox).order, "BUY", "0.001", "40000")
            assert (await api.event())["event"]["e"] == "outboundAccountPosition"
    assert [(account_id, b"executionReport" in event) for account_id, event in seen] == [
        ("main", True),
        ("main", False),
    ]
