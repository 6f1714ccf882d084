"""How long a fill waits for its counter-order: event received -> bytes written, on loopback, durable commit included.

Starts the embedded sandbox with the synthetic market at speed 1, trades the default grid on it for a while and
prints one JSON object: median and 99th percentile of the whole and of its parts, in milliseconds, with the load.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from gridtide.bootstrap import LiveOptions, build_live, connection_for
from gridtide.config import AppSettings, Mode
from gridtide.domain.commands import StopPolicy
from gridtide.runners.live import LiveRun
from gridtide.sandbox.launch import LaunchSpec
from gridtide.sandbox.process import start_process


async def measure(folder: Path, seconds: float, speed: float) -> dict[str, Any]:
    launch = LaunchSpec(speed=speed, hold=True, balances={"USDT": "15000"})
    handle = await start_process(folder / "sandbox", launch)
    try:
        settings = AppSettings(mode=Mode.SANDBOX)
        connection = connection_for(
            settings, rest_url=handle.url, api_key=handle.api_key, secret=handle.secret
        )
        options = LiveOptions(Mode.SANDBOX, f"sqlite:///{folder / 'bench.db'}", "bench")
        run = await build_live(connection, options)
        try:
            await run.start()
            await run.session.settle(20)
            await handle.resume()
            await run.wait(seconds)
            await handle.hold()
            await run.stop(StopPolicy.KEEP)
            return report(run, seconds)
        finally:
            await run.close()
    finally:
        await handle.shutdown()


def report(run: LiveRun, seconds: float) -> dict[str, Any]:
    """The distribution over all orders that a fill caused."""
    received = run.exchange.received_at  # type: ignore[attr-defined]  # the Binance adapter's side table
    timings = dict(run.exchange.send_timings)  # type: ignore[attr-defined]  # same
    parts: dict[str, list[float]] = {
        name: [] for name in ("transport_in", "decision", "commit", "dispatch", "signing", "whole")
    }
    for client_order_id, reaction in run.session.reactions.items():
        timing = timings.get(client_order_id)
        if reaction.cause not in received or timing is None:
            continue
        arrived = received[reaction.cause]
        parts["transport_in"].append(reaction.received - arrived)
        parts["decision"].append(reaction.decided - reaction.received)
        parts["commit"].append(reaction.committed - reaction.decided)
        parts["dispatch"].append(timing.called - reaction.committed)
        parts["signing"].append(timing.written - timing.called)
        parts["whole"].append(timing.written - arrived)
    return {
        "benchmark": "reaction",
        "orders": len(parts["whole"]),
        "fills": run.engine.state.fill_count,
        "fills_per_second": round(run.engine.state.fill_count / seconds, 2),
        "milliseconds": {name: summary(values) for name, values in parts.items() if values},
        "load_average": os.getloadavg(),
    }


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(value * 1000 for value in values)
    return {
        "median": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "worst": round(ordered[-1], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--speed", type=float, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = uvloop.run(measure(Path(folder), arguments.seconds, arguments.speed))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
