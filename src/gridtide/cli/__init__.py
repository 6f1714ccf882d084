"""The command line, one file a command. What is heavy is imported inside the commands: `--help` must be quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Nothing but `--debug` shows a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if given == ["--version"]:
        from gridtide import __version__

        print(__version__)
        return 0
    from gridtide.cli.app import make_app

    try:
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
