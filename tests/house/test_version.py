"""One version number, told the same everywhere."""

import tomllib
from importlib.metadata import version

import gridtide
from tests.house.files import ROOT


def test_version_is_the_same_everywhere() -> None:
    """The constant saves a slow look-up at start; this keeps it equal to what is released."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert gridtide.__version__ == stated
    assert version("gridtide") == stated
