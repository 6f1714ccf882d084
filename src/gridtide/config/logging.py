"""What is written to the log file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gridtide.config.values import Section


class LoggingSettings(Section):
    """The log: one JSON object a line, capped in size, secrets removed."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages to keep."""

    file: Path | None = None
    """The log file. Left out: gridtide.log in the state folder."""

    max_bytes: Annotated[int, Field(ge=100_000)] = 10_000_000
    """Size at which a new file is begun."""

    backups: Annotated[int, Field(ge=0, le=100)] = 5
    """How many old files are kept."""
