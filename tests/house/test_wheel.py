"""What people install is the wheel, so the wheel is built and run, away from the source tree."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.files import PACKAGE, ROOT


def output_of(*command: str | Path, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    output_of(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Migrations, the type marker and data files travel with the code."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "gridtide/py.typed" in expected
    assert expected <= inside, sorted(expected - inside)


def test_installed_wheel_runs(wheel: Path, tmp_path: Path) -> None:
    """Installed alone in a fresh environment that borrows our dependencies, `gridtide --version` answers."""
    environment = tmp_path / "environment"
    venv.EnvBuilder(with_pip=False).create(environment)
    python = environment / "bin" / "python"
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    install = ["pip", "install", "-q", "--offline", "--no-deps", "--no-index", "--no-cache"]
    output_of(uv, *install, "--python", python, wheel, cwd=tmp_path)
    own = Path(
        output_of(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path)
    )
    # A folder named in a .pth file is searched, but its own .pth files, our editable install among them,
    # are not read.
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert output_of(environment / "bin" / "gridtide", "--version", cwd=tmp_path).endswith(version)
    found = output_of(python, "-c", "import gridtide; print(gridtide.__file__)", cwd=tmp_path)
    assert Path(found).is_relative_to(environment)


def test_importing_gridtide_is_cheap() -> None:
    """A sweep worker pays for neither ccxt nor SQLAlchemy: `import gridtide` loads no third-party package."""
    script = "import sys; before = set(sys.modules); import gridtide; print(*(set(sys.modules) - before))"
    loaded = output_of(sys.executable, "-c", script, cwd=ROOT).split()
    assert {"ccxt", "sqlalchemy", "aiohttp", "numpy", "pydantic", "duckdb"}.isdisjoint(loaded)
