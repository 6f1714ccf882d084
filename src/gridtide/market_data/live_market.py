"""The rules of a market as CCXT tells them, turned into ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.money import ONE
from gridtide.market_data.known_markets import market_of

if TYPE_CHECKING:
    from gridtide.domain.market import Market, Symbol

Row = Mapping[str, Any]


def market_of_row(symbol: Symbol, row: Row, *, ticks: bool) -> Market:
    """The market of a CCXT market row with exact numbers; `ticks`: precisions are steps, else decimal places.

    What the exchange does not tell is guessed as for a file.
    """
    precision = row.get("precision") or {}
    market = market_of(symbol)
    known: dict[str, Any] = {
        "tick_size": _step(precision.get("price"), ticks=ticks),
        "lot_size": _step(precision.get("amount"), ticks=ticks),
        "min_notional": _limit(row, "cost", "min"),
        "max_notional": _limit(row, "cost", "max"),
        "min_price": _limit(row, "price", "min"),
        "max_price": _limit(row, "price", "max"),
        "min_amount": _limit(row, "amount", "min"),
        "max_amount": _limit(row, "amount", "max"),
        "market_min_amount": _limit(row, "market", "min"),
        "market_max_amount": _limit(row, "market", "max"),
    }
    told = {name: value for name, value in known.items() if value is not None}
    return replace(market, rules=replace(market.rules, **told))


def _step(precision: Any, *, ticks: bool) -> Decimal | None:
    if precision is None:
        return None
    step = Decimal(precision) if ticks else ONE.scaleb(-int(precision))
    return step if step > 0 else None


def _limit(row: Row, kind: str, end: str) -> Decimal | None:
    limit = ((row.get("limits") or {}).get(kind) or {}).get(end)
    return None if limit is None else Decimal(limit)
