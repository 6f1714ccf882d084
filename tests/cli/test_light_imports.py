"""What trades loads no library that only research and reports need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAVY = ("numba", "optuna", "plotly", "pandas", "polars", "vectorbt", "joblib", "dask", "duckdb")
RUN = f"""
import json, sys
from gridtide.cli import main
code = main(["run", "grid.yaml", "--for", "1s", "--json"])
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(json.dumps([code, sorted(loaded & {set(HEAVY)!r}), "ccxt" in loaded]))
"""


def test_a_run_from_start_to_end_loads_none_of_them(folder: Path) -> None:
    """The whole command in a process of its own: a bot on a small machine has no room for a compiler."""
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    code, heavy, trades = json.loads(done.stdout.splitlines()[-1])
    assert (code, heavy, trades) == (0, [], True), done.stderr
