"""Options that several commands share, each explained once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import parse_decimal

STATE_FOLDER = Path(".gridtide")
MAX_PORT = 65_535


def read_number(_: object, tokens: Sequence[Token]) -> Decimal:
    """An exact, finite decimal; `abc`, `nan` and `inf` become a sentence."""
    try:
        return parse_decimal(tokens[0].value)
    except InvalidValue:
        raise ValueError(f"{tokens[0].value} is not a number") from None


def not_negative(_: object, value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{value} is below zero")


def at_least_one(_: object, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{value} is below one")


def a_port(_: object, value: int | None) -> None:
    if value is not None and not 0 <= value <= MAX_PORT:
        raise ValueError(f"{value} is no port: it must be from 0 to {MAX_PORT}")


Config = Annotated[
    Path | None,
    Parameter(help="The config file. Without one: the sandbox on your own machine and a default grid."),
]
ConfigOption = Annotated[
    Path | None,
    Parameter(
        name="--config",
        help="The config file that says which exchange. Without one: what ran last in the folder, or the sandbox.",
    ),
]
Json = Annotated[
    bool,
    Parameter(show_default=False, name="--json", help="Print one JSON object at the end, and nothing else."),
]
From = Annotated[
    str | None, Parameter(name="--from", help="The first day, such as 2021-01-01, or a time; UTC.")
]
To = Annotated[
    str | None,
    Parameter(name="--to", help="The day or time before which it ends; UTC. Without it: all there is."),
]
StateFolder = Annotated[
    Path,
    Parameter(
        name="--state-folder",
        help="Where a run keeps its log, its socket and the sandbox's state. One bot, one folder.",
    ),
]
BotName = Annotated[
    str | None, Parameter(name="--bot", help="Which bot of the config, where it has several.")
]
Yes = Annotated[
    bool, Parameter(show_default=False, name="--yes", help="Do not ask; needed where nobody can answer.")
]
Cancel = Annotated[
    bool, Parameter(show_default=False, name="--cancel", help="When stopping, cancel all orders of the bot.")
]
Liquidate = Annotated[
    bool,
    Parameter(
        show_default=False, name="--liquidate", help="When stopping, cancel all orders and sell the base."
    ),
]
KeepOrders = Annotated[
    bool,
    Parameter(
        show_default=False,
        name="--keep-orders",
        help="When stopping, leave the orders in the book, whatever the config says.",
    ),
]
Market = Annotated[
    str | None,
    Parameter(
        name="--market",
        help="What the sandbox plays: a file of candles or market trades (Parquet or CSV), or a market such as "
        "ETH/USDT for a synthetic one.",
    ),
]
Speed = Annotated[
    Decimal | None,
    Parameter(
        name="--speed",
        converter=read_number,
        help="How fast the sandbox plays its market: 60 plays an hour in a minute.",
    ),
]
Seed = Annotated[
    int | None,
    Parameter(
        name="--seed", validator=not_negative, help="Seed of the synthetic market: same seed, same market."
    ),
]
