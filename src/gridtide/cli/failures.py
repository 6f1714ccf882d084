"""What a person reads when something goes wrong: one sentence, an exit code, and no traceback unless asked for.

Exit codes: 2 the person has to change something, 1 anything else, 130 Ctrl-C before anything was started.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback

from cyclopts import CycloptsError, UnusedCliTokensError

from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.telemetry.console import without_control
from gridtide.telemetry.redaction import SECRETS

INPUT_IS_WRONG = 2
FAILED = 1
INTERRUPTED = 130


def report_failure(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Tell `error` on stderr (and as an object on stdout with `--json`) and return the exit code."""
    sentence = SECRETS.text(without_control(_sentence(error)))
    with contextlib.suppress(OSError):  # nobody is there to read it: the terminal was closed
        if as_json:
            print(json.dumps({"error": sentence, "kind": type(error).__name__}), flush=True)
        if debug:
            print(SECRETS.text("".join(traceback.format_exception(error))), file=sys.stderr, end="")
        print(f"gridtide: {sentence}", file=sys.stderr, flush=True)
    return _exit_code(error)


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return INPUT_IS_WRONG if isinstance(error, InvalidInput | CycloptsError) else FAILED


def _wrong_words(error: CycloptsError) -> str:
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"There is no place for {' '.join(error.unused_tokens)}."
    text = f"{error}".strip()
    return text if text.endswith((".", "?", "...")) else f"{text}."


def _sentence(error: BaseException) -> str:
    match error:
        case KeyboardInterrupt():
            return "interrupted; nothing was started"
        case CycloptsError():
            words = " ".join(["gridtide", *(error.command_chain or ())])
            return f"{_wrong_words(error)} See `{words} --help`."
        case GridtideError():
            return str(error)
        case OSError() if error.filename:
            return f"{error.filename}: {error.strerror or error}"
        case _:
            return (
                f"a mistake inside gridtide ({type(error).__name__}: {error}); orders that rest stay as they are. "
                "Run again with --debug for the details"
            )
