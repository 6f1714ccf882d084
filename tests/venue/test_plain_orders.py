"""What is accepted at a glance is what a close look accepts; where it is used, it is really used."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.market import MarketStatus, PriceBand, Timestamp
from gridtide.domain.order import Side
from gridtide.venue.desk import Desk
from gridtide.venue.filters import check_filters, check_permissions, check_precision
from gridtide.venue.market_filters import ExchangeFilters, MarketFilters
from gridtide.venue.messages import NewOrder
from gridtide.venue.order_parameters import check_parameters
from tests.venue.test_filters_boundaries import desk, order
from tests.venue.world import BTC, NOW, RULES, D

TIGHT = PriceBand(D("0.99"), D("1.01"), D("0.99"), D("1.01"))
PRICES = st.integers(9_800, 10_200).map(lambda cents: D(cents) / 100)
MOVES = st.lists(st.tuples(st.integers(-90_000, 200_000), PRICES, st.integers(0, 5)), min_size=1, max_size=12)


@given(
    side=st.sampled_from(Side),
    price=PRICES | st.sampled_from((D("100.001"), D(0), D(-1), D("NaN"), D("Infinity"), D(10) ** 20)),
    amount=st.sampled_from(("0.001", "0.05", "0.050000", "0.000001", "9000", "9001", "0", "-1")),
    kind=st.sampled_from(("LIMIT", "LIMIT_MAKER", "TAKE_PROFIT_LIMIT")),
    name=st.sampled_from(("", "a-1", "no spaces please")),
)
def test_a_glance_never_accepts_what_a_close_look_refuses(
    side: Side, price: Decimal, amount: str, kind: str, name: str
) -> None:
    """Any price, amount and name, good and bad."""
    where = desk("100", rules=replace(RULES, price_band=None, min_notional=D(0), tick_size=D("0.05")))
    check_what_is_accepted(
        order(kind, side, price=price, amount=amount)._replace(client_order_id=name), where
    )


@given(moves=MOVES, last=PRICES, side=st.sampled_from(Side), price=PRICES)
def test_whatever_the_average_is_the_band_allows_it(
    moves: list[tuple[int, Decimal, int]], last: Decimal, side: Side, price: Decimal
) -> None:
    """After any moves of the market, times that go backwards included, and whatever an account paid last."""
    where, time = desk(None, rules=replace(RULES, price_band=TIGHT)), NOW
    for later, paid, volume in moves:
        time = Timestamp(time + later)
        where.average.add(time, paid, D(volume))
    where.last_price = last
    check_what_is_accepted(order("LIMIT", side, price=price, amount="0.1"), where)


def check_what_is_accepted(asked: NewOrder, where: Desk) -> None:
    """Raises what a close look refuses of an order that was accepted at a glance."""
    if where.plain_orders.accept(asked, where):
        check_parameters(asked)
        check_precision(asked, where.market.rules)
        check_permissions(asked, where.filters)
        check_filters(asked, where)


def test_the_order_of_a_grid_is_accepted_at_a_glance() -> None:
    """Both sides, both types, in an ordinary market; also while it is halted, which is no filter's business."""
    for status in (MarketStatus.TRADING, MarketStatus.HALT):
        where = desk(status=status)
        for side in Side:
            assert where.plain_orders.accept(order("LIMIT", side), where)
            assert where.plain_orders.accept(order("LIMIT_MAKER", side), where)


def test_unusual_markets_are_looked_at_closely() -> None:
    """Closed ones, those that limit whole assets or order types, and steps that are finer than the asset's decimals."""
    unusual = (
        desk(status=MarketStatus.BREAK),
        desk(exchange_filters=ExchangeFilters(max_assets={BTC: D(1)})),
        desk(filters=MarketFilters(permission_sets=(("MARGIN",),))),
        desk(filters=MarketFilters(order_types=("MARKET",))),
        desk(rules=replace(RULES, tick_size=D(0))),
        desk(rules=replace(RULES, lot_size=D("0.00001"), base_precision=4)),
    )
    for where in unusual:
        assert not where.plain_orders.accept(order(), where)
