"""What an execution costs: in the fee asset while there is enough of it, else out of what was received.

Commissions are cut to 8 decimals (protocol document, 6.9).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.market import Asset, Market
from gridtide.domain.money import ZERO, multiply_exact
from gridtide.domain.order import Side
from gridtide.venue.rounding import cut_to_precision, divide_cut

if TYPE_CHECKING:
    from gridtide.venue.account import Account
    from gridtide.venue.settings import AccountFees

PriceOf = Callable[[Asset, Asset], Decimal | None]
"""(asset, quote) -> last price of the asset in that quote; None where no market tells."""


def charge_fee(
    account: Account,
    market: Market,
    side: Side,
    amount: Decimal,
    quote: Decimal,
    *,
    is_maker: bool,
    price_of: PriceOf,
) -> tuple[Decimal, Asset]:
    """Take the fee of an execution whose proceeds are already credited; returns it with its asset."""
    fees = account.fees
    rate = fees.maker if is_maker else fees.taker
    if fees.asset is not None:
        fee = _in_asset(fees.asset, fees, market, amount, quote, rate, price_of)
        if fee is not None and fee <= account.free.get(fees.asset, ZERO):
            account.free[fees.asset] -= fee
            return fee, fees.asset
    received, asset = (amount, market.base) if side is Side.BUY else (quote, market.quote)
    fee = cut_to_precision(multiply_exact(received, rate))
    account.free[asset] -= fee
    return fee, asset


def _in_asset(
    asset: Asset,
    fees: AccountFees,
    market: Market,
    amount: Decimal,
    quote: Decimal,
    rate: Decimal,
    price_of: PriceOf,
) -> Decimal | None:
    """The discounted fee in `asset`; None where its price is unknown."""
    rate = multiply_exact(rate, fees.discount)
    if asset == market.base:
        return cut_to_precision(multiply_exact(amount, rate))
    if asset == market.quote:
        return cut_to_precision(multiply_exact(quote, rate))
    price = fees.asset_price or price_of(asset, market.quote)
    return None if price is None else divide_cut(multiply_exact(quote, rate), price)
