"""The few wallet (sapi) operations that trading programs ask for before they trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.commissions import standard_rates
from gridtide.sandbox.endpoints.general import selected
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange

_SYMBOL = parameters.symbol()
_ASSET = parameters.text("asset")
_BTC_VALUE = parameters.boolean("needBtcValuation")
_SIGNING = tuple(map(parameters.text, ("timestamp", "recvWindow", "signature")))
"""Which some clients send with requests that need no signature."""


def restrictions(exchange: SandboxExchange, call: Call) -> JsonObject:
    """What the key may do."""
    assert call.key is not None
    permissions = call.key.api_key.permissions
    return {
        "ipRestrict": permissions.ip_restricted,
        "createTime": exchange.started_at,
        "enableReading": permissions.reading,
        "enableSpotAndMarginTrading": permissions.trading,
        "enableWithdrawals": permissions.withdrawals,
        "enableInternalTransfer": permissions.transfers,
        "permitsUniversalTransfer": permissions.transfers,
        "enableMargin": False,
        "enableFutures": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


def trade_fee(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """What the account pays as maker and taker, its tier considered."""
    return [
        {
            "symbol": listing.exchange_id,
            "makerCommission": format(rates.maker, "f"),
            "takerCommission": format(rates.taker, "f"),
        }
        for listing in selected(exchange, call.get(_SYMBOL), None)
        for rates in [standard_rates(exchange, call.account_id, listing.symbol)]
    ]


def assets(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """All assets with what the account holds of them. Nothing can be withdrawn from a sandbox."""
    balances = sorted(exchange.venue.balances(call.account_id).items())
    return [
        {
            "coin": asset,
            "name": asset,
            "trading": True,
            "isLegalMoney": False,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "free": number(balance.free),
            "locked": number(balance.locked),
            "freeze": ZERO_TEXT,
            "withdrawing": ZERO_TEXT,
            "ipoing": ZERO_TEXT,
            "ipoable": ZERO_TEXT,
            "storage": ZERO_TEXT,
            "networkList": [_network(asset)],
        }
        for asset, balance in balances
    ]


def _network(asset: str) -> JsonObject:
    return {
        "network": "SANDBOX",
        "coin": asset,
        "name": "Sandbox",
        "isDefault": True,
        "depositEnable": False,
        "withdrawEnable": False,
        "withdrawIntegerMultiple": "0.00000001",
        "withdrawFee": ZERO_TEXT,
        "withdrawMin": ZERO_TEXT,
        "withdrawMax": ZERO_TEXT,
        "minConfirm": 1,
        "unLockConfirm": 0,
        "depositDesc": "a sandbox takes no deposits",
        "withdrawDesc": "a sandbox pays nothing out",
        "addressRegex": "",
        "memoRegex": "",
        "resetAddressStatus": False,
        "sameAddress": False,
        "estimatedArrivalTime": 0,
        "busy": False,
    }


def user_assets(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    """What the account holds; zeros are left out."""
    wanted = call.get(_ASSET)
    return [
        {
            "asset": asset,
            "free": number(balance.free),
            "locked": number(balance.locked),
            "freeze": ZERO_TEXT,
            "withdrawing": ZERO_TEXT,
            "ipoable": ZERO_TEXT,
            "btcValuation": ZERO_TEXT,
        }
        for asset, balance in sorted(exchange.venue.balances(call.account_id).items())
        if balance.total and wanted in {None, asset}
    ]


def account_status(_exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {"data": "Normal"}


def trading_status(exchange: SandboxExchange, _call: Call) -> JsonObject:
    """Nobody is ever locked out of a sandbox."""
    return {
        "data": {
            "isLocked": False,
            "plannedRecoverTime": 0,
            "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
            "updateTime": exchange.started_at,
        }
    }


def no_margin(_exchange: SandboxExchange, _call: Call) -> list[JsonObject]:
    """What ccxt's default options ask for: nothing is traded on margin here."""
    return []


def system_status(_exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {"status": 0, "msg": "normal"}


ENDPOINTS = (
    Endpoint(restrictions, "GET", "/sapi/v1/account/apiRestrictions", right=Right.READ),
    Endpoint(trade_fee, "GET", "/sapi/v1/asset/tradeFee", right=Right.READ, optional=(_SYMBOL,)),
    Endpoint(assets, "GET", "/sapi/v1/capital/config/getall", weight=10, right=Right.READ),
    Endpoint(system_status, "GET", "/sapi/v1/system/status", optional=_SIGNING),
    Endpoint(account_status, "GET", "/sapi/v1/account/status", right=Right.READ),
    Endpoint(trading_status, "GET", "/sapi/v1/account/apiTradingStatus", right=Right.READ),
    Endpoint(
        user_assets,
        "POST",
        "/sapi/v3/asset/getUserAsset",
        weight=5,
        right=Right.READ,
        optional=(_ASSET, _BTC_VALUE),
    ),
    Endpoint(no_margin, "GET", "/sapi/v1/margin/allPairs", optional=(_SYMBOL, *_SIGNING)),
    Endpoint(no_margin, "GET", "/sapi/v1/margin/isolated/allPairs", weight=10, optional=(_SYMBOL, *_SIGNING)),
)
