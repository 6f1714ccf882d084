"""What a backtest costs: the whole production path from columns to the result, by fill and by part, beside its peers.

Figures are medians of CPU seconds, wall seconds beside them; ratios are medians of the rounds' own ratios. Data are
loaded (checked, as columns, their checksum known) and compiled code is warm before anything is timed.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from benchmarks.backtest_peers import has_vectorbt, plain_loop, plan_of, vectorbt_run
from benchmarks.backtest_turns import (
    Contender,
    Contenders,
    Found,
    cost_of_one_more_fill,
    difference,
    measure,
    ratio,
)
from benchmarks.backtest_worlds import (
    MORE_LEVELS,
    Case,
    Sources,
    grid,
    load,
    with_idle_candles,
    with_idle_trades,
)
from gridtide import __version__
from gridtide.bootstrap import backtest
from gridtide.price_path.path import path_of
from gridtide.reports.backtest_result import BacktestResult

ROUNDS = 7
TRADES = 20_000_000
ALIKE = 0.03
"""By how much the fills of a peer may differ from ours: it waits for nothing and parks nothing."""

YEAR, YEAR_RISK = "year", "year, default risk"
YEAR_IDLE, YEAR_MORE = "year, idle data doubled", "year, fills doubled"
MANY, HALF, HALF_IDLE = "trades", "half the trades", "half the trades, idle data doubled"
YARDSTICK = "yardstick: 300,000 exact additions"
"""What the machine does at all today, to compare figures of different days by."""
LOOP, LOOP_MANY = "plain loop over the year", "plain loop over the trades"
VBT, VBT_STATS = "vectorbt over the year", "vectorbt over the year, and stats()"

RATIOS = {
    "default risk / risk off": (YEAR_RISK, YEAR),
    "idle candles doubled / not": (YEAR_IDLE, YEAR),
    "idle trades doubled / not": (HALF_IDLE, HALF),
    "fills doubled / not": (YEAR_MORE, YEAR),
    "ours / vectorbt and stats()": (YEAR, VBT_STATS),
    "ours / vectorbt without figures": (YEAR, VBT),
    "ours / plain loop": (YEAR, LOOP),
}
PEERS = {LOOP: YEAR, LOOP_MANY: MANY, VBT: YEAR, VBT_STATS: YEAR}
"""Who has to trade as which of ours does."""


# --- who takes part ------------------------------------------------------------------------------------


def ours(sources: Sources) -> Contenders:
    """Each but the first answers one question: risk on, idle data doubled, fills doubled, another kind of data."""
    year, trades, half = sources.year, sources.trades, sources.half
    return {
        YEAR: production(grid(year)),
        YEAR_RISK: production(grid(year, risk={})),
        YEAR_IDLE: production(grid(with_idle_candles(year))),
        YEAR_MORE: production(grid(year, levels=MORE_LEVELS)),
        MANY: production(grid(trades)),
        HALF: production(grid(half)),
        HALF_IDLE: production(grid(with_idle_trades(half))),
    }


def peers(sources: Sources, *, with_vectorbt: bool) -> Contenders:
    """The yardstick, the floor, and VectorBT where it is asked for and installed."""
    found = {YARDSTICK: Contender(yardstick, 0)}
    for name, data in ((LOOP, sources.year), (LOOP_MANY, sources.trades)):
        path = path_of(data.columns)
        found[name] = Contender(plain_loop(path, plan_of(play(grid(data)))), len(path))
    if with_vectorbt:
        columns, path = sources.year.columns, path_of(sources.year.columns)
        plan = plan_of(play(grid(sources.year)))
        for name, figures in ((VBT, False), (VBT_STATS, True)):
            found[name] = Contender(vectorbt_run(columns, path, plan, figures=figures), len(path))
    return found


def production(case: Case) -> Contender:
    """`run_backtest` as the CLI calls it, with two timers in it: around index and figures; the rest is the engine."""
    contender = Contender(lambda: _played(case, contender.parts), len(path_of(case.data.columns)))
    return contender


def play(case: Case) -> BacktestResult:
    """The whole production path."""
    return backtest.run_backtest(case.settings, [case.data], version=__version__)


def _played(case: Case, parts: dict[str, float]) -> Found:
    begun = time.process_time()
    with _Timer("prepare", "path and index", parts), _Timer("result_of", "figures", parts):
        result = play(case)
    parts["engine"] = time.process_time() - begun - sum(parts.values())
    return Found(result.fill_count, float(result.final_equity))


class _Timer:
    """Notes the CPU seconds of one function of the production path while it runs; changes nothing else."""

    def __init__(self, name: str, part: str, parts: dict[str, float]) -> None:
        self._name, self._part, self._parts = name, part, parts
        self._original: Callable[..., Any] = getattr(backtest, name)

    def __enter__(self) -> None:
        setattr(backtest, self._name, self._timed)

    def __exit__(self, *_: object) -> None:
        setattr(backtest, self._name, self._original)

    def _timed(self, *given: Any, **named: Any) -> Any:
        begun = time.process_time()
        found = self._original(*given, **named)
        self._parts[self._part] = self._parts.get(self._part, 0.0) + time.process_time() - begun
        return found


def yardstick() -> Found:
    """Calls and decimals, which is what the engine is made of."""
    total = Decimal(0)
    for _ in range(300_000):
        total = _added(total, Decimal("0.01"))
    return Found(0, float(total))


def _added(one: Decimal, other: Decimal) -> Decimal:
    return one + other


def megabytes_above_data(case: Case) -> float:
    """Most memory that one whole run takes at once, path, index, records and result included, the data not."""
    gc.collect()
    tracemalloc.start()
    play(case)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round(peak / 1e6, 1)


# --- the report ----------------------------------------------------------------------------------------


def report(sources: Sources, rounds: int, *, with_vectorbt: bool) -> dict[str, Any]:
    """Everything as one JSON object."""
    loads = [os.getloadavg()]
    all_of_them = ours(sources) | peers(sources, with_vectorbt=with_vectorbt)
    measure(all_of_them, rounds)
    loads.append(os.getloadavg())
    present = all_of_them.keys()
    return {
        "benchmark": "backtest",
        "rounds": rounds,
        "contenders": {name: contender.shown() for name, contender in all_of_them.items()},
        "ratios": {
            name: ratio(all_of_them[one], all_of_them[other])
            for name, (one, other) in RATIOS.items()
            if {one, other} <= present
        },
        "microseconds_of_one_more_fill": cost_of_one_more_fill(all_of_them[YEAR], all_of_them[YEAR_MORE]),
        "megabytes_above_data": megabytes_above_data(grid(sources.year)),
        "peers_against_ours": {
            name: difference(all_of_them[name], all_of_them[own])
            for name, own in PEERS.items()
            if name in present
        },
        "load_average_before_and_after": loads,
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
    }


def as_text(figures: Mapping[str, Any]) -> str:
    """The same for eyes."""
    columns = {
        "cpu_seconds": "CPU s",
        "wall_seconds": "wall s",
        "cpu_seconds_of_first_run": "first s",
        "points": "points",
        "fills": "fills",
        "microseconds_a_fill": "µs a fill",
    }
    lines = [f"{'':36}{''.join(f'{title:>11}' for title in columns.values())}  parts, CPU s"]
    for name, each in figures["contenders"].items():
        numbers = "".join(f"{each[column] or 0:>11,}" for column in columns)
        lines.append(f"{name:36}{numbers}  {each['parts_cpu_seconds'] or ''}")
    rest = [f"{name}: {value}" for name, value in figures.items() if name != "contenders"]
    return "\n".join(lines + rest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--peers", action="store_true", help="measure VectorBT too, where it is installed")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--trades", type=int, default=TRADES)
    arguments = parser.parse_args()
    with_vectorbt = arguments.peers and has_vectorbt()
    if arguments.peers and not with_vectorbt:
        print("vectorbt is not installed: measured without it", file=sys.stderr)
    figures = report(load(None, arguments.trades), arguments.rounds, with_vectorbt=with_vectorbt)
    print(json.dumps(figures, indent=2) if arguments.json else as_text(figures))
    far = {name: each for name, each in figures["peers_against_ours"].items() if abs(each["fills"]) > ALIKE}
    if far:
        sys.exit(f"these did not trade the same grid, so their times mean nothing: {far}")


if __name__ == "__main__":
    main()
