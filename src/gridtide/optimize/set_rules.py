"""What no single value shows: which sets make no config, or ask for more than the account has.

Whole columns are looked at at once. The verdicts and the words are those of the config's own checks, which a test
holds against each other; sets with decimals too long for a column are left to the config itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridtide.domain.money import ZERO
from gridtide.optimize.columns import LONG, NULL, SCALE, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.parameter_sets import ParameterSets

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Account:
    """What a sweep's account holds on its one market."""

    base: str
    quote: str
    balances: Mapping[str, Decimal]
    """By asset, as `backtest.balance` has them."""
    follows: bool = False
    """Whether the account holds just what each set is to use, and nothing else."""


class Values:
    """The columns of sets as rules read them: numbers, and whether a word is meant."""

    def __init__(self, sets: ParameterSets, account: Account) -> None:
        self._sets, self.account = sets, account
        self._columns: dict[str, Column] = {}

    def column(self, key: str) -> Column:
        """Where nothing varies a column of one row, which NumPy spreads over all."""
        found = self._columns.get(key)
        if found is None:
            found = self._columns[key] = self._sets.column(key)
        return found

    def __getitem__(self, key: str) -> Integers:
        return self.column(key).values

    def is_out(self, key: str) -> Flags:
        """Where a setting is left out."""
        found: Flags = self[key] == NULL
        return found

    def is_word(self, key: str, *meant: str) -> Flags:
        column = self.column(key)
        return np.isin(column.values, [place for place, word in enumerate(column.words) if word in meant])

    def exceeds(self, key: str, asset: str) -> Flags:
        """Where a set is to use more of an asset than the account has."""
        if self.account.follows:
            return np.zeros(1, np.bool_)
        most = self.account.balances.get(asset, ZERO)
        units = int((most * SCALE).to_integral_value(ROUND_FLOOR))
        return self[key] > min(units, 2**63 - 1)


class Rule(NamedTuple):
    """`breaks` says which sets break it; `reason` why they are refused."""

    breaks: Callable[[Values], Flags]
    reason: Callable[[Values], str]


def _said(text: str) -> Callable[[Values], str]:
    return lambda values: text


def _is_third(of: Values) -> Flags:
    return ~of.is_word("fees.asset", "received", "quote", of.account.base, of.account.quote)


GRID = (
    Rule(
        lambda of: of.is_out("num_grids") & of.is_out("intervals"),
        _said("give num_grids (price levels, bounds included) or intervals (one less)"),
    ),
    Rule(
        lambda of: ~of.is_out("num_grids") & ~of.is_out("intervals"),
        _said("give num_grids or intervals, not both"),
    ),
    Rule(lambda of: of["upper_price"] <= of["lower_price"], _said("upper_price must be above lower_price")),
    Rule(
        lambda of: (of["total_investment"] == 0) & (of["base_amount"] == 0),
        _said("total_investment is 0 and leaves nothing to trade with"),
    ),
    Rule(
        lambda of: (of["base_amount"] != 0) == of.is_out("base_cost"),
        _said("base_amount and base_cost belong together"),
    ),
    Rule(
        lambda of: (of["base_amount"] != 0) & of.is_word("sizing", "quote_only"),
        _said("sizing quote_only sells nothing at the start, so base_amount has no use"),
    ),
)
"""`GridSettings` says the same."""

ACCOUNT = (
    Rule(
        lambda of: ~of.is_out("fees.asset_price") & of.is_word("fees.asset", "received", "quote"),
        _said("asset_price is for fees paid in an asset by name"),
    ),
    Rule(
        lambda of: of.is_out("fees.asset_price") & _is_third(of),
        _said(
            "backtest.fees.asset_price is missing, and the fees are paid in an asset that has no price here"
        ),
    ),
    Rule(
        lambda of: of.exceeds("total_investment", of.account.quote),
        lambda of: f"total_investment is more {of.account.quote} than backtest.balance has",
    ),
    Rule(
        lambda of: of.exceeds("base_amount", of.account.base),
        lambda of: f"base_amount is more {of.account.base} than backtest.balance has",
    ),
)
"""`FeeSettings` and the checks of a backtest say the same."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """For each set the place of its reason in `reasons`; 0, the empty one, where nothing is wrong."""

    codes: Integers
    reasons: tuple[str, ...]


def refusals(sets: ParameterSets, account: Account, *, is_grid: bool) -> Refusals:
    """The first rule that each set breaks."""
    values, rules = Values(sets, account), (*GRID, *ACCOUNT) if is_grid else ACCOUNT
    codes = np.zeros(len(sets), np.int64)
    is_open = ~long_rows(sets)
    reasons: list[str] = [""]
    for rule in rules:
        broken = is_open & rule.breaks(values)
        if broken.any():
            codes[broken] = len(reasons)
            reasons.append(rule.reason(values))
            is_open &= ~broken
    return Refusals(codes, tuple(reasons))


def long_rows(sets: ParameterSets) -> Flags:
    """Sets with a decimal that no column holds; all of them where the config itself has one."""
    found = np.zeros(len(sets), np.bool_)
    for column in sets.columns.values():
        if column.long:
            found |= column.values == LONG
    for parameter in sets.parameters:
        if parameter.key not in sets.columns and sets.column(parameter.key).long:
            found[:] = True
    return found
