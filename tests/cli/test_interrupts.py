"""Ctrl-C before anything began ends the program in a sentence, wherever it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys
from importlib.abc import MetaPathFinder
from gridtide.cli import main

class Impatient(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
sys.exit(main(["run", "--for", "1s"]))
"""


@pytest.mark.parametrize(
    "module",
    ["gridtide.cli.app", "cyclopts", "gridtide.cli.launch", "pydantic_core", "gridtide.sandbox.process"],
)
def test_an_interrupt_amid_the_imports_is_quiet(tmp_path: Path, module: str) -> None:
    """Exit code 130 and one line; no traceback, nothing on the disk."""
    command = [sys.executable, "-c", PROGRAM, module]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "gridtide: interrupted; nothing was started\n"
    assert not list(tmp_path.iterdir())
