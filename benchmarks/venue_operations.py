"""Random operations on the simulated exchange, by the million, with the ledger of the tests watching.

``python -m benchmarks.venue_operations --operations 1000000 --seed 1`` prints one line of JSON: what was done, how
often each rule was broken, and how long it took. It fails if a rule was broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.venue.operations import run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--audit-every", type=int, default=500, help="operations between two audits")
    chosen = parser.parse_args()
    started = time.perf_counter()
    result = run(chosen.operations, chosen.seed, audit_every=chosen.audit_every)
    result["seconds"] = round(time.perf_counter() - started, 1)
    print(json.dumps(result))
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
