"""`gridtide export`: what a bot traded, from its books, as CSV or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gridtide.cli.options import STATE_FOLDER, BotName, ConfigOption, StateFolder

What = Annotated[
    Literal["fills", "lots"],
    Parameter(
        name="WHAT", help="fills: every execution. lots: what was bought, and what each sale of it brought."
    ),
]
Database = Annotated[
    str | None,
    Parameter(
        name="--database",
        help="The address of the database, such as sqlite:///gridtide.db. Without it: that of the config.",
    ),
]
Csv = Annotated[
    Path | None, Parameter(name="--csv", help="Write CSV into this file. Without it: onto the screen.")
]
AsJson = Annotated[
    bool, Parameter(show_default=False, name="--json", help="Print one JSON object instead of CSV.")
]


def export(
    what: What,
    /,
    *,
    config: ConfigOption = None,
    database: Database = None,
    bot: BotName = None,
    state_folder: StateFolder = STATE_FOLDER,
    csv: Csv = None,
    json: AsJson = False,
) -> None:
    """Give every fill of a bot, or every lot, with its level, fee and profit, exact to the last digit.

    It only reads, and a bot may run meanwhile. Without --config and --database it takes what ran last in the folder.
    Each start of a bot that did not go on with the one before is a generation of its own.

    For example:
      gridtide export fills --csv fills.csv
      gridtide export lots --config my-grid.yaml --json
      gridtide export fills --database sqlite:///gridtide.db --bot btc-grid
    """
    from gridtide.cli import exporting
    from gridtide.cli.output import print_json, warn
    from gridtide.domain.errors import InvalidInput
    from gridtide.reports.csv_files import csv_text
    from gridtide.reports.whole_file import write_whole

    if csv is not None and json:
        raise InvalidInput("--csv writes a file and --json prints: give one of them")
    table = exporting.exported(what, exporting.source_of(config, database, bot, state_folder))
    if json:
        print_json({what: list(table)})
    elif csv is not None:
        write_whole(csv, csv_text(table).encode())
        warn(f"written: {csv} ({len(table)} {what})")
    else:
        print(csv_text(table), end="")
