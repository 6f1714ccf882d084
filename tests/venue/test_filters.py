"""Every refusal of a placement: code and text are the exchange's, the first that applies wins, nothing changes."""

import json
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from gridtide.domain.errors import InvalidInput, InvalidValue
from gridtide.domain.market import MarketStatus, PriceBand, Symbol
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.market_filters import ExchangeFilters, MarketFilters
from gridtide.venue.messages import NewOrder, VenueRefusal
from gridtide.venue.settings import StopNotional, VenueSettings
from gridtide.venue.venue import Venue
from tests.venue.world import (
    BNB_MARKET,
    BTC,
    NOW,
    RULES,
    SYMBOL,
    USDT,
    D,
    buy,
    move,
    refusal,
    request,
    sell,
    venue_at,
)

BUY, SELL = Side.BUY, Side.SELL
BALANCE = (-2010, "Account has insufficient balance for requested action.")


def fails(name: str) -> tuple[int, str]:
    return -1013, f"Filter failure: {name}"


@pytest.mark.parametrize(
    "asked, expected",
    [
        (request(BUY, "0.001", "40000", symbol=Symbol("NO/SUCH")), (-1121, "Invalid symbol.")),
        (request(BUY, "0.001", "40000", kind="STOP"), (-1116, "Invalid orderType.")),
        (
            request(BUY, None, "39000"),
            (-1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
        ),
        (
            request(BUY, "1", kind="LIMIT"),
            (-1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ),
        (
            request(BUY, "1", "39000")._replace(time_in_force=None),
            (-1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."),
        ),
        (
            request(BUY, None, kind="MARKET"),
            (-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"),
        ),
        (request(BUY, "1", quote="10"), (-1128, "Combination of optional parameters invalid.")),
        (
            request(BUY, "1", "40000", kind="MARKET"),
            (-1106, "Parameter 'price' sent when not required."),
        ),
        (
            request(BUY, "1", tif=TimeInForce.GTC),
            (-1106, "Parameter 'timeInForce' sent when not required."),
        ),
        (
            request(BUY, "1", "39000", kind="LIMIT_MAKER", tif=TimeInForce.GTC),
            (-1106, "Parameter 'timeInForce' sent when not required."),
        ),
        (
            request(BUY, "1", "39000", quote="5"),
            (-1106, "Parameter 'quoteOrderQty' sent when not required."),
        ),
        (
            request(BUY, "1", "39000", client_id="p:q"),
            (
                -1100,
                "Illegal characters found in parameter 'newClientOrderId'; "
                "legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
            ),
        ),
        (
            request(BUY, "1", "39000", prevention="TRANSFER"),
            (-1013, "This symbol does not allow the specified self-trade prevention mode."),
        ),
        (request(BUY, "0", "39000"), (-1013, "Invalid quantity.")),
        (request(BUY, "-1"), (-1013, "Invalid quantity.")),
        (request(BUY, "NaN", "39000"), (-1013, "Invalid quantity.")),
        (request(BUY, "1", "0"), (-1013, "Invalid price.")),
        (
            request(BUY, "0.123456789", "39000"),
            (-1111, "Parameter 'quantity' has too much precision."),
        ),
        (request(BUY, "1", "39000.123456789"), (-1111, "Parameter 'price' has too much precision.")),
        (
            request(BUY, None, quote="10.123456789"),
            (-1111, "Parameter 'quoteOrderQty' has too much precision."),
        ),
    ],
)
def test_parameters_and_precision(asked: NewOrder, expected: tuple[int, str]) -> None:
    assert refusal(venue_at(), asked) == expected


@pytest.mark.parametrize(
    "asked, expected",
    [
        (request(BUY, "0.001", "40000.005"), "PRICE_FILTER"),
        (request(BUY, "0.001", "1000000.01"), "PRICE_FILTER"),
        (request(BUY, "1", "7999.99"), "PERCENT_PRICE_BY_SIDE"),
        (request(SELL, "1", "200000.01"), "PERCENT_PRICE_BY_SIDE"),
        (request(BUY, "0.000381", "39000"), "LOT_SIZE"),
        (request(BUY, "9000.00001", "39000"), "LOT_SIZE"),
        (request(BUY, "100.00001"), "MARKET_LOT_SIZE"),
        (request(BUY, "0.00012", "40000"), "NOTIONAL"),
        (request(BUY, "0.00012"), "NOTIONAL"),
        (request(BUY, None, quote="4.99"), "NOTIONAL"),
        (request(BUY, "250", "39000"), "NOTIONAL"),
    ],
)
def test_filters(asked: NewOrder, expected: str) -> None:
    """The published examples of section 7 among them: 40000.005 off the tick, 0.000381 off the step, 4.8 too small."""
    assert refusal(venue_at(), asked) == fails(expected)


def test_smallest_orders_that_pass() -> None:
    """0.00038 is on the step, 0.00013 at 40000 makes 5.2; bounds themselves are allowed."""
    venue = venue_at()
    buy(venue, "0.00038", "39999.99")
    buy(venue, "0.00013", "40000")
    buy(venue, "0.001", "8000.00")
    sell(venue, "0.001", "200000.00")


def test_a_bound_of_zero_is_no_rule() -> None:
    """Real symbols publish zeros that must mean "no rule"."""
    zero = Decimal(0)
    rules = replace(
        RULES,
        min_notional=zero,
        max_notional=zero,
        min_price=zero,
        max_price=zero,
        max_amount=zero,
        market_max_amount=zero,
        min_amount=zero,
        price_band=None,
        max_open_orders=0,
    )
    venue = venue_at(rules=rules)
    assert buy(venue, "0.00001", "0.01").order.status.value == "NEW"


def test_price_band_moves_with_the_average_price() -> None:
    """PERCENT_PRICE_BY_SIDE refers to the volume-weighted average of the last minutes, not to the last price."""
    band = PriceBand(D("0.9"), D("1.1"), D("0.9"), D("1.1"))
    venue = venue_at("100", rules=replace(RULES, price_band=band))
    asked = request(BUY, "1", "111")
    assert refusal(venue, asked) == fails("PERCENT_PRICE_BY_SIDE")
    move(venue, "120", volume="1")
    assert venue.average_price(SYMBOL) == 110
    venue.check_order(asked)


def test_order_test_checks_parameters_and_filters_only() -> None:
    """order/test knows nothing of balances, and places nothing."""
    venue = venue_at(funds={})
    venue.check_order(request(BUY, "1", "39000"))
    assert venue.open_orders("a") == ()
    with pytest.raises(VenueRefusal, match="LOT_SIZE"):
        venue.check_order(request(BUY, "0.000001", "39000"))


@pytest.mark.parametrize("status", [status for status in MarketStatus if status is not MarketStatus.TRADING])
def test_closed_market(status: MarketStatus) -> None:
    """Nothing can be placed unless the market is TRADING; cancelling stays possible. BREAK and END_OF_DAY refuse before
    the matching engine does."""
    venue = venue_at()
    placed = buy(venue, "0.001", "39000")
    venue.set_status(SYMBOL, status)
    code = -1013 if status in {MarketStatus.BREAK, MarketStatus.END_OF_DAY} else -2010
    assert refusal(venue, request(BUY, "0.001", "39000")) == (code, "Market is closed.")
    venue.cancel_order("a", SYMBOL, order_id=placed.order.order_id, now=placed.order.created_at)


def test_precedence_of_refusals() -> None:
    """Each repaired fault uncovers the next in the order of the protocol document, section 18."""
    venue = venue_at(rules=replace(RULES, max_open_orders=2), funds={USDT: D(100)})
    buy(venue, "0.001", "39000", client_id="x")
    buy(venue, "0.001", "39000", client_id="y")
    worst = request(
        BUY, "100.123456789", "40005.001000001", kind="LIMIT_MAKER", tif=TimeInForce.GTC, client_id="x"
    )
    assert refusal(venue, worst)[0] == -1106
    worst = worst._replace(time_in_force=None)
    assert refusal(venue, worst)[0] == -1111
    worst = worst._replace(amount=D(100), price=D("40005.001"))
    assert refusal(venue, worst) == fails("PRICE_FILTER")
    worst = worst._replace(price=D("40005"))
    assert refusal(venue, worst) == (-2010, "Filter failure: MAX_NUM_ORDERS")
    venue.cancel_order("a", SYMBOL, client_order_id="y", now=venue.open_orders("a")[0].created_at)
    assert refusal(venue, worst) == (-2010, "Duplicate order sent.")
    worst = worst._replace(client_order_id="z")
    venue.set_filters(SYMBOL, MarketFilters(max_position=D(1)))
    assert refusal(venue, worst) == (-2010, "Filter failure: MAX_POSITION")
    venue.set_filters(SYMBOL, MarketFilters())
    assert refusal(venue, worst) == BALANCE
    worst = worst._replace(amount=D("0.001"))
    assert refusal(venue, worst) == (-2010, "Order would immediately match and take.")


@pytest.mark.parametrize(
    "asked",
    [
        request(BUY, "0.0026", "39999"),
        request(SELL, "0.01001", "40001"),
        request(BUY, "0.0026"),
        request(SELL, "0.01001"),
        request(BUY, None, quote="100.01"),
        request(SELL, None, quote="401"),
    ],
)
def test_balance(asked: NewOrder) -> None:
    """An order must be covered by what is free, fees aside."""
    venue = venue_at(funds={USDT: D(100), BTC: D("0.01")})
    assert refusal(venue, asked) == BALANCE


def test_locked_funds_are_not_free() -> None:
    """What an open order holds cannot pay for another."""
    venue = venue_at(funds={USDT: D(100)})
    buy(venue, "0.002", "39000")
    assert refusal(venue, request(BUY, "0.002", "39000")) == BALANCE
    buy(venue, "0.0005", "39000")


def test_quote_order_below_one_lot() -> None:
    """A quote amount that pays for less than a lot is a LOT_SIZE failure."""
    rules = replace(RULES, lot_size=D("0.001"), min_notional=D(0))
    assert refusal(venue_at(rules=rules), request(BUY, None, quote="39")) == fails("LOT_SIZE")


# --- counts over what an account has -----------------------------------------------------------------


def stop(price: str, account: str = "a") -> NewOrder:
    """A stop-loss that waits below the market."""
    asked = request(SELL, "0.001", kind="STOP_LOSS", account=account)
    return asked._replace(stop_price=D(price))


def test_algo_orders_are_counted_apart() -> None:
    """Two of two stop orders are open: a third is refused, a plain order is not, nor is a stop of somebody else."""
    venue = venue_at(filters={SYMBOL: MarketFilters(max_algo_orders=2)})
    first = venue.place_order(stop("30000"), NOW)
    venue.place_order(stop("31000"), NOW)
    assert refusal(venue, stop("32000")) == (-2010, "Filter failure: MAX_NUM_ALGO_ORDERS")
    buy(venue, "0.001", "39000")
    venue.place_order(stop("32000", "b"), NOW)
    venue.cancel_order("a", SYMBOL, order_id=first.order.order_id, now=NOW)
    venue.place_order(stop("32000"), NOW)


def test_exchange_counts_go_over_all_markets() -> None:
    """Orders on another market count; MAX_NUM_ORDERS of the market itself is not reached."""
    venue = venue_at(
        funds={USDT: D(1_000_000), BTC: D(10)},
        exchange_filters=ExchangeFilters(max_orders=2, max_algo_orders=1),
    )
    move(venue, "300", symbol=BNB_MARKET.symbol)
    buy(venue, "1", "290", symbol=BNB_MARKET.symbol)
    venue.place_order(stop("30000"), NOW)
    assert refusal(venue, stop("31000")) == (-2010, "Filter failure: EXCHANGE_MAX_NUM_ORDERS")
    venue.cancel_all("a", BNB_MARKET.symbol, NOW)
    assert refusal(venue, stop("31000")) == (-2010, "Filter failure: EXCHANGE_MAX_NUM_ALGO_ORDERS")


def test_max_position_sees_balance_and_open_buys() -> None:
    """10 BTC are there and 1 is being bought: of a limit of 12 one is left, in whatever way it is bought."""
    venue = venue_at(filters={SYMBOL: MarketFilters(max_position=D(12))}, depth_quote=D(10_000_000))
    buy(venue, "1", "39000")
    full = (-2010, "Filter failure: MAX_POSITION")
    assert refusal(venue, request(BUY, "1.00001", "39000")) == full
    assert refusal(venue, request(BUY, "1.00001")) == full
    assert refusal(venue, request(BUY, None, quote="40100")) == full
    sell(venue, "10", "41000")
    buy(venue, "1", "39000")


def test_filters_survive_a_restart() -> None:
    """Saved, loaded and the same; so is what follows from them."""
    filters = MarketFilters(
        notional_filter="MIN_NOTIONAL",
        average_minutes=0,
        trailing=None,
        market_lot_size=D("0.001"),
        max_algo_orders=1,
        order_types=("LIMIT", "STOP_LOSS"),
        prevention_modes=("EXPIRE_BOTH",),
        default_prevention="EXPIRE_BOTH",
        permission_sets=(("SPOT", "MARGIN"), ("TRD_GRP_001",)),
    )
    exchange = ExchangeFilters(max_orders=7, max_assets={USDT: D("42.5")})
    venue = venue_at(filters={SYMBOL: filters}, exchange_filters=exchange, stop_notional=StopNotional.AVERAGE)
    saved = json.loads(json.dumps(venue.state()))
    restored = Venue.from_state(saved, random.Random(0))
    assert restored.settings == venue.settings
    assert restored.filters(SYMBOL) == filters
    assert restored.state() == venue.state()


def test_filters_may_change_while_it_runs() -> None:
    """For new orders, the average price included; the other market keeps its own."""
    venue = venue_at("100")
    move(venue, "200")
    assert venue.average_price(SYMBOL) == 150
    venue.set_filters(SYMBOL, MarketFilters(average_minutes=0, order_types=("MARKET",)))
    assert venue.average_price(SYMBOL) == 200
    refused = (-2010, "Limit orders are not supported for this symbol.")
    assert refusal(venue, request(BUY, "1", "150")) == refused
    assert venue.filters(BNB_MARKET.symbol) == MarketFilters()


def test_the_default_mode_of_self_trade_prevention_is_the_markets() -> None:
    filters = MarketFilters(default_prevention="EXPIRE_BOTH")
    venue = venue_at(filters={SYMBOL: filters})
    assert buy(venue, "0.001", "39000").order.self_trade_prevention == "EXPIRE_BOTH"


def test_filters_that_make_no_sense_are_refused() -> None:
    """When they are made, with their name."""
    with pytest.raises(InvalidInput, match="FOO"):
        MarketFilters(order_types=("LIMIT", "FOO"))
    with pytest.raises(InvalidValue, match="average_minutes"):
        MarketFilters(average_minutes=-1)
    with pytest.raises(InvalidInput, match="BAR"):
        VenueSettings(filters={SYMBOL: MarketFilters(prevention_modes=("BAR",))})
