"""Orders, their fills and what else belongs to them as JSON-compatible values and back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import plain
from gridtide.domain.order import OrderStatus, Side, TimeInForce
from gridtide.venue.account import OwnRecords
from gridtide.venue.messages import NewOrder, OrderAmendment, PreventedMatch, VenueFill
from gridtide.venue.settings import SelfTradePrevention
from gridtide.venue.state_history import History
from gridtide.venue.working_order import WorkingOrder

if TYPE_CHECKING:
    from gridtide.venue.account import Account

Json = dict[str, Any]  # the shape is private to save and load, which stand side by side

_DECIMALS = ("executed_amount", "executed_quote", "prevented_amount", "locked", "lock_price", "extreme")
_NUMBERS = ("updated_at", "working_at", "prevented_match_id", "trailing_at")


def save_records(records: OwnRecords) -> Json:
    """Ended orders and executions as histories, because they may be many; open orders as they are now."""
    still_open = {order.order_id: _save_order(order) for order in records.open.values()}
    names = {order_id: row["client_order_id"] for order_id, row in still_open.items()}
    orders = records.orders

    def save_order(order: WorkingOrder) -> Json:
        return still_open.get(order.order_id) or _save_order(order)

    def save_fill(fill: VenueFill) -> Json:
        return _save_fill(fill, names.get(fill.order_id) or orders[fill.order_id].client_order_id)

    return {
        "orders": History(orders.values(), save_order),
        "names": _save_names(records),
        "fills": History(records.fills, save_fill),
        "prevented": History(records.prevented, _save_prevented),
        "amendments": [_save_amendment(row) for rows in records.amendments.values() for row in rows],
    }


def load_records(account: Account, symbol: Symbol, saved: Json) -> OwnRecords:
    records = OwnRecords()
    for row in saved["orders"]:
        records.add(_load_order(account, symbol, row))
    for name, order_id in saved["names"]:
        if order_id is None:
            records.by_client_id.pop(name, None)
        else:
            records.by_client_id[name] = records.orders[order_id]
    for row in saved["fills"]:
        order = records.orders[row["order_id"]]
        records.note_fill(order, _load_fill(order, row))
    records.prevented.extend(_load_prevented(account, symbol, row) for row in saved["prevented"])
    for row in saved["amendments"]:
        records.amendments.setdefault(row[0], []).append(_load_amendment(symbol, row))
    return records


def _save_names(records: OwnRecords) -> list[list[Any]]:
    """Client ids that amendments gave to an order, or took from one without another getting it: these need not stand
    for the newest order of that name."""
    amended = (records.orders[order_id] for order_id in records.amendments)
    given = [
        [order.client_order_id, order.order_id]
        for order in amended
        if records.by_client_id.get(order.client_order_id) is order
    ]
    former = {row.original_client_order_id for rows in records.amendments.values() for row in rows}
    return [*given, *([name, None] for name in sorted(former - records.by_client_id.keys()))]


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
        "stop_price": plain(order.stop_price),
        "trailing_delta": order.trailing_delta,
        "strategy_id": order.strategy_id,
        "strategy_type": order.strategy_type,
        "created_at": order.created_at,
        "status": order.status.value,
        "expiry_reason": order.expiry_reason,
        **{name: plain(getattr(order, name)) for name in _DECIMALS},
        **{name: getattr(order, name) for name in _NUMBERS},
    }


def _load_order(account: Account, symbol: Symbol, saved: Json) -> WorkingOrder:
    request = NewOrder(
        account.account_id,
        symbol,
        Side(saved["side"]),
        saved["type"],
        Decimal(saved["amount"]),
        Decimal(saved["quote_amount"]),
        Decimal(saved["price"]),
        TimeInForce(saved["time_in_force"]),
        stop_price=Decimal(saved["stop_price"]),
        trailing_delta=saved["trailing_delta"],
        strategy_id=saved["strategy_id"],
        strategy_type=saved["strategy_type"],
    )
    order = WorkingOrder(
        account,
        request,
        saved["order_id"],
        saved["client_order_id"],
        SelfTradePrevention(saved["self_trade_prevention"]),
        Timestamp(saved["created_at"]),
    )
    for name in _DECIMALS:
        setattr(order, name, Decimal(saved[name]))
    for name in _NUMBERS:
        setattr(order, name, saved[name])
    order.status = OrderStatus(saved["status"])
    order.expiry_reason = saved["expiry_reason"]
    order.resize(order.amount)
    return order


def _save_fill(fill: VenueFill, name_of_order: str) -> Json:
    """What the fill's order does not tell already."""
    saved: Json = {
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
    if fill.client_order_id != name_of_order:
        saved["client_order_id"] = fill.client_order_id
    return saved


def _load_fill(order: WorkingOrder, saved: Json) -> VenueFill:
    return VenueFill(
        order.account.account_id,
        order.symbol,
        saved["trade_id"],
        order.order_id,
        saved.get("client_order_id", order.client_order_id),
        order.side,
        Decimal(saved["price"]),
        Decimal(saved["amount"]),
        Decimal(saved["quote_amount"]),
        Decimal(saved["fee"]),
        Asset(saved["fee_asset"]),
        saved["is_maker"],
        Timestamp(saved["timestamp"]),
    )


def _save_prevented(match: PreventedMatch) -> list[Any]:
    amounts = (match.taker_prevented_amount, match.maker_prevented_amount)
    return [
        match.match_id,
        match.taker_order_id,
        match.maker_order_id,
        match.mode,
        plain(match.price),
        *(None if amount is None else plain(amount) for amount in amounts),
        match.timestamp,
        plain(match.amount),
    ]


def _load_prevented(account: Account, symbol: Symbol, row: list[Any]) -> PreventedMatch:
    match_id, taker, maker, mode, price, of_taker, of_maker, timestamp, amount = row
    return PreventedMatch(
        account.account_id,
        symbol,
        match_id,
        taker,
        maker,
        mode,
        Decimal(price),
        None if of_taker is None else Decimal(of_taker),
        None if of_maker is None else Decimal(of_maker),
        Timestamp(timestamp),
        Decimal(amount),
    )


def _save_amendment(row: OrderAmendment) -> list[Any]:
    return [
        row.order_id,
        row.execution_id,
        row.original_client_order_id,
        row.new_client_order_id,
        plain(row.original_amount),
        plain(row.new_amount),
        row.timestamp,
    ]


def _load_amendment(symbol: Symbol, row: list[Any]) -> OrderAmendment:
    order_id, execution_id, former, new, former_amount, new_amount, timestamp = row
    return OrderAmendment(
        symbol, order_id, execution_id, former, new, Decimal(former_amount), Decimal(new_amount), timestamp
    )
