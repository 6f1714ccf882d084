"""What goes into the sweep kernel and what comes out: NumPy rows, one a parameter set, one a result.

Money, prices, amounts and rates of a set are whole numbers of 1e-8, so that nothing is rounded on the way in; what does
not fit is refused here, and the engine plays it instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gridtide.domain.money import EXACT, ZERO, tidy
from gridtide.strategies.grid.config import (
    GridConfig,
    GridSpacing,
    PriceRounding,
    ProfitMode,
    Sizing,
    StartOutside,
    Trailing,
    VacantRule,
)

Rows = NDArray[Any]
"""A structured array of SET_DTYPE or RESULT_DTYPE."""

PLACES: Final = 8
"""Decimals of every whole number of a set."""
NOT_GIVEN: Final = -1
"""In `reserve`: the default, what fees and the price cap can cost at worst."""
OFF: Final = 0
"""In the rules of risk: does not act."""


class FeeAsset(IntEnum):
    """What fees are paid in, as `backtest.fees.asset` says."""

    RECEIVED = 0
    QUOTE = 1
    THIRD = 2
    """An asset that is neither base nor quote, at a fixed price."""


SPACINGS: Final = (GridSpacing.ARITHMETIC, GridSpacing.GEOMETRIC)
VACANT_RULES: Final = (VacantRule.NEAREST, VacantRule.ABOVE, VacantRule.BELOW)
SIZINGS: Final = (Sizing.EQUAL_BASE, Sizing.EQUAL_QUOTE, Sizing.QUOTE_ONLY, Sizing.BASE_AND_QUOTE)
PROFITS: Final = (ProfitMode.QUOTE, ProfitMode.BASE, ProfitMode.COMPOUND)
ROUNDINGS: Final = (PriceRounding.NEAREST, PriceRounding.DOWN)
STARTS_OUTSIDE: Final = (StartOutside.REFUSE, StartOutside.ALLOW)
"""The number of a choice in a row is its place here."""

SET_DTYPE: Final = np.dtype(
    [
        # the grid: decimals times 1e8
        ("lower_price", np.int64),
        ("upper_price", np.int64),
        ("total_investment", np.int64),
        ("reserve", np.int64),  # NOT_GIVEN or a fraction
        ("price_cap", np.int64),
        ("base_amount", np.int64),
        ("base_cost", np.int64),
        # the account: decimals times 1e8; balances are those of the whole account, the grid's own money included
        ("maker", np.int64),
        ("taker", np.int64),
        ("fee_asset_price", np.int64),  # quote for one unit of the third asset; 0 unless fee_asset is THIRD
        ("balance_quote", np.int64),
        ("balance_base", np.int64),
        ("balance_third", np.int64),
        # limits and stops: decimals times 1e8, OFF by default
        ("max_order_value", np.int64),
        ("stop_loss", np.int64),  # fraction below the lower price
        ("take_profit", np.int64),  # fraction above the upper price
        ("daily_loss", np.int64),
        ("drawdown", np.int64),
        ("slippage", np.int64),
        ("stop_after_ms", np.int64),  # confirmation of the stop loss
        # small numbers
        ("num_grids", np.int32),
        ("max_open_orders", np.int32),
        ("losing_streak", np.int32),
        ("spacing", np.int8),
        ("vacant", np.int8),
        ("sizing", np.int8),
        ("profit", np.int8),
        ("rounding", np.int8),
        ("start_outside", np.int8),
        ("fee_asset", np.int8),
        ("post_only", np.bool_),
        ("allow_below_break_even", np.bool_),
        ("keep_base", np.bool_),  # what a stop does with the base
    ],
    align=True,
)
"""A parameter set with its account; `set_row` makes one. Rules of risk are not played yet: a set in which one is on
ends as NEEDS_ENGINE."""


class Status(IntEnum):
    """What became of a set: the first two have results (`HAS_RESULT`), the others have none."""

    OK = 0
    REFUSED = 1
    """The plan was refused (range, break-even, amounts, rules of the market): the bot never trades, the account stays
    as it began. `optimize.levels.refusal` has the words."""
    NO_MONEY = 2
    """The account has less than the grid is to use: a backtest raises `PlanRefused` before it starts."""
    NEEDS_ENGINE = 3
    """Something that the kernel does not play would have happened: only the engine has the result."""
    TOO_LARGE = 4
    """Numbers that 64 bits do not hold exactly: only the engine has the result."""


HAS_RESULT: Final = (Status.OK, Status.REFUSED)
"""Statuses whose rows hold the figures that the engine would give."""

RESULT_DTYPE: Final = np.dtype(
    [
        ("final_equity", np.float64),  # quote, of the whole account
        ("initial_equity", np.float64),
        ("grid_profit", np.float64),
        ("floating_profit", np.float64),  # dust included, as in a backtest's result
        ("fees", np.float64),  # quote, each fee valued when it was paid
        ("max_drawdown", np.float64),  # positive fraction of the peak, over every point of the raw path
        ("time_in_range", np.float64),  # share of the run's time
        ("sharpe", np.float64),  # daily UTC equity, sqrt(365), zero rate; NaN where undefined
        ("fills", np.int64),  # executions, the initial purchase included
        ("round_trips", np.int64),  # sells filled
        ("status", np.int8),  # a `Status`
    ],
    align=True,
)
"""One row a set, in the order of the sets; NaN and 0 where `status` is none of `HAS_RESULT`."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The account that a set is played on, as the `backtest` and `risk` sections of a config give it."""

    maker: Decimal
    taker: Decimal
    fee_asset: FeeAsset
    balance_quote: Decimal
    balance_base: Decimal = ZERO
    balance_third: Decimal = ZERO
    fee_asset_price: Decimal = ZERO
    max_open_orders: int = 200
    max_order_value: Decimal | None = None


class Inexpressible(ValueError):
    """The kernel cannot play this; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Played:
    """What the kernel gives back."""

    results: Rows
    """RESULT_DTYPE, a row a set."""
    daily_equity: NDArray[np.float64] | None
    """Sets x days: equity of the account right before each UTC midnight, and at the end; NaN rows without a result."""


def set_row(grid: GridConfig, terms: Terms) -> np.void:
    """The row of a grid on an account. Raises `Inexpressible` with the reason."""
    if grid.trailing is not Trailing.NONE:
        raise Inexpressible(f"trailing: {grid.trailing} is not known to the sweep kernel")
    row: np.void = np.zeros(1, SET_DTYPE)[0]
    for name in ("lower_price", "upper_price", "total_investment", "price_cap", "base_amount"):
        row[name] = units(name, getattr(grid, name))
    row["base_cost"] = units("base_cost", grid.base_cost or ZERO)
    row["reserve"] = NOT_GIVEN if grid.reserve is None else units("reserve", grid.reserve)
    for name in ("maker", "taker", "balance_quote", "balance_base", "balance_third", "fee_asset_price"):
        row[name] = units(name, getattr(terms, name))
    row["max_order_value"] = (
        OFF if terms.max_order_value is None else units("max_order_value", terms.max_order_value)
    )
    row["num_grids"], row["max_open_orders"] = grid.num_grids, min(terms.max_open_orders, 2**31 - 1)
    row["spacing"] = SPACINGS.index(grid.spacing)
    row["vacant"] = VACANT_RULES.index(grid.vacant)
    row["sizing"] = SIZINGS.index(grid.sizing)
    row["profit"] = PROFITS.index(grid.profit)
    row["rounding"] = ROUNDINGS.index(grid.rounding)
    row["start_outside"] = STARTS_OUTSIDE.index(grid.start_outside)
    row["fee_asset"] = terms.fee_asset
    row["post_only"] = grid.post_only
    row["allow_below_break_even"] = grid.allow_below_break_even
    return row


def grid_of(row: np.void, symbol: str) -> GridConfig:
    """The grid that a row stands for: the inverse of `set_row`."""
    return GridConfig(
        symbol=symbol,
        lower_price=decimal_of(row["lower_price"]),
        upper_price=decimal_of(row["upper_price"]),
        num_grids=int(row["num_grids"]),
        total_investment=decimal_of(row["total_investment"]),
        spacing=SPACINGS[row["spacing"]],
        vacant=VACANT_RULES[row["vacant"]],
        sizing=SIZINGS[row["sizing"]],
        profit=PROFITS[row["profit"]],
        rounding=ROUNDINGS[row["rounding"]],
        reserve=None if row["reserve"] == NOT_GIVEN else decimal_of(row["reserve"]),
        price_cap=decimal_of(row["price_cap"]),
        post_only=bool(row["post_only"]),
        start_outside=STARTS_OUTSIDE[row["start_outside"]],
        base_amount=decimal_of(row["base_amount"]),
        base_cost=decimal_of(row["base_cost"]) if row["base_amount"] else None,
        allow_below_break_even=bool(row["allow_below_break_even"]),
    )


def units(name: str, value: Decimal) -> int:
    """`value` in units of 1e-8. Raises `Inexpressible` where it has more decimals or 64 bits do not hold it."""
    scaled = EXACT.scaleb(value, PLACES)
    if scaled != scaled.to_integral_value():
        raise Inexpressible(f"{name}: {tidy(value)} has more than {PLACES} decimals")
    if abs(scaled) >= 2**62:
        raise Inexpressible(f"{name}: {tidy(value)} is too large")
    return int(scaled)


def decimal_of(count: int | np.integer[Any]) -> Decimal:
    """The decimal that `count` units of 1e-8 are."""
    return EXACT.scaleb(Decimal(int(count)), -PLACES)
