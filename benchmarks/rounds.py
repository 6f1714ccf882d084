"""Rounds of kill -9, SIGSTOP, full disks, locks and rolled back databases against real processes: `--rounds 1000`.

Prints one JSON object; a round that breaks something ends the script with its seed and acts.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.e2e.rounds import RoundFailed, Rounds, small_disk


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--block", type=int, default=50, help="rounds between two comparisons")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest-stop", type=float, default=20.0, help="seconds")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the small disk is taken away again
    failure = ""
    with (
        tempfile.TemporaryDirectory(prefix="gridtide-rounds-") as folder,
        small_disk(Path(folder) / "disk") as disk,
    ):
        rounds = Rounds(Path(folder), disk, arguments.seed, arguments.longest_stop)
        rounds.on_round = _say
        try:
            rounds.run(arguments.rounds, arguments.block)
        except (RoundFailed, AssertionError) as error:
            failure = str(error)
        finally:
            rounds.end()
    report = {"benchmark": "rounds", "seed": arguments.seed, **asdict(rounds.tally)}
    print(json.dumps(report, indent=2))
    if failure:
        print(failure, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
