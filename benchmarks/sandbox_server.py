"""The sandbox that `benchmarks.sandbox` loads: its own process, pinned to one core, limits out of the way.

Prints one JSON line with its port and process id once it listens; ends with SIGTERM. With ``--profile FILE`` it runs
under cProfile and leaves its statistics there.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from benchmarks.sandbox_load import ACCOUNTS, key_of
from gridtide.domain.market import Market, Timestamp
from gridtide.price_path.point import PathPoint
from gridtide.sandbox.exchange import SandboxExchange
from gridtide.sandbox.server import Sandbox, serve
from gridtide.sandbox.settings import Limits, MarketSettings, SandboxSettings
from gridtide.testing.sandbox_exchange import BTC_USDT, account_settings, sandbox_settings
from gridtide.venue.messages import PriceMoved

_NO_LIMIT = 10**9
"""What `Limits` calls no limit in practice: order counts, weights and connections are settings like any other."""

LIMITS = Limits(
    request_weight_per_minute=_NO_LIMIT,
    raw_requests_per_5_minutes=_NO_LIMIT,
    orders_per_10_seconds=_NO_LIMIT,
    orders_per_day=_NO_LIMIT,
    connections_per_5_minutes=_NO_LIMIT,
    stream_messages_per_second=_NO_LIMIT,
)
_FUNDS = {"USDT": "1000000000", "BTC": "100000"}
MARKET = replace(BTC_USDT, rules=replace(BTC_USDT.rules, max_open_orders=0))


class Pendulum:
    """An endless market that swings between 50,000 and 50,010, a move and a trade every market millisecond."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._played = 0

    def __iter__(self) -> Iterator[PathPoint]:
        return self

    def __next__(self) -> PathPoint:
        self._played += 1
        step = self._played % 20
        price = Decimal(50_000 + min(step, 20 - step))
        return PathPoint(Timestamp(1_609_459_200_000 + self._played), price, Decimal(1))

    def position(self) -> dict[str, Any]:
        return {"played": self._played}

    def seek(self, position: Mapping[str, Any]) -> None:
        self._played = int(position["played"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int)
    parser.add_argument(
        "--moves", type=float, default=0.0, help="moves of the market a second; 0: it stands still"
    )
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    settings = bench_settings(arguments.moves)
    if arguments.profile is None:
        serve(settings, _on_ready)
        return
    profile = cProfile.Profile()
    profile.runcall(serve, settings, _on_ready)
    profile.dump_stats(arguments.profile)


def bench_settings(moves: float = 0.0) -> SandboxSettings:
    """Rich accounts without limits; `moves` of the market a second, 0 for a market that stands still."""
    return sandbox_settings(
        accounts=tuple(
            account_settings(_FUNDS, account_id=f"account{number}", key=key_of(number))
            for number in range(ACCOUNTS)
        ),
        markets=(MarketSettings(MARKET, Pendulum(MARKET) if moves else None),),
        limits=LIMITS,
        speed=moves / 1000 if moves else 1.0,
    )


def open_market(exchange: SandboxExchange) -> None:
    """The market's first price."""
    exchange.move_market(MARKET.symbol, PriceMoved(Decimal(50_000), Decimal(1), Timestamp(1_609_459_200_000)))


def _on_ready(sandbox: Sandbox) -> None:
    open_market(sandbox.exchange)
    gc.collect()
    gc.freeze()  # as the embedded sandbox does
    print(json.dumps({"port": sandbox.port, "pid": os.getpid()}), flush=True)


if __name__ == "__main__":
    main()
