"""Sets logging up, once a process: structlog for us, the standard library's for everybody else, one pipeline behind."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TextIO

import structlog

from gridtide.telemetry import events
from gridtide.telemetry.pipeline import LEVELS, Pipeline, StandardLogHandler
from gridtide.telemetry.rate_limit import RateLimit
from gridtide.telemetry.redaction import SECRETS, Redactor
from gridtide.telemetry.rotating_file import RotatingFile

QUIET_LIBRARIES = (
    "aiohttp", "aiosqlite", "alembic", "asyncio", "ccxt", "httpx", "keyring", "sqlalchemy", "stamina", "urllib3",
)  # fmt: skip
"""Loggers that tell too much below WARNING: addresses with signatures, bodies, keys."""


class Logs:
    """The logging of this process. Close it at the end; what it replaced comes back."""

    def __init__(self, pipeline: Pipeline, file: RotatingFile | None, level: str) -> None:
        self.pipeline = pipeline
        self.file = file
        self._handler = StandardLogHandler(pipeline)
        self._root = logging.getLogger()
        self._before = (
            self._root.level,
            list(self._root.handlers),
            {n: logging.getLogger(n).level for n in QUIET_LIBRARIES},
        )
        self._hooks = (threading.excepthook, sys.unraisablehook)
        self._install(LEVELS[level])

    def close(self) -> None:
        """Write what is still to be said and put everything back."""
        self.pipeline.close()
        structlog.reset_defaults()
        level, handlers, library_levels = self._before
        self._root.setLevel(level)
        self._root.handlers[:] = handlers
        for name, library_level in library_levels.items():
            logging.getLogger(name).setLevel(library_level)
        threading.excepthook, sys.unraisablehook = self._hooks
        logging.captureWarnings(False)

    def _install(self, level: int) -> None:
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, self._from_structlog],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            cache_logger_on_first_use=False,
        )
        self._root.handlers[:] = [self._handler]
        self._root.setLevel(level)
        for name in QUIET_LIBRARIES:
            logging.getLogger(name).setLevel(max(level, logging.WARNING))
        logging.captureWarnings(True)
        threading.excepthook = self._thread_failed
        sys.unraisablehook = self._unraisable

    def _from_structlog(self, _logger: Any, method: str, entry: structlog.typing.EventDict) -> NoReturn:
        values = dict(entry)
        event = str(values.pop("event", ""))
        if method == "exception":
            method = "error"
            values.setdefault("exc_info", True)
        self.pipeline.write(method, event, values)
        raise structlog.DropEvent

    def _thread_failed(self, args: threading.ExceptHookArgs) -> None:
        where = args.thread.name if args.thread else ""
        self.pipeline.write("error", events.UNCAUGHT, {"thread": where, "exc_info": args.exc_value})

    def _unraisable(self, args: Any) -> None:
        self.pipeline.write("error", events.UNCAUGHT, {"what": args.err_msg, "exc_info": args.exc_value})


def configure_logging(
    *,
    file: Path | None,
    level: str = "info",
    max_bytes: int = 10_000_000,
    backups: int = 5,
    console: TextIO | None = None,
    console_level: str = "warning",
    secrets: Iterable[str] = (),
    redactor: Redactor = SECRETS,
    limit: RateLimit | None = None,
) -> Logs:
    """Log to `file` (none: nowhere) and to `console` (none: nowhere), without `secrets`.

    Never raises for a file that cannot be written: trading goes on without a log, and `Logs.file.lost` counts.
    """
    redactor.register(*secrets)
    rotating = RotatingFile(file, max_bytes, backups) if file is not None else None
    pipeline = Pipeline(redactor, limit or RateLimit(), rotating, console, console_level)
    return Logs(pipeline, rotating, level)


def get_logger(**values: Any) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines all carry `values`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(**values)
    return logger
