"""Settings of exchanges for tests: one account, one market that moves by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from gridtide.domain.market import Asset, Market, MarketRules, Symbol
from gridtide.domain.money import FeeRate
from gridtide.sandbox.settings import AccountSettings, ApiKey, MarketSettings, SandboxSettings
from gridtide.venue.settings import AccountFees

API_KEY = "k" * 64
SECRET = "s" * 64
ACCOUNT = "main"
_CONTROL_TOKEN = "control-token-for-tests"  # noqa: S105  everybody may know it

BTC_USDT = Market(
    symbol=Symbol("BTC/USDT"),
    base=Asset("BTC"),
    quote=Asset("USDT"),
    rules=MarketRules(
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_price=Decimal("0.01"),
        max_price=Decimal(1_000_000),
        min_amount=Decimal("0.00001"),
        max_amount=Decimal(9000),
        max_open_orders=200,
    ),
)
"""The market of the tests: BTC/USDT with the rules it has on the real exchange."""

FEES = AccountFees(FeeRate(Decimal("0.001")), FeeRate(Decimal("0.001")))


def account_settings(
    balances: Mapping[str, str] | None = None,
    *,
    fees: AccountFees = FEES,
    account_id: str = ACCOUNT,
    key: str = API_KEY,
) -> AccountSettings:
    """An account with the key of the tests; by default 100,000 USDT and 1 BTC."""
    funds = balances if balances is not None else {"USDT": "100000", "BTC": "1"}
    return AccountSettings(
        account_id=account_id,
        keys=(ApiKey(key, SECRET),),
        balances={Asset(asset): Decimal(amount) for asset, amount in funds.items()},
        fees=fees,
    )


def sandbox_settings(**changes: Any) -> SandboxSettings:  # any field of SandboxSettings
    """Settings of a sandbox with one account and one market that moves by hand."""
    settings = SandboxSettings(
        accounts=(account_settings(),),
        markets=(MarketSettings(BTC_USDT),),
        control_port=0,
        control_token=_CONTROL_TOKEN,
    )
    return replace(settings, **changes)
