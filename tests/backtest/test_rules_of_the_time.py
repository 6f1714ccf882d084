"""A market of the past has the rules and the status it had then, as far as the config states them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import gridtide
from gridtide.bootstrap.notebook import settings_of
from gridtide.domain.errors import InvalidConfig
from gridtide.reports.backtest_result import BacktestResult
from tests.backtest.worlds import MINUTE_MS, START_MS, config, grid_settings, random_candles

MINUTES = 400


def at(minute: int) -> str:
    return datetime.fromtimestamp((START_MS + minute * MINUTE_MS) / 1000, UTC).isoformat()


def played(*rules: dict[str, Any], **backtest: Any) -> BacktestResult:
    strategy = grid_settings(lower_price="95", upper_price="105", num_grids=21, spacing="arithmetic")
    data = random_candles(random.Random(4), MINUTES, gap_chance=0)
    return gridtide.backtest(config(strategy, {"rules": list(rules), **backtest}), data)


def minutes_of_fills(result: BacktestResult) -> list[float]:
    return [(int(time) - START_MS) / MINUTE_MS for time in result.fills["time"]]


def test_tick_and_lot_that_are_stated_are_not_guessed() -> None:
    """Without them the guess looks at all of the data, and the result says so."""
    free, stated = played(), played({"tick_size": "0.1", "lot_size": "0.01", "min_notional": "1"})
    assert any("read off the whole data" in note for note in free.notes)
    assert not any("read off the whole data" in note for note in stated.notes)
    assert any(amount % Decimal("0.01") for amount in free.fills["amount"])
    assert not any(amount % Decimal("0.01") for amount in stated.fills["amount"])
    assert all(level % Decimal("0.1") == 0 for level in stated.markets[0].levels)


def test_new_rules_hold_from_their_time_on() -> None:
    """Orders that rest keep their amounts; what is placed later has the new lot."""
    changed = played({"lot_size": "0.001"}, {"since": at(200), "lot_size": "0.1", "market": "ABC/USDT"})
    before, after = played({"lot_size": "0.001"}), minutes_of_fills(changed)
    count = sum(minute < 200 for minute in after)
    assert 4 < count < len(after) - 4
    assert changed.fills["amount"][:count] == before.fills["amount"][:count]
    coarse = [not amount % Decimal("0.1") for amount in changed.fills["amount"]]
    assert not any(coarse[:count])
    assert sum(coarse[count:]) > 2


def test_a_delisted_market_ends_all_orders() -> None:
    """Nothing is traded from then on, gaps or not, and the result says what became of the coin."""
    found = played({"since": at(200), "status": "delisted"}, halt_at_gaps=True)
    assert any(minute < 200 for minute in minutes_of_fills(played({"lot_size": "0.001"})))
    assert max(minutes_of_fills(found)) < 200 < max(minutes_of_fills(played()))
    assert any("it was delisted at 2021-01-01 03:20" in note for note in found.notes)
    assert found.fill_count > 4


def test_a_halt_refuses_new_orders_until_it_is_over() -> None:
    halted = played({"since": at(100), "status": "halted"}, {"since": at(300), "status": "trading"})
    free = played()
    assert halted.fills["time"] != free.fills["time"]
    assert max(minutes_of_fills(halted)) > 300


@pytest.mark.parametrize(
    "rules, sentence",
    [
        ([{"since": at(9), "tick_size": "1"}, {"since": at(8), "tick_size": "2"}], "order of their times"),
        ([{"since": "yesterday", "tick_size": "1"}], "write a date such as"),
        ([{"status": "broken"}], "status"),
    ],
)
def test_what_is_wrong_with_rules_is_said(rules: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(InvalidConfig, match=sentence):
        played(*rules)


def test_an_item_without_content_is_none() -> None:
    assert settings_of(config(None, {"rules": [None, {"since": "2021-01-01"}]})).backtest.rules == []
