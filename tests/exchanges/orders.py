"""Orders, answers and rows for the adapter's tests. All values are invented."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gridtide.domain.commands import Approved, CancelOrder, SubmitOrder
from gridtide.domain.market import Asset, Market, MarketRules, Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import OrderIntent, OrderType, Side, Slot, TimeInForce

SYMBOL = Symbol("BTC/USDT")
CLIENT_ID = "gt1-7K2P4Q-041B-0009Z-2-KD"
MARKET = Market(
    SYMBOL,
    Asset("BTC"),
    Asset("USDT"),
    MarketRules(
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_amount=Decimal("0.00001"),
    ),
)


def submit_order(
    signed_at: int,
    *,
    client_order_id: str = CLIENT_ID,
    order_type: OrderType = OrderType.LIMIT,
    price: str | None = "40000.50",
    amount: str = "0.00200",
    side: Side = Side.BUY,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> SubmitOrder:
    intent = OrderIntent(
        Slot("041", side),
        SYMBOL,
        order_type,
        None if price is None else Price(Decimal(price)),
        Amount(Decimal(amount)),
        time_in_force,
    )
    return SubmitOrder(Approved(intent, Asset("USDT"), Decimal(81)), client_order_id, Timestamp(signed_at))


def cancel_order(*, order_id: str = "", client_order_id: str = CLIENT_ID) -> CancelOrder:
    return CancelOrder(SYMBOL, client_order_id, order_id)


def placed(**changes: Any) -> dict[str, Any]:
    """A FULL answer to POST order: rests, nothing filled."""
    return {
        "symbol": "BTCUSDT",
        "orderId": 7001,
        "orderListId": -1,
        "clientOrderId": CLIENT_ID,
        "transactTime": 1_790_000_000_100,
        "price": "40000.50000000",
        "origQty": "0.00200000",
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "workingTime": 1_790_000_000_100,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "fills": [],
    } | changes


def filled() -> dict[str, Any]:
    """A FULL answer to POST order: filled at once in two executions."""
    return placed(
        status="FILLED",
        executedQty="0.00200000",
        cummulativeQuoteQty="80.00000000",
        fills=[
            {
                "price": "40000.00000000",
                "qty": "0.00150000",
                "commission": "0.00000150",
                "commissionAsset": "BTC",
                "tradeId": 311,
            },
            {
                "price": "40000.00000000",
                "qty": "0.00050000",
                "commission": "0.00001000",
                "commissionAsset": "BNB",
                "tradeId": 312,
            },
        ],
    )


def resting(**changes: Any) -> dict[str, Any]:
    """A row of GET order or openOrders."""
    row = placed(time=1_790_000_000_100, updateTime=1_790_000_000_200, isWorking=True)
    del row["fills"], row["transactTime"]
    return row | changes


def cancelled(**changes: Any) -> dict[str, Any]:
    """An answer to DELETE order: the order's own id is `origClientOrderId`."""
    row = placed(status="CANCELED", origClientOrderId=CLIENT_ID, clientOrderId="cancel-request-1")
    del row["fills"]
    return row | changes


def trade_row(trade_id: int, **changes: Any) -> dict[str, Any]:
    """A row of GET myTrades."""
    return {
        "symbol": "BTCUSDT",
        "id": trade_id,
        "orderId": 7001,
        "orderListId": -1,
        "price": "40000.50000000",
        "qty": "0.00100000",
        "quoteQty": "40.00050000",
        "commission": "0.00000100",
        "commissionAsset": "BTC",
        "time": 1_790_000_000_100 + trade_id,
        "isBuyer": True,
        "isMaker": True,
        "isBestMatch": True,
    } | changes


def report(**changes: Any) -> dict[str, Any]:
    """An executionReport of a resting order."""
    return {
        "e": "executionReport",
        "E": 1_790_000_000_105,
        "s": "BTCUSDT",
        "c": CLIENT_ID,
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "0.00200000",
        "p": "40000.50000000",
        "P": "0.00000000",
        "g": -1,
        "C": "",
        "x": "NEW",
        "X": "NEW",
        "r": "NONE",
        "i": 7001,
        "l": "0.00000000",
        "z": "0.00000000",
        "L": "0.00000000",
        "n": "0",
        "N": None,
        "T": 1_790_000_000_104,
        "t": -1,
        "I": 9001,
        "w": True,
        "m": False,
        "O": 1_790_000_000_104,
        "Z": "0.00000000",
        "Y": "0.00000000",
    } | changes


def trade_report(trade_id: int = 311, **changes: Any) -> dict[str, Any]:
    """An executionReport of a first partial fill as maker."""
    return (
        report(
            x="TRADE",
            X="PARTIALLY_FILLED",
            l="0.00100000",
            L="40000.50000000",
            Y="40.00050000",
            z="0.00100000",
            Z="40.00050000",
            n="0.00000100",
            N="BTC",
            t=trade_id,
            m=True,
        )
        | changes
    )
