"""All operations of the exchange, one table for REST and WebSocket API, one file a subject."""

from gridtide.sandbox.endpoints import account, general, market, orders, wallet

ENDPOINTS = (
    *general.ENDPOINTS,
    *market.ENDPOINTS,
    *orders.ENDPOINTS,
    *account.ENDPOINTS,
    *wallet.ENDPOINTS,
)
