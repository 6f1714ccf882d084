"""The load on the sandbox: requests signed before the clock starts, and clients thin enough not to be the limit.

Requests stay good for a minute (recvWindow), so a run sends nothing but finished bytes. Every answer is checked.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import struct
import time
from collections.abc import Iterable, Iterator
from typing import cast

import orjson

from gridtide.testing.sandbox_exchange import SECRET

ACCOUNTS = 16
"""The first half places and rests, the second half takes from it."""

HOST = "127.0.0.1"
_SYMBOL = "BTCUSDT"
_BATCH = 50
"""Orders that rest until one cancel-all takes them away."""


def key_of(account: int) -> str:
    """The API key of an account of the bench."""
    return f"{account:02}" + "k" * 62


# --- what is sent ------------------------------------------------------------------------------------


class Request:
    """One signed request, as parameters: ready to become HTTP or a WebSocket frame."""

    def __init__(self, account: int, method: str, path: str, ws_name: str, **parameters: str) -> None:
        self.account = account
        self.method = method
        self.path = path
        self.ws_name = ws_name
        self.parameters = parameters

    @property
    def is_order(self) -> bool:
        return self.ws_name == "order.place"

    def http(self) -> bytes:
        """A whole HTTP/1.1 request as a client library sends it; parameters in the body for POST."""
        text = "&".join(f"{name}={value}" for name, value in self._timed().items())
        text += f"&signature={_signature(text)}"
        target, body = (self.path, text) if self.method == "POST" else (f"{self.path}?{text}", "")
        return (
            f"{self.method} {target} HTTP/1.1\r\nHost: {HOST}\r\nAccept: */*\r\n"
            f"Accept-Encoding: gzip, deflate\r\nUser-Agent: bench\r\nX-MBX-APIKEY: {key_of(self.account)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def frame(self) -> bytes:
        """A WebSocket API request in a masked frame (with a mask of zeros, which changes nothing)."""
        values = {**self._timed(), "apiKey": key_of(self.account)}
        text = "&".join(f"{name}={values[name]}" for name in sorted(values))
        params = {**values, "signature": _signature(text)}
        payload = orjson.dumps({"id": "1", "method": self.ws_name, "params": params})
        return struct.pack("!BBHI", 0x81, 0x80 | 126, len(payload), 0) + payload

    def _timed(self) -> dict[str, str]:
        return {**self.parameters, "recvWindow": "60000", "timestamp": str(time.time_ns() // 1_000_000)}


def _signature(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def order(account: int, side: str, price: str, client_id: str) -> Request:
    return Request(
        account, "POST", "/api/v3/order", "order.place", symbol=_SYMBOL, side=side, type="LIMIT",
        timeInForce="GTC", quantity="0.00100", price=price, newClientOrderId=client_id,
    )  # fmt: skip


def cancel(account: int, client_id: str) -> Request:
    return Request(
        account, "DELETE", "/api/v3/order", "order.cancel", symbol=_SYMBOL, origClientOrderId=client_id
    )


def cancel_all(account: int) -> Request:
    return Request(account, "DELETE", "/api/v3/openOrders", "openOrders.cancelAll", symbol=_SYMBOL)


def subscription(account: int) -> Request:
    return Request(account, "", "", "userDataStream.subscribe.signature")


def resting(account: int, orders: int, run: str) -> Iterator[Request]:
    """Orders far from the market on fifty levels; after every fifty one cancel-all."""
    for number in range(orders):
        yield order(account, "BUY", f"{49_000 - number % _BATCH}.00", f"r{run}-{account}-{number}")
        if number % _BATCH == _BATCH - 1:
            yield cancel_all(account)


def cancelled(account: int, orders: int, run: str) -> Iterator[Request]:
    """Every order is cancelled by the next request."""
    for number in range(orders):
        client_id = f"c{run}-{account}-{number}"
        yield order(account, "BUY", f"{49_000 - number % _BATCH}.00", client_id)
        yield cancel(account, client_id)


def taken(account: int, orders: int, run: str) -> Iterator[Request]:
    """Every other order is a second account's, which takes the one before whole."""
    for number in range(orders // 2):
        yield order(account, "BUY", "49999.99", f"m{run}-{account}-{number}")
        yield order(account + ACCOUNTS // 2, "SELL", "49999.99", f"t{run}-{account}-{number}")


MIXES = {"resting": resting, "cancelled": cancelled, "taken": taken}


# --- clients -----------------------------------------------------------------------------------------


class Lane(asyncio.Protocol):
    """A connection. `done` fails if the other side ends it before `close`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the sandbox closed the connection"))

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        self.done.cancel()
        assert self._transport is not None
        self._transport.close()


class HttpLane(Lane):
    """One kept-alive connection: a request goes out when the answer to the one before has come in."""

    def __init__(self, requests: Iterable[bytes]) -> None:
        super().__init__()
        self._requests = iter(requests)
        self._read = b""

    def start(self) -> None:
        self._send()

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        length = http_length(self._read)
        if length and len(self._read) >= length:
            if not self._read.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(RuntimeError(self._read.decode()))
                return
            self._read = b""
            self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
        else:
            self.write(request)


def http_length(read: bytes) -> int:
    """Bytes of the HTTP response at the start of `read`; 0 while its head is not whole."""
    end = read.find(b"\r\n\r\n")
    if end < 0:
        return 0
    start = read.index(b"Content-Length: ") + 16
    return end + 4 + int(read[start : read.index(b"\r", start)])


def handshake(path: str) -> bytes:
    """The request that opens a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


class SocketLane(Lane):
    """One WebSocket connection that hands every text frame to `on_text`."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._read = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.write(handshake(self._path))

    def data_received(self, data: bytes) -> None:
        read = self._read + data
        if not self.opened.done():
            end = read.find(b"\r\n\r\n")
            if end < 0:
                self._read = read
                return
            read = read[end + 4 :]
            self.opened.set_result(None)
        self._read = self._frames(read)

    def _frames(self, read: bytes) -> bytes:
        """Hand out whole frames; gives back the rest."""
        at, size = 0, len(read)
        while size - at >= 2:
            length, head = read[at + 1], 2
            if length == 126:
                length, head = int.from_bytes(read[at + 2 : at + 4], "big"), 4
            elif length == 127:
                length, head = int.from_bytes(read[at + 2 : at + 10], "big"), 10
            end = at + head + length
            if end > size:
                break
            if read[at] == 0x81:
                self.on_text(read[at + head : end])
            at = end
        return read[at:]

    def on_text(self, text: bytes) -> None:
        raise NotImplementedError


class ApiLane(SocketLane):
    """A WebSocket API connection with a fixed number of requests in flight."""

    def __init__(self, requests: Iterable[bytes], in_flight: int) -> None:
        super().__init__("/ws-api/v3")
        self._requests = iter(requests)
        self._in_flight = in_flight
        self._waiting = 0

    def start(self) -> None:
        for _ in range(self._in_flight):
            self._send()

    def on_text(self, text: bytes) -> None:
        if b'"status":200' not in text[:40]:
            self.done.set_exception(RuntimeError(text.decode()))
            return
        self._waiting -= 1
        self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._waiting += 1
            self.write(request)
        elif not self._waiting and not self.done.done():
            self.done.set_result(None)


class ListenerLane(Lane):
    """A subscriber that counts events by a text that stands once in each."""

    def __init__(self, path: str, mark: bytes) -> None:
        super().__init__()
        self._path = path
        self._mark = mark
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.write(handshake(self._path))

    def data_received(self, data: bytes) -> None:
        self.events += data.count(self._mark)


class ReportLane(SocketLane):
    """Hears the user events of some accounts and notes when the report of each new order arrived."""

    def __init__(self) -> None:
        super().__init__("/ws-api/v3")
        self.arrived: dict[str, float] = {}
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unanswered = 0

    def subscribe(self, *accounts: int) -> None:
        """Ask for the events of the accounts; `subscribed` once all are granted."""
        for account in accounts:
            self._unanswered += 1
            self.write(subscription(account).frame())

    def on_text(self, text: bytes) -> None:
        now = time.perf_counter()
        if b'"x":"NEW"' in text:
            start = text.index(b'"c":"') + 5
            self.arrived[text[start : text.index(b'"', start)].decode()] = now
        elif text.startswith(b'{"id"'):
            self._unanswered -= 1
            if not self._unanswered:
                self.subscribed.set_result(None)
