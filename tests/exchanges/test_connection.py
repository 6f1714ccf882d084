"""Where an adapter may go: this machine only in sandbox mode, the published addresses otherwise, nowhere by mistake."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from gridtide.domain.errors import InvalidConfig
from gridtide.exchanges.binance import BinanceExchange
from gridtide.exchanges.ccxt_client import close_client, make_client
from gridtide.exchanges.ccxt_exchange import CcxtExchange
from gridtide.exchanges.connection import ExchangeConnection
from gridtide.exchanges.exchange_clock import ExchangeClock
from gridtide.exchanges.make_exchange import make_exchange
from gridtide.exchanges.transmission import open_session

Build = Callable[[ExchangeConnection], Any]

LOCAL = "http://127.0.0.1:9100"


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Makes CCXT instances, closed at the end."""
    made: list[Any] = []

    def make(settings: ExchangeConnection) -> Any:
        made.append(make_client(settings, ExchangeClock(), session))
        return made[-1]

    async with open_session(encrypted=False) as session:
        yield make
        for client in made:
            await close_client(client)


def leaves(addresses: Any) -> Iterator[str]:
    if isinstance(addresses, dict):
        for value in addresses.values():
            yield from leaves(value)
    else:
        yield addresses


async def test_in_sandbox_mode_no_other_machine_can_be_reached(build: Build) -> None:
    """Every address the instance knows is loopback; what CCXT would reach beside it is gone."""
    settings = ExchangeConnection(rest_url=LOCAL, api_key="k", secret="s")
    client = build(settings)
    found = list(leaves(client.urls["api"]))
    assert len(found) > 5
    assert all("//127.0.0.1:9100/" in address for address in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"rest_url": "https://api.binance.com"},
        {"rest_url": "http://192.168.1.9:9100"},
        {"rest_url": "http://127.0.0.1.example.org"},
        {"rest_url": "http://127.0.0.1@example.org"},
        {"rest_url": LOCAL, "stream_url": "wss://stream.binance.com:9443/ws"},
        {"rest_url": LOCAL, "ws_api_url": "wss://ws-api.binance.com:443/ws-api/v3"},
        {"rest_url": LOCAL, "ws_api_url": "nonsense"},
        {"rest_url": ""},
        {"rest_url": LOCAL, "name": "kraken"},
        {"rest_url": LOCAL, "mode": "live"},
        {"stream_url": "ws://127.0.0.1/ws", "mode": "testnet"},
    ],
)
async def test_addresses_in_the_wrong_place_are_refused(build: Build, changes: dict[str, Any]) -> None:
    """Before anything is sent, in one sentence."""
    with pytest.raises(InvalidConfig):
        build(ExchangeConnection(**changes))


@pytest.mark.parametrize(
    "rest_url", [LOCAL, f"{LOCAL}/", f"{LOCAL}/api/v3", "http://localhost:9100", "http://[::1]:91"]
)
async def test_addresses_of_this_machine_are_taken_in_any_form(build: Build, rest_url: str) -> None:
    client = build(ExchangeConnection(rest_url=rest_url))
    assert client.urls["api"]["private"].count("/api/v3") == 1
    assert "/stream" in client.urls["api"]["ws"]["spot"]


async def test_the_testnet_is_the_published_one(build: Build) -> None:
    client = build(ExchangeConnection(mode="testnet"))
    assert client.urls["api"]["private"] == "https://testnet.binance.vision/api/v3"
    assert client.urls["api"]["ws"]["ws-api"]["spot"] == "wss://ws-api.testnet.binance.vision/ws-api/v3"


async def test_real_money_goes_to_the_published_addresses(build: Build) -> None:
    client = build(ExchangeConnection(mode="live"))
    assert client.urls["api"]["private"] == "https://api.binance.com/api/v3"


async def test_an_exchange_nobody_knows_is_told_with_what_was_meant(build: Build) -> None:
    with pytest.raises(InvalidConfig, match="binance"):
        build(ExchangeConnection(name="binanse", mode="live"))


async def test_nothing_is_retried_or_throttled_by_the_library(build: Build) -> None:
    """F05: no option of CCXT re-sends, none makes orders wait behind reads."""
    client = build(ExchangeConnection(mode="live"))
    assert client.enableRateLimit is False
    assert client.options["maxRetriesOnFailure"] == 0
    assert client.verbose is False


def test_another_exchange_needs_nothing_but_its_name() -> None:
    assert isinstance(make_exchange(ExchangeConnection(name="kraken", mode="live")), CcxtExchange)
    assert not isinstance(make_exchange(ExchangeConnection(name="kraken", mode="live")), BinanceExchange)
    assert isinstance(make_exchange(ExchangeConnection()), BinanceExchange)


@pytest.mark.parametrize("name", ["binance", "kraken", "bybit", "okx", "kucoin"])
async def test_common_exchanges_can_be_built(build: Build, name: str) -> None:
    client = build(ExchangeConnection(name=name, mode="live"))
    assert client.id == name


def test_choosing_an_adapter_does_not_load_ccxt() -> None:
    """It takes half a second and 80 MB; only `connect` needs it."""
    code = "import sys, gridtide.exchanges.make_exchange; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_keys_do_not_show() -> None:
    """F71."""
    shown = repr(ExchangeConnection(api_key="visible-key", secret="visible-secret"))
    assert "visible" not in shown
