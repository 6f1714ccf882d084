"""The rules of a backtest's market as its config states them, and what has to be said where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidConfig
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.money import tidy
from gridtide.market_data.known_markets import known_symbols
from gridtide.market_data.series import time_text
from gridtide.venue.schedule import MarketChange, MarketSchedule

if TYPE_CHECKING:
    from gridtide.config.backtest_rules import MarketRulesSettings
    from gridtide.domain.market import Market, MarketRules

_STATUSES = {
    "trading": MarketStatus.TRADING,
    "halted": MarketStatus.HALT,
    "delisted": MarketStatus.BREAK,
}


class StatedRules:
    """What the config says of one market. Raises `InvalidConfig` for times that go back."""

    def __init__(self, stated: Sequence[MarketRulesSettings], symbol: str, start: int) -> None:
        """`start`: the time of the first row of its data, ms."""
        self._start = start
        self._stated = [each for each in stated if each.market in (None, symbol)]
        times = [self._time(each) for each in self._stated]
        if times != sorted(times):
            raise InvalidConfig(
                f"backtest.rules: those of {symbol} must stand in the order of their times (since)"
            )
        self._begun = [each for each in self._stated if self._time(each) <= start]
        self._coming = [each for each in self._stated if self._time(each) > start]

    def market_at_start(self, market: Market) -> Market:
        """`market` as it was when its data begin."""
        for each in self._begun:
            market = replace(
                market, rules=_changed(market.rules, each), status=_status(each) or market.status
            )
        return market

    def schedule(self, market: Market) -> MarketSchedule:
        """What changes later, `market` being as it was at the start."""
        rules, changes = market.rules, []
        for each in self._coming:
            rules = _changed(rules, each)
            changes.append(MarketChange(Timestamp(self._time(each)), rules, _status(each)))
        return MarketSchedule(tuple(changes))

    def notes(self, market: Market, end: int) -> list[str]:
        """Where tick and lot come from if nobody said, and what became of the market up to `end`, ms."""
        guessed = [
            f"{name} {tidy(step)}"
            for name, step, field in (
                ("tick", market.rules.tick_size, "tick_size"),
                ("lot", market.rules.lot_size, "lot_size"),
            )
            if all(getattr(each, field) is None for each in self._begun)
        ]
        notes = []
        if guessed and market.symbol not in known_symbols():
            notes.append(
                f"its rules at the time are not known: {' and '.join(guessed)} are read off the whole data, later rows "
                "included; state them in backtest.rules"
            )
        ended = [self._time(each) for each in self._stated if each.status == "delisted"]
        if ended and ended[0] <= end:
            notes.append(
                f"it was delisted at {time_text(max(ended[0], self._start))}: its orders ended, and what was left of "
                f"{market.base} counts at the market's last price"
            )
        return notes

    def _time(self, each: MarketRulesSettings) -> int:
        return self._start if each.since is None else round(each.since.timestamp() * 1000)


def _changed(rules: MarketRules, stated: MarketRulesSettings) -> MarketRules:
    tick, lot = stated.tick_size, stated.lot_size
    if tick is not None:
        rules = replace(rules, tick_size=tick, min_price=tick)
    if lot is not None:
        rules = replace(rules, lot_size=lot, min_amount=lot)
    if stated.min_notional is not None:
        rules = replace(rules, min_notional=stated.min_notional)
    if stated.max_open_orders is not None:
        rules = replace(rules, max_open_orders=stated.max_open_orders)
    return rules


def _status(stated: MarketRulesSettings) -> MarketStatus | None:
    return None if stated.status is None else _STATUSES[stated.status]
