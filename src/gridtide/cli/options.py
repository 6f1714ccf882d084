"""Options that several commands share, each explained once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

STATE_FOLDER = Path(".gridtide")

Config = Annotated[
    Path | None,
    Parameter(help="The config file. Without one: the sandbox on your own machine and a default grid."),
]
ConfigOption = Annotated[
    Path | None,
    Parameter(name="--config", help="The config file that says which exchange. Without one: the sandbox."),
]
Json = Annotated[
    bool,
    Parameter(show_default=False, name="--json", help="Print one JSON object at the end, and nothing else."),
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
    Parameter(name="--speed", help="How fast the sandbox plays its market: 60 plays an hour in a minute."),
]
Seed = Annotated[
    int | None, Parameter(name="--seed", help="Seed of the synthetic market: same seed, same market.")
]
