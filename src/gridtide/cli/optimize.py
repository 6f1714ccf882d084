"""`gridtide optimize`: which parameters to trade, and how much of the answer is luck."""

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


def optimize(
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
    """Search a strategy's parameters, and say what the result is worth.

    First it walks forward: it chooses on one stretch of the past and plays the choice on the next one, window after
    window. Then it searches all data for the set to trade, and judges it: what the same way of choosing earned on data
    it had not seen, and how far luck explains the rest. The verdict is kept with the config. Ctrl-C keeps all that was
    tried; the same command goes on.

    For example:
      gridtide optimize grid.yaml --data BTCUSDT-1m-2021.parquet --space space.yaml
      gridtide optimize grid.yaml --data candles --space space.yaml --method nsga2 --trials 2000
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
        has_whole=True,
    )
    loaded = optimizing.data_for(settings, data, from_, to, timeframe, data_folder)
    places = optimizing.Places(save, report)
    return optimizing.search_and_show(config, settings, loaded, wish, places, json=json)
