"""Whether a row of a sweep is what the engine makes of the same set: a difference is a defect, never a rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any, Final

from gridtide.domain.errors import Defect
from gridtide.domain.money import tidy
from gridtide.optimize.engine_sets import figures_of

if TYPE_CHECKING:
    from gridtide.optimize.engine_sets import EngineFill, EngineRun

RELATIVE: Final = 1e-9
"""What floats may differ from exact money, of the figure itself."""
OF_EQUITY: Final = 1e-12
"""The same of the whole account, for sums whose parts cancel: a floating profit near zero."""
CUT: Final = 4e-12
"""The books cut a cost to 12 decimals whenever a lot is split, in quote: so much a fill may move between grid and
floating profit. It shows where the quote is a coin, and an account is worth a fraction of one."""
_MONEY: Final = ("final_equity", "grid_profit", "floating_profit", "fees")
_SPLIT: Final = ("grid_profit", "floating_profit")
_RATIOS: Final = ("max_drawdown", "time_in_range", "sharpe")


def differences(row: Mapping[str, Any], run: EngineRun) -> Iterator[str]:
    """Each figure in which a row is not what the engine's run gives."""
    exact = figures_of(run)
    if row["fills"] != len(run.fills):
        yield f"{row['fills']} fills, the engine has {len(run.fills)}"
    for name in _MONEY:
        slack = OF_EQUITY * abs(exact["final_equity"]) + (CUT * len(run.fills) if name in _SPLIT else 0.0)
        if not is_close(row[name], exact[name], slack):
            yield f"{name} {row[name]!r}, the engine has {exact[name]!r}"
    for name in _RATIOS:
        if not is_close(row[name], exact[name], 1e-11):  # a drawdown is cut to 12 decimals
            yield f"{name} {row[name]!r}, the engine has {exact[name]!r}"


def fill_differences(swept: Sequence[EngineFill], run: EngineRun) -> Iterator[str]:
    """The first execution that differs: its point on the path, level, side, price or amount."""
    for number, (one, other) in enumerate(zip(swept, run.fills, strict=False)):
        if one != other:
            yield f"fill {number} is {_told(one)}, the engine has {_told(other)}"
            return
    if len(swept) != len(run.fills):
        yield f"{len(swept)} fills one by one, the engine has {len(run.fills)}"


def _told(fill: EngineFill) -> str:
    side = "buy" if fill.is_buy else "sell"
    return f"{side} {tidy(fill.amount)} at {tidy(fill.price)} (level {fill.level}, point {fill.point})"


def is_close(one: float, other: float, slack: float) -> bool:
    """Equal but for `RELATIVE` of themselves, or `slack`; two undefined figures are equal."""
    if isnan(one) or isnan(other):
        return isnan(one) and isnan(other)
    return abs(one - other) <= max(RELATIVE * max(abs(one), abs(other)), slack)


def require_equal(row: Mapping[str, Any], run: EngineRun, swept: Sequence[EngineFill] | None = None) -> None:
    """Raises `Defect` with every difference between a row and its run; `swept`: the kernel's own executions."""
    found = list(differences(row, run))
    if swept is not None:
        found += fill_differences(swept, run)
    if found:
        raise Defect(
            f"set {row['set']} was swept wrong: {'; '.join(found)}. Trust no row of this sweep, and report its config"
        )
