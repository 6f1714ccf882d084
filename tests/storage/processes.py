"""Real processes for tests that kill them or let them race."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def python(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m tests.storage.<module>`, killed at the end if it still runs."""
    command = [sys.executable, "-m", f"tests.storage.{module}", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def say(text: str) -> None:
    """What the processes tell the test that started them."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def line(process: subprocess.Popen[str]) -> str:
    """The next line it says; its errors where it says nothing more."""
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.readline().strip() or process.stderr.read()


def go(process: subprocess.Popen[str]) -> None:
    """Let it pass its next wait."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
