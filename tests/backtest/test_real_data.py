"""Real files with gaps, odd minutes, dead candles and tiny prices give a balanced result and a note, and no fill at a
price or a time that the market did not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gridtide
from gridtide.domain.market import Symbol
from gridtide.market_data.load import LoadedData, load_market_data, read_file
from gridtide.market_data.series import Span
from gridtide.reports.backtest_result import BacktestResult
from tests.backtest.accounting import require_balanced, require_conserved

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared market data are not on this machine")


@dataclass(frozen=True)
class Case:
    """A file and a grid that fits it; money in the market's quote asset."""

    file: str
    market: str
    lower: str
    upper: str
    levels: int
    investment: str
    balance: str
    fills: int
    """At least so many: less would prove nothing."""
    note: str
    """What the result says of the gaps; empty where there are none."""
    maker: str = "0.001"

    @property
    def path(self) -> Path:
        return DATA / self.file

    def config(self, **backtest: Any) -> dict[str, Any]:
        grid = {
            "name": "grid",
            "lower_price": self.lower,
            "upper_price": self.upper,
            "num_grids": self.levels,
            "total_investment": self.investment,
            "spacing": "geometric",
        }
        bot = {"name": "real", "market": self.market, "strategy": grid}
        return {
            "bots": [bot],
            "backtest": {
                "balance": {self.market.split("/")[1]: self.balance},
                "fees": {"maker": self.maker},
                **backtest,
            },
        }


IRREGULAR = Case(
    "candles/BTCUSDT-1m-2018-02-irregular.parquet", "BTC/USDT", "6000", "11000", 41, "10000", "15000", 400,
    "3 gaps, 2,058 candles: 2018-02-08 00:29 to 2018-02-09 09:59:14.789 (2,010)",
)  # fmt: skip
YEAR = Case(
    "candles/BTCUSDT-1m-2021.parquet", "BTC/USDT", "28000", "65000", 31, "10000", "15000", 1000,
    "6 gaps, 993 candles: 2021-02-11 03:41 to 2021-02-11 05:00 (79)",
)  # fmt: skip
TINY = Case(
    "candles/XRPETH-1m-2019-10.parquet", "XRP/ETH", "0.0014", "0.00155", 31, "50", "60", 20,
    "676 gaps, 1,091 candles: ",
)  # fmt: skip
TRADES = Case(
    "trades/BTCUSDT-trades-2024-08-08T2354.parquet", "BTC/USDT", "61550", "61870", 17, "10000", "15000", 20, "",
    maker="0",
)  # fmt: skip
HOURS = Case(
    "candles/BTCUSDT-1h-2017-2022.parquet", "BTC/USDT", "3000", "20000", 21, "10000", "15000", 100,
    "27 gaps, 126 candles: 2017-09-06 16:00 to 2017-09-06 23:00 (7)",
)  # fmt: skip
DAYS = Case(
    "candles/BTCUSDT-1d-2017-2022.parquet", "BTC/USDT", "3000", "20000", 41, "10000", "15000", 200, ""
)
WITH_GAPS = [IRREGULAR, YEAR, TINY, HOURS]
ALL = [IRREGULAR, YEAR, TINY, TRADES, HOURS, DAYS]


def name_of(case: Case) -> str:
    return case.path.stem


@pytest.fixture(scope="module", autouse=True)
def nothing_is_kept() -> Iterator[None]:
    """What these tests share is theirs: a test worker keeps 100 MB less when they are over."""
    yield
    loaded.cache_clear()
    played.cache_clear()


@cache
def loaded(path: Path, span: Span | None = None) -> LoadedData:
    return load_market_data(path) if span is None else load_market_data(path, span=span)


@cache
def played(case: Case, *, halt: bool = False) -> BacktestResult:
    return gridtide.backtest(case.config(halt_at_gaps=halt), loaded(case.path))


def both(cases: list[Case]) -> pytest.MarkDecorator:
    """Each file with gaps that the price jumps over, and with gaps in which the market is closed."""
    found = [
        pytest.param(case, halt, id=f"{name_of(case)}{'-halted' if halt else ''}")
        for case in cases
        for halt in (False, True)
        if not halt or case.note
    ]
    return pytest.mark.parametrize("case, halt", found)


@both(ALL)
def test_the_books_balance_and_every_fill_is_accounted_for(case: Case, halt: bool) -> None:
    """That the venue's account agrees with the books to the last digit, the run itself has checked."""
    result = played(case, halt=halt)
    assert result.markets[0].ended_as == "RUNNING"
    assert result.fill_count >= case.fills
    require_balanced(result)
    require_conserved(result.markets[0], Decimal(case.investment))
    assert np.isfinite(result.curve.equity).all()
    assert result.curve.equity[-1] == pytest.approx(float(result.final_equity))
    assert 0 < result.max_drawdown < 1


@both(ALL)
def test_gaps_are_named_with_what_was_made_of_them(case: Case, halt: bool) -> None:
    notes = [note for note in played(case, halt=halt).notes if "candles are missing" in note]
    assert len(notes) == bool(case.note)
    if case.note:
        done = "the market counted as closed" if halt else "the price jumps over them"
        assert notes[0].startswith(f"{case.market}: candles are missing, {done}: {case.note}")


@both(WITH_GAPS)
def test_nothing_is_traded_where_candles_are_missing(case: Case, halt: bool) -> None:
    """A price that moved meanwhile fills orders at the next candle, not before."""
    market = played(case, halt=halt).markets[0]
    times = np.array(market.fills["time"])
    for start, end in market.gaps:
        assert not ((times >= start) & (times < end)).any()


@pytest.mark.parametrize("case", [case for case in ALL if case is not TRADES], ids=name_of)
def test_every_fill_has_a_price_that_its_candle_had(case: Case) -> None:
    """Between its low and high, or on the way there from the close before; a taker pays one step more."""
    candles = read_file(case.path)[1]
    fills = played(case).fills.to_numpy()
    at = np.searchsorted(candles["timestamp"], fills["time"], side="right") - 1
    before = candles["close"][np.maximum(at - 1, 0)]
    step = 10.0 ** -loaded(case.path).columns.price_places
    low, high = np.minimum(candles["low"][at], before), np.maximum(candles["high"][at], before)
    assert (fills["price"] >= low - 1.01 * step).all()
    assert (fills["price"] <= high + 1.01 * step).all()
    moved = (low < high) | (candles["volume"][at] > 0)
    assert moved.all(), "a candle in which nothing was traded and no price changed filled an order"


def test_candles_off_the_minute_keep_their_own_times() -> None:
    """On 2018-02-09 the exchange's candles opened 14.8 s beside the minute; fills stand within them, at their times."""
    opened = read_file(IRREGULAR.path)[1]["timestamp"]
    times = np.array(played(IRREGULAR).fills["time"])
    candle = opened[np.searchsorted(opened, times, side="right") - 1]
    assert set((times - candle).tolist()) <= {0, 20_000, 40_000, 59_999}
    assert (candle % 60_000 == 14_789).sum() > 10


def test_market_trades_as_a_path_fill_at_the_times_of_trades() -> None:
    """Each fill happens at a print that reached its price; nothing is said of candles, there are none."""
    trades = read_file(TRADES.path)[1]
    result = played(TRADES)
    assert set(result.fills["time"]) <= set(trades["timestamp"].tolist())
    assert not any("candle" in note for note in result.notes)


def test_two_markets_of_one_month_share_one_account() -> None:
    """BTC and ETH in June 2022: figures for each market, and the account's, which are their sum."""
    span = Span(1_654_041_600_000, 1_656_633_600_000)
    data = {
        "BTC/USDT": loaded(DATA / "candles/BTCUSDT-1m-2022.parquet", span),
        "ETH/USDT": loaded(DATA / "candles/ETHUSDT-1m-2022.parquet", span),
    }
    ranges = {"BTC/USDT": ("18000", "33000"), "ETH/USDT": ("900", "2100")}
    result = gridtide.backtest({"bots": [_bot(*each) for each in ranges.items()], **_account()}, data)
    require_balanced(result)
    for market in result.markets:
        assert len(market.round_trips) > 20
        require_conserved(market, Decimal(6000))
    btc, eth = result.markets
    assert [btc.symbol, eth.symbol] == [Symbol("BTC/USDT"), Symbol("ETH/USDT")]
    assert result.final_equity == 3000 + btc.equity + eth.equity
    assert dict(result.fees_by_asset).keys() == {"BTC", "ETH", "USDT"}
    assert len(result.curve.times) == len(btc.prices) == len(eth.prices)
    assert result.curve.equity[-1] == pytest.approx(float(result.final_equity))
    alone = gridtide.backtest(
        {"bots": [_bot("BTC/USDT", ranges["BTC/USDT"])], **_account()}, data["BTC/USDT"]
    )
    assert list(alone.fills) == list(btc.fills), (
        "a market's own fills do not depend on what else the account does"
    )


def _bot(market: str, bounds: tuple[str, str]) -> Mapping[str, Any]:
    grid = {
        "name": "grid",
        "lower_price": bounds[0],
        "upper_price": bounds[1],
        "num_grids": 31,
        "total_investment": "6000",
    }
    return {"name": market[:3].lower(), "market": market, "strategy": grid}


def _account() -> dict[str, Any]:
    return {"backtest": {"balance": {"USDT": "15000"}}}
