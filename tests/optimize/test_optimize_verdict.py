"""What a verdict on a study is drawn from: the chosen set's own fees, refused sets, windows without a choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from gridtide.bootstrap.optimize_verdict import costs_of
from gridtide.bootstrap.study_view import shown_figure
from gridtide.optimize.evaluation import Evaluated, Rows, Window
from gridtide.optimize.problem import Problem
from gridtide.optimize.space import ParameterSet
from tests.optimize.toy import CAPITAL, Toy, toy_problem


class TakesFees(Toy):
    """Ends with 10 more than it began, less 1000 times the maker's fee and 1000 times the taker's."""

    def evaluate(self, sets: Sequence[ParameterSet], window: Window, *, daily: bool = False) -> Evaluated:
        rows = Rows()
        for each in sets:
            fees = Decimal(str(each["fees.maker"])) + Decimal(str(each["fees.taker"]))
            rows.played({"final_equity": CAPITAL + 10 - 1000 * float(fees)}, np.empty(0))
        return rows.evaluated(by_engine=True, daily=daily)


def charged(maker: str, taker: str) -> Problem:
    fees = {"fees.maker": Decimal(maker), "fees.taker": Decimal(taker)}
    return replace(toy_problem(TakesFees()), base={**fees})


def test_costs_begin_with_the_fees_of_the_chosen_set() -> None:
    """It pays 0.004 as maker, which was searched, and the config's 0.001 as taker: 10 is gone at twice these, not at
    five times the config's 0.001 and 0.001."""
    found = costs_of(charged("0.001", "0.001"), {"x": 1, "y": 1, "fees.maker": Decimal("0.004")})
    assert found is not None
    assert found.break_even == pytest.approx(2.0)


def test_without_fees_there_is_no_multiple_of_them() -> None:
    assert costs_of(charged("0", "0"), {"x": 1, "y": 1}) is None


def test_fees_that_never_ate_the_profit_are_beyond_what_was_tried() -> None:
    found = costs_of(charged("0.0001", "0.0001"), {"x": 1, "y": 1})
    assert found is not None
    assert (found.break_even, found.survives) == (None, 3.0)
    assert shown_figure("break_even_fees", found.survives) == "beyond 3 times"
    assert shown_figure("break_even_fees", 2.5) == "2.50 times"
