"""`gridtide sandbox`: the exchange alone, for bots and programs of your own."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from gridtide.cli.options import STATE_FOLDER, ConfigOption, Json, Market, Seed, Speed, StateFolder, a_port

Port = Annotated[
    int | None,
    Parameter(name="--port", validator=a_port, help="Port on this machine; without it any free one."),
]


def sandbox(
    *,
    market: Market = None,
    speed: Speed = None,
    seed: Seed = None,
    port: Port = None,
    config: ConfigOption = None,
    state_folder: StateFolder = STATE_FOLDER,
    json: Json = False,
) -> None:
    """Run the sandbox exchange alone, until Ctrl-C. It speaks Binance's spot protocol, on this machine only.

    It prints its address and a key; both work with any Binance client that lets you set the address. Its account
    and its market are kept in the state folder, and the next run goes on from there.

    For example:
      gridtide sandbox --port 9100
      gridtide sandbox --market ETH/USDT --speed 60
    """
    import asyncio

    from gridtide.cli.embedded import Play
    from gridtide.cli.exchange_alone import serve_alone
    from gridtide.cli.world import Wish

    wish = Wish(config, None, state_folder, Play(market, speed, seed, port))
    asyncio.run(serve_alone(wish, as_json=json))
