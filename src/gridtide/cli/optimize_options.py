"""Options that `optimize` and `walk-forward` share, each explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gridtide.cli.options import at_least_one, not_negative

SpaceFile = Annotated[
    Path,
    Parameter(
        name="--space",
        help="A YAML file with what to try for each parameter: a list, or {from: , to: , step: }; prices also in "
        "percent of the start price.",
    ),
]
Data = Annotated[
    list[Path] | None,
    Parameter(
        name="--data",
        help="A Parquet or CSV file, or a folder of them, with candles or market trades. Without it: what gridtide "
        "download stored, for the time of --from and --to.",
    ),
]
Method = Annotated[
    str,
    Parameter(
        name="--method",
        help="random, exhaustive (every set), tpe (learns, one objective) or nsga2 (learns, several objectives).",
    ),
]
Trials = Annotated[
    int,
    Parameter(
        name="--trials",
        validator=at_least_one,
        help="How many sets are tried in each window, and on all data.",
    ),
]
RandomSeed = Annotated[
    int, Parameter(name="--seed", validator=not_negative, help="The same seed tries the same sets.")
]
Objectives = Annotated[
    list[str] | None,
    Parameter(
        name="--objective",
        help="What makes a set good; several: --objective A --objective B, the first one decides. sharpe (default), "
        "final_equity, grid_profit, max_drawdown, gain_over_fall, fees, fills, time_in_range.",
    ),
]
Windows = Annotated[
    int, Parameter(name="--windows", validator=at_least_one, help="How many walk-forward windows.")
]
InSample = Annotated[
    int | None,
    Parameter(
        name="--in-sample",
        validator=at_least_one,
        help="Days a window is searched. Without it: three times as many as it is tested.",
    ),
]
OutOfSample = Annotated[
    int | None,
    Parameter(name="--out-of-sample", validator=at_least_one, help="Days each choice is tested on."),
]
Embargo = Annotated[
    int,
    Parameter(name="--embargo", validator=not_negative, help="Days left out between search and test."),
]
Anchored = Annotated[
    bool,
    Parameter(
        show_default=False,
        name="--anchored",
        help="Search from the beginning of the data each time; else windows of one length move along.",
    ),
]
Storage = Annotated[
    str | None,
    Parameter(
        name="--storage",
        help="Where tpe and nsga2 keep their trials: a file, or a PostgreSQL address that several drivers share. "
        "Without it: in the study's folder.",
    ),
]
Jobs = Annotated[
    int | None,
    Parameter(name="--jobs", validator=at_least_one, help="How many cores to use. Without it: all."),
]
ClusterAddress = Annotated[
    str | None,
    Parameter(name="--cluster", help="Play on a Dask cluster: its scheduler's address, tcp://host:8786."),
]
Prune = Annotated[
    bool,
    Parameter(
        show_default=False,
        name="--prune",
        help="With tpe: give up sets that promise little after a part of the window. For strategies that take long.",
    ),
]
Save = Annotated[
    Path | None,
    Parameter(
        name="--save",
        help="The study's folder. Without it: one for each question under .gridtide/studies. A study that stopped goes "
        "on there.",
    ),
]
