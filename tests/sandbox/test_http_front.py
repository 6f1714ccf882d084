"""The short way for plain HTTP: the same answers as aiohttp's, whatever way the bytes come in."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from gridtide.sandbox.http_front import FrontServer, NotPlain, read_request
from gridtide.testing.sandbox_exchange import RunningSandbox

PING = b"GET /api/v3/ping HTTP/1.1\r\nHost: here\r\n\r\n"
ORDER = b"POST /api/v3/order HTTP/1.1\r\nHost: here\r\nX-MBX-APIKEY: k\r\nContent-Length: 14\r\n\r\nsymbol=BTCUSDT"
LONG_WAY = b"TE: trailers\r\n"
"""A header that changes nothing and is not plain."""


@contextmanager
def connected(sandbox: RunningSandbox) -> Iterator[tuple[socket.socket, BinaryIO]]:
    with (
        socket.create_connection(("127.0.0.1", sandbox.sandbox.port), timeout=5) as connection,
        connection.makefile("rb") as stream,
    ):
        yield connection, stream


def read_response(stream: BinaryIO, *, has_body: bool = True) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers by name as sent, body."""
    status = stream.readline()
    headers = {}
    while (line := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = line.rstrip().partition(b": ")
        headers[name] = value
    return status, headers, stream.read(int(headers.get(b"Content-Length", b"0"))) if has_body else b""


def on_the_long_way(request: bytes) -> bytes:
    line, _, rest = request.partition(b"\r\n")
    return line + b"\r\n" + LONG_WAY + rest


@pytest.mark.parametrize(
    "request_bytes",
    [
        PING,
        ORDER,
        b"GET /api/v3/depth?symbol=BTCUSDT&limit=5 HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /api/v3/depth?symbol=NOPE HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /api/v3/depth?symbol=%FF HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET /api/v3/nowhere HTTP/1.1\r\nHost: here\r\n\r\n",
        b"DELETE /api/v3/openOrders?symbol=BTCUSDT HTTP/1.1\r\nHost: here\r\nx-mbx-apikey:"
        + b"k" * 64
        + b"\r\n\r\n",
        b"POST /api/v3/order HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n\xff\xfe",
    ],
)
def test_both_ways_answer_alike(sandbox: RunningSandbox, request_bytes: bytes) -> None:
    """Status, header names with their spelling, header values apart from date and weight, and body."""
    answers = []
    for sent in (request_bytes, on_the_long_way(request_bytes)):
        with connected(sandbox) as (connection, stream):
            connection.sendall(sent)
            answers.append(read_response(stream))
    (status, headers, body), (long_status, long_headers, long_body) = answers
    varying = {b"Date", b"x-mbx-used-weight", b"x-mbx-used-weight-1m"}
    assert (status, body) == (long_status, long_body)
    assert headers.keys() == long_headers.keys()
    assert {k: v for k, v in headers.items() if k not in varying} == {
        k: v for k, v in long_headers.items() if k not in varying
    }


def test_a_request_may_come_in_any_pieces(sandbox: RunningSandbox) -> None:
    with connected(sandbox) as (connection, stream):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(1, len(ORDER), 7):
            connection.sendall(ORDER[:at])
            connection.sendall(ORDER[at:])
            status, _, body = read_response(stream)
            assert (status, body[:14]) == (b"HTTP/1.1 401 Unauthorized\r\n", b'{"code":-2015,')


def test_pipelined_requests_are_answered_in_order(sandbox: RunningSandbox) -> None:
    """Also across the hand-over to aiohttp in their middle."""
    with connected(sandbox) as (connection, stream):
        connection.sendall(PING + ORDER + on_the_long_way(PING) + ORDER + PING)
        statuses = [read_response(stream)[0].split()[1] for _ in range(5)]
    assert statuses == [b"200", b"401", b"200", b"401", b"200"]


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"HEAD /api/v3/ping HTTP/1.1\r\nHost: here\r\n\r\n", b"404"),
        (b"GET /api/v3/ping HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /api/v3/ping HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET /api/v3/ping HTTP/1.0\r\n\r\n", b"200"),
        (b"no http at all\r\n\r\n", b"400"),
        (
            b"POST /api/v3/order HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na=\r\n0\r\n\r\n",
            b"401",
        ),
        (
            b"POST /api/v3/order HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na=",
            b"400",
        ),
        (b"GET /api/v3/ping HTTP/1.1\r\nHost: here\r\nBad Header: 1\r\n\r\n", b"400"),
        (b"GET /api/v3/ping HTTP/1.1\r\nHost: here\r\nX: a\r\n folded\r\n\r\n", b"400"),
    ],
)
def test_what_is_not_plain_is_answered_by_aiohttp(
    sandbox: RunningSandbox, request_bytes: bytes, status: bytes
) -> None:
    with connected(sandbox) as (connection, stream):
        connection.sendall(request_bytes)
        assert read_response(stream, has_body=False)[0].split()[1] == status


# --- reading -----------------------------------------------------------------------------------------


@given(st.integers(0, len(PING + ORDER)))
def test_only_a_whole_request_is_read(size: int) -> None:
    sent = (ORDER + PING)[:size]
    found = read_request(sent)
    assert (found is None) == (size < len(ORDER))
    if found is not None:
        assert (found.method, found.target, found.body) == ("POST", "/api/v3/order", b"symbol=BTCUSDT")
        assert found.fields["x-mbx-apikey"] == "k"
        assert sent[found.size :] == PING[: size - len(ORDER)]


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    """Anything is a request, the beginning of one, or not plain."""
    for data in (noise, PING[:-4] + noise + b"\r\n\r\n"):
        try:
            found = read_request(data)
        except NotPlain:
            continue
        assert found is None or found.method == "GET"


def test_a_head_without_end_is_not_kept_for_ever() -> None:
    with pytest.raises(NotPlain):
        read_request(b"GET /" + b"a" * 10_000)


def test_a_silent_connection_is_closed() -> None:
    """As aiohttp does it with its own: after an hour and half a minute without a request (here: sooner)."""

    async def main() -> None:
        server = FrontServer(_never, lambda _request, _address: b"HTTP/1.1 204 No Content\r\n\r\n", 0.3)
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        for _ in range(3):
            await asyncio.sleep(0.15)
            writer.write(PING)
            assert await reader.readuntil(b"\r\n\r\n")
        begun = time.monotonic()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert time.monotonic() - begun > 0.2
        assert not server.fronts
        writer.close()
        listening.close()

    asyncio.run(main())


async def _never(_request: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError("no request goes the long way")
