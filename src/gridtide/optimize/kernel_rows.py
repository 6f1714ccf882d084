"""From columns of parameters to rows of the sweep kernel, and why some sets have none: the engine plays those.

A setting that nobody here has heard of is never ignored: it sends its sets to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from gridtide.domain.money import ZERO
from gridtide.optimize.columns import NULL
from gridtide.optimize.kernel_sets import (
    NOT_GIVEN,
    OFF,
    PROFITS,
    ROUNDINGS,
    SET_DTYPE,
    SIZINGS,
    SPACINGS,
    STARTS_OUTSIDE,
    VACANT_RULES,
    FeeAsset,
    Inexpressible,
    units,
)
from gridtide.optimize.set_rules import Account, Values, long_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.optimize.parameter_sets import ParameterSets

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Rows = NDArray[Any]

NO_LIMIT: Final = 1_000_000
"""Open orders where `risk` is off."""
_DECIMALS: Final = {
    "lower_price": "lower_price",
    "upper_price": "upper_price",
    "total_investment": "total_investment",
    "price_cap": "price_cap",
    "base_amount": "base_amount",
    "fees.maker": "maker",
    "fees.taker": "taker",
}
_OPTIONAL: Final = {
    "base_cost": ("base_cost", 0),
    "reserve": ("reserve", NOT_GIVEN),
    "fees.asset_price": ("fee_asset_price", 0),
}
_CHOICES: Final = {
    "spacing": SPACINGS,
    "vacant": VACANT_RULES,
    "sizing": SIZINGS,
    "profit": PROFITS,
    "rounding": ROUNDINGS,
    "start_outside": STARTS_OUTSIDE,
}
_FLAGS: Final = ("post_only", "allow_below_break_even")
_BY_HAND: Final = (
    "num_grids",
    "intervals",
    "fees.asset",
    "risk.enabled",
    "risk.max_open_orders",
    "risk.max_order_value",
)
_WITHOUT_EFFECT: Final = (
    "mirror_after_seconds",  # orders are filled whole
    "backtest.queue_probability",  # of the fill model queue alone
    "backtest.seed",  # nothing is drawn
)


class Obstacle(NamedTuple):
    """What the kernel cannot play."""

    stands: Callable[[Values], Flags]
    why: str


def _is_zero(of: Values, key: str) -> Flags:
    none: Flags = (of[key] == 0) | of.is_out(key)
    return none


_OBSTACLES: Final = {
    "trailing": Obstacle(lambda of: ~of.is_word("trailing", "none"), "trailing"),
    "backtest.fill_model": Obstacle(
        lambda of: ~of.is_word("backtest.fill_model", "touch"), "a fill model other than touch"
    ),
    "backtest.volume_cap": Obstacle(lambda of: ~of.is_out("backtest.volume_cap"), "a volume cap"),
    "backtest.latency_ms": Obstacle(lambda of: ~_is_zero(of, "backtest.latency_ms"), "latency"),
    "backtest.latency_most_ms": Obstacle(lambda of: ~_is_zero(of, "backtest.latency_most_ms"), "latency"),
    "backtest.slippage": Obstacle(lambda of: ~_is_zero(of, "backtest.slippage"), "slippage"),
    "backtest.volume_slippage": Obstacle(lambda of: ~_is_zero(of, "backtest.volume_slippage"), "slippage"),
    "fees.asset": Obstacle(
        lambda of: of.is_word("fees.asset", of.account.base), "fees paid in the base asset"
    ),
}
_RISK: Final = {
    "risk.stop_loss": "a stop loss",
    "risk.trailing_stop": "a trailing stop",
    "risk.take_profit": "a take-profit",
    "risk.time_limit_hours": "a time limit",
    "risk.max_exposure": "a limit of exposure",
    "risk.circuit_breaker.max_daily_loss": "circuit breakers",
    "risk.circuit_breaker.max_drawdown": "circuit breakers",
    "risk.circuit_breaker.max_consecutive_losses": "circuit breakers",
    "risk.circuit_breaker.max_orders_a_minute": "circuit breakers",
    "risk.price_sanity.max_jump": "doubted prices",
    "risk.price_sanity.max_spread": "doubted prices",
}
"""Rules that may act where they are not switched off, and `risk` is not off."""
_OF_RISK_RULES: Final = (
    "risk.price_sanity.max_depeg",  # a backtest knows no price of the quote asset
    "risk.price_sanity.stale_seconds",  # backtests do not look at it
    "risk.circuit_breaker.on_trip",
    "risk.circuit_breaker.resume_",
    "risk.exit.",
    *(
        f"risk.{rule}_{what}"
        for rule in ("stop_loss", "trailing_stop", "take_profit", "time_limit")
        for what in ("seconds", "action")
    ),
)
"""What says how those rules act, by how the keys begin."""
_KNOWN: Final = frozenset(
    (
        *_DECIMALS,
        *_OPTIONAL,
        *_CHOICES,
        *_FLAGS,
        *_BY_HAND,
        *_WITHOUT_EFFECT,
        *_OBSTACLES,
        "backtest.halt_at_gaps",
    )
)


@dataclass(frozen=True, slots=True)
class Obstacles:
    """For each set the place of its reason in `reasons`; 0, the empty one, where the kernel can play it."""

    codes: Integers
    reasons: tuple[str, ...]


def obstacles(
    sets: ParameterSets, account: Account, *, is_grid: bool, has_gaps: bool, obstacle: str = ""
) -> Obstacles:
    """Why the engine has to play a set: the first reason found. `obstacle`: one that stands for all of them."""
    values, codes = Values(sets, account), np.zeros(len(sets), np.int64)
    reasons = [""]
    found = [(True, obstacle)] if obstacle else _all(sets, values, is_grid=is_grid, has_gaps=has_gaps)
    for stands, why in found:
        place = reasons.index(why) if why in reasons else len(reasons)
        if place == len(reasons):
            reasons.append(why)
        codes[(codes == 0) & stands] = place
    return Obstacles(codes, tuple(reasons))


def _all(
    sets: ParameterSets, of: Values, *, is_grid: bool, has_gaps: bool
) -> Iterable[tuple[Flags | bool, str]]:
    if not is_grid:
        yield True, "a strategy that is no grid"
        return
    for key in unknown_keys(sets):
        yield True, key
    yield long_rows(sets), "a number with more than 8 decimals"
    if why := _account_obstacle(of.account):
        yield True, why
    for obstacle in _OBSTACLES.values():
        yield obstacle.stands(of), obstacle.why
    for key, why in _RISK.items():
        if key in sets.parameters:
            yield (of["risk.enabled"] != 0) & ~of.is_out(key), why
    if has_gaps:
        yield of["backtest.halt_at_gaps"] != 0, "a market that is closed in gaps of its data"


def unknown_keys(sets: ParameterSets) -> list[str]:
    """Settings that could matter, and that this module has not been told of."""
    keys = (parameter.key for parameter in sets.parameters)
    return [
        key for key in keys if key not in _KNOWN and key not in _RISK and not key.startswith(_OF_RISK_RULES)
    ]


def _account_obstacle(account: Account) -> str:
    try:
        for balance in account.balances.values():
            units("backtest.balance", balance)
    except Inexpressible as error:
        return str(error)
    return ""


def rows_of(sets: ParameterSets, account: Account) -> Rows:
    """`SET_DTYPE`, a row each; for sets without an obstacle."""
    of, rows = Values(sets, account), np.zeros(len(sets), SET_DTYPE)
    for key, name in _DECIMALS.items():
        rows[name] = of[key]
    for key, (name, without) in _OPTIONAL.items():
        rows[name] = np.where(of.is_out(key), without, of[key])
    for key, choices in _CHOICES.items():
        column = of.column(key)
        rows[key] = np.array([choices.index(word) for word in column.words], np.int8)[column.values]
    for key in _FLAGS:
        rows[key] = of[key] != 0
    rows["num_grids"] = np.where(of.is_out("num_grids"), of["intervals"] + 1, of["num_grids"])
    rows["balance_quote"] = rows["total_investment"] if account.follows else _balance(account, account.quote)
    rows["balance_base"] = rows["base_amount"] if account.follows else _balance(account, account.base)
    _put_fees(rows, of)
    _put_limits(rows, of)
    return rows


def _balance(account: Account, asset: str) -> int:
    return units("backtest.balance", account.balances.get(asset, ZERO))


def _put_fees(rows: Rows, of: Values) -> None:
    """Where a third asset pays for fees, what the account has of it."""
    account, column = of.account, of.column("fees.asset")
    kinds, held = [], []
    for word in column.words:
        is_third = word not in ("received", "quote", account.quote)
        kinds.append(
            FeeAsset.RECEIVED if word == "received" else FeeAsset.THIRD if is_third else FeeAsset.QUOTE
        )
        held.append(_balance(account, word) if is_third else 0)
    rows["fee_asset"] = np.array(kinds, np.int8)[column.values]
    rows["balance_third"] = np.array(held, np.int64)[column.values]
    rows["fee_asset_price"] *= rows["fee_asset"] == FeeAsset.THIRD


def _put_limits(rows: Rows, of: Values) -> None:
    is_on = of["risk.enabled"] != 0
    largest = of["risk.max_order_value"]
    rows["max_open_orders"] = np.where(is_on, np.minimum(of["risk.max_open_orders"], 2**31 - 1), NO_LIMIT)
    rows["max_order_value"] = np.where(is_on & (largest != NULL), largest, OFF)
