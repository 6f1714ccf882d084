"""Sources played through a venue: real candles, real trades and the synthetic market keep its books balanced."""

import random
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice

import pytest

from gridtide.domain.market import Asset, Market, Symbol, Timestamp
from gridtide.domain.money import FeeRate
from gridtide.domain.order import OrderStatus, Side
from gridtide.market_data.files import TradeFile, open_market
from gridtide.market_data.known_markets import market_of
from gridtide.market_data.source import MarketMoment, time_of
from gridtide.market_data.synthetic import SyntheticMarket
from gridtide.sandbox.moments import move_of
from gridtide.venue.messages import NewOrder, OrderChanged
from gridtide.venue.settings import AccountFees, VenueSettings
from gridtide.venue.venue import Venue
from tests.market_data.writing import real

D = Decimal
FEES = AccountFees(FeeRate(D("0.001")), FeeRate(D("0.001")))


def play(market: Market, moments: Iterable[MarketMoment], settings: VenueSettings, check_every: int) -> Venue:
    """A handful of orders in steps of half a per cent; each fill places the opposite order one step away."""
    venue = Venue([market], settings, random.Random(1))
    venue.add_account("a", {market.base: D(5), market.quote: D(200_000)}, FEES)
    for number, moment in enumerate(moments):
        now = time_of(moment)
        for event in venue.move_market(market.symbol, move_of(moment), now):
            if isinstance(event, OrderChanged) and event.order.status is OrderStatus.FILLED:
                step = D("1.005") if event.order.side is Side.BUY else D("0.995")
                place(venue, market, event.order.side.opposite, event.order.price * step, now)
        if number == 0:
            price = venue.last_price(market.symbol)
            assert price is not None
            for offset in range(1, 6):
                place(venue, market, Side.BUY, price * (1 - D(offset) / 200), now)
                place(venue, market, Side.SELL, price * (1 + D(offset) / 200), now)
        if number % check_every == 0:
            venue.check()
    venue.check()
    return venue


def place(venue: Venue, market: Market, side: Side, price: Decimal, now: Timestamp) -> None:
    rounded = market.rules.nearest_price(price)
    venue.place_order(NewOrder("a", market.symbol, side, "LIMIT_MAKER", D("0.01"), price=rounded), now)


@pytest.mark.parametrize("publishes", [True, False])
def test_two_thousand_real_minutes(publishes: bool) -> None:
    """The first 2,000 minutes of 2021: every fill at its own price within the move that made it, books balanced."""
    source = open_market(real("candles/BTCUSDT-1m-2021.parquet"))
    settings = VenueSettings(publishes=publishes)
    venue = play(source.market, islice(source, 8_000), settings, check_every=100)
    fills = venue.fills("a", source.market.symbol, from_id=0, limit=10_000)
    assert len(fills) > 40
    assert all(fill.is_maker for fill in fills)


def test_a_volume_cap_on_real_minutes() -> None:
    """Partial fills, left-over orders and a book that is never crossed."""
    source = open_market(real("candles/BTCUSDT-1m-2021.parquet"))
    settings = VenueSettings(volume_cap=D("0.0005"))
    venue = play(source.market, islice(source, 4_000), settings, check_every=20)
    fills = venue.fills("a", source.market.symbol, from_id=0, limit=10_000)
    assert any(fill.amount < D("0.01") for fill in fills)


def test_real_market_trades_through_a_venue() -> None:
    """Prints keep the recorded prices and takers."""
    source = open_market(real("trades/BTCUSDT-trades-2024-08-08T2354.parquet"))
    venue = play(source.market, islice(source, 3_000), VenueSettings(kept_trades=10_000), check_every=500)
    printed = {
        (p.trade.timestamp, p.trade.price, p.trade.side) for p in venue.trades(source.market.symbol, 10_000)
    }
    source.seek(source.position() | {"row": 0})
    assert isinstance(source, TradeFile)
    recorded = {(trade.timestamp, trade.price, trade.side) for trade in islice(source, 3_000)}
    assert recorded <= printed


def test_the_synthetic_market_through_a_venue() -> None:
    """Ten minutes: many fills, books balanced after each trade."""
    market = market_of(Symbol("BTC/USDT"))
    source = SyntheticMarket(market, D(60_000), seed=4, start_time=Timestamp(0))
    venue = play(market, islice(source, 3_600), VenueSettings(), check_every=10)
    assert len(venue.fills("a", market.symbol, from_id=0, limit=10_000)) > 40
    assert venue.balances("a")[Asset("BTC")].total != 5
