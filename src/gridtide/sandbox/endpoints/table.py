"""All operations of the exchange, one table for REST and WebSocket API, one file a subject."""

from gridtide.sandbox.endpoints import (
    account,
    amending,
    cancel_replace,
    cancelling,
    general,
    klines,
    market,
    order_list_queries,
    order_lists,
    placing,
    querying,
    self_trades,
    tickers,
    unsupported,
    wallet,
)

ENDPOINTS = (
    *general.ENDPOINTS,
    *market.ENDPOINTS,
    *klines.ENDPOINTS,
    *tickers.ENDPOINTS,
    *placing.ENDPOINTS,
    *cancelling.ENDPOINTS,
    *cancel_replace.ENDPOINTS,
    *amending.ENDPOINTS,
    *querying.ENDPOINTS,
    *order_lists.ENDPOINTS,
    *order_list_queries.ENDPOINTS,
    *account.ENDPOINTS,
    *self_trades.ENDPOINTS,
    *wallet.ENDPOINTS,
    *unsupported.ENDPOINTS,
)
