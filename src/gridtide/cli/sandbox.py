"""`gridtide sandbox`: the exchange alone, for bots and programs of your own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gridtide.cli.exchange_snippets import Client
from gridtide.cli.options import (
    STATE_FOLDER,
    Json,
    Seed,
    Speed,
    StateFolder,
    a_port,
    not_negative,
    read_number,
)

Port = Annotated[
    int | None,
    Parameter(name="--port", validator=a_port, help="Port on this machine; without it any free one."),
]
Key = Annotated[
    list[str] | None,
    Parameter(
        name="--key",
        help="API key that opens the account; may repeat. Without one it is made up and printed.",
    ),
]
Secret = Annotated[
    list[str] | None,
    Parameter(
        name="--secret",
        help="Secret of each --key, in order. Other users of this machine can read a command line, which is fine for "
        "play money; else put it in SANDBOX__API_SECRET: the environment, .env or a file of that name in secrets/.",
    ),
]
Balance = Annotated[
    list[str] | None,
    Parameter(
        name="--balance",
        help="What the account starts with, such as USDT=100000; may repeat. Without any: enough of each asset.",
    ),
]
Markets = Annotated[
    list[str] | None,
    Parameter(
        name="--market",
        help="What is traded; may repeat. BTC/USDT is invented, BTC/USDT=60000 begins there, a file of candles, market "
        "trades or a recorded book is played, BTC/USDT=FILE where its name does not tell the market. Without any: "
        "BTC/USDT, ETH/USDT and BNB/USDT.",
    ),
]
Live = Annotated[
    str | None,
    Parameter(
        name="--live",
        help="Follow the public market data of this exchange, by its CCXT id: needs the network.",
    ),
]
ControlPort = Annotated[
    int | None,
    Parameter(
        name="--control-port",
        validator=a_port,
        help="Port of the control API (0: any free one); without it there is none. Its token is "
        "SANDBOX__CONTROL_TOKEN, or made up in the file control-token of the state folder.",
    ),
]
Faults = Annotated[
    Path | None, Parameter(name="--faults", help="A file of faults to inject (see docs/sandbox.md).")
]
FaultSeed = Annotated[
    int | None,
    Parameter(name="--fault-seed", validator=not_negative, help="Seed of the faults that happen by chance."),
]
FeeMaker = Annotated[
    Decimal | None,
    Parameter(name="--fee-maker", converter=read_number, help="Fee of an order that rested: 0.001 is 0.1 %."),
]
FeeTaker = Annotated[
    Decimal | None, Parameter(name="--fee-taker", converter=read_number, help="Fee of an order that took.")
]
FeeAsset = Annotated[
    str | None,
    Parameter(
        name="--fee-asset",
        help="Take fees in this asset while there is some (BNB: at a quarter off), else from what is received.",
    ),
]
UnlimitedOrders = Annotated[
    bool,
    Parameter(
        show_default=False,
        name="--unlimited-orders",
        help="No limits on orders, weights, requests and connections: to measure speed. exchangeInfo then says so.",
    ),
]
ExchangeInfo = Annotated[
    Path | None,
    Parameter(
        name="--exchange-info", help="A saved answer of exchangeInfo: the markets get the rules it has."
    ),
]
NoState = Annotated[
    bool,
    Parameter(show_default=False, name="--no-state", help="Keep nothing: every start is a new exchange."),
]
Show = Annotated[
    Client | None,
    Parameter(name="--show", help="Print a program to paste that points this client at the sandbox."),
]
ConfigFile = Annotated[
    Path | None,
    Parameter(name="--config", help="A config whose section sandbox says what the options leave open."),
]


def sandbox(
    *,
    port: Port = None,
    key: Key = None,
    secret: Secret = None,
    balance: Balance = None,
    market: Markets = None,
    speed: Speed = None,
    seed: Seed = None,
    live: Live = None,
    exchange_info: ExchangeInfo = None,
    fee_maker: FeeMaker = None,
    fee_taker: FeeTaker = None,
    fee_asset: FeeAsset = None,
    faults: Faults = None,
    fault_seed: FaultSeed = None,
    control_port: ControlPort = None,
    unlimited_orders: UnlimitedOrders = False,
    show: Show = None,
    config: ConfigFile = None,
    state_folder: StateFolder = STATE_FOLDER,
    no_state: NoState = False,
    json: Json = False,
) -> None:
    """Run the sandbox exchange alone, until Ctrl-C. It speaks Binance's spot protocol, on this machine only.

    It prints its addresses and a key, which work with any Binance client that lets you set the address; --show prints
    the lines to paste. Its accounts and its markets are kept in the state folder, and the next run with the same
    markets goes on from there.

    For example:
      gridtide sandbox --port 9100
      gridtide sandbox --port 9100 --key K --secret S --balance USDT=100000 --balance BTC=1 --market BTC/USDT
      gridtide sandbox --market ETH/USDT --speed 60 --show ccxt
    """
    from gridtide.cli.exchange_alone import serve_alone
    from gridtide.cli.exchange_options import Asked

    asked = Asked(
        config=config,
        port=port,
        keys=key or (),
        secrets=secret or (),
        balances=balance or (),
        markets=market or (),
        speed=speed,
        seed=seed,
        state_folder=state_folder,
        keeps_state=not no_state,
        control_port=control_port,
        faults=faults,
        fault_seed=fault_seed,
        fee_maker=fee_maker,
        fee_taker=fee_taker,
        fee_asset=fee_asset,
        unlimited_orders=unlimited_orders,
        exchange_info=exchange_info,
        live=live,
        show=show,
    )
    serve_alone(asked, as_json=json)
