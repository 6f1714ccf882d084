"""`gridtide suggest`: ranges and counts for a market and a capital, from its past, with the verdict on them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gridtide.cli.backtest import DataFolder
from gridtide.cli.optimize_options import Data, RandomSeed
from gridtide.cli.options import From, Json, To, at_least_one, read_number

MarketArgument = Annotated[str, Parameter(name="MARKET", help="The market, such as BTC/USDT.")]
Capital = Annotated[
    Decimal,
    Parameter(
        name="--capital",
        converter=read_number,
        help="What you want to put in, in quote. A grid gets 75 % of it, the rest stays as reserve.",
    ),
]
Days = Annotated[
    int | None,
    Parameter(
        name="--days",
        validator=at_least_one,
        help="How much of the past to look at, where no --from is given. Without it: a year, or all of --data.",
    ),
]
Timeframe = Annotated[
    str, Parameter(name="--timeframe", help="Candles to download where no --data is given.")
]
Trials = Annotated[
    int,
    Parameter(
        name="--trials", validator=at_least_one, help="Grids to try in each window, and over all data."
    ),
]
Exchange = Annotated[str, Parameter(name="--exchange", help="The exchange by its CCXT id.")]
Write = Annotated[
    Path | None,
    Parameter(
        name="--write", help="The config to write. Without it: suggested-btc-usdt.yaml, after the market."
    ),
]
Force = Annotated[
    bool, Parameter(name="--force", show_default=False, help="Write over a file that is there.")
]


def suggest(
    market: MarketArgument,
    /,
    *,
    capital: Capital,
    data: Data = None,
    from_: From = None,
    to: To = None,
    days: Days = None,
    timeframe: Timeframe = "15m",
    trials: Trials = 1000,
    seed: RandomSeed = 1,
    exchange: Exchange = "binance",
    data_folder: DataFolder = None,
    write: Write = None,
    force: Force = False,
    json: Json = False,
) -> int:
    """Propose a grid for a market and a capital: what its past would have made of thousands of them.

    It fetches candles of the past (no key is needed), searches ranges and counts with a walk-forward, shows the best
    narrow, middle and wide grid with the chance that price leaves it, and writes a config of the first one. Nothing is
    traded. Read the verdict first: it says how much of the choice is luck.

    For example:
      gridtide suggest BTC/USDT --capital 1000
      gridtide suggest ETH/USDT --capital 500 --data ETHUSDT-1h.parquet --write eth.yaml
    """
    from gridtide.cli import suggesting

    wish = suggesting.wish_for(market, capital, trials, seed, exchange)
    place = suggesting.place_for(market, write, force=force)
    loaded = suggesting.data_for(wish, data, from_, to, days, timeframe, data_folder, quiet=json)
    return suggesting.suggest_and_show(wish, loaded, place, json=json)
