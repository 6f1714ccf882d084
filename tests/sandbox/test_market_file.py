"""A market file played through the whole sandbox: its candles come out as they went in, orders fill on the way."""

import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from gridtide.market_data.files import open_market
from gridtide.sandbox.settings import MarketSettings
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient

DATA = Path(__file__).parents[2].parent / "shared" / "data"
CANDLES = DATA / "candles" / "BTCUSDT-1m-2024-08-08T2354.parquet"
YEAR = DATA / "candles" / "BTCUSDT-1m-2021.parquet"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared market data are not on this machine")


def wait_for_the_end(sandbox: RunningSandbox) -> None:
    deadline = time.monotonic() + 20
    while not sandbox.call(lambda running: running.player.is_finished):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_candles_come_out_as_they_went_in() -> None:
    """Open time, open, high, low, close of every minute; the volume too, but for what is less than a lot."""
    source = open_market(CANDLES)
    settings = sandbox_settings(markets=(MarketSettings(source.market, source),), speed=10_000.0)
    with running_sandbox(settings) as sandbox:
        wait_for_the_end(sandbox)
        rows = RestClient(sandbox).get("/api/v3/klines", symbol="BTCUSDT", interval="1m").body
    query = "SELECT epoch_ms(timestamp), open, high, low, close, volume FROM read_parquet(?) ORDER BY 1"
    with duckdb.connect() as database:
        recorded = database.execute(query, [str(CANDLES)]).fetchall()
    assert [[row[0], *map(Decimal, row[1:5])] for row in rows] == [
        [row[0], *(Decimal(repr(value)) for value in row[1:5])] for row in recorded
    ]
    lot = source.market.rules.lot_size
    for row, (*_, volume) in zip(rows, recorded, strict=True):
        assert 0 <= Decimal(repr(volume)) - Decimal(row[5]) < 4 * lot, (
            "each of the four parts is cut to a lot"
        )


def test_orders_fill_while_a_year_flies_by() -> None:
    """At speed 36,000 resting orders on both sides fill as makers, and no unit is lost (I6)."""
    source = open_market(YEAR)
    account = account_settings({"USDT": "100000", "BTC": "10"})
    settings = sandbox_settings(
        accounts=(account,), markets=(MarketSettings(source.market, source),), speed=36_000.0, limits=GENEROUS
    )
    with running_sandbox(settings) as sandbox:
        rest = RestClient(sandbox)
        price = Decimal(rest.get("/api/v3/ticker/price", symbol="BTCUSDT").body["price"])
        for number in range(1, 40):
            gap = price * number / 1000
            rest.order("BUY", "0.01", f"{price - gap:.2f}")
            rest.order("SELL", "0.01", f"{price + gap:.2f}")
        deadline = time.monotonic() + 10
        while len(sandbox.truth()["fills"]) < 20:
            assert time.monotonic() < deadline, "the market did not move"
            time.sleep(0.02)
        sandbox.hold()
        truth = sandbox.truth()
        sandbox.call(lambda running: running.exchange.venue.check())
    expected = {"USDT": Decimal(100_000), "BTC": Decimal(10)}
    for fill in truth["fills"]:
        sign = 1 if fill["side"] == "BUY" else -1
        expected["BTC"] += sign * Decimal(fill["amount"])
        expected["USDT"] -= sign * Decimal(fill["quote_amount"])
        expected[fill["fee_asset"]] -= Decimal(fill["fee"])
    held = truth["balances"]
    assert {
        asset: Decimal(held[asset]["free"]) + Decimal(held[asset]["locked"]) for asset in expected
    } == expected
    assert any(fill["is_maker"] for fill in truth["fills"])
