"""A log in a temporary folder, closed and undone after each test."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtide.telemetry.logs import Logs, configure_logging
from gridtide.telemetry.redaction import Redactor


class Written:
    """A log, what it wrote to its file, and what it showed on the terminal."""

    def __init__(self, path: Path, secrets: tuple[str, ...] = ()) -> None:
        self.path = path
        self.terminal = io.StringIO()
        self.logs: Logs = configure_logging(
            file=path,
            level="debug",
            console=self.terminal,
            console_level="debug",
            secrets=secrets,
            redactor=Redactor(),
        )

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    def everything(self) -> str:
        return self.text() + self.terminal.getvalue()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    log = Written(tmp_path / "folder" / "gridtide.log")
    yield log
    log.logs.close()
