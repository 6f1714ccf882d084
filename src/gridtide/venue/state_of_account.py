"""An account as JSON-compatible values and back: balances, fees, every order and every fill."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import FeeRate, plain
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue.account import Account, OwnRecords
from gridtide.venue.messages import VenueFill
from gridtide.venue.settings import AccountFees, SelfTradePrevention
from gridtide.venue.working_order import WorkingOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]  # the shape is private to save and load, which stand side by side


def save_account(account: Account) -> Json:
    return {
        "account_id": account.account_id,
        "fees": save_fees(account.fees),
        "free": save_amounts(account.free),
        "locked": save_amounts(account.locked),
        "deposited": save_amounts(account.deposited),
        "records": {symbol: _save_records(records) for symbol, records in account.records.items()},
    }


def load_account(saved: Json) -> Account:
    account = Account(saved["account_id"], load_amounts(saved["free"]), load_fees(saved["fees"]))
    account.locked = load_amounts(saved["locked"])
    account.deposited = load_amounts(saved["deposited"])
    for symbol, records in saved["records"].items():
        account.records[symbol] = _load_records(account, Symbol(symbol), records)
    return account


def save_fees(fees: AccountFees) -> Json:
    return {
        "maker": plain(fees.maker),
        "taker": plain(fees.taker),
        "asset": fees.asset,
        "discount": plain(fees.discount),
        "asset_price": save_optional(fees.asset_price),
    }


def load_fees(saved: Json) -> AccountFees:
    return AccountFees(
        FeeRate(Decimal(saved["maker"])),
        FeeRate(Decimal(saved["taker"])),
        saved["asset"],
        Decimal(saved["discount"]),
        load_optional(saved["asset_price"]),
    )


def save_amounts(amounts: Mapping[Asset, Decimal]) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in amounts.items()}


def load_amounts(saved: Mapping[str, str]) -> dict[Asset, Decimal]:
    return {Asset(asset): Decimal(amount) for asset, amount in saved.items()}


def save_optional(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def load_optional(saved: str | None) -> Decimal | None:
    return None if saved is None else Decimal(saved)


def _save_records(records: OwnRecords) -> Json:
    return {
        "orders": [_save_order(order) for order in records.orders.values()],
        "fills": [_save_fill(fill) for fill in records.fills],
    }


def _load_records(account: Account, symbol: Symbol, saved: Json) -> OwnRecords:
    records = OwnRecords()
    for row in saved["orders"]:
        records.add(_load_order(account, symbol, row))
    for row in saved["fills"]:
        order = records.orders[row["order_id"]]
        records.note_fill(order, _load_fill(order, row))
    return records


def _save_order(order: WorkingOrder) -> Json:
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "side": order.side.value,
        "type": order.type,
        "time_in_force": order.time_in_force.value,
        "price": plain(order.price),
        "amount": plain(order.amount),
        "quote_amount": plain(order.quote_amount),
        "self_trade_prevention": order.self_trade_prevention.value,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "status": order.status.value,
        "expiry_reason": order.expiry_reason,
        "executed_amount": plain(order.executed_amount),
        "executed_quote": plain(order.executed_quote),
        "locked": plain(order.locked),
    }


def _load_order(account: Account, symbol: Symbol, saved: Json) -> WorkingOrder:
    order = WorkingOrder(
        account,
        symbol,
        saved["order_id"],
        saved["client_order_id"],
        Side(saved["side"]),
        saved["type"],
        TimeInForce(saved["time_in_force"]),
        Decimal(saved["price"]),
        Decimal(saved["amount"]),
        Decimal(saved["quote_amount"]),
        SelfTradePrevention(saved["self_trade_prevention"]),
        Timestamp(saved["created_at"]),
    )
    order.executed_amount = Decimal(saved["executed_amount"])
    order.executed_quote = Decimal(saved["executed_quote"])
    order.remaining = order.amount - order.executed_amount
    order.locked = Decimal(saved["locked"])
    order.end(OrderStatus(saved["status"]), Timestamp(saved["updated_at"]), saved["expiry_reason"])
    return order


def _save_fill(fill: VenueFill) -> Json:
    """What the fill's order does not tell already."""
    return {
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "price": plain(fill.price),
        "amount": plain(fill.amount),
        "quote_amount": plain(fill.quote_amount),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "is_maker": fill.is_maker,
        "timestamp": fill.timestamp,
    }


def _load_fill(order: WorkingOrder, saved: Json) -> VenueFill:
    return VenueFill(
        order.account.account_id,
        order.symbol,
        saved["trade_id"],
        order.order_id,
        order.client_order_id,
        order.side,
        Decimal(saved["price"]),
        Decimal(saved["amount"]),
        Decimal(saved["quote_amount"]),
        Decimal(saved["fee"]),
        Asset(saved["fee_asset"]),
        saved["is_maker"],
        Timestamp(saved["timestamp"]),
    )
