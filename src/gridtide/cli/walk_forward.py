"""`gridtide walk-forward`: what a way of choosing parameters was worth on data it had not seen."""

from __future__ import annotations

from gridtide.cli.backtest import ConfigFile, DataFolder, Market, Timeframe
from gridtide.cli.optimize_options import (
    Anchored,
    ClusterAddress,
    Data,
    Embargo,
    InSample,
    Jobs,
    Method,
    Objectives,
    OutOfSample,
    Prune,
    RandomSeed,
    Report,
    Save,
    SpaceFile,
    Storage,
    Trials,
    Windows,
)
from gridtide.cli.options import From, Json, To


def walk_forward(
    config: ConfigFile,
    /,
    *,
    space: SpaceFile,
    data: Data = None,
    market: Market = None,
    from_: From = None,
    to: To = None,
    timeframe: Timeframe = "1m",
    method: Method = "random",
    trials: Trials = 1000,
    seed: RandomSeed = 1,
    objective: Objectives = None,
    windows: Windows = 6,
    in_sample: InSample = None,
    out_of_sample: OutOfSample = None,
    embargo: Embargo = 1,
    anchored: Anchored = False,
    storage: Storage = None,
    jobs: Jobs = None,
    cluster: ClusterAddress = None,
    prune: Prune = False,
    save: Save = None,
    report: Report = None,
    data_folder: DataFolder = None,
    json: Json = False,
) -> int:
    """Choose parameters on one stretch of the past, play them on the next, move on, and chain what came after.

    Nothing is chosen to be traded: that is what gridtide optimize does, which begins with this.

    For example:
      gridtide walk-forward grid.yaml --data BTCUSDT-1m-2021.parquet --space space.yaml --in-sample 90
    """
    from gridtide.cli import optimizing
    from gridtide.optimize.study import StudyWish
    from gridtide.optimize.walk_forward import WindowWish

    cut = WindowWish(windows, in_sample, out_of_sample, embargo, anchored)
    settings = optimizing.settings_for(config, market)
    wish = optimizing.wish_for(
        space,
        objective,
        StudyWish(method, trials, seed, cut, prune),
        jobs=jobs,
        cluster=cluster,
        storage=storage,
        has_whole=False,
    )
    loaded = optimizing.data_for(settings, data, from_, to, timeframe, data_folder)
    places = optimizing.Places(save, report)
    return optimizing.search_and_show(config, settings, loaded, wish, places, json=json)
