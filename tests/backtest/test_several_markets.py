"""Bots on several markets share an account and a clock, and nothing else: each does what it does alone."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import gridtide
from gridtide.performance.days import DAY_MS
from gridtide.reports.backtest_result import BacktestResult, MarketResult
from tests.backtest.worlds import Candles, grid_settings, random_candles

ONE, OTHER = "AAA/USDT", "BBB/USDT"


def settings(*markets: str, **backtest: Any) -> dict[str, Any]:
    """A grid on each market, an account with money for all of them."""
    bots = [
        {"name": market[:3].lower(), "market": market, "strategy": grid_settings(), "risk": "off"}
        for market in markets
    ]
    return {"bots": bots, "backtest": {"balance": {"USDT": str(1000 * len(markets))}, **backtest}}


def traded(market: MarketResult | BacktestResult) -> list[tuple[Any, ...]]:
    """What happened and when; ids are counted for the whole account."""
    names = ("time", "side", "level", "price", "amount", "fee")
    return [tuple(fill[name] for name in names) for fill in market.fills]


def shifted(candles: Candles, by_ms: int) -> Candles:
    return {**candles, "timestamp": candles["timestamp"] + by_ms}


@pytest.mark.parametrize(
    "backtest",
    [
        {},
        {"latency_ms": 30_000},
        {"latency_ms": 60_000, "halt_at_gaps": True},
        {"latency_ms": 25_000, "volume_cap": "0.05", "slippage": "0.001"},
    ],
    ids=str,
)
@pytest.mark.parametrize("later_ms", [0, 7_000, 40 * 60_000])
def test_each_bot_does_what_it_does_alone(backtest: dict[str, Any], later_ms: int) -> None:
    """A request that arrives while another market is played meets its own market as it stands at that time."""
    candles = random_candles(random.Random(1), 300)
    others = shifted(random_candles(random.Random(2), 300), later_ms)
    both = gridtide.backtest(settings(ONE, OTHER, **backtest), {ONE: candles, OTHER: others})
    for market, data in zip(both.markets, (candles, others), strict=True):
        alone = gridtide.backtest(settings(market.symbol, **backtest), data)
        assert len(alone.fills) > 5
        assert traded(market) == traded(alone)


def test_two_equal_markets_have_the_figures_of_one() -> None:
    """Drawdown and ratios begin with the money before the first purchase, on one market as on several."""
    candles = random_candles(random.Random(1), 3000)
    opened = candles["timestamp"]
    candles["timestamp"] = opened[0] + 5 * (opened - opened[0])  # ten days
    alone = gridtide.backtest(settings(ONE, slippage="0.01"), candles)
    both = gridtide.backtest(settings(ONE, OTHER, slippage="0.01"), {ONE: candles, OTHER: candles})
    assert both.final_equity == 2 * alone.final_equity
    assert both.max_drawdown == alone.max_drawdown, "exact, as that of one market"
    assert (both.drawdown_peak, both.drawdown_trough) == (alone.drawdown_peak, alone.drawdown_trough)
    for name in ("sharpe", "sortino", "volatility", "calmar", "annual_return"):
        assert getattr(alone, name) is not None
        assert getattr(both, name) == pytest.approx(getattr(alone, name), rel=1e-6), name


def test_what_the_first_purchase_costs_is_a_drawdown() -> None:
    """The price never moves: fee and spread are all that is lost, and all that drawdown may show."""
    candles = random_candles(random.Random(1), 20)
    flat = candles | {name: np.full(20, 100.01) for name in ("open", "high", "low", "close")}
    both = gridtide.backtest(settings(ONE, OTHER), {ONE: flat, OTHER: flat})
    assert both.total_return < 0
    assert float(both.max_drawdown) == pytest.approx(-float(both.total_return))


def test_a_market_that_begins_later_has_paid_nothing_before() -> None:
    """Until its data begin its bot's money is what it was given."""
    candles = random_candles(random.Random(1), 300)
    later = shifted(candles, 5 * DAY_MS)
    both = gridtide.backtest(settings(ONE, OTHER), {ONE: candles, OTHER: later})
    alone = gridtide.backtest(settings(ONE), candles)
    assert both.curve.equity[0] == pytest.approx(alone.curve.equity[0] + 1000)
    assert both.curve.exposure[0] == pytest.approx(
        alone.curve.exposure[0] * alone.curve.equity[0] / both.curve.equity[0]
    )


def test_the_deepest_fall_is_found_in_pieces_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two markets of other times: as the plain walk over all their moments finds it, however little is in memory."""
    one = random_candles(random.Random(4), 400)
    two = shifted(random_candles(random.Random(5), 300), 50 * 60_000 + 7)
    plain = gridtide.backtest(settings(ONE, OTHER), {ONE: one, OTHER: two})
    for piece in (1, 7, 100):
        monkeypatch.setattr("gridtide.bootstrap.backtest_account.PIECE", piece)
        found = gridtide.backtest(settings(ONE, OTHER), {ONE: one, OTHER: two})
        assert found.max_drawdown == plain.max_drawdown > 0
        assert (found.drawdown_peak, found.drawdown_trough) == (plain.drawdown_peak, plain.drawdown_trough)
    sampled = float(plain.curve.drawdown.max())
    assert sampled - 1e-12 <= float(plain.max_drawdown) < sampled * 1.2
