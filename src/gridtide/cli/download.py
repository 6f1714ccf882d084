"""`gridtide download`: a market's past, for backtests; what is there already is not asked for again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from gridtide.cli.failures import FAILED, INTERRUPTED
from gridtide.cli.options import From, Json, To

MarketArgument = Annotated[str | None, Parameter(name="MARKET", help="The market, such as BTC/USDT.")]
Timeframe = Annotated[str, Parameter(name="--timeframe", help="The length of a candle: 1m, 15m, 1h, 1d …")]
Trades = Annotated[
    bool, Parameter(name="--trades", show_default=False, help="Market trades instead of candles.")
]
FromArchive = Annotated[
    bool,
    Parameter(
        name="--from-archive",
        show_default=False,
        help="From the exchange's public bulk archive first (binance only): far fewer requests for long times.",
    ),
]
Gaps = Annotated[
    Literal["keep", "repair", "refuse"] | None,
    Parameter(
        name="--gaps",
        help="What becomes of gaps in the candles: named and kept, repaired from the archive and from market trades, "
        "or refused. Without it: as the config says, else keep.",
    ),
]
DataFolder = Annotated[
    Path | None,
    Parameter(name="--data-folder", help="Where the data are kept. Without it: as the config says."),
]
ConfigFile = Annotated[
    Path | None,
    Parameter(
        name="--config", help="A config file, for its sections exchange and data. Without one: the defaults."
    ),
]
Exchange = Annotated[
    str | None,
    Parameter(name="--exchange", help="The exchange by its CCXT id. Without it: as the config says."),
]
Import = Annotated[
    Path | None,
    Parameter(
        name="--import",
        help="Take over a file, or a folder such as freqtrade's user_data/data/binance, instead of downloading: "
        "Parquet, CSV, JSON, or Feather where pyarrow is installed.",
    ),
]


def download(
    market: MarketArgument = None,
    /,
    *,
    from_: From = None,
    to: To = None,
    timeframe: Timeframe = "1m",
    trades: Trades = False,
    from_archive: FromArchive = False,
    gaps: Gaps = None,
    import_: Import = None,
    exchange: Exchange = None,
    config: ConfigFile = None,
    data_folder: DataFolder = None,
    json: Json = False,
) -> int:
    """Fetch candles or market trades of the past into the data folder; no key is needed and none is used.

    What is there is not asked for again, so a run that was interrupted goes on where it was, and a second run asks for
    nothing. Candles that are missing at the exchange are named, never made up; a candle that is not closed yet is left
    for the next time. The exit code is 1 if some of that time could not be had.

    For example:
      gridtide download BTC/USDT --from 2021-01-01 --to 2022-01-01
      gridtide download BTC/USDT --from 2021-01-01 --from-archive --gaps repair
      gridtide download --import user_data/data/binance
    """
    from gridtide.cli import downloading
    from gridtide.cli.output import print_json, say, warn
    from gridtide.domain.errors import InvalidInput

    if timeframe != "1m" and trades:
        raise InvalidInput("market trades have no timeframe: give --trades or --timeframe")
    settings = downloading.settings_for(config, exchange)
    try:
        if import_ is not None:
            if market is not None or from_ is not None or to is not None:
                raise InvalidInput(
                    "--import takes over what the files hold: give it without a market and times"
                )
            imported = downloading.run_import(settings, import_, data_folder, quiet=json)
            if json:
                print_json(downloading.import_values(imported))
            else:
                say(downloading.import_text(imported))
            return 0
        wish = downloading.wish_for(
            market, from_, to, "trades" if trades else timeframe, from_archive, gaps, data_folder
        )
        report = downloading.run_download(settings, wish, quiet=json)
    except KeyboardInterrupt:
        warn("gridtide: interrupted; what came so far is stored, run the same command again to go on")
        return INTERRUPTED
    folder = data_folder or settings.data.folder
    if json:
        print_json(downloading.report_values(report, folder))
    else:
        say(downloading.report_text(report, folder))
    return 0 if downloading.is_whole(report) else FAILED
