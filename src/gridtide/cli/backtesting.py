"""What `gridtide backtest` does, step by step: settings, data, the run with its progress, what is written and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide import __version__
from gridtide.bootstrap.backtest import run_backtest
from gridtide.bootstrap.market_data import open_store, series_for, stored_data
from gridtide.cli.output import say
from gridtide.config.load import load_settings
from gridtide.config.values import market_named
from gridtide.domain.errors import InvalidConfig, InvalidInput
from gridtide.domain.market import Symbol
from gridtide.market_data.gaps import GapPolicy
from gridtide.market_data.load import LoadedData, load_market_data
from gridtide.market_data.series import span_of

if TYPE_CHECKING:
    from gridtide.config.settings import AppSettings
    from gridtide.reports.backtest_result import BacktestResult

_PAGES = (".html", ".htm")
_PICTURES = (".png",)


def settings_for(config: Path, market: str | None) -> AppSettings:
    """The config; with `market` its one bot plays there."""
    settings = load_settings(config)
    if market is None:
        return settings
    if len(settings.bots) != 1:
        raise InvalidConfig(f"--market is for a config with one bot, {config} has {len(settings.bots)}")
    try:
        bot = settings.bots[0].model_copy(update={"market": market_named(market)})
    except ValueError as error:
        raise InvalidInput(f"--market {market}: {error}") from None
    return settings.with_bots([bot])


def data_for(
    settings: AppSettings,
    files: Sequence[Path] | None,
    start: str | None,
    end: str | None,
    timeframe: str,
    folder: Path | None,
) -> list[LoadedData]:
    """The files that are named, or what was downloaded for the markets of the config."""
    policy = GapPolicy.REFUSE if settings.data.gaps == "refuse" else GapPolicy.KEEP
    if files:
        span = span_of(start, end)
        markets = {bot.market for bot in settings.bots}
        loaded = [load_market_data(file, span=span, gaps=policy) for file in files]
        if len(loaded) == len(markets) == 1 and loaded[0].symbol is None:
            loaded = [replace(loaded[0], symbol=Symbol(next(iter(markets))))]
        return loaded
    if start is None:
        raise InvalidInput("name the data with --data, or the time of downloaded ones with --from and --to")
    span = span_of(start, end)
    with open_store(settings.data, folder) as store:
        series = [
            series_for(settings, each, timeframe)
            for each in sorted({Symbol(bot.market) for bot in settings.bots})
        ]
        return [stored_data(store, each, span, policy, to_its_end=end is None) for each in series]


def check_places(
    *,
    report: Path | None = None,
    png: Path | None = None,
    save: Path | None = None,
    replace: bool = False,
) -> None:
    """Refuse places that could not be written, before time is spent, and a place for the result that holds another one
    unless it may be replaced. Raises `InvalidInput`."""
    for option, path, endings in (("--report", report, _PAGES), ("--png", png, _PICTURES)):
        if path is None:
            continue
        if path.is_dir():
            raise InvalidInput(
                f"{path} is a folder: give {option} the name of a file, such as {path}/out{endings[0]}"
            )
        if path.suffix.lower() not in endings:
            raise InvalidInput(
                f"{option} writes {endings[0]} files: call it {path.stem}{endings[0]}, not {path.name}"
            )
    if save is not None:
        from gridtide.reports.saved_run import is_saved_run, refuse_other_folders

        refuse_other_folders(save)
        if is_saved_run(save) and not replace:
            raise InvalidInput(
                f"{save} holds a run that was saved before: it was left as it is; give --save another folder, or add "
                "--replace"
            )


def run(settings: AppSettings, data: Sequence[LoadedData], *, quiet: bool) -> BacktestResult:
    """Play it, with a bar where it takes longer than a moment and a person looks on."""
    if quiet:
        return run_backtest(settings, data, version=__version__)
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("playing", total=1.0)

        def told(fraction: float) -> None:
            bars.update(task, completed=fraction)

        return run_backtest(settings, data, version=__version__, progress=told)


def write_all(
    result: BacktestResult, *, report: Path | None, png: Path | None, save: Path | None
) -> dict[str, str]:
    """Write what was asked for; gives what was written where."""
    written = {}
    if save is not None:
        from gridtide.reports.saved_run import save_run

        save_run(result, save)
        written["saved"] = str(save)
    if report is not None:
        from gridtide.reports.html_report import write_html

        write_html(result, report)
        written["report"] = str(report)
    if png is not None:
        from gridtide.reports.picture import write_png

        write_png(result, png)
        written["picture"] = str(png)
    return written


def show(result: BacktestResult, written: dict[str, str]) -> None:
    """The result for a person."""
    from gridtide.cli.backtest_view import print_result

    print_result(result)
    for what, where in written.items():
        say(f"{what}: {where}")
