"""The last step of every log line, whichever way it came: limited, plain, redacted, written. It never raises."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import orjson

from gridtide.telemetry import events
from gridtide.telemetry.console import console_line

if TYPE_CHECKING:
    from gridtide.telemetry.rate_limit import RateLimit
    from gridtide.telemetry.redaction import Redactor
    from gridtide.telemetry.rotating_file import RotatingFile

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class Pipeline:
    """Writes entries as JSON lines to `file` and, from `console_level` on, readable to `console`."""

    def __init__(
        self,
        redactor: Redactor,
        limit: RateLimit,
        file: RotatingFile | None,
        console: TextIO | None,
        console_level: str,
    ) -> None:
        self._redactor = redactor
        self._limit = limit
        self._file = file
        self._console = console
        self._console_level = LEVELS[console_level]
        self.failures = 0

    def write(self, level: str, event: str, values: Mapping[str, Any], kind: str = "") -> None:
        """Write one entry. `kind` is what the rate limit counts by; the event's name unless said otherwise."""
        try:
            left_out = self._limit.admit(kind or event)
            if left_out is not None:
                more = {"left_out": left_out} if left_out else {}
                self._write(level, event, {**values, **more})
        except Exception:  # a log line that cannot be written is never a reason to stop trading (F61)
            self.failures += 1

    def close(self) -> None:
        """Say what was left out, and close the file."""
        for kind, count in self._limit.left_out():
            self.write(
                "warning", events.LINES_LEFT_OUT, {"kind": kind, "count": count}, kind=f"{kind} left out"
            )
        if self._file is not None:
            self._file.close()

    def _write(self, level: str, event: str, values: Mapping[str, Any]) -> None:
        entry = self._entry(level, event, values)
        if self._file is not None:
            line = orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
            self._file.write(self._redactor.known(line).encode() + b"\n")
        if self._console is not None and LEVELS.get(level, 50) >= self._console_level:
            self._console.write(self._redactor.known(console_line(entry)) + "\n")
            self._console.flush()

    def _entry(self, level: str, event: str, values: Mapping[str, Any]) -> dict[str, Any]:
        rest = dict(values)
        exception = _traceback(rest.pop("exc_info", None))
        entry = {"timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level}
        entry["event"] = self._redactor.value(event)
        entry |= self._redactor.value(rest)
        if exception:
            entry["exception"] = self._redactor.value(exception)
        return entry


class StandardLogHandler(logging.Handler):
    """Brings what libraries log into the pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._pipeline = pipeline

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # a library's format string that does not fit its values
            text = str(record.msg)
        values = {"logger": record.name, "exc_info": record.exc_info}
        # Counted by logger: the texts of libraries are endlessly many.
        self._pipeline.write(record.levelname.lower(), text, values, kind=record.name)


def _traceback(exc_info: Any) -> str:
    """The traceback as text, without local variables: those hold keys and signatures."""
    match exc_info:
        case BaseException():
            error: BaseException | None = exc_info
        case (_, BaseException() as error, _):
            pass
        case _ if exc_info:
            error = sys.exc_info()[1]
        case _:
            return ""
    return "".join(traceback.format_exception(error)).rstrip() if error is not None else ""
