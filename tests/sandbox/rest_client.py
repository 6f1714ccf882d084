"""The smallest client that can sign: tests see raw statuses, headers and JSON, with no library in between."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit


@dataclass
class Reply:
    """An answer: status, parsed JSON (or text), headers in lower case."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


def sign(text: str, secret: str) -> str:
    """The HMAC signature of a text."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def now() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


class Target(Protocol):
    """What a client needs to know of a sandbox, in a thread or in a process."""

    @property
    def url(self) -> str: ...

    @property
    def api_key(self) -> str: ...

    @property
    def secret(self) -> str: ...


class RestClient:
    """Talks to a running sandbox."""

    timeout = 10.0
    """Seconds it waits for an answer."""

    def __init__(self, sandbox: Target) -> None:
        self.sandbox = sandbox
        self._host = urlsplit(sandbox.url).netloc

    def raw(
        self, method: str, target: str, body: str | bytes = "", headers: dict[str, str] | None = None
    ) -> Reply:
        """Send exactly this."""
        connection = HTTPConnection(self._host, timeout=self.timeout)
        try:
            connection.request(method, target, body or None, headers or {})
            response = connection.getresponse()
            content = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        is_json = found.get("content-type", "").startswith("application/json")
        return Reply(response.status, json.loads(content) if is_json else content.decode(), found)

    def get(self, path: str, **params: object) -> Reply:
        """An unsigned GET."""
        return self.raw("GET", f"{path}?{urlencode(params)}" if params else path)

    def signed(self, method: str, path: str, **params: object) -> Reply:
        """A signed request with its parameters in the query."""
        return self.raw(method, f"{path}?{self._signed_text(params)}", headers=self._headers())

    def signed_in_body(self, method: str, path: str, **params: object) -> Reply:
        """A signed request with its parameters in a form body."""
        headers = {**self._headers(), "Content-Type": "application/x-www-form-urlencoded"}
        return self.raw(method, path, self._signed_text(params), headers)

    def order(self, side: str, quantity: str, price: str, **params: object) -> Reply:
        """Place a limit order."""
        given = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC"}
        return self.signed_in_body(
            "POST", "/api/v3/order", **{**given, "quantity": quantity, "price": price, **params}
        )

    def _signed_text(self, params: dict[str, object]) -> str:
        text = urlencode({"timestamp": now(), **params})
        return f"{text}&signature={sign(text, self.sandbox.secret)}"

    def _headers(self) -> dict[str, str]:
        return {"X-MBX-APIKEY": self.sandbox.api_key}
