"""Seeded nonsense for both entrances of the sandbox: HTTP as bytes, WebSocket messages and frames.

GRIDTIDE_FUZZ=n multiplies how much of it is sent; the default is a few seconds.
"""

import json
import os
import random
from urllib.parse import quote

from gridtide.sandbox.endpoints.table import ENDPOINTS

FACTOR = int(os.environ.get("GRIDTIDE_FUZZ", "1"))

REST_ENDPOINTS = [(each.method, each.path) for each in ENDPOINTS if each.path]
METHODS = [each.ws_name for each in ENDPOINTS if each.ws_name] + [
    "session.logon",
    "session.logout",
    "session.status",
    "userDataStream.subscribe",
    "userDataStream.subscribe.signature",
    "userDataStream.unsubscribe",
]
STREAM_METHODS = [
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST_SUBSCRIPTIONS",
    "SET_PROPERTY",
    "GET_PROPERTY",
    "subscribe",
    "",
]

_TEXTS = (
    "",
    "0",
    "-1",
    "1e-05",
    "NaN",
    "Infinity",
    "9" * 400,
    "0." + "0" * 300 + "1",
    "BTCUSDT",
    "btcusdt",
    "ßÅ\N{SNOWMAN}\N{GRINNING FACE}",
    "\x00",
    "' OR 1=1 --",
    "../../etc/passwd",
    "%00",
    "[]",
    '["BTCUSDT","BTCUSDT"]',
    '[["BTCUSDT"]]',
    "{}",
    "true",
    "null",
    "GTC",
    "LIMIT",
    "BUY",
    "A" * 5000,
)
_NAMES = (
    "symbol",
    "symbols",
    "side",
    "type",
    "timeInForce",
    "quantity",
    "quoteOrderQty",
    "price",
    "stopPrice",
    "trailingDelta",
    "icebergQty",
    "newClientOrderId",
    "origClientOrderId",
    "orderId",
    "orderListId",
    "limit",
    "fromId",
    "startTime",
    "endTime",
    "interval",
    "timestamp",
    "recvWindow",
    "signature",
    "selfTradePreventionMode",
    "cancelReplaceMode",
    "newQty",
    "timeZone",
)
_BAD_ESCAPES = ("%", "%2", "%zz", "%ff%fe", "%C3%28", "%00", "&&", "=", "&=&", "a=b=c", "+", ";")


class Nonsense:
    """A seeded source of requests that no client should send."""

    def __init__(self, seed: int, api_key: str) -> None:
        self._random = random.Random(seed)
        self._api_key = api_key

    # --- values --------------------------------------------------------------------------------------

    def value(self, depth: int = 0) -> object:
        """A JSON value of any type, sometimes nested."""
        draw = self._random
        kinds = 6 if depth < 3 else 4
        match draw.randrange(kinds):
            case 0:
                return draw.choice(_TEXTS)
            case 1:
                return draw.choice((0, 1, -1, 2**63, -(2**63) - 1, 10**300, True, False))
            case 2:
                return draw.choice((0.1, -1.5, 1e300, 1e-300))
            case 3:
                return None
            case 4:
                return [self.value(depth + 1) for _ in range(draw.randrange(4))]
            case _:
                return {draw.choice(_NAMES): self.value(depth + 1) for _ in range(draw.randrange(4))}

    def parameters(self) -> dict[str, object]:
        return {self._random.choice(_NAMES): self.value() for _ in range(self._random.randrange(8))}

    # --- HTTP ----------------------------------------------------------------------------------------

    def query(self) -> str:
        """Parameters in a query or body: duplicated, badly encoded, without values."""
        draw = self._random
        parts = []
        for _ in range(draw.randrange(8)):
            name, text = draw.choice(_NAMES), draw.choice(_TEXTS)
            parts.append(
                draw.choice(
                    (f"{name}={quote(text)}", f"{name}={quote(text)}", name, draw.choice(_BAD_ESCAPES))
                )
            )
        if parts and draw.random() < 0.3:
            parts.append(parts[0])
        return "&".join(parts)

    def http(self) -> bytes:
        """A whole request, or what somebody took for one."""
        draw = self._random
        method, path = draw.choice(REST_ENDPOINTS)
        if draw.random() < 0.2:
            method = draw.choice(("PATCH", "HEAD", "OPTIONS", "TRACE", "get", "BREW", "", "G T"))
        if draw.random() < 0.2:
            path = draw.choice(
                ("", "/", "//", path + "/", path[:-1], "/api/v9/x", "/%2e%2e/", "/" + "a" * 9000)
            )
        body = self._body()
        lines = [f"{method} {path}?{self.query()} HTTP/1.1", "Host: sandbox", *self._headers(len(body))]
        head = "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n"
        whole = head + body
        return whole[: draw.randrange(len(whole))] if draw.random() < 0.15 else whole

    def _body(self) -> bytes:
        draw = self._random
        match draw.randrange(6):
            case 0:
                return self.query().encode()
            case 1:
                return json.dumps(self.parameters()).encode()
            case 2:
                return draw.randbytes(draw.randrange(300))
            case 3:
                return b"a=1&" * draw.randrange(3000)
            case _:
                return b""

    def _headers(self, length: int) -> list[str]:
        draw = self._random
        headers = ["Connection: close"]
        if draw.random() < 0.9:
            headers.append(f"Content-Length: {length}")
        else:
            headers.append(
                draw.choice(
                    (
                        "Content-Length: -1",
                        "Content-Length: x",
                        "Transfer-Encoding: chunked",
                        "Content-Length: 5",
                    )
                )
            )
        if draw.random() < 0.7:
            headers.append("X-MBX-APIKEY: " + draw.choice((self._api_key, "", "é", "x" * 5000, "unknown")))
        if draw.random() < 0.5:
            kind = draw.choice(
                ("application/json", "multipart/form-data", "text/plain; charset=utf-99", "nonsense", "")
            )
            headers.append(f"Content-Type: {kind}")
        if draw.random() < 0.2:
            headers.append(
                draw.choice(
                    ("Content-Encoding: gzip", "Expect: 100-continue", "Upgrade: websocket", ": x", "X")
                )
            )
        return headers

    # --- WebSocket -----------------------------------------------------------------------------------

    def message(self, methods: list[str]) -> str:
        """A text message: a request with wrong parts, or no JSON at all."""
        draw = self._random
        match draw.randrange(8):
            case 0:
                return draw.choice(
                    ("", "{", "[]", "null", '"text"', "1e999", "NaN", '{"a":1}{', "[" * 5000, "\ud800x"[1:])
                )
            case 1:
                return json.dumps(self.value())
            case 2:
                return '{"id":1,"method":"ping","params":' + "[" * 2000 + "]" * 2000 + "}"
            case 3:
                return json.dumps({"id": 1, "method": draw.choice(methods), "params": {"x": "y" * 100_000}})
            case _:
                request = {
                    "id": self.value(),
                    "method": draw.choice((draw.choice(methods), self.value())),
                    "params": draw.choice((self.parameters(), self.value())),
                }
                for name in tuple(request):
                    if draw.random() < 0.1:
                        del request[name]
                return json.dumps(request)

    def frame(self) -> bytes:
        """Bytes where a WebSocket frame is expected: wrong opcodes, lengths, masks, control frames too long."""
        draw = self._random
        first, second = draw.randrange(256), draw.randrange(256)
        return bytes((first, second)) + draw.randbytes(draw.randrange(40))
