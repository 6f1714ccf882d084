"""`gridtide run`: trade until told to stop."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from gridtide.cli import leaving_at_once
from gridtide.cli.options import (
    STATE_FOLDER,
    BotName,
    Cancel,
    Config,
    Json,
    KeepOrders,
    Liquidate,
    Market,
    Seed,
    Speed,
    StateFolder,
    Yes,
)

For = Annotated[str | None, Parameter(name="--for", help="End by itself after this time: 60s, 10m, 1h30m.")]
Quiet = Annotated[
    bool, Parameter(name="--quiet", help="No live view; only the report at the end.", show_default=False)
]


def run(
    config: Config = None,
    /,
    *,
    market: Market = None,
    speed: Speed = None,
    seed: Seed = None,
    for_: For = None,
    bot: BotName = None,
    keep_orders: KeepOrders = False,
    cancel: Cancel = False,
    liquidate: Liquidate = False,
    state_folder: StateFolder = STATE_FOLDER,
    quiet: Quiet = False,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Trade a grid until you stop it with Ctrl-C, or until the time of --for is over.

    Without a config it starts an exchange on this machine, with play money and an invented market, and trades a
    grid of 41 levels, 10 % around the price, with 75 % of the account. Nothing leaves this machine.

    A bot that ran before goes on with the grid and the orders it has. When it stops, its orders stay in the book
    unless you say --cancel or --liquidate.

    For example:
      gridtide run
      gridtide run --market BTCUSDT-1m-2021.parquet --speed 600 --for 10m
      gridtide run my-grid.yaml
    """
    with leaving_at_once():
        from gridtide.cli.durations import parse_duration
        from gridtide.cli.embedded import Play
        from gridtide.cli.launch import Manner, chosen_policy, launch
        from gridtide.cli.world import Wish

    return launch(
        Wish(config, bot, state_folder, Play(market, speed, seed)),
        Manner(json, quiet, yes),
        seconds=parse_duration(for_) if for_ is not None else None,
        policy=chosen_policy(keep_orders=keep_orders, cancel=cancel, liquidate=liquidate),
    )
