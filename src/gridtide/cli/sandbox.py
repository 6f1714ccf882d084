"""x"""

from __future__ import annotations

from gridtide.cli.options import Json


def sandbox(*, json: Json = False) -> None:
    """Stand-in."""
