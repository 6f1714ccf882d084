"""Where an adapter may go: this machine only in sandbox mode, the published addresses otherwise, nowhere by mistake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from gridtide.domain.errors import InvalidConfig
from gridtide.domain.events import OrderNotSent
from gridtide.exchanges.binance import BinanceExchange
from gridtide.exchanges.ccxt_client import make_client
from gridtide.exchanges.ccxt_exchange import CcxtExchange
from gridtide.exchanges.connection import ExchangeConnection
from gridtide.exchanges.exchange_clock import ExchangeClock
from gridtide.exchanges.make_exchange import make_exchange
from gridtide.exchanges.order_checks import reason_not_to_send
from gridtide.exchanges.transmission import open_session
from tests.exchanges.orders import MARKET, submit_order

LOCAL = "http://127.0.0.1:9100"


@pytest.fixture
async def session() -> AsyncIterator[Any]:
    async with open_session(encrypted=False) as opened:
        yield opened


def leaves(addresses: Any) -> Iterator[str]:
    if isinstance(addresses, dict):
        for value in addresses.values():
            yield from leaves(value)
    else:
        yield addresses


async def test_in_sandbox_mode_no_other_machine_can_be_reached(session: Any) -> None:
    """Every address the instance knows is loopback; what CCXT would reach beside it is gone."""
    settings = ExchangeConnection(rest_url=LOCAL, api_key="k", secret="s")
    client = make_client(settings, ExchangeClock(), session)
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
async def test_addresses_in_the_wrong_place_are_refused(session: Any, changes: dict[str, Any]) -> None:
    """Before anything is sent, in one sentence."""
    with pytest.raises(InvalidConfig):
        make_client(ExchangeConnection(**changes), ExchangeClock(), session)


@pytest.mark.parametrize(
    "rest_url", [LOCAL, f"{LOCAL}/", f"{LOCAL}/api/v3", "http://localhost:9100", "http://[::1]:91"]
)
async def test_addresses_of_this_machine_are_taken_in_any_form(session: Any, rest_url: str) -> None:
    client = make_client(ExchangeConnection(rest_url=rest_url), ExchangeClock(), session)
    assert client.urls["api"]["private"].count("/api/v3") == 1
    assert "/stream" in client.urls["api"]["ws"]["spot"]


async def test_the_testnet_is_the_published_one(session: Any) -> None:
    client = make_client(ExchangeConnection(mode="testnet"), ExchangeClock(), session)
    assert client.urls["api"]["private"] == "https://testnet.binance.vision/api/v3"
    assert client.urls["api"]["ws"]["ws-api"]["spot"] == "wss://ws-api.testnet.binance.vision/ws-api/v3"


async def test_real_money_goes_to_the_published_addresses(session: Any) -> None:
    client = make_client(ExchangeConnection(mode="live"), ExchangeClock(), session)
    assert client.urls["api"]["private"] == "https://api.binance.com/api/v3"


async def test_an_exchange_nobody_knows_is_told_with_what_was_meant(session: Any) -> None:
    with pytest.raises(InvalidConfig, match="binance"):
        make_client(ExchangeConnection(name="binanse", mode="live"), ExchangeClock(), session)


async def test_nothing_is_retried_or_throttled_by_the_library(session: Any) -> None:
    """F05: no option of CCXT re-sends, none makes orders wait behind reads."""
    client = make_client(ExchangeConnection(mode="live"), ExchangeClock(), session)
    assert client.enableRateLimit is False
    assert client.options["maxRetriesOnFailure"] == 0
    assert client.verbose is False


def test_another_exchange_needs_nothing_but_its_name() -> None:
    assert isinstance(make_exchange(ExchangeConnection(name="kraken", mode="live")), CcxtExchange)
    assert not isinstance(make_exchange(ExchangeConnection(name="kraken", mode="live")), BinanceExchange)
    assert isinstance(make_exchange(ExchangeConnection()), BinanceExchange)


@pytest.mark.parametrize("name", ["binance", "kraken", "bybit", "okx", "kucoin"])
async def test_common_exchanges_can_be_built(session: Any, name: str) -> None:
    client = make_client(ExchangeConnection(name=name, mode="live"), ExchangeClock(), session)
    assert client.id == name


def test_paper_trading_sends_nothing() -> None:
    """Even with a key that could."""
    assert isinstance(reason_not_to_send(submit_order(1_000), MARKET, "paper", 1_000), OrderNotSent)


def test_keys_do_not_show() -> None:
    """F71."""
    shown = repr(ExchangeConnection(api_key="visible-key", secret="visible-secret"))
    assert "visible" not in shown
