"""One log line for a person: time, level, event, values. Control characters of strangers never reach the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OWN_COLUMNS = ("timestamp", "level", "event", "exception")


def console_line(entry: Mapping[str, Any]) -> str:
    """The entry as text, with a traceback below it where there is one; without a newline at its end."""
    time = str(entry.get("timestamp", ""))[11:19]
    values = "  ".join(f"{key}={_shown(value)}" for key, value in entry.items() if key not in _OWN_COLUMNS)
    line = f"{time} {entry.get('level', ''):<8} {entry.get('event', '')}"
    if values:
        line += f"  {values}"
    if exception := entry.get("exception"):
        line += f"\n{exception}"
    return without_control(line)


def without_control(text: str) -> str:
    """`text` that cannot move the cursor, change colours or ring the bell."""
    return _CONTROL.sub("?", text)


def _shown(value: Any) -> str:
    text = str(value)
    return text.replace("\n", " ") if " " not in text else repr(text)
