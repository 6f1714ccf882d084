"""What an execution costs: in the fee asset while there is enough of it, else out of what was received.

Standard, tax and special commission add up, only the standard part is discounted (protocol document, 6.9), and the
sum is rounded once: cut unless `VenueSettings.commission_rounding` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.market import Asset
from gridtide.domain.money import ONE, ZERO, FeeRate, multiply_exact
from gridtide.domain.order import Side
from gridtide.venue.fee_tiers import tier_rates
from gridtide.venue.rounding import PLACES, round_commission

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.settings import CommissionRates

PriceOf = Callable[[Asset, Asset], Decimal | None]
"""(asset, quote) -> last price of the asset in that quote; None where no market tells."""

_HUBS = tuple(map(Asset, ("USDT", "USDC", "FDUSD", "BUSD", "BTC")))
"""Assets that most others are traded against, best first: the way from one asset to another without a market."""


def charge_fee(
    desk: Desk,
    account: Account,
    side: Side,
    amount: Decimal,
    quote: Decimal,
    *,
    is_maker: bool,
    now: Timestamp,
) -> tuple[Decimal, Asset]:
    """Take the fee of an execution whose proceeds are already credited; returns it with its asset."""
    fees, market = account.fees, desk.market
    if fees.flat is not None:
        rate = fees.flat[side, is_maker]
    else:
        standard = standard_rates(account, market.symbol, now, desk.price_of).total(side, is_maker=is_maker)
        extra = _extra_rate(account, side, is_maker=is_maker)
        if fees.asset is not None:
            fee = _in_asset(
                fees.asset, desk, account, amount, quote, multiply_exact(standard, fees.discount) + extra
            )
            if fee is not None and fee <= account.free.get(fees.asset, ZERO):
                account.free[fees.asset] -= fee
                return fee, fees.asset
        rate = FeeRate(standard + extra)
    received, asset, places = (
        (amount, market.base, desk.filters.base_commission_precision)
        if side is Side.BUY
        else (quote, market.quote, desk.filters.quote_commission_precision)
    )
    fee = round_commission(multiply_exact(received, rate), ONE, places, desk.settings.commission_rounding)
    account.free[asset] -= fee
    return fee, asset


def standard_rates(
    account: Account, symbol: Symbol | None, now: Timestamp, price_of: PriceOf
) -> CommissionRates:
    """The standard commission of an account on a market (None: on any without rates of its own)."""
    fees = account.fees
    if symbol is not None and symbol in fees.markets:
        return fees.markets[symbol]
    if not fees.tiers:
        return fees.standard
    return tier_rates(account, now, lambda asset, quote: exchange_rate(asset, quote, price_of))


def _extra_rate(account: Account, side: Side, *, is_maker: bool) -> Decimal:
    """Tax and special commission."""
    fees = account.fees
    if not fees.has_extra:
        return ZERO
    return fees.tax.total(side, is_maker=is_maker) + fees.special.total(side, is_maker=is_maker)


def _in_asset(
    asset: Asset, desk: Desk, account: Account, amount: Decimal, quote: Decimal, rate: Decimal
) -> Decimal | None:
    """The fee in `asset`; None where its price is unknown."""
    rounding = desk.settings.commission_rounding
    if asset == desk.market.base:
        return round_commission(multiply_exact(amount, rate), ONE, PLACES, rounding)
    owed = multiply_exact(quote, rate)
    if account.fees.asset_price is not None and asset != desk.market.quote:
        return round_commission(owed, account.fees.asset_price, PLACES, rounding)
    found = exchange_rate(desk.market.quote, asset, desk.price_of)
    if found is None:
        return None
    numerator, denominator = found
    return round_commission(multiply_exact(owed, numerator), denominator, PLACES, rounding)


def exchange_rate(asset: Asset, wanted: Asset, price_of: PriceOf) -> tuple[Decimal, Decimal] | None:
    """How much of `wanted` one `asset` is worth, as numerator and denominator; None where no markets tell.

    By their own market, else by the first asset that both have a market with.
    """
    direct = _through_market(asset, wanted, price_of)
    if direct is not None:
        return direct
    for hub in _HUBS:
        first, second = _through_market(asset, hub, price_of), _through_market(hub, wanted, price_of)
        if first is not None and second is not None:
            return multiply_exact(first[0], second[0]), multiply_exact(first[1], second[1])
    return None


def _through_market(asset: Asset, wanted: Asset, price_of: PriceOf) -> tuple[Decimal, Decimal] | None:
    if asset == wanted:
        return ONE, ONE
    price = price_of(asset, wanted)
    if price is not None:
        return price, ONE
    price = price_of(wanted, asset)
    return None if price is None else (ONE, price)
