"""The few wallet (sapi) operations that trading programs ask for before they trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.general import selected
from gridtide.sandbox.wire import ZERO_TEXT, JsonObject, number

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange

_SYMBOL = parameters.symbol()


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
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


def trade_fee(exchange: SandboxExchange, call: Call) -> list[JsonObject]:
    fees = exchange.venue.fees(call.account_id)
    return [
        {
            "symbol": listing.exchange_id,
            "makerCommission": format(fees.maker, "f"),
            "takerCommission": format(fees.taker, "f"),
        }
        for listing in selected(exchange, call.get(_SYMBOL), None)
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


def system_status(_exchange: SandboxExchange, _call: Call) -> JsonObject:
    return {"status": 0, "msg": "normal"}


ENDPOINTS = (
    Endpoint(restrictions, "GET", "/sapi/v1/account/apiRestrictions", right=Right.READ),
    Endpoint(trade_fee, "GET", "/sapi/v1/asset/tradeFee", right=Right.READ, optional=(_SYMBOL,)),
    Endpoint(assets, "GET", "/sapi/v1/capital/config/getall", weight=10, right=Right.READ),
    Endpoint(system_status, "GET", "/sapi/v1/system/status"),
)
