"""An account as JSON-compatible values and back: balances, fees, orders and lists."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Asset, Symbol
from gridtide.domain.money import plain
from gridtide.venue.account import Account
from gridtide.venue.state_of_lists import load_lists, save_lists
from gridtide.venue.state_of_orders import load_records, save_records
from gridtide.venue.state_of_rules import load_fees, save_fees

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]  # the shape is private to save and load, which stand side by side


def save_account(account: Account) -> Json:
    return {
        "account_id": account.account_id,
        "fees": save_fees(account.fees),
        "fee_tier": None if account.fee_tier is None else list(account.fee_tier),
        "free": save_amounts(account.free),
        "locked": save_amounts(account.locked),
        "deposited": save_amounts(account.deposited),
        "records": {symbol: save_records(records) for symbol, records in account.records.items()},
        "lists": save_lists(account),
    }


def load_account(saved: Json) -> Account:
    account = Account(saved["account_id"], load_amounts(saved["free"]), load_fees(saved["fees"]))
    if saved.get("fee_tier") is not None:
        day, tier = saved["fee_tier"]
        account.fee_tier = day, tier
    account.locked = load_amounts(saved["locked"])
    account.deposited = load_amounts(saved["deposited"])
    for symbol, records in saved["records"].items():
        account.records[symbol] = load_records(account, Symbol(symbol), records)
    load_lists(account, saved["lists"])
    return account


def save_amounts(amounts: Mapping[Asset, Decimal]) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in amounts.items()}


def load_amounts(saved: Mapping[str, str]) -> dict[Asset, Decimal]:
    return {Asset(asset): Decimal(amount) for asset, amount in saved.items()}


def save_optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def load_optional(saved: str | None) -> Decimal | None:
    return None if saved is None else Decimal(saved)
