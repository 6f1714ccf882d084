"""The adapters against the sandbox server: two programs that share no wire code agree on orders, fills and money.

Each test runs twice, with Binance's own adapter and with the common one that knows the exchange by its id alone.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal

import pytest

from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder, TakeSnapshot
from gridtide.domain.events import (
    BookUpdated,
    CancelAccepted,
    CancelFoundNothing,
    OrderAccepted,
    OrderFound,
    OrderNotFound,
    OrderRefused,
    OrderUpdated,
    RefusalReason,
    StreamInterrupted,
)
from gridtide.domain.order import OrderStatus, OrderType, Side
from gridtide.exchanges.binance import BinanceExchange
from gridtide.exchanges.ccxt_exchange import CcxtExchange
from gridtide.exchanges.connection import ExchangeConnection
from gridtide.testing.sandbox_exchange import BTC_USDT, RunningSandbox, running_sandbox
from tests.exchanges.listening import listening
from tests.exchanges.orders import SYMBOL, submit_order

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: RunningSandbox) -> RunningSandbox:
    """The market at 50,000; orders of other tests are far away or gone."""
    server.move("50000", volume="1")
    return server


@pytest.fixture(params=[BinanceExchange, CcxtExchange])
async def exchange(sandbox: RunningSandbox, request: pytest.FixtureRequest) -> AsyncIterator[CcxtExchange]:
    make: Callable[[ExchangeConnection], CcxtExchange] = request.param
    adapter = make(
        ExchangeConnection(
            api_key=sandbox.api_key,
            secret=sandbox.secret,
            rest_url=sandbox.url,
            stream_url=sandbox.stream_url,
            ws_api_url=sandbox.ws_api_url,
        )
    )
    await adapter.connect()
    try:
        yield adapter
    finally:
        await adapter.close()


def order(
    exchange: CcxtExchange,
    price: str | None,
    amount: str = "0.00200",
    side: Side = Side.BUY,
    order_type: OrderType = OrderType.LIMIT,
) -> SubmitOrder:
    """An order with an id of its own, committed now."""
    return submit_order(
        exchange.now(),
        client_order_id=f"gt1-7K2P4Q-041B-{next(_numbers):04d}Z-2-KD",
        order_type=order_type,
        price=price,
        amount=amount,
        side=side,
    )


async def test_the_market_is_read_as_the_sandbox_means_it(exchange: CcxtExchange) -> None:
    """Steps and bounds to the last digit."""
    rules, truth = exchange.market(SYMBOL).rules, BTC_USDT.rules
    assert (rules.tick_size, rules.lot_size) == (truth.tick_size, truth.lot_size)
    assert (rules.min_notional, rules.min_amount) == (truth.min_notional, truth.min_amount)
    assert (await exchange.refresh_market(SYMBOL)).rules.tick_size == truth.tick_size
    book = await exchange.top_of_book(SYMBOL)
    assert (book.bid, book.ask, book.last) == (Decimal("49999.99"), Decimal("50000.01"), Decimal(50000))


async def test_the_account_is_read(exchange: CcxtExchange, sandbox: RunningSandbox) -> None:
    truth = sandbox.truth()["balances"]
    for asset, balance in (await exchange.balances()).items():
        assert balance.total == Decimal(truth[str(asset)]["free"]) + Decimal(truth[str(asset)]["locked"])
    fees = await exchange.fees(SYMBOL)
    assert (fees.maker, fees.taker) == (Decimal("0.001"), Decimal("0.001"))
    assert (await exchange.account()).account_id


async def test_an_order_lives_and_dies(exchange: CcxtExchange) -> None:
    """Placed, seen, cancelled; a second cancel finds nothing; what never was is not found."""
    command = order(exchange, "40000.50")
    placed = await exchange.submit(command)
    assert isinstance(placed, OrderAccepted)
    assert (placed.update.status, placed.update.price) == (OrderStatus.NEW, Decimal("40000.50"))
    (shown,) = [o for o in await exchange.open_orders(SYMBOL) if o.client_order_id == command.client_order_id]
    assert shown.order_id == placed.update.order_id
    found = await exchange.query(QueryOrder(SYMBOL, command.client_order_id))
    assert isinstance(found, OrderFound)
    assert found.update.status is OrderStatus.NEW

    cancel = CancelOrder(SYMBOL, command.client_order_id, placed.update.order_id)
    gone = await exchange.cancel(cancel)
    assert isinstance(gone, CancelAccepted)
    assert gone.update.client_order_id == command.client_order_id
    assert (gone.update.status, gone.update.executed_amount) == (OrderStatus.CANCELED, Decimal(0))
    assert await exchange.cancel(cancel) == CancelFoundNothing(command.client_order_id)
    after = await exchange.query(QueryOrder(SYMBOL, command.client_order_id))
    assert isinstance(after, OrderFound)
    assert after.update.status is OrderStatus.CANCELED
    assert await exchange.query(QueryOrder(SYMBOL, "gt1-never")) == OrderNotFound("gt1-never")


async def test_the_cancel_probe_knows_the_order_by_our_id(exchange: CcxtExchange) -> None:
    """T10: without the exchange's id."""
    command = order(exchange, "40000.50")
    await exchange.submit(command)
    reply = await exchange.cancel(CancelOrder(SYMBOL, command.client_order_id, ""))
    assert isinstance(reply, CancelAccepted)


@pytest.mark.parametrize(
    "price, amount, order_type, reason",
    [
        ("60000", "0.002", OrderType.LIMIT_MAKER, RefusalReason.WOULD_TAKE),
        ("40000", "8", OrderType.LIMIT, RefusalReason.INSUFFICIENT_FUNDS),
        ("40000.001", "0.002", OrderType.LIMIT, RefusalReason.MARKET_RULE),
        ("40000", "0.00001", OrderType.LIMIT, RefusalReason.MARKET_RULE),
    ],
)
async def test_refusals_have_their_reason(
    exchange: CcxtExchange, price: str, amount: str, order_type: OrderType, reason: RefusalReason
) -> None:
    """F11, F12, F13: by the sandbox, or by ourselves before anything leaves."""
    reply = await exchange.submit(order(exchange, price, amount, order_type=order_type))
    assert isinstance(reply, OrderRefused)
    assert reply.reason is reason


async def test_a_market_order_fills_at_once(exchange: CcxtExchange, sandbox: RunningSandbox) -> None:
    """Its fills are found in the records, whether or not the reply brought them."""
    newest = await exchange.newest_trade_id(SYMBOL)
    reply = await exchange.submit(order(exchange, None, side=Side.SELL, order_type=OrderType.MARKET))
    assert isinstance(reply, OrderAccepted)
    assert reply.update.status is OrderStatus.FILLED
    fills = [
        fill for fill in await exchange.fills(SYMBOL, newest + 1) if fill.order_id == reply.update.order_id
    ]
    assert sum(fill.amount for fill in fills) == reply.update.executed_amount == Decimal("0.002")
    assert sum(fill.quote_amount for fill in fills) == reply.update.executed_quote
    assert {fill.fee.asset for fill in fills} == {"USDT"}


async def test_partial_fill_fill_and_cancel_are_streamed(
    exchange: CcxtExchange, sandbox: RunningSandbox
) -> None:
    """F10, F17, F28: each state is told, in order; the records add up to it."""
    async with listening(exchange) as listener:
        await listener.take(BookUpdated)
        newest = await exchange.newest_trade_id(SYMBOL)
        command = order(exchange, "49900.00", "0.00300")
        placed = await exchange.submit(command)
        assert isinstance(placed, OrderAccepted)

        def states() -> list[tuple[OrderStatus, Decimal]]:
            updates = [event.update for event in listener.seen if isinstance(event, OrderUpdated)]
            mine = [update for update in updates if update.client_order_id == command.client_order_id]
            return [(update.status, update.executed_amount) for update in mine]

        await listener.until(lambda _: states() != [])
        sell = order(exchange, "49900.00", "0.00100", Side.SELL)
        assert isinstance(await exchange.submit(sell), OrderAccepted)
        sandbox.move("49950")
        sandbox.move("49899.00", volume="10")
        await listener.until(lambda _: states()[-1][0] is OrderStatus.FILLED)
        assert states()[0] == (OrderStatus.NEW, Decimal(0))
        assert [amount for _, amount in states()] == sorted(amount for _, amount in states())
        fills = [f for f in await exchange.fills(SYMBOL, newest + 1) if f.order_id == placed.update.order_id]
        assert sum(fill.amount for fill in fills) == Decimal("0.00300")
        assert all(fill.is_maker for fill in fills)

        doomed = order(exchange, "40000.00")
        placed = await exchange.submit(doomed)
        assert isinstance(placed, OrderAccepted)
        await exchange.cancel(CancelOrder(SYMBOL, doomed.client_order_id, placed.update.order_id))
        await listener.until(
            lambda seen: any(
                isinstance(event, OrderUpdated)
                and event.update.client_order_id == doomed.client_order_id
                and event.update.status is OrderStatus.CANCELED
                for event in seen
            )
        )
        assert not [event for event in listener.seen if isinstance(event, StreamInterrupted)]


async def test_a_snapshot_agrees_with_the_sandboxs_own_records(
    exchange: CcxtExchange, sandbox: RunningSandbox
) -> None:
    """Orders, fills and balances equal the truth to the last unit."""
    resting, gone = order(exchange, "41000.00"), order(exchange, "42000.00")
    for command in (resting, gone):
        assert isinstance(await exchange.submit(command), OrderAccepted)
    sandbox.move("41500.00", volume="10")
    await asyncio.sleep(0)
    names = (resting.client_order_id, gone.client_order_id, "gt1-never")
    seen = await exchange.snapshot(TakeSnapshot(SYMBOL, 0, names))
    truth = sandbox.truth()
    assert seen.stable
    assert resting.client_order_id in {o.client_order_id for o in seen.open_orders}
    assert [(o.client_order_id, o.status) for o in seen.queried] == [
        (gone.client_order_id, OrderStatus.FILLED)
    ]
    assert seen.not_found == ("gt1-never",)
    assert seen.balances is not None
    assert {
        str(asset): (balance.free, balance.locked)
        for asset, balance in seen.balances.items()
        if balance.total
    } == {
        asset: (Decimal(row["free"]), Decimal(row["locked"]))
        for asset, row in truth["balances"].items()
        if Decimal(row["free"]) + Decimal(row["locked"])
    }
    assert len(seen.fills) == len(truth["fills"])
    assert sum(fill.amount for fill in seen.fills) == sum(Decimal(row["amount"]) for row in truth["fills"])


async def test_a_cancel_of_nothing_is_no_verdict_on_the_order(exchange: CcxtExchange) -> None:
    """T17: "not open now", whether it filled or never was."""
    reply = await exchange.cancel(CancelOrder(SYMBOL, "gt1-never", ""))
    assert reply == CancelFoundNothing("gt1-never")
