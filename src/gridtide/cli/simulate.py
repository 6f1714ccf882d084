"""`gridtide simulate`: the proof that the bot loses nothing, for anybody to run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gridtide.cli.failures import INTERRUPTED
from gridtide.cli.options import Json, at_least_one, not_negative

if TYPE_CHECKING:
    from gridtide.simulation.campaign import Campaign

SHOWN_VIOLATIONS = 20

Seeds = Annotated[
    int, Parameter(name="--seeds", validator=at_least_one, help="How many seeds, one after the other.")
]
First = Annotated[int, Parameter(name="--first", validator=not_negative, help="The first seed.")]
Workers = Annotated[
    int | None,
    Parameter(name="--workers", validator=at_least_one, help="Processes. Without it one for each core."),
]


def simulate(*, seeds: Seeds = 200, first: First = 0, workers: Workers = None, json: Json = False) -> int:
    """Put the whole bot through faults in virtual time, and compare its books with the exchange's in the end.

    Each seed is a quarter of an hour of lost requests, late answers, stale reads, broken streams, full disks, kills
    and take-overs, and then calm. No network, no files, nothing at risk. A seed that breaks something is printed and
    can be run again alone; the exit code is then 1.

    For example:
      gridtide simulate --seeds 1000
      gridtide simulate --first 381 --seeds 1
    """
    from gridtide.cli.output import print_json, say
    from gridtide.simulation.campaign import run_campaign

    wanted = range(first, first + seeds)
    count = (os.cpu_count() or 1) if workers is None else workers
    if json:
        campaign = run_campaign(wanted, count)
        print_json(_as_json(campaign))
    else:
        campaign = _with_progress(wanted, count)
        for line in _lines(campaign):
            say(line)
        if campaign.seeds < seeds:
            say(f"Interrupted after {campaign.seeds} of {seeds} seeds.")
            return INTERRUPTED
    return 1 if campaign.violations else 0


def _with_progress(wanted: range, workers: int) -> Campaign:
    """All of them, or what was run until Ctrl-C."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gridtide.simulation.campaign import run_campaign

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("seeds", total=len(wanted), rate="")

        so_far: Campaign | None = None

        def show(campaign: Campaign) -> None:
            nonlocal so_far
            so_far = campaign
            rate = f"{campaign.seeds / max(campaign.seconds, 0.001):.0f}/s, {len(campaign.violations)} bad"
            progress.update(task, completed=campaign.seeds, rate=rate)

        try:
            return run_campaign(wanted, workers, show)
        except KeyboardInterrupt:
            if so_far is None:
                raise
            return so_far


def _as_json(campaign: Campaign) -> dict[str, object]:
    return {
        "seeds": campaign.seeds,
        "orders": campaign.orders,
        "fills": campaign.fills,
        "faults": sum(campaign.faults.values()),
        "faults_by_kind": dict(sorted(campaign.faults.items())),
        "crashes": campaign.crashes,
        "virtual_hours": round(campaign.virtual_seconds / 3600, 2),
        "violations": [{"seed": seed, "what": found} for seed, found in sorted(campaign.violations.items())],
        "seconds": round(campaign.seconds, 2),
    }


def _lines(campaign: Campaign) -> list[str]:
    from gridtide.cli.output import table

    rows = [
        ("seeds", f"{campaign.seeds}"),
        ("virtual hours", f"{campaign.virtual_seconds / 3600:,.1f}"),
        ("orders", f"{campaign.orders}"),
        ("fills", f"{campaign.fills}"),
        ("crashes and take-overs", f"{campaign.crashes}"),
        ("faults", f"{sum(campaign.faults.values())}"),
        ("seconds", f"{campaign.seconds:.1f}"),
        ("violations", f"{len(campaign.violations)}"),
    ]
    lines = [table(rows)]
    for seed, found in sorted(campaign.violations.items())[:SHOWN_VIOLATIONS]:
        lines.append(f"\nseed {seed}: {'; '.join(found)}")
        lines.append(f"  again: gridtide simulate --first {seed} --seeds 1")
    return lines
