"""What an account is shown of itself: balances, commissions of every kind, wallet operations."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from gridtide.domain.market import Asset, Symbol
from gridtide.domain.money import FeeRate
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from gridtide.venue.settings import AccountFees, CommissionRates, FeeTier
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient


def rate(text: str) -> FeeRate:
    return FeeRate(Decimal(text))


FEES = AccountFees(
    maker=rate("0.001"),
    taker=rate("0.002"),
    asset=Asset("BNB"),
    discount=Decimal("0.75"),
    buyer=rate("0.0003"),
    seller=rate("0.0004"),
    tax=CommissionRates(rate("0.01"), rate("0.02"), rate("0.03"), rate("0.04")),
    special=CommissionRates(rate("0.05"), rate("0.06"), rate("0.07"), rate("0.08")),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:  # replaces the one of conftest
    account = account_settings({"USDT": "1000", "BTC": "1", "BNB": "0"}, fees=FEES)
    with running_sandbox(sandbox_settings(accounts=(account,), limits=GENEROUS)) as running:
        running.move("50000", volume="1")
        yield running


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    sandbox.call(lambda running: running.exchange.venue.set_fees("main", FEES))
    return RestClient(sandbox)


DISCOUNT = {
    "enabledForAccount": True,
    "enabledForSymbol": True,
    "discountAsset": "BNB",
    "discount": "0.75000000",
}


def test_balances_with_and_without_zeros(rest: RestClient) -> None:
    every = rest.signed("GET", "/api/v3/account").body["balances"]
    assert [each["asset"] for each in every] == ["BNB", "BTC", "USDT"]
    some = rest.signed("GET", "/api/v3/account", omitZeroBalances="true").body["balances"]
    assert some == [each for each in every if each["asset"] != "BNB"]


def test_standard_commission_of_the_account(rest: RestClient) -> None:
    """In basis points and as fractions; neither tax nor special commission is part of it."""
    found = rest.signed("GET", "/api/v3/account").body
    names = ("makerCommission", "takerCommission", "buyerCommission", "sellerCommission")
    assert [found[name] for name in names] == [10, 20, 3, 4]
    assert found["commissionRates"] == {
        "maker": "0.00100000",
        "taker": "0.00200000",
        "buyer": "0.00030000",
        "seller": "0.00040000",
    }


def test_commission_on_a_market(rest: RestClient) -> None:
    """Every kind with its four rates."""
    found = rest.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT").body
    assert found["taxCommission"] == {
        "maker": "0.01000000",
        "taker": "0.02000000",
        "buyer": "0.03000000",
        "seller": "0.04000000",
    }
    assert found["specialCommission"]["seller"] == "0.08000000"
    assert found["standardCommission"]["buyer"] == "0.00030000"
    assert found["discount"] == DISCOUNT
    assert rest.signed("GET", "/api/v3/account/commission", symbol="NOSUCH").code == -1121


@pytest.mark.parametrize(
    "side, standard, tax", [("BUY", "0.00130000", "0.04000000"), ("SELL", "0.00140000", "0.05000000")]
)
def test_commission_of_an_order(rest: RestClient, side: str, standard: str, tax: str) -> None:
    """Buyer's or seller's rate is part of maker and taker."""
    order = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
    found = rest.signed(
        "POST", "/api/v3/order/test", **order, price="50000", computeCommissionRates="true"
    ).body
    assert found["standardCommissionForOrder"]["maker"] == standard
    assert found["taxCommissionForOrder"]["maker"] == tax
    assert found["discount"] == DISCOUNT


def test_the_rates_of_the_tier_are_shown(sandbox: RunningSandbox, rest: RestClient) -> None:
    """And a market's own rates before them, where it has some."""
    tiered = AccountFees(
        rate("0.001"), rate("0.001"), tiers=(FeeTier(Decimal(0), rate("0.0005"), rate("0.0006")),)
    )
    sandbox.call(lambda running: running.exchange.venue.set_fees("main", tiered))
    assert rest.signed("GET", "/api/v3/account").body["takerCommission"] == 6
    shown = rest.signed("GET", "/sapi/v1/asset/tradeFee", symbol="BTCUSDT").body
    assert shown == [{"symbol": "BTCUSDT", "makerCommission": "0.0005", "takerCommission": "0.0006"}]
    own = AccountFees(
        rate("0.001"), rate("0.001"), markets={Symbol("BTC/USDT"): CommissionRates(rate("0"), rate("0.0001"))}
    )
    sandbox.call(lambda running: running.exchange.venue.set_fees("main", own))
    commission = rest.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT").body
    assert commission["standardCommission"]["taker"] == "0.00010000"
    assert rest.signed("GET", "/api/v3/account").body["takerCommission"] == 10


@pytest.mark.parametrize(
    "method, path, expected",
    [
        ("GET", "/sapi/v1/account/status", {"data": "Normal"}),
        ("GET", "/sapi/v1/system/status", {"status": 0, "msg": "normal"}),
        ("GET", "/sapi/v1/margin/allPairs", []),
        ("GET", "/sapi/v1/margin/isolated/allPairs", []),
    ],
)
def test_wallet_operations_with_one_answer(
    rest: RestClient, method: str, path: str, expected: object
) -> None:
    """Signed or not where no signature is needed, as clients do."""
    assert rest.signed(method, path).body == expected


def test_trading_status(rest: RestClient) -> None:
    assert rest.signed("GET", "/sapi/v1/account/apiTradingStatus").body["data"]["isLocked"] is False


def test_user_assets(rest: RestClient) -> None:
    """What is held, or one asset of it."""
    every = rest.signed("POST", "/sapi/v3/asset/getUserAsset", needBtcValuation="true").body
    assert [each["asset"] for each in every] == ["BTC", "USDT"]
    (found,) = rest.signed("POST", "/sapi/v3/asset/getUserAsset", asset="USDT").body
    assert (found["free"], found["locked"]) == ("1000.00000000", "0.00000000")


def test_weights(rest: RestClient) -> None:
    """Section 4 and the wallet's own pages."""
    for path, weight in (
        ("/api/v3/account", 20),
        ("/api/v3/account/commission?symbol=BTCUSDT", 20),
        ("/api/v3/myFilters?symbol=BTCUSDT", 40),
        ("/api/v3/rateLimit/order", 40),
        ("/sapi/v1/capital/config/getall", 10),
    ):
        target, _, query = path.partition("?")
        params = dict([query.split("=")]) if query else {}
        before = int(rest.get("/api/v3/ping").headers["x-mbx-used-weight-1m"])
        after = int(rest.signed("GET", target, **params).headers["x-mbx-used-weight-1m"])
        assert after in {before + weight, weight}, path
