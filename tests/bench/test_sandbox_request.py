"""What a request costs the sandbox without sockets: bytes in, signature checked, order placed, bytes out.

`benchmarks.sandbox` measures the same over connections.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.sandbox_load import Request, cancel, order
from benchmarks.sandbox_server import bench_settings, open_market
from gridtide.sandbox.endpoints.table import ENDPOINTS
from gridtide.sandbox.exchange import SandboxExchange
from gridtide.sandbox.gateway import Gateway, Routes
from gridtide.sandbox.http_front import read_request
from gridtide.sandbox.rest import RestEntrance

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

_LEVELS = 50


@pytest.fixture
def entrance() -> RestEntrance:
    exchange = SandboxExchange(bench_settings())
    open_market(exchange)
    return RestEntrance(exchange, Gateway(exchange), Routes(ENDPOINTS))


def send(entrance: RestEntrance, request: bytes) -> None:
    plain = read_request(request)
    assert plain is not None
    answer = entrance.answer_at_once(plain, "127.0.0.1")
    assert answer is not None
    assert answer.startswith(b"HTTP/1.1 200"), answer


def resting(number: int) -> Request:
    return order(0, "BUY", f"{49_000 - number % _LEVELS}.00", f"b{number}")


def test_an_order_that_rests(benchmark: BenchmarkFixture, entrance: RestEntrance) -> None:
    """Aim: under 150 µs, which leaves as much for the sockets at 3,000 orders a second."""
    numbers = count()

    def prepare() -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (entrance, resting(next(numbers)).http()), {}

    benchmark.pedantic(send, setup=prepare, rounds=3000, warmup_rounds=200)  # type: ignore[no-untyped-call]  # untyped there


def test_a_cancel(benchmark: BenchmarkFixture, entrance: RestEntrance) -> None:
    numbers = count()

    def prepare() -> tuple[tuple[Any, ...], dict[str, Any]]:
        number = next(numbers)
        send(entrance, resting(number).http())
        return (entrance, cancel(0, f"b{number}").http()), {}

    benchmark.pedantic(send, setup=prepare, rounds=3000, warmup_rounds=200)  # type: ignore[no-untyped-call]  # untyped there
