"""The commands. Each has a file of its own, which imports nothing heavy before it is called."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from cyclopts import App, Parameter

from gridtide import __version__
from gridtide.cli.backtest import backtest
from gridtide.cli.check import check
from gridtide.cli.doctor import doctor
from gridtide.cli.download import download
from gridtide.cli.export import export
from gridtide.cli.init import init
from gridtide.cli.optimize import optimize
from gridtide.cli.order import order
from gridtide.cli.pause import pause
from gridtide.cli.plan import plan
from gridtide.cli.rebuild import rebuild
from gridtide.cli.reports import report
from gridtide.cli.resume import resume
from gridtide.cli.run import run
from gridtide.cli.sandbox import sandbox
from gridtide.cli.simulate import simulate
from gridtide.cli.status import status
from gridtide.cli.stop import stop
from gridtide.cli.suggest import suggest
from gridtide.cli.walk_forward import walk_forward

HELP = """\
Trade a grid of limit orders on a spot market, and know to the last unit what it earned.

"gridtide run" alone trades on an exchange on your own machine, with play money: nothing to configure, nothing to lose.
"""
EPILOGUE = (
    "Add --debug to any command for the traceback of an error. Exit codes: 0 done, 1 failed, 2 something to change, "
    "130 interrupted before anything was started."
)
COMMANDS: dict[str, Callable[..., Any]] = {
    "run": run,
    "init": init,
    "check": check,
    "plan": plan,
    "status": status,
    "pause": pause,
    "resume": resume,
    "stop": stop,
    "order": order,
    "doctor": doctor,
    "rebuild": rebuild,
    "sandbox": sandbox,
    "simulate": simulate,
    "download": download,
    "report": report,
    "export": export,
    "backtest": backtest,
    "optimize": optimize,
    "walk-forward": walk_forward,
    "suggest": suggest,
}


def make_app() -> App:
    """The command line."""
    app = App(
        name="gridtide",
        help=HELP,
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version=__version__,
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
    )
    for position, (name, command) in enumerate(COMMANDS.items()):
        app.command(command, name=name, sort_key=position, help=flowing(inspect.getdoc(command) or ""))
    return app


def flowing(text: str) -> str:
    """A docstring with each paragraph on one line, so that it fills any terminal; indented lines stay as they are."""
    return re.sub(r"(?<=\S)\n(?=[^\s])", " ", text)
