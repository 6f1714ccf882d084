"""Recorded order books through the whole sandbox: over real sockets, beside other markets, across a restart."""

import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import duckdb
import orjson
import pytest

from gridtide.domain.candle import MarketTrade
from gridtide.domain.market import Symbol, Timestamp
from gridtide.market_data.files import open_market
from gridtide.market_data.source import MarketMoment
from gridtide.sandbox.exchange import SandboxExchange
from gridtide.sandbox.moments import load_moment, move_of, save_moment
from gridtide.sandbox.player import Player
from gridtide.sandbox.server import Sandbox
from gridtide.sandbox.settings import MarketSettings
from gridtide.sandbox.time_unit import TimeUnit
from gridtide.testing.sandbox_exchange import running_sandbox, sandbox_settings
from gridtide.venue.messages import MarketMove
from tests.market_data.captures import START, difference, snapshot, trade, write
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "l2"
FILES = [DATA / f"BTCUSDT-ws-2024-08-0{day}.jsonl.gz" for day in (8, 9)]
TICKER = DATA / "BTCUSDT-bookticker-2024-08-08T2354.parquet"
TRADES = DATA.parent / "trades" / "BTCUSDT-trades-2024-08-08T2354.parquet"
CANDLES = DATA.parent / "candles" / "BTCUSDT-1m-2024-08-08T2354.parquet"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the shared market data are not on this machine")
SYMBOL = Symbol("BTC/USDT")


class Listener:
    """Hears streams as a connection would."""

    combined = False
    unit = TimeUnit.MILLISECOND

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def send_frame(self, data: bytes) -> None:
        self.heard.append(orjson.loads(data[data.index(b"{") :]))


# --- the real capture --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded_best() -> dict[int, tuple[Decimal, ...]]:
    """Best bid and ask with their amounts, by update id."""
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT update_id, bid, bid_amount, ask, ask_amount FROM read_parquet(?)", [str(TICKER)]
        ).fetchall()
    return {row[0]: tuple(Decimal(repr(value)) for value in row[1:]) for row in rows}


@needs_data
def test_the_whole_capture_has_the_recorded_best_prices(
    recorded_best: dict[int, tuple[Decimal, ...]],
) -> None:
    """At each of the 1,072 shared update ids the sandbox's best prices equal the recorded ones, asked for and as
    streamed; the book is never crossed, the ids have no gap, every trade is printed under its own id."""
    source = open_market(FILES)
    exchange = SandboxExchange(sandbox_settings(markets=(MarketSettings(source.market),)))
    tickers, trades, depths = Listener(), Listener(), Listener()
    exchange.hub.subscribe("btcusdt@bookTicker", tickers)
    exchange.hub.subscribe("btcusdt@trade", trades)
    exchange.hub.subscribe("btcusdt@depth@100ms", depths)
    shared, recorded_trades = 0, []
    for moment in source:
        exchange.move_market(SYMBOL, move_of(moment))
        if isinstance(moment, MarketTrade):
            recorded_trades.append(moment)
            continue
        best = exchange.venue.best(SYMBOL)
        assert best.bid is not None
        assert best.ask is not None
        assert best.bid < best.ask
        at = exchange.venue.book(SYMBOL, 0).last_update_id
        if at in recorded_best:
            shared += 1
            assert (best.bid, best.bid_amount, best.ask, best.ask_amount) == recorded_best[at]
        exchange.pulse(1)
    assert shared == 1072
    streamed = [each for each in tickers.heard if each["u"] in recorded_best]
    assert len(streamed) > 900
    for each in streamed:
        assert tuple(Decimal(each[key]) for key in "bBaA") == recorded_best[each["u"]]
    assert all(later["U"] == before["u"] + 1 for before, later in pairwise(depths.heard))
    assert [(each["t"], Decimal(each["p"]), Decimal(each["q"]), each["m"]) for each in trades.heard] == [
        (each.trade_id, each.price, each.amount, each.side == "SELL") for each in recorded_trades
    ]


@needs_data
async def test_a_client_rebuilds_the_book_over_sockets(recorded_best: dict[int, tuple[Decimal, ...]]) -> None:
    """REST snapshot and diffs as the protocol says (section 8), at 20 times the recorded speed: at each shared update
    id the client's best prices are the recorded ones, and in the end its book is the exchange's."""
    source = open_market(FILES[0])
    settings = sandbox_settings(markets=(MarketSettings(source.market, source),), speed=20.0, limits=GENEROUS)
    sandbox = Sandbox(settings)
    await sandbox.start()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{sandbox.ws_url}/ws/btcusdt@depth@100ms") as socket,
        ):
            book = _ClientBook()
            book.add(await socket.receive_json(loads=orjson.loads))
            async with session.get(f"{sandbox.url}/api/v3/depth?symbol=BTCUSDT&limit=5000") as answer:
                book.begin(await answer.json())
            shared = 0
            deadline = time.monotonic() + 4
            while time.monotonic() < deadline:
                book.add(await socket.receive_json(loads=orjson.loads))
                if book.update_id in recorded_best:
                    shared += 1
                    assert book.best() == recorded_best[book.update_id]
            sandbox.player.hold()
            view = sandbox.exchange.venue.book(SYMBOL, 5000)
            while book.update_id < view.last_update_id:
                book.add(await socket.receive_json(loads=orjson.loads))
            assert book.bids == dict(view.bids)
            assert book.asks == dict(view.asks)
            assert book.diffs > 25
            assert shared
    finally:
        await sandbox.stop()


class _ClientBook:
    """A client's book, kept as the protocol document says."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.update_id = 0
        self.diffs = 0
        self._waiting: list[dict[str, Any]] = []
        self._last: int | None = None

    def begin(self, depth: dict[str, Any]) -> None:
        self.update_id = depth["lastUpdateId"]
        self.bids, self.asks = (
            {Decimal(price): Decimal(amount) for price, amount in depth[side]} for side in ("bids", "asks")
        )
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._apply(event)

    def add(self, event: dict[str, Any]) -> None:
        if self.update_id:
            self._apply(event)
        else:
            self._waiting.append(event)

    def _apply(self, event: dict[str, Any]) -> None:
        assert self._last is None or event["U"] == self._last + 1
        self._last = event["u"]
        if event["u"] <= self.update_id:
            return
        assert event["U"] <= self.update_id + 1
        self.update_id, self.diffs = event["u"], self.diffs + 1
        for side, rows in ((self.bids, event["b"]), (self.asks, event["a"])):
            for price, amount in rows:
                if Decimal(amount):
                    side[Decimal(price)] = Decimal(amount)
                else:
                    side.pop(Decimal(price), None)

    def best(self) -> tuple[Decimal, ...]:
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]


@needs_data
@pytest.mark.parametrize("files", [FILES, [TRADES]], ids=["capture", "trades"])
def test_recorded_trades_make_the_recorded_candles(files: list[Path]) -> None:
    """Ten whole minutes: open, high, low and close as the exchange published them, the volume to the last lot."""
    source = open_market(files)
    exchange = SandboxExchange(sandbox_settings(markets=(MarketSettings(source.market),)))
    for moment in source:
        exchange.move_market(SYMBOL, move_of(moment))
    made = {row[0]: row[1:6] for row in exchange.listing("BTCUSDT").record.candles.rows("1m")}
    with duckdb.connect() as database:
        query = "SELECT epoch_ms(timestamp), open, high, low, close, volume FROM read_parquet(?) ORDER BY 1"
        published = database.execute(query, [str(CANDLES)]).fetchall()[1:-1]
    assert len(published) == 10
    for at, *values in published:
        assert [Decimal(value) for value in made[at]] == [round(Decimal(repr(value)), 8) for value in values]


# --- hand-made captures ------------------------------------------------------------------------------

LINES = (
    snapshot(100),
    trade(7, 50),
    difference(101, 103, 100, [["100.00", "0"], ["99.50", "2"]]),
    trade(8, 150, "99.50", "0.5"),
    difference(104, 104, 61_000, [["99.50", "1.5"]]),
    trade(9, 62_000, "99.40", "3"),
    difference(105, 109, 62_100, [["99.50", "0"], ["99.40", "0"]]),
)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write(tmp_path / "BTCUSDT-ws.jsonl.gz", *LINES)


def wait_for_the_end(sandbox: Any) -> None:
    deadline = time.monotonic() + 10
    while not sandbox.call(lambda running: running.player.is_finished):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_trades_make_the_public_record(capture: Path) -> None:
    """Candles and the day's figures come of recorded trades; changes of the book alone open no candle."""
    source = open_market(capture)
    settings = sandbox_settings(markets=(MarketSettings(source.market, source),), speed=10_000.0)
    with running_sandbox(settings) as sandbox:
        wait_for_the_end(sandbox)
        rest = RestClient(sandbox)
        rows = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1m").body
        day = rest.get("/api/v3/ticker/24hr", symbol="BTCUSDT").body
        trades = rest.get("/api/v3/trades", symbol="BTCUSDT").body
        depth = rest.get("/api/v3/depth", symbol="BTCUSDT").body
    assert [[*map(Decimal, row[1:6]), row[8]] for row in rows] == [
        [Decimal(100), Decimal(100), Decimal("99.5"), Decimal("99.5"), Decimal("1.5"), 2],
        [Decimal("99.4"), Decimal("99.4"), Decimal("99.4"), Decimal("99.4"), Decimal(3), 1],
    ]
    assert (day["count"], day["firstId"], day["lastId"], Decimal(day["volume"])) == (3, 7, 9, Decimal("4.5"))
    assert [each["id"] for each in trades] == [7, 8, 9]
    assert depth["lastUpdateId"] == 109
    assert depth["bids"] == [["99.00000000", "8.00000000"]]


def test_an_order_fills_when_the_recording_goes_through_it(capture: Path) -> None:
    source = open_market(capture)
    settings = sandbox_settings(markets=(MarketSettings(source.market, source),), hold=True, speed=10_000.0)
    with running_sandbox(settings) as sandbox:
        rest = RestClient(sandbox)
        order = rest.order("BUY", "1", "99.45").body
        sandbox.resume()
        wait_for_the_end(sandbox)
        (fill,) = sandbox.truth()["fills"]
        sandbox.call(lambda running: running.exchange.venue.check())
    assert (fill["order_id"], fill["price"], fill["is_maker"]) == (order["orderId"], "99.45", True)


@pytest.mark.parametrize("played", [1, 2, 4, 6])
def test_a_restart_goes_on_with_the_same_book(capture: Path, tmp_path: Path, played: int) -> None:
    """Every moment comes once: the book, its ids and the trades end as without the interruption."""

    def settings() -> Any:
        source = open_market(capture)
        return sandbox_settings(
            markets=(MarketSettings(source.market, source),),
            speed=10_000.0,
            hold=True,
            state_file=tmp_path / "state.json",
        )

    with running_sandbox(settings()) as sandbox:
        sandbox.call(lambda running: running.player.step(played - 1))
    with running_sandbox(settings()) as sandbox:
        before: Any = sandbox.call(lambda running: running.player.status())
        assert before["markets"]["BTC/USDT"]["points"] == played
        sandbox.resume()
        wait_for_the_end(sandbox)
        view = sandbox.call(lambda running: running.exchange.venue.book(SYMBOL))
        trades = sandbox.call(lambda running: running.exchange.venue.trades(SYMBOL))
    assert (view.last_update_id, len(view.bids), len(view.asks)) == (109, 1, 1)
    assert [printed.trade.trade_id for printed in trades] == [7, 8, 9]


def test_a_start_in_the_middle_begins_with_the_book_of_then(capture: Path) -> None:
    """What came before is not played, but the book is what it had become."""
    source = open_market(capture)
    entry = MarketSettings(source.market, source, Timestamp(START + 60_000))
    with running_sandbox(sandbox_settings(markets=(entry,), hold=True)) as sandbox:
        view = sandbox.call(lambda running: running.exchange.venue.book(SYMBOL))
        assert (view.last_update_id, view.bids[0]) == (103, (Decimal("99.5"), Decimal(2)))
        assert not sandbox.call(lambda running: running.exchange.venue.trades(SYMBOL))


def moments(path: Path) -> Iterator[MarketMoment]:
    return iter(open_market(path))


def test_moments_survive_a_state_file(capture: Path) -> None:
    """Each kind, to the last digit."""
    for moment in moments(capture):
        saved = orjson.loads(orjson.dumps(save_moment(moment)))
        assert load_moment(saved) == moment


async def test_markets_recorded_together_keep_their_order(tmp_path: Path) -> None:
    """A capture and a table of trades that began 120 ms later: one order of time; a market of another year begins
    with the play."""
    capture = write(tmp_path / "BTCUSDT.jsonl", *LINES)
    rows = [(START + at, "200", "1", "buy") for at in (120, 140, 62_050)]
    (tmp_path / "ETHUSDT-trades.csv").write_text(
        "timestamp,price,amount,side\n" + "\n".join(",".join(map(str, row)) for row in rows)
    )
    (tmp_path / "SOLUSDT-trades.csv").write_text(
        "timestamp,price,amount,side\n1600000000000,3,1,sell\n1600000000110,3,1,buy"
    )
    sources = [
        open_market(path)
        for path in (capture, tmp_path / "ETHUSDT-trades.csv", tmp_path / "SOLUSDT-trades.csv")
    ]
    markets = tuple(MarketSettings(source.market, source) for source in sources)
    exchange = SandboxExchange(sandbox_settings(markets=markets))
    player = Player(exchange, markets, speed=1.0, hold=True)
    played: list[str] = []
    move_market = exchange.move_market

    def note(symbol: Symbol, move: MarketMove) -> None:
        move_market(symbol, move)
        played.append(str(symbol)[:3])

    exchange.move_market = note  # type: ignore[method-assign]  # only to hear the order
    player.open_markets()
    assert played == ["BTC", "ETH", "SOL"]
    assert player.step(100) == 9
    assert "".join(name[0] for name in played[3:]) == "BBSEBBBEB"
