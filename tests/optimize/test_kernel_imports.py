"""numba is at home in two packages; whatever else is compiled goes through them."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "gridtide"


def test_numba_is_imported_by_price_path_and_optimize_only() -> None:
    pattern = re.compile(r"^\s*(import|from) numba", re.MULTILINE)
    found = {
        path.relative_to(SOURCE).parts[0] for path in SOURCE.rglob("*.py") if pattern.search(path.read_text())
    }
    assert found <= {"price_path", "optimize"}
    assert "price_path" in found
