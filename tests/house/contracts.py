"""The floors and contracts as pyproject.toml states them, to be held against the source tree."""

import tomllib
from typing import Any

from tests.house.files import PACKAGE, ROOT


def packages() -> set[str]:
    """The first-level parts of gridtide that exist, modules included."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    return folders | modules


def contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def floors() -> list[set[str]]:
    """From the roof down; brackets around a package that need not exist are taken off."""
    return [{name.strip(" ()") for name in floor.split("|")} for floor in contracts()["floors"]["layers"]]


def below_ports() -> set[str]:
    """Packages that exist and must be pure."""
    stated = floors()
    lower = stated[stated.index({"ports"}) + 1 :]
    return set().union(*lower) & packages()


def sources(contract_id: str) -> set[str]:
    return {name.removeprefix("gridtide.") for name in contracts()[contract_id]["source_modules"]}
