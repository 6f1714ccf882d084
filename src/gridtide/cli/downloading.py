"""What `gridtide download` does and says: the progress bar, and the same report for people and machines."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.bootstrap.market_data import (
    DataWish,
    download_data,
    import_data,
)
from gridtide.cli.output import table
from gridtide.config import AppSettings, load_settings, secret_values
from gridtide.domain.errors import InvalidInput, Transient
from gridtide.domain.market import Symbol
from gridtide.market_data.download import NOTHING
from gridtide.market_data.gaps import GapPolicy, gaps_text
from gridtide.market_data.series import TRADES, span_of
from gridtide.telemetry.redaction import SECRETS

if TYPE_CHECKING:
    from gridtide.market_data.download import DownloadReport, Progress
    from gridtide.market_data.importing import ImportReport

Update = Callable[[int, int, int], None]
"""Done, of how much, and rows."""


def settings_for(config: Path | None, exchange: str | None) -> AppSettings:
    """The config's settings, or the defaults; `exchange` takes the place of theirs."""
    settings = load_settings(config)
    SECRETS.register(*secret_values(settings))
    if exchange is None:
        return settings
    named = settings.exchange.model_copy(update={"name": exchange, "rest_url": None, "stream_url": None})
    return settings.model_copy(update={"exchange": named})


def wish_for(
    market: str | None,
    start: str | None,
    end: str | None,
    timeframe: str,
    from_archive: bool,
    gaps: str | None,
    folder: Path | None,
) -> DataWish:
    """What the command line asks for; raises `InvalidInput`."""
    if market is None:
        raise InvalidInput("no market is named: write gridtide download BTC/USDT --from 2021-01-01")
    if start is None:
        raise InvalidInput(f"from when on? write gridtide download {market} --from 2021-01-01")
    span = span_of(start, end)
    policy = None if gaps is None else GapPolicy(gaps)
    return DataWish(Symbol(market.upper()), timeframe, span, from_archive, policy, folder)


def run_download(settings: AppSettings, wish: DataWish, *, quiet: bool) -> DownloadReport:
    """Download with a progress bar. Ctrl-C ends it with what came so far stored."""
    with quiet_retries(), progress_bar(f"{wish.symbol} {wish.timeframe}", quiet=quiet) as update:

        def show(progress: Progress) -> None:
            update(progress.done, progress.total, progress.rows)

        try:
            return asyncio.run(download_data(settings, wish, show))
        except Transient as error:
            raise Transient(
                f"{f'{error}'.rstrip('.')}: what came so far is stored; check the network and run the same "
                "command again"
            ) from error


def run_import(settings: AppSettings, source: Path, folder: Path | None, *, quiet: bool) -> ImportReport:
    """Import with a progress bar over the files."""
    with progress_bar(source.name, quiet=quiet) as update:
        return import_data(settings, source, folder, lambda done, total: update(done, total, done))


@contextmanager
def quiet_retries() -> Iterator[None]:
    """Requests that are tried again are nobody's news: stamina would print a line for each on standard output."""
    import stamina

    before = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks(())
    try:
        yield
    finally:
        stamina.instrumentation.set_on_retry_hooks(before)


@contextmanager
def progress_bar(what: str, *, quiet: bool) -> Iterator[Update]:
    """Share, rows and their rate, time left, on a terminal; else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None, rate="")

        def update(done: int, total: int, rows: int) -> None:
            seconds = progress.tasks[0].elapsed or 0.0
            rate = f"{rows:,}, {rows / seconds:,.0f}/s" if seconds > 0 else f"{rows:,}"
            progress.update(task, total=total, completed=done, rate=rate)

        yield update


# --- what is said ------------------------------------------------------------------------------------


def is_whole(report: DownloadReport) -> bool:
    """Whether all of that time is there; what the exchange has not finished yet is no fault."""
    return report.rows > 0 and all(span.end == report.span.end for span in report.not_given)


def report_values(report: DownloadReport, folder: Path) -> dict[str, Any]:
    """The report as plain values; times are ms."""
    return {
        "exchange": report.series.exchange,
        "market": report.series.symbol,
        "timeframe": report.series.timeframe,
        "from": report.span.start,
        "to": report.span.end,
        "rows": report.rows,
        "new_rows": report.new_rows,
        "gaps": [{"from": gap.start, "to": gap.end, "candles": gap.candles} for gap in report.gaps],
        "not_given": [{"from": span.start, "to": span.end} for span in report.not_given],
        "origins": _origins(report),
        "notes": list(report.notes),
        "data_checksum": report.checksum,
        "folder": str(folder),
        "seconds": round(report.seconds, 2),
    }


def report_text(report: DownloadReport, folder: Path) -> str:
    rows = [
        ("data", str(report.series)),
        ("time", str(report.span)),
        ("rows", f"{report.rows:,}, of which {report.new_rows:,} are new"),
        ("from", ", ".join(_origins(report)) or "nobody"),
        ("folder", str(folder)),
        ("checksum", report.checksum or "-"),
        ("seconds", f"{report.seconds:.1f}"),
    ]
    if report.series.timeframe != TRADES:
        rows.insert(3, ("gaps", gaps_text(report.gaps)))
    if report.not_given:
        rows.append(("not to be had", "; ".join(map(str, report.not_given))))
    if not report.rows:
        rows.append(
            (
                "nothing there",
                "the exchange gave nothing for that time: choose another one, or another market",
            )
        )
    return "\n".join([table(rows), *(f"Note: {note}." for note in report.notes)])


def import_values(report: ImportReport) -> dict[str, Any]:
    return {
        "files": report.files,
        "rows": [
            {
                "exchange": series.exchange,
                "market": series.symbol,
                "timeframe": series.timeframe,
                "rows": rows,
            }
            for series, rows in report.rows.items()
        ],
        "notes": list(report.notes),
    }


def import_text(report: ImportReport) -> str:
    rows = [(str(series), f"{count:,} rows") for series, count in report.rows.items()]
    return "\n".join([table(rows), *(f"Note: {note}." for note in report.notes)])


def _origins(report: DownloadReport) -> list[str]:
    """Who gave something; repairers that were asked in vain are left out."""
    return sorted({part.origin for part in report.parts if not part.origin.endswith(NOTHING)})
