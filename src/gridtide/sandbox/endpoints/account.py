"""The account: balances, executions, commissions, order counts."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.commissions import rates_on_market, shape_rates, standard_rates
from gridtide.sandbox.endpoints.market_listing import account_filters, asset_filters, exchange_filters
from gridtide.sandbox.endpoints.paging import (
    END,
    LIMIT,
    NO_LIMIT,
    START,
    check_span,
    first_or_last,
    is_within,
)
from gridtide.sandbox.errors import bad_combination
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import VenueFill

_SYMBOL = parameters.symbol()
_OMIT_ZERO = parameters.boolean("omitZeroBalances")
_ORDER_ID = parameters.integer("orderId")
_FROM_ID = parameters.integer("fromId")

_BASIS_POINTS = 10_000


def account(exchange: SandboxExchange, call: Call) -> JsonObject:
    venue, account_id = exchange.venue, call.account_id
    rates = standard_rates(exchange, account_id, None)
    trading = call.key is not None and call.key.api_key.permissions.trading
    balances = sorted(venue.balances(account_id).items())
    return {
        "makerCommission": int(rates.maker * _BASIS_POINTS),
        "takerCommission": int(rates.taker * _BASIS_POINTS),
        "buyerCommission": int(rates.buyer * _BASIS_POINTS),
        "sellerCommission": int(rates.seller * _BASIS_POINTS),
        "commissionRates": shape_rates(rates),
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
    start, end, limit = call.get(START), call.get(END), call.get(LIMIT) or 500
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
        "orderListId": exchange.venue.order(fill.account_id, fill.symbol, fill.order_id).order_list_id,
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
    return rates_on_market(exchange, call.account_id, exchange.listing(call.need(_SYMBOL)).symbol)


def my_filters(exchange: SandboxExchange, call: Call) -> JsonObject:
    """The filters that look at the account: of the market, of the exchange, and of the market's assets."""
    market = exchange.listing(call.need(_SYMBOL)).market
    settings = exchange.venue.settings
    most = market.rules.max_open_orders
    orders: list[JsonObject] = [{"filterType": "MAX_NUM_ORDERS", "maxNumOrders": most}] if most else []
    return {
        "exchangeFilters": exchange_filters(settings.exchange_filters),
        "symbolFilters": [*orders, *account_filters(settings.filters_of(market.symbol))],
        "assetFilters": asset_filters(settings.exchange_filters, (market.base, market.quote)),
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
        optional=(_ORDER_ID, START, END, _FROM_ID, LIMIT),
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
        my_filters,
        "GET",
        "/api/v3/myFilters",
        "myFilters",
        weight=40,
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
