"""`gridtide backtest`: a config over the past, with the code that trades live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gridtide.cli.options import From, Json, To

ConfigFile = Annotated[
    Path,
    Parameter(name="CONFIG", help="The config file whose bots are played, as gridtide init writes it."),
]
Data = Annotated[
    list[Path] | None,
    Parameter(
        name="--data",
        help="A Parquet or CSV file, or a folder of them, with candles or market trades of one market. Several "
        "markets: --data FILE --data FILE. Without it: what gridtide download stored, for the time of --from and --to.",
    ),
]
Market = Annotated[
    str | None,
    Parameter(name="--market", help="Play the config's bot on this market, whatever market it names."),
]
Timeframe = Annotated[
    str, Parameter(name="--timeframe", help="Which stored candles to play: 1m, 1h …, or trades.")
]
Report = Annotated[
    Path | None, Parameter(name="--report", help="Write an interactive report into this HTML file.")
]
Picture = Annotated[
    Path | None, Parameter(name="--png", help="Write a picture of the result into this file.")
]
Save = Annotated[
    Path | None,
    Parameter(
        name="--save",
        help="Keep the whole result in this folder, for gridtide report. A run that is there stays: see --replace.",
    ),
]
Replace = Annotated[
    bool,
    Parameter(
        name="--replace",
        show_default=False,
        help="With --save: replace the run that is saved there.",
    ),
]
DataFolder = Annotated[
    Path | None,
    Parameter(name="--data-folder", help="Where stored data are. Without it: as the config says."),
]


def backtest(
    config: ConfigFile,
    /,
    *,
    data: Data = None,
    market: Market = None,
    from_: From = None,
    to: To = None,
    timeframe: Timeframe = "1m",
    report: Report = None,
    png: Picture = None,
    save: Save = None,
    replace: Replace = False,
    data_folder: DataFolder = None,
    json: Json = False,
) -> int:
    """Play a config over past candles or market trades: the same strategy, orders and limits as live trading.

    It jumps from one moment that matters to the next, so it costs what it trades, not what it reads. Fees, partial
    fills, slippage, latency and gaps are played as the section backtest of the config says. Nothing is sent anywhere.

    For example:
      gridtide backtest grid.yaml --data BTCUSDT-1m-2021.parquet --report out.html
      gridtide backtest grid.yaml --from 2021-01-01 --to 2022-01-01 --save runs/a
    """
    from gridtide.bootstrap.kept_verdicts import verdict_line
    from gridtide.cli import backtesting
    from gridtide.cli.output import print_json, say

    backtesting.check_places(report=report, png=png, save=save, replace=replace)
    settings = backtesting.settings_for(config, market)
    loaded = backtesting.data_for(settings, data, from_, to, timeframe, data_folder)
    result = backtesting.run(settings, loaded, quiet=json)
    written = backtesting.write_all(result, report=report, png=png, save=save)
    verdicts = [line for bot in settings.bots if (line := verdict_line(config, bot)) is not None]
    if json:
        print_json({**result.summary(), **written, "verdicts": verdicts})
    else:
        backtesting.show(result, written)
        for line in verdicts:
            say(line)
    return 0
