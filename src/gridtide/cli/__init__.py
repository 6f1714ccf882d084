"""The command line, one file a command. What is heavy is imported inside the commands: `--help` must be quick.

This file itself imports next to nothing: until it minds Ctrl-C, that is a traceback.
"""

from __future__ import annotations

import os
import sys
from _signal import SIGINT, signal  # type: ignore[import-not-found]  # what `signal` wraps, there without loading more

TYPE_CHECKING = False  # without `typing`
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Nothing but `--debug` shows a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if given == ["--version"]:
        from gridtide import __version__

        print(__version__)
        return 0
    try:
        with leaving_at_once():
            from gridtide.cli.app import make_app
        result = make_app()(given, print_error=False, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output went away (`| head`): nothing to tell, and nothing left to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as error:
        from gridtide.cli.failures import report_failure

        return report_failure(error, as_json="--json" in given, debug=debug)
    return result if isinstance(result, int) else 0


class leaving_at_once:
    """While a program only gets ready, Ctrl-C ends the process then and there.

    A KeyboardInterrupt amid the imports is a traceback of other people's code, and compiled modules may crash on it.
    """

    def __enter__(self) -> None:
        try:
            self._before = signal(SIGINT, _leave)
        except ValueError:  # not the main thread: whoever called us minds the signals
            self._before = None

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal(SIGINT, self._before)


def _leave(_number: int, _frame: object) -> NoReturn:
    try:
        os.write(2, b"gridtide: interrupted; nothing was started\n")
    finally:
        os._exit(130)
