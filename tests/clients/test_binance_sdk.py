"""binance-sdk-spot over REST: every answer fits the model its authors declare for it, with no field too many.

The SDK logs a warning where a type is not the declared one and keeps unknown fields aside; both fail a test here.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.clients.binance_sdk import spot, unknown_fields
from tests.clients.keys import ED25519, RSA, KeyPair
from tests.sandbox.rest_client import RestClient

BTC = "BTCUSDT"
LIMIT = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001}


@pytest.fixture(scope="module")
def shared(sandbox: RunningSandbox) -> Any:
    return spot(sandbox).rest_api


@pytest.fixture
def api(shared: Any, rest: RestClient, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """With nothing open; whatever the SDK warns of fails the test."""
    with caplog.at_level(logging.WARNING):
        yield shared
    assert [record.getMessage() for record in caplog.records] == []


def data(call: Callable[..., Any], **params: Any) -> Any:
    """The typed answer of a call."""
    found = call(**params).data()
    assert unknown_fields(found) == []
    return found


def test_quickstart(api: Any) -> None:
    """Exchange information and the limits that came in headers."""
    response = api.exchange_info(symbol=BTC)
    assert response.data().symbols[0].symbol == BTC
    assert {limit.rateLimitType for limit in response.rate_limits} == {"REQUEST_WEIGHT"}


QUERIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ping", {}),
    ("time", {}),
    ("exchange_info", {}),
    ("execution_rules", {"symbol": BTC}),
    ("agg_trades", {"symbol": BTC}),
    ("avg_price", {"symbol": BTC}),
    ("depth", {"symbol": BTC, "limit": 5}),
    ("get_trades", {"symbol": BTC}),
    ("historical_trades", {"symbol": BTC}),
    ("klines", {"symbol": BTC, "interval": "1m"}),
    ("ui_klines", {"symbol": BTC, "interval": "1m"}),
    ("ticker24hr", {"symbol": BTC}),
    ("ticker24hr", {"symbols": [BTC]}),
    ("ticker24hr", {"symbol": BTC, "type": "MINI"}),
    ("ticker_book_ticker", {"symbol": BTC}),
    ("ticker_book_ticker", {}),
    ("ticker_price", {"symbol": BTC}),
    ("ticker_price", {}),
    ("ticker", {"symbol": BTC, "window_size": "1h"}),
    ("ticker", {"symbols": [BTC], "type": "MINI"}),
    ("ticker_trading_day", {"symbol": BTC}),
    ("get_account", {}),
    ("get_account", {"omit_zero_balances": True}),
    ("account_commission", {"symbol": BTC}),
    ("all_orders", {"symbol": BTC}),
    ("get_open_orders", {}),
    ("my_trades", {"symbol": BTC}),
    ("rate_limit_order", {}),
    ("my_filters", {"symbol": BTC}),
    ("my_allocations", {"symbol": BTC}),
    ("my_prevented_matches", {"symbol": BTC, "order_id": 1}),
    ("all_order_list", {}),
    ("open_order_list", {}),
)


@pytest.mark.parametrize(
    "method, params", QUERIES, ids=[f"{name}({', '.join(given)})" for name, given in QUERIES]
)
def test_queries(api: Any, method: str, params: dict[str, Any]) -> None:
    data(getattr(api, method), **params)


def test_orders(api: Any) -> None:
    """Placed with its parameters in the query, asked for, listed, canceled; all typed."""
    assert data(api.order_test, **LIMIT, price=40000) is not None
    assert data(api.order_test, **LIMIT, price=40000, compute_commission_rates=True).discount is not None
    placed = data(api.new_order, **LIMIT, price=40000)
    assert (placed.status, placed.price) == ("NEW", "40000.00000000")
    assert data(api.get_order, symbol=BTC, order_id=placed.order_id).is_working is True
    assert [each.order_id for each in data(api.get_open_orders, symbol=BTC)] == [placed.order_id]
    assert data(api.delete_order, symbol=BTC, order_id=placed.order_id).status == "CANCELED"
    assert data(api.all_orders, symbol=BTC)[-1].status == "CANCELED"
    data(api.new_order, **LIMIT, price=40000, new_order_resp_type="ACK")
    assert len(data(api.delete_open_orders, symbol=BTC)) == 1


def test_a_market_order(api: Any) -> None:
    placed = data(api.new_order, symbol=BTC, side="BUY", type="MARKET", quantity=0.001)
    assert placed.fills[0].commission_asset == "BTC"
    assert data(api.my_trades, symbol=BTC, order_id=placed.order_id)[0].is_buyer is True


def test_a_stop_order(api: Any) -> None:
    order = {**LIMIT, "side": "SELL", "type": "STOP_LOSS_LIMIT", "price": 44000, "stop_price": 45000}
    placed = data(api.new_order, **order, new_order_resp_type="FULL")
    assert data(api.get_order, symbol=BTC, order_id=placed.order_id).stop_price == "45000.00000000"


def test_cancel_and_replace(api: Any) -> None:
    old = data(api.new_order, **LIMIT, price=40000)
    answer = data(
        api.order_cancel_replace,
        **LIMIT,
        price=41000,
        cancel_replace_mode="STOP_ON_FAILURE",
        cancel_order_id=old.order_id,
    )
    assert (answer.cancel_result, answer.new_order_result) == ("SUCCESS", "SUCCESS")


def test_amend(api: Any) -> None:
    """A smaller quantity at the same place in the queue, and the record of it."""
    old = data(api.new_order, **LIMIT, price=40000)
    answer = data(api.order_amend_keep_priority, symbol=BTC, order_id=old.order_id, new_qty=0.0005)
    assert answer.amended_order.qty == "0.00050000"
    assert [each.new_qty for each in data(api.order_amendments, symbol=BTC, order_id=old.order_id)] == [
        "0.00050000"
    ]


def test_order_lists(api: Any) -> None:
    """An OCO placed, asked for, listed and canceled."""
    placed = data(
        api.order_list_oco,
        symbol=BTC,
        side="SELL",
        quantity=0.001,
        above_type="LIMIT_MAKER",
        above_price=55000,
        below_type="STOP_LOSS_LIMIT",
        below_stop_price=45000,
        below_price=44900,
        below_time_in_force="GTC",
    )
    assert len(placed.order_reports) == 2
    assert data(api.get_order_list, order_list_id=placed.order_list_id).contingency_type == "OCO"
    assert len(data(api.open_order_list)) == 1
    gone = data(api.delete_order_list, symbol=BTC, order_list_id=placed.order_list_id)
    assert gone.list_order_status == "ALL_DONE"


WORKING: dict[str, Any] = {
    "symbol": BTC,
    "working_type": "LIMIT",
    "working_side": "BUY",
    "working_price": 40000,
    "working_quantity": 0.001,
    "working_time_in_force": "GTC",
    "pending_side": "SELL",
}
ONE_PENDING = {"pending_type": "LIMIT", "pending_price": 60000, "pending_time_in_force": "GTC"}
TWO_PENDING = {
    "pending_above_type": "LIMIT_MAKER",
    "pending_above_price": 60000,
    "pending_below_type": "STOP_LOSS",
    "pending_below_stop_price": 39000,
}
TRIGGERING_LISTS = (
    ("order_list_oto", {**ONE_PENDING, "pending_quantity": 0.001}),
    ("order_list_otoco", {**TWO_PENDING, "pending_quantity": 0.001}),
    ("order_list_opo", ONE_PENDING),
    ("order_list_opoco", TWO_PENDING),
)


@pytest.mark.parametrize("method, pending", TRIGGERING_LISTS, ids=[name for name, _ in TRIGGERING_LISTS])
def test_lists_that_wait(api: Any, method: str, pending: dict[str, Any]) -> None:
    """OTO, OTOCO, OPO and OPOCO: the working order is NEW, the others PENDING_NEW."""
    placed = data(getattr(api, method), **WORKING, **pending)
    states = [each.status for each in placed.order_reports]
    assert (states.count("NEW"), states.count("PENDING_NEW")) == (1, len(states) - 1)
    assert data(api.delete_open_orders, symbol=BTC)


def test_refusals(sandbox: RunningSandbox, rest: RestClient) -> None:
    """Status and code choose its exception class; the code is there."""
    from binance_common.errors import BadRequestError, UnauthorizedError

    api = spot(sandbox).rest_api
    with pytest.raises(BadRequestError) as caught:
        api.new_order(**{**LIMIT, "quantity": 100}, price=40000)
    assert (caught.value.status_code, str(caught.value.error_message)) == (
        -2010,
        "Account has insufficient balance for requested action.",
    )
    with pytest.raises(BadRequestError) as caught:  # the float 0.00001 goes out as 1e-05 (section 6.1)
        api.new_order(**{**LIMIT, "quantity": 0.00001}, price=40000)
    assert caught.value.status_code == -1100
    with pytest.raises(UnauthorizedError) as unknown:
        spot(sandbox, api_key="unknown", api_secret="wrong").rest_api.get_account()
    assert unknown.value.status_code == -2015


@pytest.mark.parametrize("pair", [RSA, ED25519], ids=["RSA", "Ed25519"])
def test_key_pairs(sandbox: RunningSandbox, rest: RestClient, pair: KeyPair) -> None:
    api = spot(sandbox, api_key=pair.key, private_key=pair.private).rest_api
    assert data(api.get_account).can_trade is True
    order = data(api.new_order, **LIMIT, price=40000)
    assert data(api.delete_order, symbol=BTC, order_id=order.order_id).status == "CANCELED"
