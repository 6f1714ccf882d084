"""Which fee tier an account is in: by what it traded in the 30 days before the present one, in dollars.

The tier is found at the first look of a day, a day beginning at 00:00 UTC of exchange time, and holds until the next.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.market import Asset
from gridtide.domain.money import ZERO, multiply_exact
from gridtide.venue.rounding import divide_cut
from gridtide.venue.settings import CommissionRates

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.venue.account import Account

DAY = 86_400_000
WINDOW_DAYS = 30

RateOf = Callable[[Asset, Asset], tuple[Decimal, Decimal] | None]
"""(asset, wanted) -> worth of one asset, as numerator and denominator."""

_DOLLAR = Asset("USDT")
_DOLLARS = frozenset({"USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "DAI", "USD1", "USD"})
"""Quote assets that count as dollars one to one."""


def tier_rates(account: Account, now: Timestamp, rate_of: RateOf) -> CommissionRates:
    """The account's standard rates by its tier; its own where it has not reached the lowest."""
    fees, day = account.fees, now // DAY
    if account.fee_tier is None or account.fee_tier[0] != day:
        volume = traded_volume(account, day, rate_of)
        account.fee_tier = day, sum(tier.volume_from <= volume for tier in fees.tiers)
    reached = account.fee_tier[1]
    if not reached:
        return fees.standard
    tier = fees.tiers[reached - 1]
    return CommissionRates(tier.maker, tier.taker, fees.buyer, fees.seller)


def traded_volume(account: Account, day: int, rate_of: RateOf) -> Decimal:
    """Dollars traded in the 30 whole days before `day` (counted from 1970).

    Other quotes than dollars are valued at the prices of the moment; what no market values does not count.
    """
    found = ZERO
    for symbol in account.records:
        quote = Asset(symbol.partition("/")[2])
        volume = _quote_volume(account, symbol, day)
        rate = (Decimal(1), Decimal(1)) if quote in _DOLLARS else rate_of(quote, _DOLLAR)
        if volume and rate is not None:
            found += divide_cut(multiply_exact(volume, rate[0]), rate[1])
    return found


def _quote_volume(account: Account, symbol: Symbol, day: int) -> Decimal:
    fills = account.records[symbol].fills
    start, end = (
        bisect_left(fills, at * DAY, key=lambda fill: fill.timestamp) for at in (day - WINDOW_DAYS, day)
    )
    return sum((fill.quote_amount for fill in fills[start:end]), ZERO)
