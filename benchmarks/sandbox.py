"""How fast the sandbox exchange is: orders a second, events delivered a second, latency to the execution report.

The server has a core of its own, the load comes from another. Prints one JSON object; figures are medians over
rounds. Besides wall time every figure comes with the server's CPU time, which other programs disturb less.
`--against DIR` measures another source tree (a folder that holds ``gridtide``) in turn, round by round, and adds
the ratio of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import uvloop

from benchmarks.sandbox_load import (
    ACCOUNTS,
    HOST,
    MIXES,
    ApiLane,
    HttpLane,
    ListenerLane,
    ReportLane,
    Request,
    taken,
)

_ROOT = Path(__file__).parents[1]
_LISTENERS = 50
_IN_FLIGHT = 8
_RUN = count(int(time.time()) % 100_000)

Figures = dict[str, float]
Scenario = Callable[["Server"], Awaitable[Figures]]


class Server:
    """A running sandbox and how much CPU time it has used."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def cpu_seconds(self) -> float:
        return int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[0]) / 1e9


@contextmanager
def running_server(
    tree: Path, core: int | None, moves: float = 0.0, profile: str | None = None
) -> Iterator[Server]:
    """A sandbox of the source tree in its own process."""
    command = [sys.executable, "-m", "benchmarks.sandbox_server", "--moves", str(moves)]
    if core is not None:
        command += ["--core", str(core)]
    if profile is not None:
        command += ["--profile", profile]
    environment = {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{_ROOT}"}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        yield Server(ready["port"], ready["pid"])
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


# --- orders a second ---------------------------------------------------------------------------------


def http_orders(mix: str, lanes: int, orders: int) -> Scenario:
    """`orders` placements over `lanes` connections, each with an account of its own."""

    async def measure(server: Server) -> Figures:
        run = f"{next(_RUN)}"
        work = [list(MIXES[mix](lane, orders // lanes, run)) for lane in range(lanes)]
        clients = [HttpLane([request.http() for request in requests]) for requests in work]
        loop = asyncio.get_running_loop()
        for client in clients:
            await loop.create_connection(lambda client=client: client, HOST, server.port)  # type: ignore[misc]
        return await _timed(server, clients, work)

    return measure


def api_orders(mix: str, orders: int, in_flight: int) -> Scenario:
    """`orders` placements over one WebSocket API connection, several in flight."""

    async def measure(server: Server) -> Figures:
        requests = list(MIXES[mix](0, orders, f"{next(_RUN)}"))
        client = ApiLane([request.frame() for request in requests], in_flight)
        await asyncio.get_running_loop().create_connection(lambda: client, HOST, server.port)
        await client.opened
        return await _timed(server, [client], [requests])

    return measure


async def _timed(
    server: Server, clients: list[HttpLane] | list[ApiLane], work: list[list[Request]]
) -> Figures:
    cpu, own, begun = server.cpu_seconds(), time.process_time(), time.perf_counter()
    for client in clients:
        client.start()
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - begun
    cpu, own = server.cpu_seconds() - cpu, time.process_time() - own
    for client in clients:
        client.close()
    orders = sum(request.is_order for requests in work for request in requests)
    return {
        "orders_per_second": orders / seconds,
        "requests_per_second": sum(map(len, work)) / seconds,
        "server_cpu_us_per_order": cpu / orders * 1e6,
        "server_cpu_share": cpu / seconds,
        "client_cpu_share": own / seconds,
    }


# --- events a second ---------------------------------------------------------------------------------


async def fan_out(server: Server) -> Figures:
    """Events a second to fifty subscribers of trades and best prices while the market moves as fast as it can."""
    loop = asyncio.get_running_loop()
    path = "/stream?streams=btcusdt@trade/btcusdt@bookTicker"
    listeners = [ListenerLane(path, b'"data":{') for _ in range(_LISTENERS)]
    for listener in listeners:
        await loop.create_connection(lambda listener=listener: listener, HOST, server.port)  # type: ignore[misc]
    await asyncio.sleep(0.5)
    before = sum(listener.events for listener in listeners)
    cpu, own, begun = server.cpu_seconds(), time.process_time(), time.perf_counter()
    await asyncio.sleep(3)
    events = sum(listener.events for listener in listeners) - before
    seconds = time.perf_counter() - begun
    cpu, own = server.cpu_seconds() - cpu, time.process_time() - own
    for listener in listeners:
        listener.close()
    return {
        "events_per_second": events / seconds,
        "server_cpu_us_per_event": cpu / max(1, events) * 1e6,
        "server_cpu_share": cpu / seconds,
        "client_cpu_share": own / seconds,
    }


# --- latency -----------------------------------------------------------------------------------------


def latency(rate: int, seconds: float) -> Scenario:
    """Milliseconds from an order's moment to its report of NEW, orders coming in whatever the answers do."""

    async def measure(server: Server) -> Figures:
        requests = list(taken(0, int(rate * seconds), f"{next(_RUN)}"))
        prepared = [(request.parameters["newClientOrderId"], request.http()) for request in requests]
        loop = asyncio.get_running_loop()
        reports = ReportLane()
        await loop.create_connection(lambda: reports, HOST, server.port)
        await reports.opened
        reports.subscribe(0, ACCOUNTS // 2)
        pool = OrderPool()
        await pool.open(server.port, 8)
        await reports.subscribed
        own, begun = time.process_time(), time.perf_counter()
        for number, (client_id, request) in enumerate(prepared):
            wait = begun + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            pool.send(client_id, request)
        await asyncio.sleep(0.3)
        own = (time.process_time() - own) / (time.perf_counter() - begun)
        reports.close()
        pool.close()
        took = sorted((reports.arrived[name] - sent) * 1000 for name, sent in pool.sent.items())
        return {
            "median_ms": statistics.median(took),
            "p99_ms": took[int(len(took) * 0.99)],
            "p99_9_ms": took[int(len(took) * 0.999)],
            "worst_ms": took[-1],
            "client_cpu_share": own,
        }

    return measure


class OrderPool:
    """Kept-alive connections, each with at most one request in flight; who finds none free waits, and that counts."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self._idle: list[PooledLane] = []
        self._waiting: list[bytes] = []
        self._lanes: list[PooledLane] = []

    async def open(self, port: int, size: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(size):
            _, lane = await loop.create_connection(lambda: PooledLane(self), HOST, port)
            self._lanes.append(lane)
        self._idle = list(self._lanes)

    def send(self, client_id: str, request: bytes) -> None:
        self.sent[client_id] = time.perf_counter()
        if self._idle:
            self._idle.pop().write(request)
        else:
            self._waiting.append(request)

    def release(self, lane: PooledLane) -> None:
        if self._waiting:
            lane.write(self._waiting.pop(0))
        else:
            self._idle.append(lane)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()


class PooledLane(HttpLane):
    """A connection of the pool."""

    def __init__(self, pool: OrderPool) -> None:
        super().__init__(())
        self._pool = pool

    def _send(self) -> None:
        self._pool.release(self)


# --- the whole ---------------------------------------------------------------------------------------


def scenarios(orders: int) -> dict[str, tuple[Scenario, float]]:
    """Each with the moves a second of its market."""
    return {
        "http_resting_1": (http_orders("resting", 1, orders), 0),
        "http_resting_8": (http_orders("resting", 8, orders), 0),
        "http_cancelled_1": (http_orders("cancelled", 1, orders), 0),
        "http_taken_1": (http_orders("taken", 1, orders), 0),
        "http_taken_8": (http_orders("taken", 8, orders), 0),
        "api_resting": (api_orders("resting", orders, _IN_FLIGHT), 0),
        "fan_out": (fan_out, 100_000),
        "latency_at_500": (latency(500, 6), 0),
    }


def compare(trees: dict[str, Path], chosen: list[str], rounds: int, orders: int) -> dict[str, object]:
    """Every scenario on every tree, in turn."""
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[0] if len(cores) > 1 else None
    if server_core is not None:
        os.sched_setaffinity(0, set(cores[1:]))
    report: dict[str, object] = {"rounds": rounds, "cores": len(cores)}
    for name, (scenario, moves) in scenarios(orders).items():
        if chosen and name not in chosen:
            continue
        results: dict[str, list[Figures]] = {tree: [] for tree in trees}
        for number in range(rounds):
            for tree in list(trees) if number % 2 == 0 else reversed(trees):
                with running_server(trees[tree], server_core, moves) as server:
                    results[tree].append(uvloop.run(_run(scenario, server)))
        medians = {tree: _medians(figures) for tree, figures in results.items()}
        if len(medians) == 2:
            here, there = medians.values()
            medians["ratio"] = {key: round(here[key] / there[key], 3) for key in here if there[key]}
        report[name] = medians
    report["load_average"] = os.getloadavg()
    return report


async def _run(scenario: Scenario, server: Server) -> Figures:
    return await scenario(server)


def _medians(rounds: list[Figures]) -> Figures:
    return {key: round(statistics.median(each[key] for each in rounds), 3) for key in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--orders", type=int, default=6000, help="placements a run")
    parser.add_argument("--against", type=Path, help="another source tree to measure in turn")
    parser.add_argument("--only", action="append", default=[], help="name of a scenario; may be given again")
    arguments = parser.parse_args()
    trees = {"here": _ROOT / "src"}
    if arguments.against is not None:
        trees["there"] = arguments.against.absolute()
    print(json.dumps(compare(trees, arguments.only, arguments.rounds, arguments.orders), indent=2))


if __name__ == "__main__":
    main()
