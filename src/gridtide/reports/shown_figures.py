"""The figures of a result as every view of it shows them: the same names, order and digits everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, assert_never

from gridtide.domain.money import ZERO, round_half_up

if TYPE_CHECKING:
    from gridtide.reports.backtest_result import BacktestResult

Value = Decimal | float | int | None
_SHORT_PERIOD = 2 * 86_400_000
"""ms: below it days alone would not say what was played."""


class Unit(StrEnum):
    """What a figure is a number of."""

    MONEY = "money"
    CHANGE = "change"
    """Money or a share with its sign: a profit."""
    GAIN = "gain"
    """A fraction with its sign."""
    SHARE = "share"
    """A fraction."""
    RATIO = "ratio"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a result. `better` is 1 where more is better, -1 where less is, 0 where neither."""

    key: str
    label: str
    unit: Unit
    better: int
    value: Callable[[BacktestResult], Value]


def _round_trips(result: BacktestResult) -> int:
    return sum(len(market.round_trips) for market in result.markets)


def against_hold(result: BacktestResult) -> Decimal | None:
    """Final equity above (or below) what all cash in base from the start would have become."""
    return next(
        (result.final_equity - each.final_equity for each in result.baselines if each.name == "hold"), None
    )


FIGURES: tuple[Figure, ...] = (
    Figure("final_equity", "final equity", Unit.MONEY, 1, lambda result: result.final_equity),
    Figure("initial_equity", "initial equity", Unit.MONEY, 0, lambda result: result.initial_equity),
    Figure("total_return", "return", Unit.GAIN, 1, lambda result: result.total_return),
    Figure("against_hold", "above holding", Unit.CHANGE, 1, against_hold),
    Figure("grid_profit", "grid profit", Unit.CHANGE, 1, lambda result: result.grid_profit),
    Figure("floating_profit", "floating profit", Unit.CHANGE, 1, lambda result: result.floating_profit),
    Figure("fees", "fees", Unit.MONEY, -1, lambda result: result.fees),
    Figure("max_drawdown", "max drawdown", Unit.SHARE, -1, lambda result: result.max_drawdown),
    Figure("annual_return", "return a year", Unit.GAIN, 1, lambda result: result.annual_return),
    Figure("volatility", "volatility", Unit.SHARE, -1, lambda result: result.volatility),
    Figure("sharpe", "Sharpe ratio", Unit.RATIO, 1, lambda result: result.sharpe),
    Figure("sortino", "Sortino ratio", Unit.RATIO, 1, lambda result: result.sortino),
    Figure("calmar", "Calmar ratio", Unit.RATIO, 1, lambda result: result.calmar),
    Figure("mean_exposure", "mean exposure", Unit.SHARE, 0, lambda result: result.mean_exposure),
    Figure("time_in_range", "time in range", Unit.SHARE, 1, lambda result: result.time_in_range),
    Figure("fills", "fills", Unit.COUNT, 0, lambda result: result.fill_count),
    Figure("round_trips", "round trips", Unit.COUNT, 0, _round_trips),
)
BASELINES: Mapping[str, str] = {
    "hold": "hold",
    "constant_mix": "50/50 mix",
    "dca": "buy daily",
    "cash": "cash",
}


def figure_text(figure: Figure, value: Value, capital: Decimal) -> str:
    """A figure for a person; money to the decimals that count beside `capital`, a dash where it is not defined."""
    if value is None:
        return "-"
    number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    match figure.unit:
        case Unit.MONEY:
            return amount_text(number, capital)
        case Unit.CHANGE:
            return amount_text(number, capital, sign=True)
        case Unit.GAIN:
            return percent_text(number, sign=True)
        case Unit.SHARE:
            return percent_text(number)
        case Unit.RATIO:
            return _number(number, 2)
        case Unit.COUNT:
            return _number(number, 0)
        case _:
            assert_never(figure.unit)


def is_signed(figure: Figure) -> bool:
    """Whether its sign says good or bad."""
    return figure.unit in (Unit.CHANGE, Unit.GAIN)


def amount_text(value: Decimal, capital: Decimal, *, sign: bool = False) -> str:
    """`12,345.60`: two decimals beside a thousand, four beside a hundred, eight beside less."""
    size = abs(capital)
    return _number(value, 2 if size >= 1000 else 4 if size >= 100 else 8, sign=sign)


def percent_text(fraction: Decimal | float, *, sign: bool = False) -> str:
    """`12.35 %`."""
    number = fraction if isinstance(fraction, Decimal) else Decimal(repr(fraction))
    return f"{_number(number * 100, 2, sign=sign)} %"


def _number(value: Decimal, places: int, *, sign: bool = False) -> str:
    rounded = round_half_up(value, places) or ZERO
    return f"{rounded:+,.{places}f}" if sign and rounded else f"{rounded:,.{places}f}"


def time_text(milliseconds: int) -> str:
    """`2021-01-31 12:00`, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def day_text(milliseconds: int) -> str:
    return time_text(milliseconds)[:10]


def quote_of(result: BacktestResult) -> str:
    """The asset that money is counted in."""
    return result.markets[0].symbol.partition("/")[2]


def title_of(result: BacktestResult) -> str:
    """`btc-grid on BTC/USDT`."""
    return ", ".join(f"{market.bot} on {market.symbol}" for market in result.markets)


def period_of(result: BacktestResult) -> str:
    """`2021-01-01 to 2022-01-01`; with the time of day where it is two days or less."""
    start = min(market.start for market in result.markets)
    end = max(market.end for market in result.markets)
    shown = time_text if end - start <= _SHORT_PERIOD else day_text
    return f"{shown(start)} to {shown(end)}"


def settings_rows(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every setting that a backtest reads, by its dotted key, `bots[0].market`; what its name calls a secret is hidden
    once more."""
    played = {name: part for name, part in settings.items() if name not in _OTHER_WORLDS}
    return list(_rows("", played))


def _rows(key: str, value: Any) -> list[tuple[str, str]]:
    match value:
        case Mapping() if value:
            return [row for name, part in value.items() for row in _rows(f"{key}.{name}".lstrip("."), part)]
        case list() | tuple() if value:
            return [row for number, part in enumerate(value) for row in _rows(f"{key}[{number}]", part)]
        case None | "" | []:
            return [(key, "-")]
        case _ if key.endswith(_SECRET_NAMES):
            return [(key, "***")]
        case _:
            return [(key, str(value))]


_OTHER_WORLDS = ("sandbox", "storage", "logging")
"""Sections of a config that no backtest reads."""
_SECRET_NAMES = ("key", "secret", "password", "passphrase", "token")
