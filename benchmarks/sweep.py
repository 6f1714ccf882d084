"""What a sweep costs: mixed sets over a year of minutes, against a plain compiled loop over every candle.

``python -m benchmarks.sweep [--sets 1000] [--rounds 5] [--million] [--json]``. Figures are medians of CPU seconds, wall
beside them; ratios are medians of the rounds' own ratios, taken side by side. Data are loaded and machine code is warm
before anything is timed; the compressions are timed apart.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtide.domain.market import Market, Symbol
from gridtide.market_data.known_markets import market_of
from gridtide.market_data.load import load_market_data
from gridtide.optimize.kernel import play_sets
from gridtide.optimize.kernel_sets import SET_DTYPE, FeeAsset, Status, Terms, set_row
from gridtide.optimize.levels import plan_sets
from gridtide.optimize.swept_path import SweptPath
from gridtide.price_path.columns import CandleColumns
from gridtide.price_path.compiled import compiled
from gridtide.price_path.path import PricePath, path_of
from gridtide.strategies.grid.config import (
    GridConfig,
    GridSpacing,
    ProfitMode,
    Sizing,
    StartOutside,
    VacantRule,
)

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "candles" / "BTCUSDT-1m-2021.parquet"
SYMBOL = Symbol("BTC/USDT")
FEE = Decimal("0.001")
MILLION = 1_000_000
Floats = NDArray[np.float64]


def mixed_sets(count: int, seed: int = 1) -> NDArray[Any]:
    """Ranges of every width around the year's prices, 5 to 100 levels, both spacings, all sizings and profit modes that
    need no coins; those whose steps do not pay are left out."""
    rng = random.Random(seed)  # noqa: S311  a seeded world
    rows: list[np.void] = []
    while len(rows) < count:
        low = rng.randint(15_000, 45_000)
        high = rng.randint(low * 115 // 100, 90_000)
        levels = rng.randint(5, 100)
        spacing = rng.choice(list(GridSpacing))
        if (high / low) ** (1 / (levels - 1)) < 1.004 or (high - low) / (levels - 1) < 0.004 * high:
            continue
        grid = GridConfig(
            SYMBOL,
            Decimal(low),
            Decimal(high),
            levels,
            Decimal(10_000),
            spacing=spacing,
            vacant=rng.choice(list(VacantRule)),
            sizing=rng.choice([Sizing.EQUAL_BASE, Sizing.EQUAL_BASE, Sizing.EQUAL_QUOTE, Sizing.QUOTE_ONLY]),
            profit=rng.choice([ProfitMode.QUOTE, ProfitMode.QUOTE, ProfitMode.COMPOUND, ProfitMode.BASE]),
            start_outside=StartOutside.ALLOW,
        )
        rows.append(set_row(grid, Terms(FEE, FEE, FeeAsset.RECEIVED, Decimal(15_000))))
    return np.array(rows, SET_DTYPE)


# --- the plain loop ----------------------------------------------------------------------------------


@compiled
def plain_loop(
    opens: NDArray[Any],
    highs: NDArray[Any],
    lows: NDArray[Any],
    closes: NDArray[Any],
    levels: Floats,
    amounts: Floats,
    vacant: int,
    cash: float,
    fee: float,
    with_drawdown: bool,
) -> tuple[int, float, float]:
    """Fills, final equity and drawdown of a grid that goes through every point of every candle, in floats."""
    top, fills, base = levels.size - 1, 0, 0.0
    kept = 1.0 - fee
    first = opens[0]
    for k in range(vacant, top):
        base += amounts[k] * kept
        cash -= amounts[k] * first
    peak, floor = cash + base * first, 1.0
    for row in range(opens.size):
        start, high, low, close = opens[row], highs[row], lows[row], closes[row]
        low_first = start - low < high - start or (start - low == high - start and close >= start)
        for point in range(4):
            if point == 0:
                price = start
            elif point == 3:
                price = close
            else:
                price = low if low_first == (point == 1) else high
            while vacant > 0 and price <= levels[vacant - 1]:
                vacant -= 1
                cash -= levels[vacant] * amounts[vacant]
                base += amounts[vacant] * kept
                fills += 1
            while vacant < top and price >= levels[vacant + 1]:
                cash += levels[vacant + 1] * amounts[vacant] * kept * kept
                base -= amounts[vacant] * kept
                vacant += 1
                fills += 1
            if with_drawdown:
                equity = cash + base * price
                if equity > peak:
                    peak = equity
                elif equity < floor * peak:
                    floor = equity / peak
    return fills, cash + base * closes[-1], 1.0 - floor


def loop_over(columns: CandleColumns, path: SweptPath, sets: NDArray[Any], *, with_drawdown: bool) -> int:
    """All sets through the plain loop, from levels that are computed before; the fills of all."""
    plans = plan_sets(sets, path.market, path.rules, int(path.prices[0]))
    sides = (columns.open, columns.high, columns.low, columns.close)
    fills = 0
    for number, row in enumerate(sets):
        size = int(row["num_grids"])
        found = plain_loop(
            *sides,
            plans.levels[number, :size].astype(np.float64),
            plans.amounts[number, :size].astype(np.float64),
            int(plans.vacant[number]),
            1e12,
            0.001,
            with_drawdown,
        )
        fills += found[0]
    return fills


# --- measuring ---------------------------------------------------------------------------------------


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """CPU and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def report(sets: NDArray[Any], rounds: int, *, million: bool) -> dict[str, Any]:
    """Everything as one JSON object."""
    columns = load_market_data(DATA).columns
    if not isinstance(columns, CandleColumns):
        raise TypeError("the bench plays candles")
    market = market_of(SYMBOL, [Decimal("0.01")])
    raw = path_of(columns)
    loads = [os.getloadavg()]
    _warm(raw, market, columns, sets)
    rows: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, times in _one_round(raw, market, columns, sets).items():
            rows.setdefault(name, []).append(times)
    path = SweptPath.of(raw, market)
    results = play_sets(path, sets).results
    loads.append(os.getloadavg())
    found: dict[str, Any] = {
        "benchmark": "sweep",
        "sets": len(sets),
        "rounds": rounds,
        "fills_a_set": float(results["fills"].mean()),
        "statuses": {status.name: int((results["status"] == status).sum()) for status in Status},
        "cpu_seconds": {name: statistics.median(cpu for cpu, _ in times) for name, times in rows.items()},
        "wall_seconds": {name: statistics.median(wall for _, wall in times) for name, times in rows.items()},
        "ratios_of_cpu": {
            "loop / kernel": _ratio(rows["loop"], rows["kernel"]),
            "loop / kernel and compression": statistics.median(
                loop[0] / (kernel[0] + made[0])
                for loop, kernel, made in zip(rows["loop"], rows["kernel"], rows["compression"], strict=True)
            ),
            "loop with drawdown / kernel": _ratio(rows["loop with drawdown"], rows["kernel"]),
            "two threads / one": _ratio(rows["kernel, two threads"], rows["kernel"]),
        },
        "ratio_of_wall, one thread / two": statistics.median(
            one[1] / two[1] for one, two in zip(rows["kernel"], rows["kernel, two threads"], strict=True)
        ),
        "load_average_before_and_after": loads,
    }
    found["sets_a_cpu_second"] = len(sets) / found["cpu_seconds"]["kernel"]
    if million:
        found["million"] = _million(path, sets)
    found["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def _one_round(
    raw: PricePath, market: Market, columns: CandleColumns, sets: NDArray[Any]
) -> dict[str, tuple[float, float]]:
    """Everybody once, right after one another."""
    path = SweptPath.of(raw, market)
    return {
        "compression": timed(lambda: path.prepare(sets)),
        "loop": timed(lambda: loop_over(columns, path, sets, with_drawdown=False)),
        "kernel": timed(lambda: play_sets(path, sets)),
        "loop with drawdown": timed(lambda: loop_over(columns, path, sets, with_drawdown=True)),
        "kernel, two threads": timed(lambda: play_sets(path, sets, threads=2)),
    }


def _ratio(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    return statistics.median(a[0] / b[0] for a, b in zip(one, other, strict=True))


def _warm(raw: PricePath, market: Market, columns: CandleColumns, sets: NDArray[Any]) -> None:
    path = SweptPath.of(raw, market)
    path = path.window(int(path.times[0]), int(path.times[20_000]))
    play_sets(path, sets[:20], threads=2, daily=False)
    loop_over(columns, path, sets[:2], with_drawdown=True)


def _million(path: SweptPath, sets: NDArray[Any]) -> dict[str, float]:
    """A million different sets: the mixed ones again and again, each with bounds of its own."""
    rng = np.random.default_rng(1)
    many = np.resize(sets, MILLION)
    many["upper_price"] += rng.integers(0, 50_000, MILLION) * 1_000_000
    many["lower_price"] -= rng.integers(0, 50_000, MILLION) * 1_000_000
    results: list[Any] = []
    cpu, wall = timed(lambda: results.append(play_sets(path, many, threads=2).results))
    return {
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "sets_a_cpu_second": MILLION / cpu,
        "fills_a_set": float(results[0]["fills"].mean()),
        "without_result": int((results[0]["status"] >= Status.NO_MONEY).sum()),
    }


def as_text(found: dict[str, Any]) -> str:
    """The same for eyes."""
    lines = [
        f"{found['sets']} mixed sets, {found['fills_a_set']:.0f} fills a set, {found['rounds']} rounds; "
        f"{found['sets_a_cpu_second']:.0f} sets a CPU second"
    ]
    lines += [
        f"  {name:28} {cpu:9.4f} CPU s {found['wall_seconds'][name]:9.4f} wall s"
        for name, cpu in found["cpu_seconds"].items()
    ]
    lines += [f"  {name:36} {ratio:7.2f}" for name, ratio in found["ratios_of_cpu"].items()]
    lines.append(f"  {'wall of one thread / two':36} {found['ratio_of_wall, one thread / two']:7.2f}")
    if "million" in found:
        lines.append("  a million sets, two threads: " + json.dumps(found["million"]))
    lines.append(
        f"  peak {found['peak_megabytes']:.0f} MB, load {found['load_average_before_and_after']}, {found['statuses']}"
    )
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not DATA.exists():
        print(f"{DATA.name} is not there: the bench plays the shared data")
        return 1
    found = report(mixed_sets(given.sets), given.rounds, million=given.million)
    print(json.dumps(found, indent=2) if given.json else as_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
