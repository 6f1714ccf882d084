"""How to point a client at a sandbox: programs to paste, with its addresses and key filled in.

The docs show the same ones, and tests run them. They are written as ruff formats them, which also formats the docs.
"""

from __future__ import annotations

from enum import StrEnum
from textwrap import indent


class Client(StrEnum):
    """A way to reach the sandbox for which there is a snippet."""

    CCXT = "ccxt"
    CCXT_PRO = "ccxt-pro"
    PYTHON_BINANCE = "python-binance"
    BINANCE_SDK_SPOT = "binance-sdk-spot"
    BINANCE_CONNECTOR = "binance-connector"
    CCXT_JS = "ccxt-js"
    CURL = "curl"


def snippet(client: Client, address: str, key: str, secret: str) -> str:
    """The program for `client`; `address` is host and port."""
    text = SNIPPETS[client]
    for name, value in (("ADDRESS", address), ("THE-KEY", key), ("THE-SECRET", secret)):
        text = text.replace(name, value)
    return text


_CCXT = """\
    {
        "apiKey": "THE-KEY",
        "secret": "THE-SECRET",
        "options": {
            "defaultType": "spot",
            "fetchMarkets": {"types": ["spot"]},  # else load_markets asks the futures sites too
            "fetchMargins": False,
            "fetchCurrencies": False,
        },
    }
)
base = "http://ADDRESS"
api = exchange.urls["api"]
api["public"] = api["private"] = base + "/api/v3"
api["v1"] = base + "/api/v1"
# All of them: a key you forget is signed and sent to the real exchange.
for name, version in (("sapi", "v1"), ("sapiV2", "v2"), ("sapiV3", "v3"), ("sapiV4", "v4")):
    api[name] = f"{base}/sapi/{version}"
# ccxt chooses its errors by the address: give it those of spot.
spot = exchange.exceptions.get("spot", {})
exchange.get_exceptions_by_url = lambda url, kind: spot.get(kind, {})
"""

SNIPPETS = {
    Client.CCXT: f"""\
import ccxt  # the same for ccxt.async_support

exchange = ccxt.binance(
{_CCXT}
print(exchange.fetch_balance()["USDT"])
print(exchange.create_order("BTC/USDT", "limit", "buy", 0.001, 40000)["id"])
""",
    Client.CCXT_PRO: f"""\
import asyncio

import ccxt.pro as ccxtpro


async def main():
    exchange = ccxtpro.binance(
{indent(_CCXT, "    ")}\
    streams = exchange.urls["api"]["ws"]
    streams["spot"] = streams["margin"] = "ws://ADDRESS/stream/ws"  # must contain /stream
    streams["ws-api"]["spot"] = "ws://ADDRESS/ws-api/v3"
    try:
        print((await exchange.watch_ticker("BTC/USDT"))["last"])
    finally:
        await exchange.close()


asyncio.run(main())
""",
    Client.PYTHON_BINANCE: """\
from binance import AsyncClient, BinanceSocketManager, Client

# Class attributes, and before a client is made: it copies them.
Client.API_URL = AsyncClient.API_URL = "http://ADDRESS/api"
Client.MARGIN_API_URL = AsyncClient.MARGIN_API_URL = "http://ADDRESS/sapi"
AsyncClient.WS_API_URL = "ws://ADDRESS/ws-api/v3"
BinanceSocketManager.STREAM_URL = "ws://ADDRESS/"  # with the slash at its end

client = Client("THE-KEY", "THE-SECRET")
print(client.get_asset_balance("USDT"))
print(client.order_limit_buy(symbol="BTCUSDT", quantity="0.001", price="40000")["orderId"])
""",
    Client.BINANCE_SDK_SPOT: """\
from binance_common.configuration import ConfigurationRestAPI
from binance_sdk_spot.spot import Spot

client = Spot(
    config_rest_api=ConfigurationRestAPI(
        api_key="THE-KEY",
        api_secret="THE-SECRET",
        base_path="http://ADDRESS",
    )
)
# for streams: ConfigurationWebSocketStreams(stream_url="ws://ADDRESS")
# for the WebSocket API: ConfigurationWebSocketAPI(stream_url="ws://ADDRESS/ws-api/v3")
print(client.rest_api.ticker_price(symbol="BTCUSDT").data())
""",
    Client.BINANCE_CONNECTOR: """\
from binance.spot import Spot

client = Spot(api_key="THE-KEY", api_secret="THE-SECRET", base_url="http://ADDRESS")
# for streams: SpotWebsocketStreamClient(stream_url="ws://ADDRESS")
# for the WebSocket API: SpotWebsocketAPIClient(stream_url="ws://ADDRESS/ws-api/v3")
print(client.ticker_price("BTCUSDT"))
""",
    Client.CCXT_JS: """\
import ccxt from "ccxt";

const exchange = new ccxt.pro.binance({
  apiKey: "THE-KEY",
  secret: "THE-SECRET",
  options: { defaultType: "spot", fetchMarkets: { types: ["spot"] }, fetchMargins: false, fetchCurrencies: false },
});
const api = exchange.urls.api;
api.public = api.private = "http://ADDRESS/api/v3";
api.v1 = "http://ADDRESS/api/v1";
for (const [name, version] of [["sapi", "v1"], ["sapiV2", "v2"], ["sapiV3", "v3"], ["sapiV4", "v4"]])
  api[name] = `http://ADDRESS/sapi/${version}`;
api.ws.spot = api.ws.margin = "ws://ADDRESS/stream/ws"; // must contain /stream
api.ws["ws-api"].spot = "ws://ADDRESS/ws-api/v3";
await exchange.loadHttpProxyAgent(); // once, even without a proxy: else ws:// is refused
console.log((await exchange.fetchBalance()).USDT);
await exchange.close();
""",
    Client.CURL: """\
key=THE-KEY
secret=THE-SECRET
curl -s "http://ADDRESS/api/v3/ticker/price?symbol=BTCUSDT"; echo

query="symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000&timestamp=$(date +%s000)"
signature=$(printf '%s' "$query" | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')
curl -s -X POST -H "X-MBX-APIKEY: $key" "http://ADDRESS/api/v3/order?$query&signature=$signature"; echo
""",
}
