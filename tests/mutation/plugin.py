"""`pytest -p tests.mutation.plugin` with GRIDTIDE_MUTATION=name: the suite against a broken product.

Nothing else loads this module (a test says so); without a mutation to apply it refuses to run.
"""

from __future__ import annotations

import os

import pytest

from tests.mutation.mutations import MUTATIONS

VARIABLE = "GRIDTIDE_MUTATION"


def pytest_configure(config: pytest.Config) -> None:
    """Break the product for the whole run, before a test module is imported."""
    name = os.environ.get(VARIABLE, "")
    if name not in MUTATIONS:
        raise pytest.UsageError(f"{VARIABLE} names no mutation: {name or 'it is not set'}")
    patch = pytest.MonkeyPatch()
    MUTATIONS[name].apply(patch)
    config.add_cleanup(patch.undo)


def pytest_report_header() -> str:
    return f"MUTATED: {os.environ[VARIABLE]}. This run proves nothing about the product."
