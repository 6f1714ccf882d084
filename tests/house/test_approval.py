"""Approval is a type: only the risk gate builds one, so no order reaches the exchange around it."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "gridtide"


def _builders(name: str) -> set[str]:
    """Files that call `name(...)`."""
    return {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    }


def test_only_the_gate_approves() -> None:
    """`Approved` is built in one place, and the command that sends an order is built from it in one place."""
    assert _builders("Approved") == {"risk/gate.py"}
    assert _builders("SubmitOrder") == {"engine/order_tracker.py"}
