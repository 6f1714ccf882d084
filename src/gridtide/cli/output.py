"""How commands print: text for people, one JSON object for machines. Money goes out as text, never as a float."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from gridtide.domain.money import plain
from gridtide.telemetry.console import without_control
from gridtide.telemetry.redaction import SECRETS

_WRAPPING: dict[str, Any] = {
    "subsequent_indent": "  ",
    "break_on_hyphens": False,
    "drop_whitespace": True,
    "replace_whitespace": False,
}


def say(text: str = "") -> None:
    """Lines for the person, without secrets and without control characters; on a terminal none is cut in a word."""
    lines = SECRETS.text(without_control(text)).split("\n")
    if sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        lines = [part for line in lines for part in textwrap.wrap(line, columns, **_WRAPPING) or [""]]
    print("\n".join(lines))


def warn(text: str) -> None:
    """A line on stderr: it does not get into what a machine reads."""
    print(SECRETS.text(without_control(text)), file=sys.stderr)


def print_json(values: Mapping[str, Any]) -> None:
    """One object on one line, there at once: whoever reads `gridtide sandbox --json` waits for it."""
    print(json.dumps(values, default=_as_json), flush=True)


def table(rows: list[tuple[str, str]]) -> str:
    """Names and values under each other."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _as_json(value: object) -> object:
    match value:
        case Decimal():
            return plain(value)
        case Enum():
            return value.value
        case _:
            return str(value)
