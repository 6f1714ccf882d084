"""The quickstart calls of binance-connector, run by a Python that has it; prints what it got as one JSON object.

Arguments: addresses of REST, streams and WebSocket API, key, secret. It is a script of its own because the package and
python-binance both install a module named `binance`.
"""

import json
import sys
import time
from queue import Queue
from typing import Any

from binance.error import ClientError
from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

BTC = "BTCUSDT"
WAIT_SECONDS = 10


def rest(url: str, key: str, secret: str) -> dict[str, Any]:
    """The README's calls, an order's life, an OCO and a refusal."""
    client = Spot(api_key=key, api_secret=secret, base_url=url, show_limit_usage=True)
    order = {
        "symbol": BTC,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": 0.002,
        "price": 9500,
    }
    placed = client.new_order(**{**order, "price": 40000})["data"]
    found = {
        "time": client.time()["data"]["serverTime"],
        "used": client.account()["limit_usage"]["x-mbx-used-weight"],
        "klines": len(client.klines(BTC, "1m", limit=10)["data"][0]),
        "depth": len(client.depth(BTC, limit=5)["data"]["bids"]),
        "placed": placed["status"],
        "open": len(client.get_open_orders(BTC)["data"]),
        "canceled": client.cancel_order(BTC, orderId=placed["orderId"])["data"]["status"],
        "trades": client.my_trades(BTC)["data"],
        "test": client.new_order_test(**{**order, "price": 40000})["data"],
    }
    try:
        client.new_order(**{**order, "quantity": 0.0001})
    except ClientError as error:
        found["refused"] = [error.status_code, error.error_code]
    return found


def streams(url: str) -> list[str]:
    """Subscribed by message: the events of a trade and a candle."""
    messages: Queue[str] = Queue()
    client = SpotWebsocketStreamClient(stream_url=url, on_message=lambda _, message: messages.put(message))
    client.trade(symbol=BTC)
    client.kline(symbol=BTC, interval="1m")
    seen: set[str] = set()
    while len(seen) < 2:
        seen.add(json.loads(messages.get(timeout=WAIT_SECONDS)).get("e", "ack"))
        seen.discard("ack")
    client.stop()
    return sorted(seen)


def websocket_api(url: str, key: str, secret: str) -> list[int]:
    """Statuses of a ping, an account and an order."""
    messages: Queue[str] = Queue()
    client = SpotWebsocketAPIClient(
        stream_url=url, api_key=key, api_secret=secret, on_message=lambda _, message: messages.put(message)
    )
    client.ping_connectivity()
    client.account()
    client.new_order(symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity=0.001, price=40000)
    statuses = [json.loads(messages.get(timeout=WAIT_SECONDS))["status"] for _ in range(3)]
    client.stop()
    time.sleep(0.1)
    return statuses


if __name__ == "__main__":
    rest_url, stream_url, api_url, api_key, api_secret = sys.argv[1:]
    answer = {
        "rest": rest(rest_url, api_key, api_secret),
        "streams": streams(stream_url),
        "websocket_api": websocket_api(api_url, api_key, api_secret),
    }
    sys.stdout.write(json.dumps(answer))
