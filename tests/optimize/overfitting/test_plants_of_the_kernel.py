"""The two plants on the program's own sweep kernel: the same prices, 5,000 of its grids, its daily equity."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridtide.domain.market import Asset, Market, MarketRules, Symbol
from gridtide.domain.money import Amount, Money, Price
from gridtide.optimize.kernel import play_sets
from gridtide.optimize.kernel_sets import SET_DTYPE, FeeAsset, Terms, set_row
from gridtide.optimize.overfitting.daily_returns import daily_returns
from gridtide.optimize.overfitting.evidence import evidence_of_returns
from gridtide.optimize.overfitting.plateau import plateau
from gridtide.optimize.overfitting.verdict import Verdict, judge
from gridtide.optimize.overfitting.walk_forward_figures import walk_forward_figures
from gridtide.optimize.overfitting.wording import Level
from gridtide.optimize.swept_path import SweptPath
from gridtide.strategies.grid.config import GridConfig, GridSpacing
from tests.optimize.overfitting.plain_grids import Floats, Sets, mean_reverting, random_sets, random_walk
from tests.optimize.overfitting.test_plants import DAYS, TRIALS, sharpes, windows

HOUR_MS = 3_600_000
FIRST_MS = 1_609_459_200_000  # 2021-01-01
TICK = Decimal("0.01")
MARKET = Market(
    Symbol("TEST/USDT"),
    Asset("TEST"),
    Asset("USDT"),
    MarketRules(
        tick_size=Price(TICK),
        lot_size=Amount(Decimal("0.00001")),
        min_amount=Amount(Decimal("0.00001")),
        min_notional=Money(Decimal(1)),
    ),
)


def path_of(prices: Floats) -> SweptPath:
    ticks = np.rint(prices / float(TICK)).astype(np.int64)
    return SweptPath(ticks, FIRST_MS + HOUR_MS * np.arange(len(ticks)), MARKET)


def rows_of(sets: Sets) -> NDArray[Any]:
    """Grids of 10,000 USDT on an account of as much; fees of 0.1 % in quote."""
    grid = GridConfig(
        symbol="TEST/USDT",
        lower_price=Decimal(90),
        upper_price=Decimal(110),
        num_grids=10,
        total_investment=Decimal(10_000),
        spacing=GridSpacing.GEOMETRIC,
    )
    fee = Decimal("0.001")
    terms = Terms(fee, fee, FeeAsset.QUOTE, balance_quote=Decimal(10_000))
    rows = np.full(len(sets), set_row(grid, terms), SET_DTYPE)
    rows["lower_price"] = np.rint(sets.lower / float(TICK)) * 10**6
    rows["upper_price"] = np.rint(sets.upper / float(TICK)) * 10**6
    rows["num_grids"] = sets.intervals + 1
    return rows


def verdict_on(prices: Floats, generator: np.random.Generator) -> Verdict:
    sets = random_sets(TRIALS, prices[0], generator)
    played = play_sets(path_of(prices), rows_of(sets), daily=True)
    assert played.daily_equity is not None
    returns, kept = daily_returns(played.daily_equity, played.results["initial_equity"])
    assert len(kept) > TRIALS * 0.9
    walked = walk_forward_figures(windows(returns))
    hill = plateau({name: column[kept] for name, column in sets._asdict().items()}, sharpes(returns))
    evidence = evidence_of_returns(returns, generator, trials=TRIALS, blocks=12, draws=200)
    return judge(
        replace(
            evidence,
            walk_forward_efficiency=walked.efficiency,
            profitable_windows=walked.profitable,
            windows=walked.windows,
            plateau=None if hill is None else hill.score,
        )
    )


def test_a_planted_overfit_is_called_overfitted() -> None:
    """The best of 5,000 grids made money on a random walk."""
    generator = np.random.default_rng(0)
    found = verdict_on(random_walk(DAYS + 1, generator), generator)
    assert found.level is Level.OVERFITTED
    assert found.evidence.trials == TRIALS
    assert found.evidence.profit is not None
    assert found.evidence.profit > 0


def test_a_planted_edge_holds() -> None:
    """A price that comes half-way back within a day."""
    generator = np.random.default_rng(0)
    found = verdict_on(mean_reverting(DAYS + 1, generator, half_life=1), generator)
    assert found.level is Level.HOLDS
