"""Where an exchange is reached and with which key: a plain value, and none of it shows in a repr."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ConnectionMode = Literal["sandbox", "paper", "testnet", "live"]


@dataclass(frozen=True, slots=True)
class ExchangeConnection:
    """How to reach one exchange. Another CCXT id needs nothing but its `name`.

    The three addresses belong to mode ``sandbox`` alone and must be loopback; with `rest_url` given, the other
    two follow from it.
    """

    name: str = "binance"
    mode: ConnectionMode = "sandbox"
    api_key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    rest_url: str = ""
    """``http://127.0.0.1:9100``, without the API's path."""
    stream_url: str = ""
    """Market streams, ``ws://127.0.0.1:9100/stream/ws``."""
    ws_api_url: str = ""
    """WebSocket API with the user events, ``ws://127.0.0.1:9100/ws-api/v3``."""
    timeout_seconds: float = 10.0
    recv_window_ms: int = 5_000
    """RECV of the exactly-once protocol; the exchange refuses an order that arrives later."""
    clock_refresh_seconds: float = 120.0
    silence_seconds: float = 60.0
    """A socket without any frame for this long is rebuilt."""
    reconnect_seconds: float = 0.2
    """First wait before a reconnect; doubles up to 30 s."""

    @property
    def has_key(self) -> bool:
        return bool(self.api_key and self.secret)
