"""The commands and how they are found. Each lives in a file of its own, imported when it is called or explained."""

from __future__ import annotations

from cyclopts import App, Parameter

from gridtide import __version__

HELP = """\
Trade a grid of limit orders on a spot market, and know to the last unit what it earned.

`gridtide run` alone trades on an exchange on your own machine, with play money: nothing to configure, nothing to lose.
"""
EPILOGUE = (
    "Add --debug to any command for the traceback of an error. Exit codes: 0 done, 1 failed, 2 something to change, "
    "130 interrupted before anything was started."
)
COMMANDS = {
    "run": "gridtide.cli.run:run",
    "init": "gridtide.cli.init:init",
    "check": "gridtide.cli.check:check",
    "plan": "gridtide.cli.plan:plan",
    "status": "gridtide.cli.status:status",
    "pause": "gridtide.cli.pause:pause",
    "resume": "gridtide.cli.resume:resume",
    "stop": "gridtide.cli.stop:stop",
    "order": "gridtide.cli.order:order",
    "sandbox": "gridtide.cli.sandbox:sandbox",
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
        sort_key=None,
    )
    for position, (name, place) in enumerate(COMMANDS.items()):
        app.command(place, name=name, sort_key=position)
    return app
