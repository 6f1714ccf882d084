"""python-binance pointed at a sandbox: by its class attributes, as protocol section 2.4 says."""

from pathlib import Path
from typing import Any

from binance import AsyncClient, BinanceSocketManager, Client, ReconnectingWebsocket

from gridtide.testing.sandbox_exchange import RunningSandbox

ReconnectingWebsocket.TIMEOUT = (
    0.2  # seconds until a quiet socket of its notices that it was closed; 10 by default
)


def addresses(sandbox: RunningSandbox) -> dict[str, str]:
    """The class attributes of its clients."""
    return {
        "API_URL": f"{sandbox.url}/api",
        "MARGIN_API_URL": f"{sandbox.url}/sapi",
        "WS_API_URL": sandbox.ws_api_url,
    }


def sync_client(sandbox: RunningSandbox, **options: Any) -> Any:
    """The blocking client. Its constructor pings."""
    local = type("LocalClient", (Client,), addresses(sandbox))
    return local(**(options or {"api_key": sandbox.api_key, "api_secret": sandbox.secret}))


async def async_client(sandbox: RunningSandbox, **options: Any) -> Any:
    """The async client. Close it."""
    local: Any = type("LocalAsyncClient", (AsyncClient,), addresses(sandbox))
    return await local.create(**(options or {"api_key": sandbox.api_key, "api_secret": sandbox.secret}))


def stream_address(sandbox: RunningSandbox) -> str:
    """With its slash, and no path."""
    return sandbox.stream_url.removesuffix("stream/ws")


def socket_manager(sandbox: RunningSandbox, client: Any) -> Any:
    """The factory of its sockets."""
    local: Any = type("LocalSockets", (BinanceSocketManager,), {"STREAM_URL": stream_address(sandbox)})
    return local(client)


def private_key(folder: Path, text: str) -> Path:
    """A private key as a file: the one form its documentation shows."""
    path = folder / "private.pem"
    path.write_text(text)
    return path
