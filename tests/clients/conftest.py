"""A sandbox for other people's clients: one account, three keys of the three kinds."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain.market import Asset
from gridtide.sandbox.settings import ApiKey
from gridtide.testing.sandbox_exchange import (
    API_KEY,
    SECRET,
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from tests.clients.keys import ED25519, RSA
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient

KEYS = (
    ApiKey(API_KEY, SECRET),
    ApiKey(RSA.key, public_key=RSA.public),
    ApiKey(ED25519.key, public_key=ED25519.public),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox at 50,000, whose books must balance when the client is done with it."""
    account = replace(account_settings(), keys=KEYS)
    with running_sandbox(sandbox_settings(accounts=(account,), limits=GENEROUS)) as running:
        running.move("50000", volume="1")
        yield running
        running.call(lambda each: each.exchange.venue.check())


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    """A plain client to look from outside; nothing is open and the market is back at 50,000."""
    client = RestClient(sandbox)
    client.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    for asset, amount in (("USDT", 100_000), ("BTC", 1)):
        rows = client.signed("GET", "/api/v3/account").body["balances"]
        free = next(Decimal(row["free"]) for row in rows if row["asset"] == asset)
        sandbox.deposit(Asset(asset), amount - free)
    sandbox.move("50000")
    return client
