"""What a test does to a sandbox by hand. Both spellings of a market are fine, and every number is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Asset
from gridtide.domain.money import parse_decimal
from gridtide.venue.messages import PriceMoved

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.domain.order import Side
    from gridtide.sandbox.exchange import SandboxExchange


def move(
    exchange: SandboxExchange,
    name: str,
    price: str | Decimal,
    volume: str | Decimal,
    at: Timestamp,
    taker: Side | None,
) -> None:
    """Walk a market, ``BTC/USDT`` or ``BTCUSDT``, to `price`. Raises `InvalidInput`."""
    moved = PriceMoved(parse_decimal(price), parse_decimal(volume), at, taker)
    exchange.move_market(_symbol(exchange, name), moved)


def deposit(exchange: SandboxExchange, account_id: str, asset: str, amount: str | Decimal) -> None:
    """Add to an account; a negative amount takes away. Raises `InvalidInput`."""
    exchange.deposit(account_id, Asset(asset), parse_decimal(amount))


def _symbol(exchange: SandboxExchange, name: str) -> Symbol:
    markets = exchange.venue.markets()
    for market in markets:
        if name in (market.symbol, market.exchange_id):
            return market.symbol
    known = ", ".join(market.symbol for market in markets)
    raise InvalidInput(f"there is no market {name!r}: this exchange has {known}; nothing moved")
