"""Fields, JSON types and number formats agree with responses recorded from the exchange or its documentation.

One row a file. Where the two differ each difference is named with its reason; a difference that is gone fails too.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gridtide.testing.sandbox_exchange import running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.recorded_answers import collect

RESPONSES = Path(__file__).parents[2].parent / "shared" / "data" / "responses"

pytestmark = pytest.mark.skipif(
    not RESPONSES.exists(), reason="the recorded responses are not on this machine"
)

_DECIMAL = re.compile(r"-?\d+\.(\d+)")
_FEWER_DECIMALS = re.compile(r": text, 8 decimals, not text, [1-7] decimals$")


# --- comparing ---------------------------------------------------------------------------------------


def kind(value: object) -> str:
    """The JSON type of a leaf; for a decimal in a text also its decimal places."""
    match value:
        case str() as text if (found := _DECIMAL.fullmatch(text)) is not None:
            return f"text, {len(found[1])} decimals"
        case str():
            return "text"
        case _:
            return type(value).__name__


def differences(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    """``+name``: only the sandbox has it; ``-name``: only the recording; else where the kinds differ.

    Lists are compared by their first elements, and not at all where one of them is empty.
    """
    match ours, theirs:
        case dict(), dict():
            yield from (f"+{at}{name}" for name in ours.keys() - theirs.keys())
            yield from (f"-{at}{name}" for name in theirs.keys() - ours.keys())
            for name in ours.keys() & theirs.keys():
                yield from differences(ours[name], theirs[name], f"{at}{name}.")
        case list(), list():
            for mine, other in zip(ours[:1], theirs[:1], strict=False):
                if isinstance(mine, list) and len(mine) != len(other):
                    yield f"{at}: {len(mine)} values, not {len(other)}"
                pairs = zip(mine, other, strict=False) if isinstance(mine, list) else [(mine, other)]
                for number, (one, two) in enumerate(pairs):
                    yield from differences(one, two, f"{at}{number}." if isinstance(mine, list) else at)
        case _ if kind(ours) != kind(theirs):
            yield f"{at.rstrip('.')}: {kind(ours)}, not {kind(theirs)}"


def recorded(name: str) -> Any:
    """A recording; lines of user events as a list, lines of a combined stream by stream."""
    path = RESPONSES / name
    if path.suffix == ".gz":
        return json.loads(gzip.decompress(path.read_bytes()))
    if path.suffix == ".json":
        return json.loads(path.read_text())
    lines = [line.partition(": ")[2] or line for line in path.read_text().splitlines()[:2000]]
    if "streams=" not in path.read_text()[:200]:
        return [json.loads(line) for line in path.read_text().splitlines()]
    messages = [json.loads(line) for line in lines if line.startswith('{"stream"')]
    return {message["stream"].partition("@")[2]: message for message in messages}


def part(value: Any, inside: tuple[str | int, ...]) -> Any:
    """What stands at a place inside a value."""
    for step in inside:
        value = value[step]
    return value


# --- the table ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A recording, the sandbox's answer it is laid beside (by its name in `collect`), and what may differ."""

    file: str
    answer: str
    allowed: Mapping[str, str] = field(default_factory=dict)
    """Difference -> reason."""
    inside: tuple[str | int, ...] = ()
    """Where in the recording the answer is."""
    our_inside: tuple[str | int, ...] = ()
    decimals: bool = True
    """False for examples of the documentation, which prints numbers with fewer decimals than the exchange sends."""


_NEW_SYMBOL_FIELDS = {
    f"+symbols.{name}": "came after 2021 (section 5.2)"
    for name in (
        "allowTrailingStop",
        "allowedSelfTradePreventionModes",
        "amendAllowed",
        "cancelReplaceAllowed",
        "defaultSelfTradePreventionMode",
        "opoAllowed",
        "otoAllowed",
        "pegInstructionsAllowed",
        "permissionSets",
    )
}
_NEW_ACCOUNT_FIELDS = {
    f"+{name}": "came after the recording (section 5.3)"
    for name in ("brokered", "commissionRates", "preventSor", "requireSelfTradePrevention", "uid")
}
_CLOSE_TIME = {"+closeTime": "came after 2021; the documentation of 2026 has it"}
_WORKING_TIME = {"+W": "came after 2020 (section 9.3)", "+V": "came after 2020 (section 9.3)"}

_DOCS = "nautilus_trader/rest-2026"
_N_REST = "nautilus_trader/rest"
_N_WS = "nautilus_trader/ws"
_EVENTS = "nautilus_trader/ws-2026"
_MARKET = "ws/market-2021-10-12.jsonl"
_LIFE = "bbgo/ws/user-market-buy-lifecycle.jsonl"

ROWS = (
    Row(
        "rest/exchangeInfo-2025-08-07-25symbols.json",
        "exchangeInfo",
        {
            "+symbols.opoAllowed": "came after 2025-08 (section 5.2)",
            "+symbols.pegInstructionsAllowed": "came after 2025-08 (section 5.2)",
            "symbols.permissionSets.: 1 values, not 235": "one group of accounts here, hundreds there",
        },
    ),
    Row("rest/exchangeInfo-2021-10-12-full.json.gz", "exchangeInfo", _NEW_SYMBOL_FIELDS),
    Row(f"{_N_REST}/exchangeInfo-BTCUSDT-2021-10-22.json", "exchangeInfo", _NEW_SYMBOL_FIELDS),
    Row("rest/klines-BTCUSDT-1m-60.json", "klines"),
    Row("rest/klines-BTCUSDT-1h-176.json", "klines"),
    Row("rest/klines-BTCUSDT-1d-365.json", "klines"),
    Row(f"{_N_REST}/klines-1m-BTCUSDT-2021-10-22.json", "klines"),
    Row("rest/aggTrades-BTCUSDT-1000.json", "aggTrades"),
    Row(f"{_N_REST}/aggTrades-BTCUSDT-2021-10-22.json", "aggTrades"),
    Row("rest/trades-ETHBTC-200.json", "trades"),
    Row(f"{_N_REST}/trades-BTCUSDT-2021-10-22.json", "trades"),
    Row(f"{_N_REST}/historicalTrades-BTCUSDT-2021-10-22.json", "historicalTrades"),
    Row("rest/depth-BTCUSDT.json", "depth"),
    Row("rest/depth-NKNUSDT-1000.json", "depth"),
    Row("rest/depth-BLZETH-1000.json", "depth"),
    Row("rest/depth-LRCBTC-1000.json", "depth"),
    Row("rest/depth-RUNEEUR-1000.json", "depth"),
    Row(f"{_N_REST}/depth-BTCUSDT-2021-10-22.json", "depth"),
    Row("rest/ticker-24hr-BTCUSDT-ETHUSDT.json", "ticker/24hr"),
    Row("rest/ticker-price-BTCUSDT.json", "ticker/price"),
    Row(f"{_N_REST}/ticker-price-BTCUSDT-2021-10-22.json", "ticker/price"),
    Row("rest/ticker-bookTicker-BTCUSDT.json", "ticker/bookTicker"),
    Row(f"{_N_REST}/bookTicker-BTCUSDT-2021-10-22.json", "ticker/bookTicker"),
    Row("rest/avgPrice-BTCUSDT.json", "avgPrice", _CLOSE_TIME),
    Row(f"{_N_REST}/avgPrice-BTCUSDT-2021-10-22.json", "avgPrice", _CLOSE_TIME),
    Row(f"{_DOCS}/avg_price_response.json", "avgPrice"),
    Row(f"{_N_REST}/time.json", "time"),
    Row(
        "rest/account.json",
        "account",
        {**_NEW_ACCOUNT_FIELDS, "+permissions": "came after 2020-05 (section 5.3)"},
    ),
    Row(f"{_N_REST}/account.json", "account", _NEW_ACCOUNT_FIELDS),
    Row(f"{_DOCS}/account_response.json", "account"),
    Row(
        "rest/order-filled-market-sell.json",
        "order filled",
        {
            f"+{name}": "came after 2019 (section 6.4)"
            for name in ("origQuoteOrderQty", "selfTradePreventionMode", "workingTime")
        },
    ),
    Row(f"{_DOCS}/new_order_full_response.json", "order placed, FULL", decimals=False),
    Row(f"{_DOCS}/order_response.json", "order", decimals=False),
    Row(f"{_DOCS}/open_orders_response.json", "openOrders", decimals=False),
    Row(f"{_DOCS}/all_orders_response.json", "allOrders", decimals=False),
    Row(f"{_DOCS}/cancel_order_response.json", "order canceled", decimals=False),
    Row(
        f"{_DOCS}/cancel_open_orders_response.json",
        "openOrders canceled",
        inside=(0,),
        our_inside=(0,),
        decimals=False,
    ),
    Row(
        f"{_DOCS}/cancel_open_orders_response.json",
        "openOrders canceled",
        {"-orderReports.icebergQty": "the orders of the example are icebergs"},
        inside=(2,),
        our_inside=(-1,),
        decimals=False,
    ),
    Row(f"{_DOCS}/account_trades_response.json", "myTrades", decimals=False),
    Row(
        "ws/user-executionReport-limit-NEW.json",
        "report NEW",
        {
            "+V": "came after 2021-03 (section 9.3)",
            "N: NoneType, not text": "null in the document (section 9.3)",
        },
        inside=("data",),
        our_inside=("event",),
    ),
    Row(f"{_EVENTS}/execution_report_wrapped.json", "report NEW"),
    Row(
        f"{_EVENTS}/execution_report_expired.json",
        "report EXPIRED",
        {f"+{name}": "left out by the project that constructed the file" for name in "FIMQVWYg"},
        our_inside=("event",),
    ),
    Row(
        f"{_N_WS}/executionReport-us-limit-FILLED.json",
        "report FILLED as maker",
        inside=("data",),
        our_inside=("event",),
    ),
    Row(_LIFE, "life of a market order", _WORKING_TIME, (0,), (0, "event")),
    Row(_LIFE, "life of a market order", _WORKING_TIME, (1,), (1, "event")),
    Row(_LIFE, "life of a market order", {}, (2,), (2, "event")),
    Row("ws/user-outboundAccountPosition.json", "position", {}, ("data",), ("event",)),
    Row(f"{_EVENTS}/account_position_wrapped.json", "position", decimals=False),
    Row("ws/user-balanceUpdate.json", "balance update", {}, ("data",), ("event",)),
    Row(f"{_EVENTS}/balance_update_wrapped.json", "balance update"),
    Row("ws/user-listStatus-OCO.json", "list status", {}, ("data",), ("event",)),
    Row(f"{_EVENTS}/list_status_wrapped.json", "list status"),
    Row(_MARKET, "stream depth@100ms", inside=("depth@100ms",)),
    Row(_MARKET, "stream bookTicker", inside=("bookTicker",)),
    Row(_MARKET, "stream kline_1m", inside=("kline_1m",)),
    Row(_MARKET, "stream aggTrade", inside=("aggTrade",)),
    Row(
        f"{_N_WS}/trade-ETHUSDT.json",
        "stream trade",
        {f"-data.{name}": "order ids of 2021, gone since (section 8)" for name in "ab"},
    ),
    Row(
        f"{_N_WS}/agg-trade-ETHUSDT.json",
        "stream aggTrade",
        {"-data.st": "not a spot field (section 8)"},
    ),
    Row(
        f"{_N_WS}/ticker-book-ETHUSDT.json",
        "stream bookTicker",
        {f"-data.{name}": "a futures field; spot has no times (section 8)" for name in "ET"},
    ),
)

_CONSTRUCTED = "made up by that project for its tests, not sent by the exchange"
NOT_COMPARED = {
    "errors.json": "a table of texts: test_responses_errors",
    **{
        f"{_N_WS}/executionReport-{name}.json": _CONSTRUCTED
        for name in (
            "calculated",
            "canceled",
            "empty-client-id",
            "expired",
            "new",
            "pending-cancel",
            "rejected",
            "trade",
            "trade-l-zero",
            "trade-l-zero-canceled",
            "trade-l-zero-partial",
            "trade-prevention",
        )
    },
}


# --- the tests ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, Any]]:
    """Everything the sandbox says, once."""
    with running_sandbox(sandbox_settings(limits=GENEROUS)) as sandbox:
        for price in ("50000", "50001"):
            sandbox.move(price, volume="1")
        yield collect(sandbox)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.file}{list(row.inside)}" for row in ROWS])
def test_agrees(answers: dict[str, Any], row: Row) -> None:
    ours, theirs = part(answers[row.answer], row.our_inside), part(recorded(row.file), row.inside)
    found = set(differences(ours, theirs))
    if not row.decimals:
        found = {each for each in found if not _FEWER_DECIMALS.search(each)}
    assert found == set(row.allowed)


def test_no_file_is_forgotten() -> None:
    """Each recording is compared or named with the reason why not."""
    files = {str(path.relative_to(RESPONSES)) for path in RESPONSES.rglob("*.json*")}
    compared = {row.file for row in ROWS}
    assert compared | set(NOT_COMPARED) == files
    assert compared.isdisjoint(NOT_COMPARED)


def test_filters(answers: dict[str, Any]) -> None:
    """Each filter of the listing has the fields and formats it has on the real exchange."""
    recording = recorded("rest/exchangeInfo-2025-08-07-25symbols.json")
    theirs = {each["filterType"]: each for market in recording["symbols"] for each in market["filters"]}
    ours = [each for each in answers["exchangeInfo"]["symbols"][0]["filters"] if each["filterType"] in theirs]
    assert len(ours) > 5
    for each in ours:
        assert list(differences(each, theirs[each["filterType"]])) == []


def test_the_life_of_a_market_order(answers: dict[str, Any]) -> None:
    """The same events in the same order with the same states as another client recorded."""
    same = ("e", "x", "X", "w", "M", "m", "g", "f", "r", "C")
    ours = [message["event"] for message in answers["life of a market order"]]
    assert [[event.get(name) for name in same] for event in ours] == [
        [event.get(name) for name in same] for event in recorded(_LIFE)
    ]
