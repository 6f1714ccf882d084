"""Adds a result up once more, from nothing but its table of fills: what the tests hold its figures against."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

from gridtide.domain.money import EXACT, ZERO
from gridtide.reports.backtest_result import BacktestResult, MarketResult


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    with localcontext(EXACT):
        return sum(amounts, ZERO)


def require_balanced(result: BacktestResult) -> None:
    """The account gained what its grids and its open lots did; sums of markets are the account's.

    For accounts that began without base: then nothing else can change what they are worth.
    """
    assert total([result.initial_equity, result.grid_profit, result.floating_profit]) == result.final_equity
    for name in ("grid_profit", "floating_profit", "fees"):
        assert total(getattr(market, name) for market in result.markets) == getattr(result, name), name
    for market in result.markets:
        assert total(market.round_trips["profit"]) == market.grid_profit


def require_conserved(market: MarketResult, quote: Decimal) -> None:
    """Fill by fill, a bot that was given `quote` holds what it held before, moved by what was traded and by the fee."""
    quote_asset, base_asset = reversed(market.symbol.split("/"))
    base, fills = ZERO, list(market.fills)
    for number, fill in enumerate(fills):
        sign = 1 if fill["side"] == "BUY" else -1
        fees = {fill["fee_asset"]: fill["fee"]}
        quote = total([quote, -sign * fill["quote_amount"], -fees.get(quote_asset, ZERO)])
        base = total([base, sign * fill["amount"], -fees.get(base_asset, ZERO)])
        assert quote >= 0, f"fill {number} of {market.symbol} was paid with money that was not there"
        assert base >= 0, f"fill {number} of {market.symbol} sold what was not there"
        if number + 1 == len(fills) or fills[number + 1]["time"] != fill["time"]:
            assert (fill["quote"], fill["base"]) == (quote, base), f"fill {number} of {market.symbol}"
