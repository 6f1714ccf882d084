"""Money goes into a database and comes out of it digit by digit, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.journal import BaselinePut
from gridtide.domain.market import Asset
from tests.storage.builders import NOW, notice
from tests.storage.entries import exact_decimals
from tests.storage.stores import SqlStore

FIXTURES = [HealthCheck.function_scoped_fixture]


@given(amounts=st.lists(exact_decimals, min_size=1, max_size=40))
@settings(max_examples=25, suppress_health_check=FIXTURES)
def test_any_decimal_comes_back(sql_store: SqlStore, amounts: list[Decimal]) -> None:
    """Forty digits, exponents, trailing zeros: no float on the way (F15)."""
    journal = sql_store.open(resume=False)
    baseline = {Asset(f"A{number}"): amount for number, amount in enumerate(amounts)}
    journal.commit([BaselinePut(baseline)], NOW)
    assert journal.load().baseline == baseline


@pytest.mark.parametrize("amount", [0.1, 1, "0.1", float("nan"), True, Decimal("NaN"), Decimal("Infinity")])
def test_anything_else_is_refused(sql_store: SqlStore, amount: Any) -> None:
    """A value that is no exact decimal is a defect, and nothing of its commit is stored."""
    journal = sql_store.open()
    with pytest.raises(Defect):
        journal.commit([notice(), BaselinePut({Asset("BTC"): amount})], NOW)
    assert journal.last_seq == 0
    assert not sql_store.open().load().is_resume
