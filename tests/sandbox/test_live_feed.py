"""A live public feed, end to end: one sandbox is the real exchange, another shows its book and trades as they come."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.order import Side
from gridtide.market_data import live_feed
from gridtide.market_data.live_feed import LiveFeed, fetch_market
from gridtide.market_data.source import LiveSource
from gridtide.sandbox.server import Sandbox
from gridtide.sandbox.settings import MarketSettings
from gridtide.testing.sandbox_exchange import BTC_USDT, sandbox_settings
from gridtide.venue.messages import BookLevel, NewOrder, PriceMoved
from tests.sandbox.conftest import GENEROUS

SYMBOL = Symbol("BTC/USDT")
D = Decimal


def addresses(sandbox: Sandbox) -> dict[str, Any]:
    """As the protocol document says, sections 2.1 and 2.2."""
    streams = f"{sandbox.ws_url}/stream/ws"
    return {
        "public": f"{sandbox.url}/api/v3",
        "private": f"{sandbox.url}/api/v3",
        "ws": {"spot": streams, "margin": streams},
    }


def walk(sandbox: Sandbox, price: str, volume: str = "1") -> None:
    at = Timestamp(sandbox.exchange.now())
    sandbox.exchange.move_market(SYMBOL, PriceMoved(D(price), D(volume), at))


async def eventually(condition: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.01)


def levels(sandbox: Sandbox) -> tuple[tuple[BookLevel, ...], tuple[BookLevel, ...]]:
    view = sandbox.exchange.venue.book(SYMBOL, 1000)
    return view.bids, view.asks


def prints(sandbox: Sandbox) -> list[tuple[Decimal, Decimal, Side, int]]:
    trades = (printed.trade for printed in sandbox.exchange.venue.trades(SYMBOL))
    return [(trade.price, trade.amount, trade.side, trade.trade_id) for trade in trades]


@asynccontextmanager
async def original(**changes: Any) -> AsyncIterator[Sandbox]:
    """The exchange that is watched."""
    sandbox = Sandbox(sandbox_settings(limits=GENEROUS, **changes))
    await sandbox.start()
    walk(sandbox, "50000")
    try:
        yield sandbox
    finally:
        await sandbox.stop()


@asynccontextmanager
async def mirror(watched: Sandbox, **changes: Any) -> AsyncIterator[tuple[Sandbox, LiveFeed]]:
    """The sandbox that shows the other's market, once it has its book."""
    feed = LiveFeed("binance", BTC_USDT, addresses(watched))
    sandbox = Sandbox(sandbox_settings(markets=(MarketSettings(BTC_USDT, feed),), **changes))
    await sandbox.start()
    try:
        await eventually(lambda: levels(sandbox) == levels(watched))
        yield sandbox, feed
    finally:
        await sandbox.stop()


def test_a_live_feed_is_a_live_source() -> None:
    assert isinstance(LiveFeed("binance", BTC_USDT), LiveSource)


async def test_the_rules_are_the_exchanges() -> None:
    """Tick, lot and minimum notional as the watched exchange states them; an unknown market is named."""
    async with original() as watched:
        market = await fetch_market("binance", SYMBOL, addresses(watched))
        assert market.rules.tick_size == D("0.01")
        assert market.rules.lot_size == D("0.00001")
        assert market.rules.min_notional == 5
        with pytest.raises(InvalidInput, match="binance has no spot market BTC/USDC; did you mean BTC/USDT"):
            await fetch_market("binance", Symbol("BTC/USDC"), addresses(watched))


def test_exchanges_that_cannot_be_watched() -> None:
    with pytest.raises(InvalidInput, match=r"'binanse' is no exchange .* did you mean binance"):
        LiveFeed("binanse", BTC_USDT)


async def test_book_and_trades_are_shown_as_they_come() -> None:
    """To the last digit; own orders rest in the mirrored book and fill when the market goes through them."""
    async with original() as watched, mirror(watched) as (shown, _):
        own = NewOrder("main", SYMBOL, Side.BUY, "LIMIT_MAKER", D("0.1"), price=D("49990"))
        shown.exchange.place_order(own)
        await asyncio.sleep(0.3)  # the trades' subscription may be a little behind the book's
        seen = len(prints(watched))
        for price in ("50010.01", "50003.37", "49995.55"):
            walk(watched, price, "1.23456")
        await eventually(lambda: len(prints(shown)) >= 3)
        assert prints(shown)[-3:] == prints(watched)[seen:]
        walk(watched, "49980")
        await eventually(lambda: not shown.exchange.venue.open_orders("main"))
        (fill,) = shown.exchange.venue.fills("main", SYMBOL)
        assert (fill.price, fill.amount, fill.is_maker) == (D(49990), D("0.1"), True)
        await eventually(lambda: levels(shown) == levels(watched))
        shown.exchange.venue.check()


async def test_a_killed_connection_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sockets die, the exchange is away for a moment, the market moves meanwhile: the book is whole again, and
    trades come again."""
    monkeypatch.setattr(live_feed, "_FIRST_PAUSE_SECONDS", 0.05)
    async with original() as watched, mirror(watched) as (shown, feed):
        port = watched.port
        await watched.stop()
        await eventually(lambda: feed.reconnections > 1)
        again = Sandbox(sandbox_settings(limits=GENEROUS, port=port))
        await again.start()
        try:
            walk(again, "61000")
            await eventually(lambda: levels(shown) == levels(again))
            await asyncio.sleep(0.3)
            walk(again, "61010", "0.777")
            await eventually(lambda: bool(prints(shown)) and prints(shown)[-1][:2] == (D(61010), D("0.777")))
            shown.exchange.venue.check()
        finally:
            await again.stop()


async def test_held_the_mirror_stands_still_and_catches_up() -> None:
    async with original() as watched, mirror(watched) as (shown, _):
        shown.player.hold()
        before = levels(shown)
        walk(watched, "52000")
        await asyncio.sleep(0.3)
        assert levels(shown) == before
        shown.player.resume()
        await eventually(lambda: levels(shown) == levels(watched))


async def test_a_restarted_mirror_starts_from_now(tmp_path: Path) -> None:
    """The book is the present one, orders and the sequence of update ids are those of before."""
    async with original() as watched:
        async with mirror(watched, state_file=tmp_path / "state.json") as (shown, _):
            own = NewOrder("main", SYMBOL, Side.BUY, "LIMIT_MAKER", D("0.1"), price=D("40000"))
            shown.exchange.place_order(own)
            before = shown.exchange.venue.book(SYMBOL).last_update_id
        walk(watched, "51000")
        feed = LiveFeed("binance", BTC_USDT, addresses(watched))
        again = Sandbox(
            sandbox_settings(markets=(MarketSettings(BTC_USDT, feed),), state_file=tmp_path / "state.json")
        )
        await again.start()
        try:
            await eventually(lambda: levels(again)[1] == levels(watched)[1])
            assert levels(again)[0][:-1] == levels(watched)[0]
            assert again.exchange.venue.book(SYMBOL).last_update_id > before
            assert len(again.exchange.venue.open_orders("main")) == 1
            again.exchange.venue.check()
        finally:
            await again.stop()


# --- the book in step --------------------------------------------------------------------------------


def test_differences_follow_each_other() -> None:
    """A snapshot first and after each loss; then only what changed, under ids without a gap; a crossed book waits."""
    book = live_feed._BookInStep()  # noqa: SLF001  the one part with arithmetic of its own
    at = Timestamp(5)
    one, two = {D(1): D(1)}, {D(2): D(1)}
    assert book.follow(one, two, 10, at) == DepthUpdate(10, 10, ((D(1), D(1)),), ((D(2), D(1)),), at, True)
    assert book.follow(one, two, 12, at) is None
    assert book.follow(one, {D(1): D(1)}, 12, at) is None
    changed = book.follow({D("0.9"): D(3)}, two, 12, at)
    assert changed == DepthUpdate(11, 12, ((D(1), D(0)), (D("0.9"), D(3))), (), at)
    changed = book.follow(one, two, 0, at)
    assert changed is not None
    assert (changed.first_update_id, changed.last_update_id) == (13, 13)
    book.is_lost = True
    restarted = book.follow(one, two, 3, at)
    assert restarted is not None
    assert restarted.is_snapshot
