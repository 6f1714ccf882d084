"""CCXT instances as the adapters use them: watched, on exchange time, unthrottled, and pointed where they may go.

In sandbox mode no address outside this machine is left in an instance, so no mistake can reach a real exchange.
"""

from __future__ import annotations

import difflib
import ipaddress
import logging
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from gridtide.domain.errors import InvalidConfig
from gridtide.exchanges.transmission import record_answer

if TYPE_CHECKING:
    import aiohttp

    from gridtide.exchanges.connection import ExchangeConnection
    from gridtide.exchanges.exchange_clock import ExchangeClock

SANDBOX_EXCHANGE = "binance"
"""The exchange whose protocol our sandbox speaks."""

_PING_MS = 20_000


class SocketListener(Protocol):
    """Who is told what happens on the sockets of an instance."""

    def frame_arrived(self, url: str) -> None:
        """Any frame, pings included: the socket lives."""

    def message_arrived(self, url: str, message: Any) -> None:
        """A decoded message, before CCXT sees it."""

    def frame_unreadable(self, url: str) -> None:
        """A frame that could not be handled; the socket goes on reading."""

    def socket_broken(self, url: str, reason: str) -> None:
        """The socket is closed or failed."""


def make_client(
    settings: ExchangeConnection,
    clock: ExchangeClock,
    session: aiohttp.ClientSession,
    *,
    listener: SocketListener | None = None,
    parse_messages: bool = True,
) -> Any:
    """A CCXT Pro instance for `settings`, on `session`; raises `InvalidConfig` for a name or address it refuses.

    With `parse_messages` False, stream messages reach the listener only and CCXT spends no time on them.
    """
    client = _client_class(settings.name)(
        {
            "apiKey": settings.api_key,
            "secret": settings.secret,
            "timeout": int(settings.timeout_seconds * 1_000),
            "enableRateLimit": False,  # CCXT's throttle makes orders wait behind reads; rate_budget does not
            "streaming": {"keepAlive": _PING_MS},
            "options": {
                "defaultType": "spot",
                "recvWindow": settings.recv_window_ms,
                "maxRetriesOnFailure": 0,
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "fetchCurrencies": False,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
            },
        }
    )
    client.number = str  # decimals stay text
    client.timeout_on_exit = 0
    client.exchange_clock, client.listener, client.parse_messages = clock, listener, parse_messages
    _point(client, settings)
    client.own_session, client.session = False, session
    return client


async def close_client(client: Any) -> None:
    """Close the sockets of an instance and tell its listener nothing more.

    The session is not the instance's own; left in place, CCXT would complain of it if the closing is cut short.
    """
    client.listener = client.session = None
    await client.close()


class WatchedClient:
    """Mixed into a CCXT class: reports answers and frames, signs with exchange time, survives bad frames."""

    exchange_clock: ExchangeClock
    listener: SocketListener | None
    parse_messages: bool

    def milliseconds(self) -> int:
        return self.exchange_clock.now()

    def on_rest_response(
        self,
        code: int,
        _reason: str,
        _url: str,
        _method: str,
        response_headers: dict[str, str],
        response_body: str,
        _request_headers: object,
        _request_body: object,
    ) -> str:
        record_answer(code, response_headers, response_body)
        return response_body.strip()

    def client(self, url: str) -> Any:
        """CCXT's socket for `url`, with its frame handler guarded.

        An exception inside that handler would end the socket's receive loop without a word (F24).
        """
        socket = super().client(url)  # type: ignore[misc]  # CCXT's class comes after this one
        if not getattr(socket, "is_guarded", False):
            socket.is_guarded = True
            handle = socket.handle_message
            socket.handle_message = lambda frame: self._guarded(handle, url, frame)
        return socket

    def _guarded(self, handle: Any, url: str, frame: Any) -> None:
        if self.listener is not None:
            self.listener.frame_arrived(url)
        try:
            handle(frame)
        except Exception:  # a bad frame may break anything in there; the listener treats it as a gap
            if self.listener is not None:
                self.listener.frame_unreadable(url)

    def handle_message(self, socket: Any, message: Any) -> None:
        if self.parse_messages:
            super().handle_message(socket, message)  # type: ignore[misc]  # CCXT's class comes after this one
        elif isinstance(message, dict) and message.get("id") is not None and "e" not in message:
            socket.resolve(message, str(message["id"]))
            return
        if self.listener is not None:
            self.listener.message_arrived(socket.url, message)

    def on_error(self, socket: Any, error: BaseException) -> None:
        super().on_error(socket, error)  # type: ignore[misc]  # CCXT's class comes after this one
        if self.listener is not None:
            self.listener.socket_broken(socket.url, type(error).__name__)

    def on_close(self, socket: Any, code: object) -> None:
        super().on_close(socket, code)  # type: ignore[misc]  # CCXT's class comes after this one
        if self.listener is not None:
            self.listener.socket_broken(socket.url, f"closed with code {code}")


@cache
def _client_class(name: str) -> type[Any]:
    """The CCXT Pro class of an exchange, watched. Importing CCXT takes half a second: only here, only once."""
    import ccxt.pro

    # At DEBUG it writes signed addresses and keys (F71).
    logging.getLogger("ccxt").setLevel(logging.WARNING)
    if name not in ccxt.pro.exchanges:
        near = difflib.get_close_matches(name, ccxt.pro.exchanges, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; use a CCXT id such as binance or kraken"
        raise InvalidConfig(f"exchange.name {name!r} is no exchange with streams that CCXT knows{hint}")
    return type(f"Watched{name.capitalize()}", (WatchedClient, getattr(ccxt.pro, name)), {})


# --- addresses ---------------------------------------------------------------------------------------


def _point(client: Any, settings: ExchangeConnection) -> None:
    if settings.mode == "sandbox":
        client.urls["api"] = _sandbox_addresses(settings)
        _refuse_strangers(client.urls["api"])
        _restore_spot_errors(client)
        return
    if settings.rest_url or settings.stream_url or settings.ws_api_url:
        raise InvalidConfig(
            f"exchange addresses can be set in mode sandbox only, not in mode {settings.mode}"
        )
    if settings.mode == "testnet":
        if "test" not in client.urls:
            raise InvalidConfig(f"{settings.name} has no testnet; use mode sandbox or paper")
        client.set_sandbox_mode(True)


def _sandbox_addresses(settings: ExchangeConnection) -> dict[str, Any]:
    """All addresses an instance may know in sandbox mode; what is missing here cannot be called."""
    if settings.name != SANDBOX_EXCHANGE:
        raise InvalidConfig(f"the sandbox speaks the protocol of {SANDBOX_EXCHANGE}, not of {settings.name}")
    if not settings.rest_url:
        raise InvalidConfig("mode sandbox needs the sandbox's address in exchange.rest_url")
    base = settings.rest_url.rstrip("/").removesuffix("/api/v3")
    sockets = f"ws{base.removeprefix('http')}"
    streams = settings.stream_url.rstrip("/") or f"{sockets}/stream/ws"
    if not urlsplit(streams).path:
        streams += "/stream/ws"  # CCXT takes a stream for spot by the word "/stream" in its address
    return {
        "public": f"{base}/api/v3",
        "private": f"{base}/api/v3",
        "v1": f"{base}/api/v1",
        "sapi": f"{base}/sapi/v1",
        "sapiV2": f"{base}/sapi/v2",
        "sapiV3": f"{base}/sapi/v3",
        "sapiV4": f"{base}/sapi/v4",
        "ws": {
            "spot": streams,
            "margin": streams,
            "ws-api": {"spot": settings.ws_api_url or f"{sockets}/ws-api/v3"},
        },
    }


def _refuse_strangers(addresses: dict[str, Any]) -> None:
    for address in _leaves(addresses):
        if not _is_loopback(address):
            host = urlsplit(address).hostname or "an unreadable address"
            raise InvalidConfig(
                f"mode sandbox reaches this machine only, but an exchange address names {host}; nothing was sent"
            )


def _leaves(addresses: dict[str, Any]) -> Iterator[str]:
    for value in addresses.values():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield str(value)


def _is_loopback(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _restore_spot_errors(client: Any) -> None:
    """CCXT picks its spot error table by the production address; the generic adapter needs it here too."""
    table = client.exceptions.get("spot", {})
    client.get_exceptions_by_url = lambda _url, kind: table.get(kind, {})
