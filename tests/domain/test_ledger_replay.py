"""The true fill history of one account (2019-10 to 2020-08) through the books, fill by fill."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from gridtide.domain.fill import Fee, Fill
from gridtide.domain.ledger import Ledger
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import Side
from tests.domain.books import BASE, QUOTE, THIRD, D, check_books, ledger

FILLS = Path(__file__).parents[2].parent / "shared/data/trades/BTCUSDT-account-fills-2019-10_2020-08.parquet"
BNB_PRICE = D("17.5")


def account_fills() -> list[Fill]:
    if not FILLS.exists():
        pytest.skip("the shared market data is not beside the repository")
    columns = "epoch_ms(timestamp), id, side, price, amount, cost, fee, fee_currency, is_maker"
    rows = duckdb.connect().execute(
        f"select {columns} from read_parquet(?) order by timestamp, id", [str(FILLS)]
    )
    return [
        Fill(
            Symbol("BTC/USDT"),
            trade_id,
            str(trade_id),
            Side(side.upper()),
            # The shortest text of these doubles is the exchange's own decimal.
            Price(D(repr(price))),
            Amount(D(repr(amount))),
            Money(D(repr(cost))),
            Fee(Amount(D(repr(fee))), Asset(fee_asset)),
            is_maker,
            Timestamp(moment),
        )
        for moment, trade_id, side, price, amount, cost, fee, fee_asset, is_maker in rows.fetchall()
    ]


def lowest_holding(fills: list[Fill], asset: Asset) -> Decimal:
    """How far below zero the account's `asset` would go from nothing: what it must have had before."""
    held = lowest = Decimal(0)
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        change = {BASE: sign * fill.amount, QUOTE: -sign * fill.quote_amount}.get(asset, Decimal(0))
        held += change - (fill.fee.amount if fill.fee.asset == asset else 0)
        lowest = min(lowest, held)
    return lowest


def test_a_real_account_balances_at_every_fill() -> None:
    """F39, F40, F43, I9, I10: 3,432 fills with fees in BTC, USDT and BNB; sums computed apart agree at the end."""
    fills = account_fills()
    assert {fill.fee.asset for fill in fills} == {BASE, QUOTE, THIRD}
    books: Ledger = ledger(-lowest_holding(fills, QUOTE))
    base_before = -lowest_holding(fills, BASE)
    if base_before:
        books.contribute(BASE, base_before, base_before * 9000, Timestamp(0), "before", "001S")
    quote_before = books.holding(QUOTE)
    for fill in fills:
        books.book(fill, "001S", BNB_PRICE)
        check_books(books, fill.price, "18.25")
    bought = sum(fill.amount if fill.side is Side.BUY else -fill.amount for fill in fills)
    base_fees = sum((fill.fee.amount for fill in fills if fill.fee.asset == BASE), D(0))
    assert books.holding(BASE) == base_before + bought - base_fees
    spent = sum(fill.quote_amount if fill.side is Side.BUY else -fill.quote_amount for fill in fills)
    quote_fees = sum((fill.fee.amount for fill in fills if fill.fee.asset == QUOTE), D(0))
    assert books.holding(QUOTE) == quote_before - spent - quote_fees
    assert books.fees_paid()[THIRD] == sum(fill.fee.amount for fill in fills if fill.fee.asset == THIRD)
