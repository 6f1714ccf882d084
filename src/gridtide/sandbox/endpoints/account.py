"""The account: balances, executions, commissions, order counts."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.paging import NO_LIMIT, check_span, first_or_last, is_within
from gridtide.sandbox.errors import bad_combination
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import VenueFill

_SYMBOL = parameters.symbol()
_OMIT_ZERO = parameters.boolean("omitZeroBalances")
_ORDER_ID = parameters.integer("orderId")
_FROM_ID = parameters.integer("fromId")
_START = parameters.integer("startTime")
_END = parameters.integer("endTime")
_LIMIT = parameters.limit(1000, default=500)

_BASIS_POINTS = 10_000


def account(exchange: SandboxExchange, call: Call) -> JsonObject:
    venue, account_id = exchange.venue, call.account_id
    fees = venue.fees(account_id)
    trading = call.key is not None and call.key.api_key.permissions.trading
    balances = sorted(venue.balances(account_id).items())
    return {
        "makerCommission": int(fees.maker * _BASIS_POINTS),
        "takerCommission": int(fees.taker * _BASIS_POINTS),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": number(fees.maker),
            "taker": number(fees.taker),
            "buyer": ZERO_TEXT,
            "seller": ZERO_TEXT,
        },
        "canTrade": trading,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": exchange.now(),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": number(balance.free), "locked": number(balance.locked)}
            for asset, balance in balances
            if balance.total or not call.get(_OMIT_ZERO)
        ],
        "permissions": ["SPOT"],
        "uid": account_number(account_id),
    }


def account_number(account_id: str) -> int:
    """The account's number, the same in every run."""
    return 100_000_000 + zlib.crc32(account_id.encode()) % 900_000_000


def my_trades(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """Executions. ``fromId`` means this id and newer; it goes with ``orderId`` but not with times (-1128)."""
    symbol = exchange.listing(call.need(_SYMBOL)).symbol
    from_id, order_id = call.get(_FROM_ID), call.get(_ORDER_ID)
    start, end, limit = call.get(_START), call.get(_END), call.get(_LIMIT) or 500
    timed = start is not None or end is not None
    if timed and (from_id is not None or order_id is not None):
        raise bad_combination()
    check_span(start, end)
    if not timed:
        found = exchange.venue.fills(call.account_id, symbol, from_id, order_id, limit)
        return [_trade(fill, exchange) for fill in found]
    inside = [
        fill
        for fill in exchange.venue.fills(call.account_id, symbol, 0, None, NO_LIMIT)
        if is_within(fill.timestamp, start, end)
    ]
    return [_trade(fill, exchange) for fill in first_or_last(inside, start, limit)]


def my_trades_weight(values: Mapping[str, str]) -> int:
    return 5 if values.get("orderId") else 20


def _trade(fill: VenueFill, exchange: SandboxExchange) -> JsonObject:
    return {
        "symbol": exchange.exchange_id(fill.symbol),
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": number(fill.price),
        "qty": number(fill.amount),
        "quoteQty": number(fill.quote_amount),
        "commission": number(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.timestamp,
        "isBuyer": fill.side.value == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def commission(exchange: SandboxExchange, call: Call) -> JsonObject:
    fees = exchange.venue.fees(call.account_id)
    nothing = {"maker": ZERO_TEXT, "taker": ZERO_TEXT, "buyer": ZERO_TEXT, "seller": ZERO_TEXT}
    return {
        "symbol": exchange.listing(call.need(_SYMBOL)).exchange_id,
        "standardCommission": {**nothing, "maker": number(fees.maker), "taker": number(fees.taker)},
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": {
            "enabledForAccount": fees.asset is not None,
            "enabledForSymbol": fees.asset is not None,
            "discountAsset": fees.asset or "BNB",
            "discount": number(fees.discount),
        },
    }


def order_counts(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    return exchange.limiter.order_usage(call.account_id, exchange.now())


ENDPOINTS = (
    Endpoint(
        account,
        "GET",
        "/api/v3/account",
        "account.status",
        weight=20,
        right=Right.READ,
        optional=(_OMIT_ZERO,),
    ),
    Endpoint(
        my_trades,
        "GET",
        "/api/v3/myTrades",
        "myTrades",
        weight=my_trades_weight,
        right=Right.READ,
        required=(_SYMBOL,),
        optional=(_ORDER_ID, _START, _END, _FROM_ID, _LIMIT),
    ),
    Endpoint(
        commission,
        "GET",
        "/api/v3/account/commission",
        "account.commission",
        weight=20,
        right=Right.READ,
        required=(_SYMBOL,),
    ),
    Endpoint(
        order_counts,
        "GET",
        "/api/v3/rateLimit/order",
        "account.rateLimits.orders",
        weight=40,
        right=Right.READ,
    ),
)
