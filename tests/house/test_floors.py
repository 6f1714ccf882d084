"""The import linter can only hold what its contracts name; these tests hold the contracts to what exists."""

import pytest

from tests.house.contracts import below_ports, contracts, floors, packages, sources


def test_every_package_has_a_floor() -> None:
    """A new package fails the build until somebody gives it a floor; there is no `utils`."""
    homeless = packages() - set().union(*floors())
    assert not homeless, f"give each a floor in [tool.importlinter] of pyproject.toml: {sorted(homeless)}"


def test_no_package_lives_on_two_floors() -> None:
    """A package named twice would be allowed what either floor allows."""
    names = [name for floor in floors() for name in floor]
    assert len(names) == len(set(names))


def test_floors_that_exist_are_required() -> None:
    """Brackets mean "not yet"; once a package exists its floor may not vanish unnoticed."""
    bracketed = {
        name.strip(" ()")
        for floor in contracts()["floors"]["layers"]
        for name in floor.split("|")
        if "(" in name
    }
    assert not bracketed & packages(), "take the brackets off in pyproject.toml"


def test_purity_covers_every_package_below_the_ports() -> None:
    """The contract that bans async, sockets and clocks names its sources one by one; none may be left out."""
    assert sources("pure-below-ports") == below_ports()


def test_only_the_venue_may_name_randomness() -> None:
    """Randomness is banned below the ports; the venue names the type of the generator it is handed."""
    assert sources("no-randomness") == below_ports() - {"venue"}


@pytest.mark.parametrize(
    "package, forbidden",
    [
        ("sandbox", {"gridtide.exchanges", "gridtide.storage"}),
        ("dashboard", {"gridtide.exchanges"}),
        ("optimize", {"ccxt", "sqlalchemy"}),
        ("strategies", {"gridtide.price_path"}),
        ("risk", {"gridtide.price_path"}),
        ("engine", {"gridtide.price_path"}),
        ("venue", {"gridtide.strategies", "gridtide.risk"}),
    ],
)
def test_contracts_beside_the_floors_are_stated(package: str, forbidden: set[str]) -> None:
    """The linter refuses contracts about absent packages, so each is due on the day its package appears.

    They hold indirectly too: no contract here allows a chain of imports.
    """
    if package not in packages():
        pytest.skip(f"{package} does not exist yet")
    stated = [
        contract
        for contract in contracts().values()
        if contract["type"] == "forbidden" and f"gridtide.{package}" in contract["source_modules"]
    ]
    assert forbidden <= {module for contract in stated for module in contract["forbidden_modules"]}
    assert not any(contract.get("allow_indirect_imports") for contract in stated)


def test_config_may_see_nothing_but_the_domain() -> None:
    """Settings are values; a setting that needs an adapter to be read is in the wrong place."""
    stated = floors()
    lower = set().union(*stated[stated.index({"config"}) + 1 :]) & packages()
    named = contracts()["config-knows-domain-only"]["forbidden_modules"]
    assert {name.removeprefix("gridtide.") for name in named} == lower - {"domain"}
