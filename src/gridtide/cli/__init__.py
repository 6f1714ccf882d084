"""The command line, one file a command."""

import sys

from gridtide import __version__


def main() -> int:
    """A stand-in until the commands exist: it knows `--version` only."""
    if sys.argv[1:] == ["--version"]:
        print(__version__)
        return 0
    print("The commands of gridtide are still being built; only --version works so far.", file=sys.stderr)
    return 2
