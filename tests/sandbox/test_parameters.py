"""Raw text to typed values: every wrong value has its code, and no input gets through as anything else."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.order import Side
from gridtide.sandbox import parameters
from gridtide.sandbox.endpoints.table import ENDPOINTS
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.parameters import Parameter, decode_all, from_json, from_query_and_body

SIDE = parameters.choice("side", Side, ApiError(-1117, "Invalid side."))


def decode(parameter: Parameter[Any], text: str) -> Any:
    return parameter.decode(parameter.name, text)


@pytest.mark.parametrize(
    "parameter, text, code",
    [
        (parameters.decimal("price"), "1e-05", -1100),
        (parameters.decimal("price"), "-1", -1100),
        (parameters.decimal("price"), "1.", -1100),
        (parameters.decimal("price"), "٣", -1100),  # a digit, but not one of ours
        (parameters.decimal("price"), "NaN", -1100),
        (parameters.decimal("price"), "9" * 21, -1100),
        (parameters.decimal("price"), "1\n", -1100),
        (parameters.integer("orderId"), "x", -1100),
        (parameters.integer("orderId"), str(2**63), -1108),
        (parameters.symbol(), "btcusdt", -1100),
        (parameters.symbol(), "BTC/USDT", -1100),
        (parameters.client_id("newClientOrderId"), "p:q", -1100),
        (parameters.client_id("newClientOrderId"), "x" * 37, -1100),
        (parameters.symbols(), '["A","A"]', -1151),
        (parameters.symbols(), "[1]", -1135),
        (parameters.symbols(), "[", -1135),
        (parameters.symbols(), "[" * 100_000, -1135),
        (parameters.symbols(), "[]", -1105),
        (parameters.boolean("omitZeroBalances"), "yes", -1130),
        (parameters.limit(1000, default=500), "0", -1130),
        (SIDE, "LONG", -1117),
    ],
)  # fmt: skip
def test_wrong_values_have_their_code(parameter: Parameter[Any], text: str, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        decode(parameter, text)
    assert caught.value.code == code


def test_good_values() -> None:
    """Decimals stay exact, pages are cut to the largest, order ids may be text."""
    assert str(decode(parameters.decimal("price"), "0.00000001")) == "1E-8"
    assert decode(parameters.decimal("price"), "40000.10") == Decimal("40000.10")
    assert decode(parameters.limit(1000, default=500), "5000") == 1000
    assert decode(parameters.symbols(), '["BTCUSDT","ETHUSDT"]') == ("BTCUSDT", "ETHUSDT")
    assert decode(SIDE, "BUY") is Side.BUY
    assert decode(parameters.boolean("x"), "TRUE") is True


@pytest.mark.parametrize(
    "raw, code",
    [
        ({}, -1102),
        ({"symbol": ""}, -1102),
        ({"symbol": "A", "limit": ""}, -1105),
        ({"symbol": "A", "x": "1"}, -1104),
    ],
)
def test_missing_empty_and_unknown(raw: Mapping[str, str], code: int) -> None:
    with pytest.raises(ApiError) as caught:
        decode_all(raw, (parameters.symbol(),), (parameters.limit(10, 5),), frozenset(), strict=True)
    assert caught.value.code == code


def test_unknown_parameters_pass_where_strictness_is_off() -> None:
    """ccxt leaks its own options into the WebSocket API (section 9.1)."""
    raw = {"symbol": "A", "postOnly": "true"}
    assert decode_all(raw, (parameters.symbol(),), (), frozenset(), strict=False) == {"symbol": "A"}


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%FF", "%E0%80=1"])
def test_unreadable_queries(query: str) -> None:
    """Doubled names are -1101, broken percent-encodings -1100."""
    with pytest.raises(ApiError) as caught:
        from_query_and_body(query, "")
    assert caught.value.code in {-1100, -1101}


def test_websocket_parameters_are_signed_sorted_and_unencoded() -> None:
    """Booleans in lower case, numbers as sent, lists as compact JSON (section 3.2)."""
    raw = from_json({"b": 10000, "a": "p:q", "returnRateLimits": False, "signature": "x", "c": ["A", "B"]})
    assert raw.signed_text == 'a=p:q&b=10000&c=["A","B"]&returnRateLimits=false'
    assert raw.values["b"] == "10000"


JUNK = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(st.text(max_size=5), max_size=3),
    st.sampled_from(["BTCUSDT", "BUY", "LIMIT", "1", "0.1", "1m", '["BTCUSDT"]']),
)
NAMES = sorted({each.name for endpoint in ENDPOINTS for each in (*endpoint.required, *endpoint.optional)})


@given(st.sampled_from(ENDPOINTS), st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=8))
def test_junk_never_gets_through(endpoint: Any, params: dict[str, object]) -> None:
    """Whatever is sent, decoding gives values or an `ApiError`, and a weight that is a positive number."""
    raw = from_json(json.loads(json.dumps(params)))
    assert endpoint.weigh(raw.values) >= 1
    code, values = 0, dict[str, object]()
    try:
        values = decode_all(raw.values, endpoint.required, endpoint.optional, frozenset(), strict=True)
    except ApiError as error:
        code = error.code
    assert values.keys() == raw.values.keys() if code == 0 else -1200 < code <= -1100


@given(st.text())
def test_any_query_can_be_split(query: str) -> None:
    """Raw text never raises anything but `ApiError`, and the signature itself is never signed."""
    try:
        raw = from_query_and_body(query + "&signature=x", "")
    except ApiError:
        return
    assert not any(part.startswith("signature=") for part in raw.signed_text.split("&"))
