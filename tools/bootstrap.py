"""Set up .venv from the hash-pinned requirements with nothing but python3 and pip.

Only the standard library is used, because nothing else is installed yet. What is not in the requirements
files is never installed: no package resolves its own dependencies, none is built from source, every file
must match its hash.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
UV = SCRIPTS / ("uv.exe" if os.name == "nt" else "uv")
LOCKED = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
PIP: list[str | Path] = [
    sys.executable,
    "-m",
    "pip",
    "--disable-pip-version-check",
    "--python",
    PYTHON,
    "install",
    "-q",
    *LOCKED,
]


def run(*command: str | Path, env: dict[str, str] | None = None) -> bool:
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode == 0


def uv_environment() -> dict[str, str]:
    """uv reads none of pip's settings, so an index configured for pip is passed on; no file names it."""
    env = dict(os.environ)
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    index = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    index = os.environ.get("PIP_INDEX_URL", index)
    if index:
        env.setdefault("UV_DEFAULT_INDEX", index)
    return env


def install(requirements: str) -> bool:
    env = uv_environment()
    locked = ["-r", f"requirements/{requirements}.txt"]
    if not run(*PIP, "-r", "requirements/tools.txt"):
        return False
    if not run(UV, "pip", "install", "-q", "--python", PYTHON, *LOCKED, *locked, env=env):
        print("uv could not install; trying plain pip (slower, same hashes)", flush=True)
        if not run(*PIP, *locked):
            return False
    # Offline and without isolation: an isolated build would fetch build requirements that no hash pins.
    editable = ["--no-deps", "--no-build-isolation", "--offline", "-e", "."]
    return run(UV, "pip", "install", "-q", "--python", PYTHON, *editable, env=env)


def main(requirements: str) -> int:
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        found = sys.version.split()[0]
        print(f"gridtide needs Python 3.11 to 3.13; this is {found}. Try: make setup PY=python3.13")
        return 1
    started = time.monotonic()
    if not PYTHON.exists():
        venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(ENVIRONMENT)
    if not install(requirements):
        print(f"Setting up .venv ({requirements}) failed: see above. Nothing outside .venv was changed.")
        return 1
    print(f"environment ready ({requirements}): {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "dev"))
