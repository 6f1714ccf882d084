"""Reads over real HTTP: what they return, how they fail, when they are repeated, how pages and rounds are joined."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from gridtide.domain.commands import QueryOrder, TakeSnapshot
from gridtide.domain.errors import InvalidInput, NotPermitted, RateLimited, Transient
from gridtide.domain.events import OrderFound, OrderNotFound, ReadFailed
from gridtide.domain.market import MarketStatus, Symbol
from gridtide.domain.order import OrderStatus, OrderType, Side
from gridtide.exchanges.binance import BinanceExchange
from tests.exchanges.fake_binance import EXCHANGE_INFO, FakeBinance, Reply
from tests.exchanges.orders import CLIENT_ID, SYMBOL, resting, trade_row

QUERY = "GET /api/v3/order"
OPEN = "GET /api/v3/openOrders"
TRADES = "GET /api/v3/myTrades"
ALL_ORDERS = "GET /api/v3/allOrders"
ACCOUNT = "GET /api/v3/account"
TIME = "GET /api/v3/time"


def refused(status: int, code: int, text: str = "no", **headers: str) -> Reply:
    return Reply(status, {"code": code, "msg": text}, {k.replace("_", "-"): v for k, v in headers.items()})


# --- markets -----------------------------------------------------------------------------------------


async def test_a_market_carries_the_exchanges_rules(exchange: BinanceExchange) -> None:
    """Exact decimals from the filters; an unknown filter does no harm."""
    market = exchange.market(SYMBOL)
    rules = market.rules
    assert (market.base, market.quote, market.status) == ("BTC", "USDT", MarketStatus.TRADING)
    assert (str(rules.tick_size), str(rules.lot_size)) == ("0.01", "0.00001")
    assert (rules.min_notional, rules.max_open_orders) == (Decimal(5), 200)
    assert [rules.market_min_amount, rules.market_max_amount] == [0, 120]
    assert rules.price_band is not None
    assert list(rules.price_band.bounds(Side.BUY, Decimal(100))) == [20, 500]
    assert rules.violation(Side.BUY, OrderType.LIMIT, Decimal("40000.505"), Decimal("0.001")) is not None


@pytest.mark.parametrize(
    "asked, meant", [("BTC/USD", "BTC/USDT"), ("btcusdt", "BTC/USDT"), ("BTC-USDT", "BTC/USDT")]
)
async def test_an_unknown_market_is_told_with_what_was_meant(
    exchange: BinanceExchange, asked: str, meant: str
) -> None:
    with pytest.raises(InvalidInput, match=meant):
        exchange.market(Symbol(asked))


async def test_a_refreshed_market_shows_new_rules_and_status(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F42, F49: a halt, and a status nobody knows counts as one."""
    symbol = EXCHANGE_INFO["symbols"][0]
    for status, seen in (("HALT", MarketStatus.HALT), ("SOMETHING_NEW", MarketStatus.HALT)):
        fake.on(
            "GET /api/v3/exchangeInfo", Reply(body=EXCHANGE_INFO | {"symbols": [symbol | {"status": status}]})
        )
        assert (await exchange.refresh_market(SYMBOL)).status is seen
    assert (await exchange.refresh_market(SYMBOL)).status is MarketStatus.TRADING


# --- failures ----------------------------------------------------------------------------------------

PASSING: dict[str, Reply] = {
    "reset": Reply(drop=True),
    "cut": Reply(body=[resting()], cut_at=30),
    "html": Reply(502, "<html></html>", content_type="text/html"),
    "html 200": Reply(200, "<html></html>", content_type="text/html"),
    "empty": Reply(200, ""),
    "internal": refused(500, -1000),
    "busy": refused(503, -1008),
    "no number": refused(400, -1112),
}


@pytest.mark.parametrize("fault", PASSING)
async def test_a_read_is_repeated_until_it_passes(
    fake: FakeBinance, exchange: BinanceExchange, fault: str
) -> None:
    fake.on(OPEN, PASSING[fault], PASSING[fault], Reply(body=[resting()]))
    (order,) = await exchange.open_orders(SYMBOL)
    assert order.client_order_id == CLIENT_ID


@pytest.mark.parametrize("fault", PASSING)
async def test_a_read_that_keeps_failing_is_transient(
    fake: FakeBinance, exchange: BinanceExchange, fault: str
) -> None:
    fake.answers[OPEN] = PASSING[fault]
    with pytest.raises(Transient) as caught:
        await exchange.open_orders(SYMBOL)
    assert "signature" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "row", [{"price": 40000.5}, {"executedQty": None}, {"symbol": "ETHUSDT"}, {"side": "HOLD"}]
)
async def test_rows_that_cannot_be_read_exactly_fail_the_read(
    fake: FakeBinance, exchange: BinanceExchange, row: dict[str, Any]
) -> None:
    """F15, R7: a float or a foreign row is no observation."""
    fake.answers[OPEN] = Reply(body=[resting(**row)])
    with pytest.raises(Transient):
        await exchange.open_orders(SYMBOL)


@pytest.mark.parametrize(
    "code, status", [(-2014, 401), (-2015, 401), (-1022, 400), (-1002, 401), (-9999, 401)]
)
async def test_a_key_without_rights_is_not_asked_again(
    fake: FakeBinance, exchange: BinanceExchange, code: int, status: int
) -> None:
    """F52: also after calls that worked, where CCXT reports -2015 as overload."""
    await exchange.balances()
    fake.answers[ACCOUNT] = refused(status, code)
    fake.seen.clear()
    with pytest.raises(NotPermitted):
        await exchange.balances()
    assert fake.count(ACCOUNT) == 1


async def test_a_slow_down_is_obeyed(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F51: a long wait is handed to the caller, and until then nothing is sent."""
    fake.on(OPEN, refused(429, -1003, retry_after="30"))
    with pytest.raises(RateLimited) as caught:
        await exchange.open_orders(SYMBOL)
    assert caught.value.retry_after_seconds == 30
    assert not caught.value.banned
    with pytest.raises(RateLimited):
        await exchange.balances()
    assert len(fake.seen) == 1


async def test_a_ban_is_told_as_one(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F51: HTML or JSON, with or without Retry-After; never asked again before it is over."""
    fake.on(OPEN, Reply(418, "<html></html>", content_type="text/html"))
    with pytest.raises(RateLimited) as caught:
        await exchange.open_orders(SYMBOL)
    assert caught.value.banned
    assert caught.value.retry_after_seconds >= 120
    assert fake.count(OPEN) == 1


async def test_a_short_slow_down_is_waited_out(fake: FakeBinance, exchange: BinanceExchange) -> None:
    fake.on(OPEN, refused(429, -1003, retry_after="0.05"), Reply(body=[]))
    assert await exchange.open_orders(SYMBOL) == ()
    first, second = fake.requests(OPEN)
    assert second.arrived - first.arrived >= 0.05


async def test_a_refused_timestamp_has_the_clock_measured_and_the_read_repeated_once(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F53."""
    fake.clock_error_ms = -4_000
    fake.on(OPEN, refused(400, -1021))
    await exchange.open_orders(SYMBOL)
    assert abs(exchange.now() - fake.now()) < 500 or fake.count(TIME) == 5
    assert fake.count(TIME) == 5
    assert (
        int(fake.requests(OPEN)[1].params["timestamp"]) - int(fake.requests(OPEN)[0].params["timestamp"])
        < -3_000
    )
    fake.answers[OPEN] = refused(400, -1021)
    fake.seen.clear()
    with pytest.raises(Transient):
        await exchange.open_orders(SYMBOL)
    assert fake.count(OPEN) == 2


async def test_signed_reads_carry_exchange_time(fake: FakeBinance) -> None:
    """F53: measured at connecting, against an exchange two seconds ahead."""
    fake.clock_error_ms = 2_000
    adapter = BinanceExchange(fake.connection())
    try:
        await adapter.connect()
        await adapter.open_orders(SYMBOL)
        assert abs(int(fake.requests(OPEN)[0].params["timestamp"]) - fake.now()) < 500
        assert fake.requests(OPEN)[0].params["recvWindow"] == "5000"
    finally:
        await adapter.close()


# --- orders ------------------------------------------------------------------------------------------


async def test_an_order_is_found(fake: FakeBinance, exchange: BinanceExchange) -> None:
    fake.on(
        QUERY,
        Reply(body=resting(status="FILLED", executedQty="0.00200000", cummulativeQuoteQty="80.00100000")),
    )
    reply = await exchange.query(QueryOrder(SYMBOL, CLIENT_ID))
    assert isinstance(reply, OrderFound)
    assert (reply.update.status, reply.update.executed_quote) == (OrderStatus.FILLED, Decimal("80.001"))
    assert fake.requests(QUERY)[0].params["origClientOrderId"] == CLIENT_ID


async def test_a_fills_order_is_found_by_the_exchanges_id(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """A fill names its order by that id only; whose it is, the answer tells."""
    fake.on(QUERY, Reply(body=resting(clientOrderId="web_1")))
    reply = await exchange.query(QueryOrder(SYMBOL, "", order_id="7001"))
    assert isinstance(reply, OrderFound)
    assert reply.update.client_order_id == "web_1"
    assert "origClientOrderId" not in fake.requests(QUERY)[0].params


@pytest.mark.parametrize("code", [-2013, -2026])
async def test_an_unknown_order_is_an_answer(fake: FakeBinance, exchange: BinanceExchange, code: int) -> None:
    """F09: -2026 on a young order means the same as -2013."""
    fake.answers[QUERY] = refused(400, code)
    assert await exchange.query(QueryOrder(SYMBOL, CLIENT_ID)) == OrderNotFound(CLIENT_ID)
    assert fake.count(QUERY) == 1


@pytest.mark.parametrize(
    "reply",
    [
        *PASSING.values(),
        Reply(body=resting(clientOrderId="another")),
        refused(429, -1003),
        refused(401, -2015),
        refused(400, -1021),
    ],
)
async def test_a_failed_query_is_no_observation(
    fake: FakeBinance, exchange: BinanceExchange, reply: Reply
) -> None:
    """R7, F33: never "not found"; `query` does not raise."""
    fake.answers[QUERY] = reply
    answer = await exchange.query(QueryOrder(SYMBOL, CLIENT_ID))
    assert isinstance(answer, ReadFailed)
    assert answer.client_order_id == CLIENT_ID
    assert answer.not_permitted == (reply.status == 401)


# --- fills -------------------------------------------------------------------------------------------


def serve_trades(fake: FakeBinance, rows: Iterable[dict[str, Any]]) -> None:
    """Answer myTrades as the exchange does: ids from `fromId` on, at most `limit`, or else the newest."""
    known = sorted(rows, key=lambda row: (row["id"], row["orderId"]))

    def answer(params: dict[str, str]) -> Reply:
        limit = int(params.get("limit", "500"))
        if "fromId" not in params:
            return Reply(body=known[-limit:])
        return Reply(body=[row for row in known if row["id"] >= int(params["fromId"])][:limit])

    fake.answers[TRADES] = answer


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
async def test_fills_are_paged_to_the_end(fake: FakeBinance, exchange: BinanceExchange, count: int) -> None:
    """F29: n executions give n fills, each once, ascending."""
    serve_trades(fake, (trade_row(n) for n in range(1, count + 1)))
    fills = await exchange.fills(SYMBOL, 0)
    assert [fill.trade_id for fill in fills] == list(range(1, count + 1))


async def test_both_sides_of_a_self_trade_are_read_across_a_pages_end(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """F38: one trade id, two orders, and the page ends between them."""
    rows = [trade_row(n) for n in range(1, 1001)]
    serve_trades(fake, [*rows, trade_row(1000, orderId=7002, isBuyer=False, isMaker=False), trade_row(1001)])
    fills = await exchange.fills(SYMBOL, 0)
    assert len(fills) == 1002
    assert [(f.order_id, f.side) for f in fills if f.trade_id == 1000] == [
        ("7001", Side.BUY),
        ("7002", Side.SELL),
    ]


async def test_rows_out_of_order_are_put_in_order(fake: FakeBinance, exchange: BinanceExchange) -> None:
    fake.answers[TRADES] = Reply(body=[trade_row(3), trade_row(1), trade_row(2)])
    assert [fill.trade_id for fill in await exchange.fills(SYMBOL, 1)] == [1, 2, 3]


async def test_a_fill_is_exact(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """Each in its own fee asset, the quote amount as the exchange states it (F40)."""
    fake.answers[TRADES] = Reply(body=[trade_row(5, commission="0.00000007", commissionAsset="BNB")])
    (fill,) = await exchange.fills(SYMBOL, 5)
    assert (fill.fee.amount, fill.fee.asset) == (Decimal("0.00000007"), "BNB")
    assert (fill.quote_amount, fill.is_maker, fill.side) == (Decimal("40.0005"), True, Side.BUY)
    assert fake.requests(TRADES)[0].params["fromId"] == "5"


async def test_the_newest_trade_id(fake: FakeBinance, exchange: BinanceExchange) -> None:
    serve_trades(fake, [])
    assert await exchange.newest_trade_id(SYMBOL) == 0
    serve_trades(fake, (trade_row(n) for n in (3, 8)))
    assert await exchange.newest_trade_id(SYMBOL) == 8


# --- orders on record --------------------------------------------------------------------------------


def serve_orders(fake: FakeBinance, rows: Iterable[dict[str, Any]]) -> None:
    """Answer allOrders as the exchange does: numbers from `orderId` on, at most `limit`, or else the newest."""
    known = list(rows)

    def answer(params: dict[str, str]) -> Reply:
        limit = int(params.get("limit", "500"))
        if "orderId" not in params:
            return Reply(body=known[-limit:])
        return Reply(body=[row for row in known if row["orderId"] >= int(params["orderId"])][:limit])

    fake.answers[ALL_ORDERS] = answer


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
async def test_orders_are_paged_to_the_end(fake: FakeBinance, exchange: BinanceExchange, count: int) -> None:
    """F46: a rebuild sees every order once, oldest first."""
    serve_orders(fake, (resting(orderId=n) for n in range(1, count + 1)))
    orders = await exchange.orders(SYMBOL, 0)
    assert [int(order.order_id) for order in orders] == list(range(1, count + 1))


async def test_the_newest_orders_take_one_page(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """A start asks for no more, however long the account's history is."""
    serve_orders(fake, (resting(orderId=n) for n in range(1, 1501)))
    orders = await exchange.orders(SYMBOL, None)
    assert [int(orders[0].order_id), int(orders[-1].order_id)] == [501, 1500]
    assert len(fake.requests(ALL_ORDERS)) == 1


# --- snapshot ----------------------------------------------------------------------------------------


async def test_a_quiet_account_needs_one_round(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """Fills, open orders, a query for each order missing there, balances, fills again: in this order."""
    serve_trades(fake, [trade_row(1)])
    fake.answers[OPEN] = Reply(body=[resting()])
    fake.on(QUERY, Reply(body=resting(clientOrderId="gone", status="CANCELED")))
    seen = await exchange.snapshot(TakeSnapshot(SYMBOL, 0, (CLIENT_ID, "gone")))
    assert [request.path.rsplit("/", 1)[1] for request in fake.seen] == [
        "myTrades",
        "openOrders",
        "order",
        "account",
        "myTrades",
    ]
    assert seen.stable
    assert [order.client_order_id for order in seen.open_orders] == [CLIENT_ID]
    assert [order.status for order in seen.queried] == [OrderStatus.CANCELED]
    assert seen.balances is not None
    assert seen.balances["USDT"].locked == Decimal("0.5")  # type: ignore[index]  # an asset by its plain name


async def test_orders_nobody_knows_are_listed(fake: FakeBinance, exchange: BinanceExchange) -> None:
    fake.answers[QUERY] = refused(400, -2013)
    seen = await exchange.snapshot(TakeSnapshot(SYMBOL, 0, ("a", "b"), full=False))
    assert seen.not_found == ("a", "b")
    assert seen.balances is None
    assert fake.count(ACCOUNT) == 0


async def test_an_execution_between_the_reads_makes_another_round(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """Reconciliation step 3: what came in between is in the result, and the other reads are newer than it."""
    fake.on(TRADES, Reply(body=[trade_row(1)]))
    fake.answers[TRADES] = Reply(body=[trade_row(1), trade_row(2)])
    seen = await exchange.snapshot(TakeSnapshot(SYMBOL, 0, ()))
    assert seen.stable
    assert [fill.trade_id for fill in seen.fills] == [1, 2]
    assert fake.count(OPEN) == 2


async def test_after_five_restless_rounds_it_says_so(fake: FakeBinance, exchange: BinanceExchange) -> None:
    fake.on(TRADES, *(Reply(body=[trade_row(n) for n in range(1, 2 + i)]) for i in range(6)))
    seen = await exchange.snapshot(TakeSnapshot(SYMBOL, 0, ()))
    assert not seen.stable
    assert len(seen.fills) == 6
    assert fake.count(OPEN) == 5


@pytest.mark.parametrize("request_name", [TRADES, OPEN, QUERY, ACCOUNT])
async def test_a_snapshot_with_a_hole_is_none(
    fake: FakeBinance, exchange: BinanceExchange, request_name: str
) -> None:
    """R7: any failed part fails the whole."""
    fake.answers[QUERY] = refused(400, -2013)
    fake.answers[request_name] = refused(500, -1000)
    with pytest.raises(Transient):
        await exchange.snapshot(TakeSnapshot(SYMBOL, 0, (CLIENT_ID,)))


async def test_closing_twice_does_no_harm(fake: FakeBinance) -> None:
    """A run that fails while it starts closes what somebody else closes again."""
    adapter = BinanceExchange(fake.connection())
    await adapter.connect()
    await adapter.close()
    await adapter.close()
    await BinanceExchange(fake.connection()).close()


async def test_an_exchange_that_does_not_answer_leaves_nothing_open(fake: FakeBinance) -> None:
    """`connect` raises and has closed its session; an unclosed one would warn, which fails the test."""
    fake.answers["GET /api/v3/exchangeInfo"] = Reply(503, "no")
    with pytest.raises(Transient):
        await BinanceExchange(fake.connection()).connect()


# --- account, fees, book -----------------------------------------------------------------------------


async def test_the_account_and_the_keys_rights(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F77: what the exchange tells; None where it has no such endpoint."""
    account = await exchange.account()
    assert (account.account_id, account.can_trade, account.can_withdraw) == ("7", True, None)
    rights = {"ipRestrict": True, "enableWithdrawals": False, "enableSpotAndMarginTrading": False}
    fake.answers["GET /sapi/v1/account/apiRestrictions"] = Reply(body=rights)
    account = await exchange.account()
    assert (account.can_trade, account.can_withdraw, account.ip_restricted) == (False, False, True)
    assert account.can_transfer is None
    for flag in ("enableInternalTransfer", "permitsUniversalTransfer"):
        told = {"enableInternalTransfer": False, "permitsUniversalTransfer": False}
        fake.answers["GET /sapi/v1/account/apiRestrictions"] = Reply(body=rights | told)
        assert (await exchange.account()).can_transfer is False
        fake.answers["GET /sapi/v1/account/apiRestrictions"] = Reply(body=rights | told | {flag: True})
        assert (await exchange.account()).can_transfer is True


def commission(*, discounted: bool) -> dict[str, Any]:
    rates = {"maker": "0.0010", "taker": "0.0012", "buyer": "0.0000", "seller": "0.0001"}
    return {
        "symbol": "BTCUSDT",
        "standardCommission": rates,
        "specialCommission": dict.fromkeys(rates, "0.0000"),
        "taxCommission": dict.fromkeys(rates, "0.0000") | {"maker": "0.0002"},
        "discount": {
            "enabledForAccount": discounted,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75",
        },
    }


async def test_fees_add_up_and_are_discounted_only_where_the_asset_is_held(
    fake: FakeBinance, exchange: BinanceExchange
) -> None:
    """Protocol 6.9: only the standard part is discounted, and without BNB nothing is."""
    name = "GET /api/v3/account/commission"
    fake.answers[name] = Reply(body=commission(discounted=False))
    fees = await exchange.fees(SYMBOL)
    assert (fees.maker, fees.taker, fees.asset) == (Decimal("0.0013"), Decimal("0.0013"), None)
    fake.answers[name] = Reply(body=commission(discounted=True))
    assert (await exchange.fees(SYMBOL)).asset is None
    fake.answers[ACCOUNT] = Reply(body={"balances": [{"asset": "BNB", "free": "0.1", "locked": "0"}]})
    fees = await exchange.fees(SYMBOL)
    assert (fees.maker, fees.asset) == (Decimal("0.0011") * Decimal("0.75") + Decimal("0.0002"), "BNB")


async def test_fees_fall_back_to_the_accounts_rates(fake: FakeBinance, exchange: BinanceExchange) -> None:
    rates = {"maker": "0.0010", "taker": "0.0020"}
    fake.answers[ACCOUNT] = Reply(body={"balances": [], "commissionRates": rates})
    fees = await exchange.fees(SYMBOL)
    assert (fees.maker, fees.taker) == (Decimal("0.001"), Decimal("0.002"))


async def test_an_empty_side_of_the_book_is_none(fake: FakeBinance, exchange: BinanceExchange) -> None:
    """F49: zero is not a price."""
    book = await exchange.top_of_book(SYMBOL)
    assert [book.bid, book.ask, book.last] == [49999, 50001, 50000]
    row = {
        "symbol": "BTCUSDT",
        "bidPrice": "0.00000000",
        "bidQty": "0",
        "askPrice": "50001.00",
        "askQty": "1",
    }
    fake.answers["GET /api/v3/ticker/bookTicker"] = Reply(body=row)
    assert (await exchange.top_of_book(SYMBOL)).bid is None
