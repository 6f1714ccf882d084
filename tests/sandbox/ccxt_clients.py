"""CCXT clients pointed at a sandbox as the protocol document says (sections 2.1 and 2.2)."""

from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro

from gridtide.testing.sandbox_exchange import RunningSandbox

OPTIONS = {
    "defaultType": "spot",
    "fetchMarkets": {"types": ["spot"]},
    "fetchMargins": False,
    "fetchCurrencies": False,
}


def point_at(client: Any, sandbox: RunningSandbox) -> Any:
    """Replace every address the client could reach."""
    api = client.urls["api"]
    api["public"] = api["private"] = sandbox.url + "/api/v3"
    api["v1"] = sandbox.url + "/api/v1"
    for name, version in (("sapi", "v1"), ("sapiV2", "v2"), ("sapiV3", "v3"), ("sapiV4", "v4")):
        api[name] = f"{sandbox.url}/sapi/{version}"
    for name, version in (("fapiPublic", "fapi/v1"), ("dapiPublic", "dapi/v1")):
        api[name] = f"{sandbox.url}/{version}"
    spot = client.exceptions.get("spot", {})
    client.get_exceptions_by_url = lambda _url, kind: spot.get(kind, {})
    client.enableRateLimit = False
    return client


def arguments(sandbox: RunningSandbox, **options: Any) -> dict[str, Any]:
    return {"apiKey": sandbox.api_key, "secret": sandbox.secret, "options": {**OPTIONS, **options}}


def sync_client(sandbox: RunningSandbox, **options: Any) -> Any:
    """ccxt's blocking client."""
    return point_at(ccxt.binance(arguments(sandbox, **options)), sandbox)


def async_client(sandbox: RunningSandbox, **options: Any) -> Any:
    """ccxt's async client. Close it."""
    return point_at(ccxt.async_support.binance(arguments(sandbox, **options)), sandbox)


def pro_client(sandbox: RunningSandbox, **options: Any) -> Any:
    """ccxt's WebSocket client. Close it."""
    client = point_at(ccxt.pro.binance(arguments(sandbox, **options)), sandbox)
    sockets = client.urls["api"]["ws"]
    sockets["spot"] = sockets["margin"] = sandbox.stream_url
    sockets["ws-api"]["spot"] = sandbox.ws_api_url
    return client
