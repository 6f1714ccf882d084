"""exchangeInfo and what else tells the rules: every filter with the exchange's names and types, every wrong request."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.market import Asset, MarketStatus, PriceBand, Symbol
from gridtide.sandbox.settings import MarketSettings
from gridtide.testing.sandbox_exchange import BTC_USDT, RunningSandbox, running_sandbox, sandbox_settings
from gridtide.venue.market_filters import ExchangeFilters, MarketFilters
from gridtide.venue.settings import VenueSettings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient

D = Decimal
BAND = PriceBand(D("0.2"), D(5), D("0.2"), D(5))
BTC = replace(BTC_USDT, rules=replace(BTC_USDT.rules, price_band=BAND, market_max_amount=D("119.5")))
ETH = replace(BTC, symbol=Symbol("ETH/USDT"), base=Asset("ETH"))
OLD = replace(BTC, symbol=Symbol("BNB/USDT"), base=Asset("BNB"), status=MarketStatus.BREAK)
LEVERAGED = replace(BTC, symbol=Symbol("ABCUP/USDT"), base=Asset("ABCUP"))
GROUPED = replace(BTC, symbol=Symbol("XYZ/USDT"), base=Asset("XYZ"))
VENUE = VenueSettings(
    filters={
        ETH.symbol: MarketFilters(
            max_iceberg_orders=3, max_position=D(7), average_minutes=0, market_lot_size=D("0.5")
        ),
        OLD.symbol: MarketFilters(
            notional_filter="MIN_NOTIONAL", price_band_filter="PERCENT_PRICE", apply_min_to_market=False
        ),
        LEVERAGED.symbol: MarketFilters(permission_sets=(("LEVERAGED",),)),
        GROUPED.symbol: MarketFilters(
            permission_sets=(("TRD_GRP_002",),), order_types=("LIMIT",), default_prevention="EXPIRE_BOTH"
        ),
    },
    exchange_filters=ExchangeFilters(1000, 200, 10000, 20, {Asset("USDT"): D(1_000_000)}),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:  # replaces the one of conftest
    markets = tuple(MarketSettings(each) for each in (BTC, ETH, OLD, LEVERAGED, GROUPED))
    with running_sandbox(sandbox_settings(markets=markets, venue=VENUE, limits=GENEROUS)) as running:
        running.move("50000", volume="1")
        yield running


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    return RestClient(sandbox)


def listed(rest: RestClient, **asked: object) -> list[str]:
    return [each["symbol"] for each in rest.get("/api/v3/exchangeInfo", **asked).body["symbols"]]


def filters_of(rest: RestClient, symbol: str) -> dict[str, Any]:
    (entry,) = rest.get("/api/v3/exchangeInfo", symbol=symbol).body["symbols"]
    return {each.pop("filterType"): each for each in entry["filters"]}


def test_filters_of_a_market_of_today(rest: RestClient) -> None:
    """Names, order and types as recorded from the exchange; every number of the rules and the filters."""
    assert list(filters_of(rest, "BTCUSDT").items()) == [
        (
            "PRICE_FILTER",
            {"minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
        ),
        ("LOT_SIZE", {"minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"}),
        ("ICEBERG_PARTS", {"limit": 10}),
        ("MARKET_LOT_SIZE", {"minQty": "0.00000000", "maxQty": "119.50000000", "stepSize": "0.00000000"}),
        (
            "TRAILING_DELTA",
            {
                "minTrailingAboveDelta": 10,
                "maxTrailingAboveDelta": 2000,
                "minTrailingBelowDelta": 10,
                "maxTrailingBelowDelta": 2000,
            },
        ),
        (
            "PERCENT_PRICE_BY_SIDE",
            {
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
        ),
        (
            "NOTIONAL",
            {
                "minNotional": "5.00000000",
                "applyMinToMarket": True,
                "maxNotional": "92233720368.54775807",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ),
        ("MAX_NUM_ORDERS", {"maxNumOrders": 200}),
        ("MAX_NUM_ORDER_LISTS", {"maxNumOrderLists": 20}),
        ("MAX_NUM_ALGO_ORDERS", {"maxNumAlgoOrders": 5}),
        ("MAX_NUM_ORDER_AMENDS", {"maxNumOrderAmends": 10}),
    ]


def test_filters_that_few_markets_have(rest: RestClient) -> None:
    """MAX_POSITION, MAX_NUM_ICEBERG_ORDERS, a step for market orders, the last price for the average."""
    found = filters_of(rest, "ETHUSDT")
    assert found["MAX_POSITION"] == {"maxPosition": "7.00000000"}
    assert found["MAX_NUM_ICEBERG_ORDERS"] == {"maxNumIcebergOrders": 3}
    assert found["MARKET_LOT_SIZE"]["stepSize"] == "0.50000000"
    assert found["NOTIONAL"]["avgPriceMins"] == found["PERCENT_PRICE_BY_SIDE"]["avgPriceMins"] == 0


def test_filters_of_an_older_market(rest: RestClient) -> None:
    """MIN_NOTIONAL and PERCENT_PRICE in place of the newer two."""
    found = filters_of(rest, "BNBUSDT")
    assert found["MIN_NOTIONAL"] == {"minNotional": "5.00000000", "applyToMarket": False, "avgPriceMins": 5}
    assert found["PERCENT_PRICE"] == {"multiplierUp": "5", "multiplierDown": "0.2", "avgPriceMins": 5}
    assert not {"NOTIONAL", "PERCENT_PRICE_BY_SIDE"} & set(found)


def test_exchange_filters_and_limits(rest: RestClient) -> None:
    """What goes over all markets stands beside them."""
    info = rest.get("/api/v3/exchangeInfo").body
    assert info["exchangeFilters"] == [
        {"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 1000},
        {"filterType": "EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 200},
        {"filterType": "EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": 10000},
        {"filterType": "EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
    ]
    kinds = [each["rateLimitType"] for each in info["rateLimits"]]
    assert kinds == ["REQUEST_WEIGHT", "ORDERS", "ORDERS", "RAW_REQUESTS"]


def test_which_markets_are_listed(rest: RestClient) -> None:
    """Trading groups only when asked for; by status; by permission, one or several."""
    assert listed(rest) == ["BTCUSDT", "ETHUSDT", "BNBUSDT", "ABCUPUSDT"]
    assert listed(rest, permissions="SPOT") == ["BTCUSDT", "ETHUSDT", "BNBUSDT"]
    assert listed(rest, permissions='["LEVERAGED","TRD_GRP_002"]') == ["ABCUPUSDT", "XYZUSDT"]
    assert listed(rest, symbolStatus="BREAK") == ["BNBUSDT"]
    assert listed(rest, symbolStatus="BREAK", permissions="LEVERAGED") == []
    assert listed(rest, symbol="XYZUSDT") == ["XYZUSDT"]
    assert listed(rest, symbols='["ETHUSDT","BTCUSDT"]') == ["ETHUSDT", "BTCUSDT"]


def test_permission_sets_may_be_left_out(rest: RestClient) -> None:
    """`showPermissionSets=false` leaves the lists empty; nothing else changes."""
    shown = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT").body["symbols"][0]
    hidden = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT", showPermissionSets="false").body["symbols"][0]
    assert shown["permissionSets"] == [["SPOT"]]
    assert hidden == {**shown, "permissionSets": []}


def test_what_a_market_allows(rest: RestClient) -> None:
    """Types, self-trade prevention and flags of the market's own."""
    (grouped,) = rest.get("/api/v3/exchangeInfo", symbol="XYZUSDT").body["symbols"]
    assert (grouped["orderTypes"], grouped["defaultSelfTradePreventionMode"]) == (["LIMIT"], "EXPIRE_BOTH")
    assert grouped["isSpotTradingAllowed"] is False
    (usual,) = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT").body["symbols"]
    assert usual["isSpotTradingAllowed"] is True
    assert usual["orderTypes"] == [
        "LIMIT",
        "LIMIT_MAKER",
        "MARKET",
        "STOP_LOSS",
        "STOP_LOSS_LIMIT",
        "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
    ]
    assert "DECREMENT" in usual["allowedSelfTradePreventionModes"]


@pytest.mark.parametrize(
    "asked, code",
    [
        ({"symbol": "BTCUSDT", "symbols": '["ETHUSDT"]'}, -1128),
        ({"symbol": "BTCUSDT", "permissions": "SPOT"}, -1128),
        ({"symbols": '["BTCUSDT"]', "symbolStatus": "TRADING"}, -1128),
        ({"symbol": "NOSUCH"}, -1121),
        ({"symbols": '["BTCUSDT","NOSUCH"]'}, -1121),
        ({"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151),
        ({"symbols": "BTCUSDT"}, -1135),
        ({"symbolStatus": "OPEN"}, -1122),
        ({"permissions": "EVERYTHING"}, -1130),
        ({"permissions": "[]"}, -1130),
        ({"permissions": "[SPOT"}, -1135),
        ({"showPermissionSets": "maybe"}, -1130),
        ({"symbol": "bt cusdt"}, -1100),
    ],
)
def test_wrong_requests(rest: RestClient, asked: dict[str, str], code: int) -> None:
    reply = rest.get("/api/v3/exchangeInfo", **asked)
    assert (reply.status, reply.code) == (400, code)


def test_filters_of_the_account(rest: RestClient) -> None:
    """myFilters: what looks at the account, and MAX_ASSET, which stands nowhere else."""
    found = rest.signed("GET", "/api/v3/myFilters", symbol="ETHUSDT").body
    assert [each["filterType"] for each in found["symbolFilters"]] == [
        "MAX_NUM_ORDERS",
        "MAX_NUM_ORDER_LISTS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ICEBERG_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
        "MAX_POSITION",
    ]
    assert found["assetFilters"] == [
        {"filterType": "MAX_ASSET", "asset": "USDT", "limit": "1000000.00000000"}
    ]
    assert found["exchangeFilters"] == rest.get("/api/v3/exchangeInfo").body["exchangeFilters"]
    assert "MAX_ASSET" not in json.dumps(rest.get("/api/v3/exchangeInfo").body)


def test_reference_prices_and_execution_rules(rest: RestClient) -> None:
    """There are none: said as the exchange says it of such a market."""
    assert rest.get("/api/v3/executionRules", symbol="BTCUSDT").body == {
        "symbolRules": [{"symbol": "BTCUSDT", "rules": []}]
    }
    reply = rest.get("/api/v3/referencePrice", symbol="BTCUSDT")
    assert (reply.status, reply.body) == (
        400,
        {"code": -2043, "msg": "This symbol doesn't have a reference price."},
    )
    assert rest.get("/api/v3/referencePrice/calculation", symbol="NOSUCH").code == -1121


def test_filters_on_the_wire(rest: RestClient) -> None:
    """An order that the venue refuses for a filter tells so with the exchange's status, code and text."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
    reply = rest.signed("POST", "/api/v3/order", **order, price="40000.005")
    assert (reply.status, reply.body) == (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
    reply = rest.signed("POST", "/api/v3/order", **{**order, "symbol": "BNBUSDT"}, price="40000")
    assert (reply.status, reply.body) == (400, {"code": -1013, "msg": "Market is closed."})
    reply = rest.signed("POST", "/api/v3/order", **{**order, "symbol": "ABCUPUSDT"}, price="40000")
    assert (reply.status, reply.body) == (
        400,
        {"code": -2010, "msg": "This symbol is not permitted for this account."},
    )
