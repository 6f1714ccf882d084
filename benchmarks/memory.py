"""Memory and open files of the bot's own process over a long replay: `--minutes 10` by default.

Starts `gridtide run` on a market file (or the synthetic market), samples its resident memory and open files every
few seconds, and prints one JSON object: the last value and the growth over the second half.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

SAMPLE_SECONDS = 5.0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "gridtide", "run", "--json", "--state-folder", str(folder / "state")]
    command += ["--for", f"{int(arguments.minutes * 60)}s", "--speed", str(arguments.speed)]
    if arguments.market:
        command += ["--market", str(Path(arguments.market).absolute())]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    watched = psutil.Process(process.pid)
    samples: list[tuple[float, int, int, int]] = []
    started = time.monotonic()
    while process.poll() is None:
        try:
            sockets = len(watched.net_connections())
            moment = time.monotonic() - started
            samples.append((moment, watched.memory_info().rss, watched.num_fds() - sockets, sockets))
        except psutil.Error:
            break
        time.sleep(SAMPLE_SECONDS)
    output, _ = process.communicate()
    result = json.loads(output)
    samples = [sample for sample in samples if sample[0] <= arguments.minutes * 60]
    half = [sample for sample in samples if sample[0] >= arguments.minutes * 30]
    third = max(1, len(half) // 6)
    first_rss = statistics.median(sample[1] for sample in half[:third])
    last_rss = statistics.median(sample[1] for sample in half[-third:])
    files = [sample[2] for sample in half]
    connections = [
        sample[3] for sample in samples
    ]  # a pool: they come and go with what is asked at the moment
    return {
        "benchmark": "memory",
        "minutes": arguments.minutes,
        "speed": arguments.speed,
        "fills": result["fills"],
        "resident_mb_at_end": round(half[-1][1] / 1e6, 1),
        "resident_mb_peak": round(max(sample[1] for sample in samples) / 1e6, 1),
        "growth_mb_second_half": round((last_rss - first_rss) / 1e6, 2),
        "open_files_growth_second_half": files[-1] - files[0],
        "open_files_at_end": files[-1],
        "connections_median": statistics.median(connections),
        "connections_most": max(connections),
        "samples": len(samples),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--speed", type=float, default=600)
    parser.add_argument("--market", default="")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(parser.parse_args(), Path(folder)), indent=2))


if __name__ == "__main__":
    main()
