"""Short ways to fills and ledgers for the domain tests."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from gridtide.domain.fill import Fee, Fill
from gridtide.domain.ledger import Account, Ledger, LedgerState
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import Amount, Money, Price, multiply_exact
from gridtide.domain.order import Side

BASE, QUOTE, THIRD = Asset("BTC"), Asset("USDT"), Asset("BNB")
D = Decimal
_trade_ids = count(1)


def fill(
    side: Side,
    amount: str | Decimal,
    price: str | Decimal,
    fee: str | Decimal = "0",
    fee_asset: Asset = QUOTE,
    timestamp: int = 0,
) -> Fill:
    """An execution with its own trade id."""
    trade_id = next(_trade_ids)
    quote = multiply_exact(D(amount), D(price))
    return Fill(
        Symbol("BTC/USDT"),
        trade_id,
        f"order-{trade_id}",
        side,
        Price(D(price)),
        Amount(D(amount)),
        Money(quote),
        Fee(Amount(D(fee)), fee_asset),
        is_maker=True,
        timestamp=Timestamp(timestamp or trade_id),
    )


def buy(amount: str | Decimal, price: str | Decimal, fee: str | Decimal = "0", asset: Asset = BASE) -> Fill:
    return fill(Side.BUY, amount, price, fee, asset)


def sell(amount: str | Decimal, price: str | Decimal, fee: str | Decimal = "0", asset: Asset = QUOTE) -> Fill:
    return fill(Side.SELL, amount, price, fee, asset)


def ledger(quote: str | Decimal = "100000", state: LedgerState | None = None) -> Ledger:
    """Books that begin with a contribution of quote."""
    books = Ledger(BASE, QUOTE, state)
    if D(quote):
        books.contribute(QUOTE, D(quote), D(quote), Timestamp(0), "start")
    return books


def check_books(books: Ledger, price: str | Decimal, third_price: str | Decimal = "0") -> None:
    """I9, I10 and the profit identity, at one price."""
    statement = books.statement(D(price), {THIRD: D(third_price)})
    assert statement.is_balanced
    assert books.is_balanced
    lots = books.lots()
    assert sum((lot.amount for lot in lots), D(0)) == books.holding(BASE)
    assert all(lot.amount > 0 for lot in lots)
    balances = books.state().balances
    assert all(item.balance >= 0 for item in balances if item.account is Account.HOLDINGS)
    for asset in {item.asset for item in balances}:
        assert sum(item.balance for item in balances if item.asset == asset) == 0
