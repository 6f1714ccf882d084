"""Malformed requests: always an answer with a code, never a stack trace, never a lost state."""

import asyncio
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.fuzzing import FACTOR, METHODS, REST_ENDPOINTS
from tests.sandbox.rest_client import RestClient, now, sign
from tests.sandbox.socket_client import connect, signed
from tests.sandbox.test_parameters import JUNK, NAMES


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """After all the junk its books still balance."""
    with running_sandbox(sandbox_settings(limits=GENEROUS)) as running:
        running.move("50000", volume="1")
        yield running
        running.call(lambda each: each.exchange.venue.check())


junk_params = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), JUNK, max_size=8)


@settings(max_examples=150 * FACTOR)
@given(st.sampled_from(REST_ENDPOINTS), junk_params, st.booleans(), st.booleans())
def test_rest(
    sandbox: RunningSandbox,
    endpoint: tuple[str, str],
    params: dict[str, object],
    in_body: bool,
    with_time: bool,
) -> None:
    """Any parameters, well signed, in query or body: 200, or a refusal with its code that changed nothing."""
    method, path = endpoint
    whole = {**params, "timestamp": now()} if with_time else params
    text = urlencode({name: str(value) for name, value in whole.items()}, errors="replace")
    text += f"&signature={sign(text, sandbox.secret)}"
    headers = {"X-MBX-APIKEY": sandbox.api_key}
    rest = RestClient(sandbox)
    before = sandbox.truth()
    reply = (
        rest.raw(method, path, text, headers) if in_body else rest.raw(method, f"{path}?{text}", "", headers)
    )
    assert reply.status in {200, 400, 401, 409}
    if reply.status != 200:
        assert isinstance(reply.code, int)
        assert isinstance(reply.body["msg"], str)
    if reply.status in {400, 401}:
        assert sandbox.truth() == before


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/v3/depth?symbol=\xff\xfe HTTP/1.1",
        b"GET /api/v3/\xff\xfe HTTP/1.1",
        b"GET http://elsewhere/api/v3/ping HTTP/1.1",
        b"GET /../../etc/passwd HTTP/1.1",
        b"PATCH /api/v3/order HTTP/1.1",
        b"GET * HTTP/1.1",
        b"nonsense",
        b"\x00\x01\x02",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
    ],
)
def test_broken_http(sandbox: RunningSandbox, request_line: bytes) -> None:
    """An error of the 400s or a closed connection; the server goes on."""
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = connection.recv(100_000)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer
    assert RestClient(sandbox).get("/api/v3/ping").status == 200


def test_a_broken_body(sandbox: RunningSandbox) -> None:
    reply = RestClient(sandbox).raw("POST", "/api/v3/order", b"\xff\xfe=1", {"X-MBX-APIKEY": sandbox.api_key})
    assert (reply.status, reply.code) == (400, -1100)


@settings(max_examples=25 * FACTOR)
@given(st.lists(st.tuples(st.sampled_from(METHODS) | st.text(max_size=5), junk_params, JUNK), max_size=10))
def test_websocket_api(
    sandbox: RunningSandbox, requests: list[tuple[str, dict[str, object], object]]
) -> None:
    """Any method, parameters and id: one answer each, and the connection lives."""

    async def run() -> None:
        async with connect(sandbox.ws_api_url) as client:
            for method, params, request_id in requests:
                whole = signed(params, sandbox.api_key, sandbox.secret)
                await client.send_text(json.dumps({"id": request_id, "method": method, "params": whole}))
                assert "status" in await client.answer()
            assert (await client.ask("ping"))["status"] == 200

    asyncio.run(run())


@settings(max_examples=25 * FACTOR)
@given(st.lists(st.text(max_size=20) | st.from_type(dict).map(str), max_size=10))
def test_streams(sandbox: RunningSandbox, messages: list[str]) -> None:
    """Any text on a stream connection is answered with an error."""

    async def run() -> None:
        async with connect(f"{sandbox.stream_url}/0") as client:
            for message in messages:
                await client.send_text(message)
                assert "error" in await client.answer()

    asyncio.run(run())
