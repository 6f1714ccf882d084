"""`gridtide init`: a config, written after a few questions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gridtide.cli.options import Json, Yes, read_number


def init(
    file: Annotated[Path, Parameter(help="The file to write.")] = Path("gridtide.yaml"),
    /,
    *,
    mode: Annotated[
        Literal["sandbox", "testnet", "live"] | None,
        Parameter(help="sandbox and testnet trade play money, live trades yours."),
    ] = None,
    market: Annotated[str | None, Parameter(help="The spot market: BTC/USDT.")] = None,
    lower_price: Annotated[
        Decimal | None, Parameter(converter=read_number, help="The lowest level of the grid.")
    ] = None,
    upper_price: Annotated[
        Decimal | None, Parameter(converter=read_number, help="The highest level of the grid.")
    ] = None,
    num_grids: Annotated[int | None, Parameter(help="How many price levels, both bounds included.")] = None,
    total_investment: Annotated[
        Decimal | None, Parameter(converter=read_number, help="How much the grid may use, in quote.")
    ] = None,
    force: Annotated[bool, Parameter(help="Write over a file that is there.", show_default=False)] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Ask a few questions and write a config in which every setting is explained.

    Give the answers as options to skip their questions; with --yes nothing is asked, and what is not given takes
    its default. Keys are never asked for and never written: see the section exchange of the file.

    For example:
      gridtide init
      gridtide init my-grid.yaml --lower-price 45000 --upper-price 55000 --total-investment 1000 --yes
    """
    from gridtide.cli.dialogue import Given, write_config

    given = Given(mode, market, lower_price, upper_price, num_grids, total_investment)
    write_config(file, given, force=force, yes=yes, as_json=json)
