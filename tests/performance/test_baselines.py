"""Baselines trade the same cash at the same prices and fee, by rules anybody can follow by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.money import FeeRate
from gridtide.performance.baselines import Baseline, baseline
from gridtide.performance.days import DAY_MS
from gridtide.price_path.crossing import CrossingIndex
from tests.performance.builders import STEP_MS
from tests.price_path.builders import walk, wanderings

FEE = FeeRate(Decimal("0.001"))


def over(prices: list[int], step_ms: int = DAY_MS) -> CrossingIndex:
    return CrossingIndex(walk(prices, 0, step_ms))


def test_hold_buys_once() -> None:
    """1,000 at 100 are 10 base less the fee of 0.01; at 120 they are worth 1,198.8."""
    equity = baseline(Baseline.HOLD, over([100, 120]), Decimal(1000), FEE)
    assert equity.opening == 1000
    assert equity.closing() == Decimal("1198.8")


def test_dca_buys_the_same_every_day() -> None:
    """900 over three days: 3 base at 100, 1.5 at 200, 6 at 50; each less its fee."""
    equity = baseline(Baseline.DCA, over([100, 200, 50]), Decimal(900), FEE)
    assert [each.cash for each in equity.holdings] == [600, 300, 0]
    assert [each.base for each in equity.holdings] == [
        Decimal("2.997"),
        Decimal("4.4955"),
        Decimal("10.4895"),
    ]


def test_the_constant_mix_restores_its_halves() -> None:
    """Half of 1,000 into base at 100; at 120 a part is sold, at 90 some is bought, until the halves are equal."""
    equity = baseline(Baseline.CONSTANT_MIX, over([100, 120, 90]), Decimal(1000), FeeRate(Decimal(0)))
    first, second, third = equity.holdings
    assert [first.cash, first.base] == [500, 5]
    assert [float(second.cash), float(second.base * 120)] == pytest.approx([550, 550])
    assert float(third.cash) == pytest.approx(float(third.base * 90))
    assert third.base > second.base


def test_cash_stays() -> None:
    equity = baseline(Baseline.CASH, over([100, 1]), Decimal(1000), FEE)
    assert equity.closing() == 1000


def test_a_fee_is_paid_on_every_trade() -> None:
    """A price that stands still shows nothing but fees."""
    equity = baseline(Baseline.CONSTANT_MIX, over([100, 100]), Decimal(1000), FEE)
    assert equity.holdings[0].cash + equity.holdings[0].base * 100 == Decimal("999.5")
    assert equity.closing() < Decimal("999.5")


@given(prices=wanderings(150), kind=st.sampled_from(Baseline), data=st.data())
def test_nobody_spends_more_than_there_is(prices: list[int], kind: Baseline, data: st.DataObject) -> None:
    """Neither cash nor base is ever negative, each trade stands at the first point of a day, and without fees a trade
    leaves equity as it is."""
    start = data.draw(st.integers(0, len(prices) - 1))
    cash = data.draw(st.decimals(1, 10**6, places=2))
    scan = over(prices, STEP_MS)
    free = baseline(kind, scan, cash, FeeRate(Decimal(0)), start)
    paid = baseline(kind, scan, cash, FEE, start)
    for equity in free, paid:
        assert equity.opening == cash
        assert all(each.cash >= 0 and each.base >= 0 for each in equity.holdings)
    assert paid.closing() <= free.closing()
    for before, after in zip(free.holdings, free.holdings[1:], strict=False):
        price = prices[after.from_index]
        assert before.cash + before.base * price == after.cash + after.base * price
        times = [scan.path.time(index) // DAY_MS for index in (after.from_index - 1, after.from_index)]
        assert times[0] < times[1]
