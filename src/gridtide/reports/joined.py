"""What belongs to several markets of a result, in one table each: as files hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridtide.reports.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.reports.backtest_result import BacktestResult

TABLES = {"fills": "fills", "round_trips": "round trips", "level_profits": "levels"}
"""Fields of a market's result, and what their tables are called."""
CURVE_COLUMNS = ("times", "equity", "drawdown", "exposure")


def joined_table(result: BacktestResult, name: str) -> Table:
    """The tables of all markets under each other, with the bot's name in front."""
    tables: list[tuple[str, Table]] = [(market.bot, getattr(market, name)) for market in result.markets]
    columns = dict.fromkeys(column for _, table in tables for column in table.columns)
    joined: dict[str, list[Any]] = {"bot": [bot for bot, table in tables for _ in range(len(table))]}
    for column in columns:
        joined[column] = [value for _, table in tables for value in table[column]]
    return Table(name, joined)


def joined_curves(result: BacktestResult) -> dict[str, NDArray[Any]]:
    """The curve of the account beside those of its baselines and the prices of its markets: arrays of one length."""
    arrays: dict[str, NDArray[Any]] = {name: getattr(result.curve, name) for name in CURVE_COLUMNS}
    arrays |= {baseline_column(each.name): each.curve for each in result.baselines}
    return arrays | {price_column(at): market.prices for at, market in enumerate(result.markets)}


def baseline_column(name: str) -> str:
    return f"baseline_{name}"


def price_column(number: int) -> str:
    """Of a market by its place in the result, from 0; by name, two bots might differ in their capitals only, and SQL
    would not tell their columns apart."""
    return f"price_{number + 1}"
