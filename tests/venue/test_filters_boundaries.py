"""Every filter of section 7 on both sides of each of its bounds, with the exchange's code and text.

The desk is the venue's own, with an average price put in by hand; no venue is needed for what looks at one order.
"""

import random
from dataclasses import replace
from typing import Any

import pytest

from gridtide.domain.market import Asset, MarketRules, MarketStatus, PriceBand
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.desk import Desk
from gridtide.venue.filters import check_request
from gridtide.venue.market_filters import ORDER_TYPES, ExchangeFilters, MarketFilters, TrailingBounds
from gridtide.venue.messages import NewOrder, VenueRefusal
from gridtide.venue.order_parameters import ParameterNames
from gridtide.venue.settings import StopNotional, VenueSettings
from tests.venue.world import BTC, MARKET, NOW, RULES, SYMBOL, USDT, D, request

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC = TimeInForce.GTC, TimeInForce.IOC
MARKETS = ("MARKET", "STOP_LOSS", "TAKE_PROFIT")


def desk(
    average: str | None = "40000",
    *,
    rules: MarketRules = RULES,
    filters: MarketFilters = MarketFilters(),  # noqa: B008  a frozen value
    status: MarketStatus = MarketStatus.TRADING,
    **settings: Any,  # any field of VenueSettings
) -> Desk:
    """A market whose average price is `average`."""
    found = Desk(
        replace(MARKET, rules=rules, status=status),
        VenueSettings(filters={SYMBOL: filters}, **settings),
        1,
        lambda _asset, _quote: None,
        random.Random(1),
    )
    if average is not None:
        found.average.add(NOW, D(average), D(1))
        found.last_price = D(average)
    return found


def order(kind: str = "LIMIT", side: Side = BUY, **changes: Any) -> NewOrder:
    """A valid order of any type at the average price of 40,000; texts become decimals, a `tif` of None stays away."""
    given: dict[str, Any] = {"amount": "0.001"}
    if "LIMIT" in kind:
        given |= {"price": "39000", "time_in_force": None if kind == "LIMIT_MAKER" else GTC}
    if kind.startswith(("STOP", "TAKE")):
        given["stop_price"] = "41000"
    given |= changes
    for name, value in given.items():
        # Enumerations of texts are texts too.
        if type(value) is str:
            given[name] = D(value)
    return NewOrder(account_id="a", symbol=SYMBOL, side=side, type=kind, **given)


def refused(asked: NewOrder, where: Desk, **how: Any) -> tuple[int, str] | None:
    """Code and text of the refusal, or None."""
    try:
        check_request(asked, where, **how)
    except VenueRefusal as refusal:
        return refusal.code, refusal.message
    return None


def fails(name: str) -> tuple[int, str]:
    return -1013, f"Filter failure: {name}"


@pytest.mark.parametrize("kind", ORDER_TYPES)
@pytest.mark.parametrize("side", Side)
def test_the_plain_order_of_each_type_passes(kind: str, side: Side) -> None:
    """So that every other test here fails for the one thing it changes."""
    assert refused(order(kind, side), desk()) is None


# --- PRICE_FILTER ------------------------------------------------------------------------------------

WIDE = replace(RULES, price_band=None, min_notional=D(0), max_notional=D(0))


@pytest.mark.parametrize("field, kind", [("price", "LIMIT"), ("stop_price", "STOP_LOSS_LIMIT")])
@pytest.mark.parametrize(
    "price, passes",
    [
        ("0.01", True),
        ("0.00999", False),
        ("1000000", True),
        ("1000000.01", False),
        ("40000.00", True),
        ("40000.005", False),
        ("40000.01", True),
    ],
)
def test_price_filter(field: str, kind: str, price: str, passes: bool) -> None:
    """Bounds are allowed, 40000.005 is off a tick of 0.01; the stop price is held to the same rules."""
    changes: dict[str, Any] = {field: price}
    asked = order(kind, **changes)
    assert refused(asked, desk(rules=WIDE)) == (None if passes else fails("PRICE_FILTER"))


@pytest.mark.parametrize("bound", ["min_price", "max_price", "tick_size"])
def test_each_bound_of_the_price_filter_may_be_zero(bound: str) -> None:
    """Zero disables that rule alone."""
    bad = {"min_price": "0.005", "max_price": "2000000", "tick_size": "40000.005"}
    rules = replace(WIDE, tick_size=D("0.005")) if bound == "min_price" else WIDE
    change: dict[str, Any] = {bound: D(0)}
    assert refused(order(price=bad[bound]), desk(rules=rules)) == fails("PRICE_FILTER")
    assert refused(order(price=bad[bound]), desk(rules=replace(rules, **change))) is None


def test_the_tick_counts_from_zero_and_not_from_the_minimum() -> None:
    rules = replace(WIDE, tick_size=D("0.1"), min_price=D("0.05"))
    assert refused(order(price="0.15"), desk(rules=rules)) == fails("PRICE_FILTER")
    assert refused(order(price="0.2"), desk(rules=rules)) is None


# --- PERCENT_PRICE -----------------------------------------------------------------------------------

SIDED = replace(RULES, price_band=PriceBand(D("0.2"), D("1.2"), D("0.8"), D(5)), min_notional=D(0))


@pytest.mark.parametrize(
    "side, price, passes",
    [
        (BUY, "8000", True),
        (BUY, "7999.99", False),
        (BUY, "48000", True),
        (BUY, "48000.01", False),
        (SELL, "32000", True),
        (SELL, "31999.99", False),
        (SELL, "200000", True),
        (SELL, "200000.01", False),
    ],
)
def test_percent_price_by_side(side: Side, price: str, passes: bool) -> None:
    """Each side has multipliers of its own; the bounds are allowed."""
    expected = None if passes else fails("PERCENT_PRICE_BY_SIDE")
    assert refused(order(side=side, price=price), desk(rules=SIDED)) == expected


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    "price, passes", [("28000", True), ("27999.99", False), ("52000", True), ("52000.01", False)]
)
def test_percent_price(side: Side, price: str, passes: bool) -> None:
    """The older filter: one pair of multipliers, 0.7 and 1.3 here, and its own name."""
    rules = replace(RULES, price_band=PriceBand(D("0.7"), D("1.3"), D("0.7"), D("1.3")))
    where = desk(rules=rules, filters=MarketFilters(price_band_filter="PERCENT_PRICE"))
    assert refused(order(side=side, price=price), where) == (None if passes else fails("PERCENT_PRICE"))


def test_percent_price_does_not_look_at_stop_prices() -> None:
    """Its rule is about the price alone."""
    assert refused(order("STOP_LOSS", stop_price="900000"), desk(rules=SIDED)) is None


def test_no_average_minutes_mean_the_last_price() -> None:
    """`avgPriceMins` 0: trades of the last minutes do not matter."""
    where = desk(rules=SIDED, filters=MarketFilters(average_minutes=0))
    where.last_price = D(10_000)
    assert refused(order(price="12000"), where) is None
    assert refused(order(price="12000.01"), where) == fails("PERCENT_PRICE_BY_SIDE")


def test_without_any_price_nothing_moves() -> None:
    """Before the first trade no filter can refer to a price."""
    assert refused(order(price="1"), desk(None, rules=SIDED)) is None
    assert refused(order("MARKET"), desk(None)) is None


# --- LOT_SIZE and MARKET_LOT_SIZE --------------------------------------------------------------------

LOTS = replace(WIDE, min_amount=D("0.0001"), market_min_amount=D("0.001"))


@pytest.mark.parametrize("kind", [kind for kind in ORDER_TYPES if kind != "MARKET"])
@pytest.mark.parametrize(
    "amount, passes",
    [
        ("0.0001", True),
        ("0.00009", False),
        ("9000", True),
        ("9000.00001", False),
        ("0.00038", True),
        ("0.000381", False),
    ],
)
def test_lot_size(kind: str, amount: str, passes: bool) -> None:
    """The published examples: a step of 0.00001 lets 0.00038 pass and 0.000381 not. Not for MARKET orders alone:
    stop orders that execute at the market are not MARKET orders (section 7)."""
    assert refused(order(kind, amount=amount), desk(rules=LOTS)) == (None if passes else fails("LOT_SIZE"))


@pytest.mark.parametrize(
    "amount, expected",
    [
        ("0.001", None),
        ("0.00099", "MARKET_LOT_SIZE"),
        ("100", None),
        ("100.00001", "MARKET_LOT_SIZE"),
        ("0.0015", None),
        ("0.00151", "MARKET_LOT_SIZE"),
        ("0.000381", "LOT_SIZE"),
        ("9000.00001", "LOT_SIZE"),
    ],
)
def test_market_lot_size(amount: str, expected: str | None) -> None:
    """Least, most and step of its own, after LOT_SIZE."""
    where = desk(rules=LOTS, filters=MarketFilters(market_lot_size=D("0.0001")))
    assert refused(order("MARKET", amount=amount), where) == (None if expected is None else fails(expected))


def test_zeros_of_market_lot_size_are_no_rule() -> None:
    """Real symbols publish a least amount and a step of zero."""
    rules = replace(WIDE, market_min_amount=D(0), market_max_amount=D(0))
    assert refused(order("MARKET", amount="0.00001"), desk(rules=rules)) is None
    assert refused(order("MARKET", amount="8999.99999"), desk(rules=rules)) is None


# --- NOTIONAL and MIN_NOTIONAL -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "amount, price, passes",
    [
        ("0.00012", "40000", False),
        ("0.00013", "40000", True),
        ("0.0005", "10000", True),
        ("0.0005", "9999.99", False),
        ("225", "40000", True),
        ("225", "40000.01", False),
    ],
)
def test_notional(amount: str, price: str, passes: bool) -> None:
    """The published examples: with a minimum of 5, 4.8 fails and 5.2 passes; the bounds themselves are allowed."""
    asked = order(amount=amount, price=price)
    assert refused(asked, desk()) == (None if passes else fails("NOTIONAL"))


@pytest.mark.parametrize("applies", [True, False])
def test_notional_of_market_orders(applies: bool) -> None:
    """The average price counts, and each bound only where it applies to MARKET orders."""
    rules = replace(RULES, max_notional=D(1_000_000), market_max_amount=D(0))
    filters = MarketFilters(apply_min_to_market=applies, apply_max_to_market=applies)
    where = desk(rules=rules, filters=filters)
    expected = fails("NOTIONAL") if applies else None
    assert refused(order("MARKET", amount="0.00012"), where) == expected
    assert refused(order("MARKET", amount="25.00001"), where) == expected
    assert refused(order("MARKET", amount="0.00013"), where) is None
    assert refused(order("MARKET", amount="25"), where) is None
    for quote, is_out in (("4.99", True), ("5", False), ("1000000", False), ("1000000.01", True)):
        asked = order("MARKET", amount=None, quote_amount=quote)
        assert refused(asked, where) == (expected if is_out else None)


@pytest.mark.parametrize("kind", ["STOP_LOSS", "TAKE_PROFIT"])
@pytest.mark.parametrize(
    "switch, at_stop, at_average",
    [
        (StopNotional.STOP_PRICE, True, False),
        (StopNotional.AVERAGE, False, True),
        (StopNotional.NONE, False, False),
    ],
)
def test_which_price_values_stop_orders_is_a_switch(
    kind: str, switch: StopNotional, at_stop: bool, at_average: bool
) -> None:
    """Not documented: 0.0002 is 4 at a stop price of 20,000, and 8 at the average; 0.0001 is 4 at the average."""
    where = desk(stop_notional=switch)
    small_at_stop = order(kind, amount="0.0002", stop_price="20000")
    small_at_average = order(kind, amount="0.0001", stop_price="60000")
    assert refused(small_at_stop, where) == (fails("NOTIONAL") if at_stop else None)
    assert refused(small_at_average, where) == (fails("NOTIONAL") if at_average else None)
    trailing = order(kind, amount="0.0001", stop_price=None, trailing_delta=100)
    assert refused(trailing, where) == (None if switch is StopNotional.NONE else fails("NOTIONAL"))


def test_min_notional_has_no_maximum_and_its_own_name() -> None:
    filters = MarketFilters(notional_filter="MIN_NOTIONAL", apply_min_to_market=False)
    where = desk(filters=filters)
    assert refused(order(amount="0.00012", price="40000"), where) == fails("MIN_NOTIONAL")
    assert refused(order(amount="225", price="40000.01"), where) is None
    assert refused(order("MARKET", amount="0.00001"), where) is None


# --- ICEBERG_PARTS, TRAILING_DELTA, MAX_ASSET --------------------------------------------------------


@pytest.mark.parametrize(
    "visible, expected",
    [
        ("0.1", None),
        ("0.09999", fails("ICEBERG_PARTS")),
        ("0.11", None),
        ("1", None),
        ("1.00001", (-2010, "IcebergQty exceeds QTY.")),
        ("0.100001", fails("LOT_SIZE")),
        ("0.000001", fails("LOT_SIZE")),
        ("0", None),
    ],
)
def test_iceberg_parts(visible: str, expected: tuple[int, str] | None) -> None:
    """At most 10 parts of 1: 0.1 makes ten, 0.09999 eleven. The visible amount is held to LOT_SIZE as well."""
    assert refused(order(amount="1", iceberg_amount=visible), desk()) == expected


BOUNDS = TrailingBounds(min_above=10, max_above=20, min_below=30, max_below=40)


@pytest.mark.parametrize("form", ["", "_LIMIT"])
@pytest.mark.parametrize(
    "kind, side, least, most",
    [
        ("STOP_LOSS", BUY, 10, 20),
        ("TAKE_PROFIT", SELL, 10, 20),
        ("STOP_LOSS", SELL, 30, 40),
        ("TAKE_PROFIT", BUY, 30, 40),
    ],
)
def test_trailing_delta(kind: str, form: str, side: Side, least: int, most: int) -> None:
    """Above for what waits for a rise, Below for what waits for a fall."""
    where = desk(filters=MarketFilters(trailing=BOUNDS))
    for delta in (least, most):
        assert refused(order(kind + form, side, trailing_delta=delta), where) is None
    for delta in (least - 1, most + 1):
        assert refused(order(kind + form, side, trailing_delta=delta), where) == fails("TRAILING_DELTA")
    assert (
        refused(order(kind + form, side, trailing_delta=9999), desk(filters=MarketFilters(trailing=None)))
        is None
    )


@pytest.mark.parametrize(
    "asset, asked, passes",
    [
        (BTC, order(amount="2"), True),
        (BTC, order(amount="2.00001"), False),
        (BTC, order("MARKET", amount="2.00001"), False),
        (USDT, order(amount="0.00005", price="40000"), True),
        (USDT, order(amount="0.00005", price="40000.01"), False),
        (USDT, order("MARKET", amount="0.00006"), False),
        (USDT, order("MARKET", amount=None, quote_amount="2"), True),
        (USDT, order("MARKET", amount=None, quote_amount="2.01"), False),
        (Asset("ETH"), order(amount="9000"), True),
    ],
)
def test_max_asset(asset: Asset, asked: NewOrder, passes: bool) -> None:
    """The limit of 2 holds for the amount where the asset is base and for the value where it is quote."""
    rules = replace(RULES, min_notional=D(0), max_notional=D(0))
    where = desk(rules=rules, exchange_filters=ExchangeFilters(max_assets={asset: D(2)}))
    assert refused(asked, where) == (None if passes else fails("MAX_ASSET"))


# --- parameters by type ------------------------------------------------------------------------------


def missing(name: str) -> tuple[int, str]:
    return -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def needless(name: str) -> tuple[int, str]:
    return -1106, f"Parameter '{name}' sent when not required."


@pytest.mark.parametrize(
    "asked, expected",
    [
        *(
            (order(kind, time_in_force=None), missing("timeInForce"))
            for kind in ("STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
        ),
        *((order(kind, price=None), missing("price")) for kind in ORDER_TYPES if "LIMIT" in kind),
        *((order(kind, amount=None), missing("quantity")) for kind in ORDER_TYPES if kind != "MARKET"),
        *((order(kind, price="40000"), needless("price")) for kind in MARKETS),
        *((order(kind, time_in_force=GTC), needless("timeInForce")) for kind in (*MARKETS, "LIMIT_MAKER")),
        *(
            (order(kind, quote_amount="10"), needless("quoteOrderQty"))
            for kind in ORDER_TYPES
            if kind != "MARKET"
        ),
        *(
            (order(kind, stop_price="1"), needless("stopPrice"))
            for kind in ("LIMIT", "LIMIT_MAKER", "MARKET")
        ),
        *(
            (order(kind, trailing_delta=100), needless("trailingDelta"))
            for kind in ("LIMIT", "LIMIT_MAKER", "MARKET")
        ),
        *((order(kind, iceberg_amount="0.001"), needless("icebergQty")) for kind in MARKETS),
        *(
            (
                order(kind, stop_price=None),
                (-1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"),
            )
            for kind in ORDER_TYPES[3:]
        ),
        *((order(kind, stop_price=None, trailing_delta=100), None) for kind in ORDER_TYPES[3:]),
        *((order(kind, trailing_delta=100), None) for kind in ORDER_TYPES[3:]),
        (order("STOP_LOSS", stop_price="0"), (-1013, "Invalid stopPrice.")),
        (order("MARKET", quote_amount="10"), (-1128, "Combination of optional parameters invalid.")),
        (order(time_in_force=IOC, iceberg_amount="0.001"), (-1014, "Unsupported order combination.")),
        (order("LIMIT_MAKER", iceberg_amount="0.001"), None),
        (order("STOP_LOSS_LIMIT", iceberg_amount="0.001"), None),
        (order("LIMIT_IF_TOUCHED"), (-1116, "Invalid orderType.")),
        (order(iceberg_amount="0.000100001"), (-1111, "Parameter 'icebergQty' has too much precision.")),
        (
            order("STOP_LOSS", stop_price="40000.000000001"),
            (-1111, "Parameter 'stopPrice' has too much precision."),
        ),
    ],
)
def test_parameters_by_type(asked: NewOrder, expected: tuple[int, str] | None) -> None:
    """What section 6.1 asks of each type and forbids it."""
    assert refused(asked, desk()) == expected


def test_legs_of_lists_are_checked_under_their_own_names() -> None:
    """The same checks, told with the parameter that the client sent."""
    above = ParameterNames("above", "quantity", "aboveClientOrderId")
    assert refused(order("STOP_LOSS_LIMIT", price=None), desk(), names=above) == missing("abovePrice")
    iceberg = order("STOP_LOSS_LIMIT", time_in_force=IOC, iceberg_amount="0.001")
    assert refused(iceberg, desk(), names=above) == (
        -1160,
        "Parameter 'aboveIcebergQty' is not supported if `aboveTimeInForce` is not GTC.",
    )
    pending = ParameterNames("pending", "pendingQuantity", "pendingClientOrderId")
    assert refused(order(amount=None), desk(), names=pending) == missing("pendingQuantity")


def test_an_amount_that_follows_must_not_be_sent() -> None:
    """Legs that sell what their working order bought (OPO) have no amount, and nothing to check of it."""
    asked = order(side=SELL, price="41000")
    assert refused(asked, desk(), amount_follows=True) == needless("quantity")
    assert refused(asked._replace(amount=None), desk(), amount_follows=True) is None
    dear = asked._replace(amount=None, price=D("41000.001"))
    assert refused(dear, desk(), amount_follows=True) == fails("PRICE_FILTER")


# --- permissions and status --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filters, asked, expected",
    [
        (
            MarketFilters(order_types=("LIMIT",)),
            order("MARKET"),
            "Market orders are not supported for this symbol.",
        ),
        (
            MarketFilters(order_types=("LIMIT",)),
            order("STOP_LOSS_LIMIT"),
            "Stop loss limit orders are not supported for this symbol.",
        ),
        (
            MarketFilters(order_types=("LIMIT",)),
            order("TAKE_PROFIT"),
            "Take profit orders are not supported for this symbol.",
        ),
        (
            MarketFilters(iceberg_allowed=False),
            order(iceberg_amount="0.001"),
            "Iceberg orders are not supported for this symbol.",
        ),
        (
            MarketFilters(trailing_allowed=False),
            order("STOP_LOSS", trailing_delta=100),
            "Trailing stop orders are not supported for this symbol.",
        ),
        (
            MarketFilters(quote_amount_allowed=False),
            order("MARKET", amount=None, quote_amount="10"),
            "Quote order qty market orders are not support for this symbol.",
        ),
        (
            MarketFilters(permission_sets=(("LEVERAGED",),)),
            order(),
            "This symbol is not permitted for this account.",
        ),
    ],
)
def test_what_a_market_does_not_allow(filters: MarketFilters, asked: NewOrder, expected: str) -> None:
    """The texts of section 12; the same order passes on a market that allows it."""
    assert refused(asked, desk(filters=filters)) == (-2010, expected)
    assert refused(asked, desk()) is None


def test_self_trade_prevention_modes_of_the_market() -> None:
    """Only listed modes may be named."""
    where = desk(filters=MarketFilters(prevention_modes=("EXPIRE_MAKER",)))
    unlisted = (-1013, "This symbol does not allow the specified self-trade prevention mode.")
    assert refused(order()._replace(self_trade_prevention="EXPIRE_TAKER"), where) == unlisted
    assert refused(order()._replace(self_trade_prevention="EXPIRE_MAKER"), where) is None
    assert refused(order()._replace(self_trade_prevention="TRANSFER"), desk()) == unlisted
    assert refused(order()._replace(self_trade_prevention="DECREMENT"), desk()) is None


@pytest.mark.parametrize("status", MarketStatus)
def test_order_tests_by_status(status: MarketStatus) -> None:
    """BREAK and END_OF_DAY refuse the request itself; HALT and CANCEL_ONLY are the engine's matter."""
    closed = status in {MarketStatus.BREAK, MarketStatus.END_OF_DAY}
    expected = (-1013, "Market is closed.") if closed else None
    assert refused(order(), desk(status=status)) == expected


def test_request_of_the_world_is_a_plain_order() -> None:
    """Both ways of tests to make an order agree."""
    assert request(BUY, "0.001", "39000") == order()


def test_precision_follows_the_assets() -> None:
    """A market whose base has two decimals refuses three before any filter looks."""
    rules = replace(RULES, base_precision=2, lot_size=D("0.01"), min_amount=D("0.01"))
    too_precise = (-1111, "Parameter 'quantity' has too much precision.")
    assert refused(order(amount="0.011"), desk(rules=rules)) == too_precise
    assert refused(order(amount="0.01"), desk(rules=rules)) is None
