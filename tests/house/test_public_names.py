"""The public names of the package: all there, and none loaded before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import gridtide


def test_every_public_name_is_there() -> None:
    """What the package promises can be imported from its root, and nothing else pretends to be there."""
    for name in gridtide.__all__:
        assert getattr(gridtide, name) is not None
    assert not hasattr(gridtide, "no_such_name")


def test_importing_the_package_loads_nothing() -> None:
    """A worker that imports gridtide pays for no exchange library, no database and no settings."""
    code = "import sys, gridtide; print(sorted(name for name in sys.modules if name.startswith('gridtide')))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "['gridtide']"
