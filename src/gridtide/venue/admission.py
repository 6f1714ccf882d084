"""What an order must clear beside its own filters: the market's status, and what its account has open and holds.

A limit of zero is no rule, and whatever is counted is counted as it would stand with the new orders in place.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gridtide.domain.market import MarketStatus
from gridtide.domain.money import ZERO
from gridtide.domain.order import Side
from gridtide.venue import refusals
from gridtide.venue.market_filters import ALGO_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.market_filters import ExchangeFilters, MarketFilters
    from gridtide.venue.messages import NewOrder, NewOrderList

CLOSED_TO_REQUESTS = frozenset({MarketStatus.BREAK, MarketStatus.END_OF_DAY})
"""Orders and order tests end before the matching engine (-1013). HALT and CANCEL_ONLY are the engine's own refusal
(-2010), so that an order test passes. Cancels work in every status, amendments only in TRADING. The exchange names
both codes and does not say which belongs to which status (sections 12 and 18)."""


class OpenOrder(Protocol):
    """What the counting filters look at."""

    @property
    def type(self) -> str: ...
    @property
    def iceberg_amount(self) -> Decimal | None: ...


class ListedOrder(OpenOrder, Protocol):
    """An open order, with the list it stands in."""

    @property
    def order_list(self) -> object | None: ...


class Counts(NamedTuple):
    """How many orders there are, how many of them wait for a trigger or show a part, and how many lists."""

    orders: int = 0
    algo: int = 0
    iceberg: int = 0
    lists: int = 0


# --- counting ----------------------------------------------------------------------------------------


def count_new(orders: Iterable[OpenOrder], lists: int = 0) -> Counts:
    """What `orders`, in so many order lists, add."""
    count = algo = iceberg = 0
    for order in orders:
        count += 1
        algo += order.type in ALGO_TYPES
        iceberg += bool(order.iceberg_amount)
    return Counts(count, algo, iceberg, lists)


def count_open(orders: Iterable[ListedOrder]) -> Counts:
    """What an account has open; a list counts once, however many of its orders are."""
    found = list(orders)
    return count_new(found, len({id(order.order_list) for order in found if order.order_list is not None}))


def market_limits(max_orders: int, filters: MarketFilters) -> Counts:
    """The counting filters of a market."""
    return Counts(max_orders, filters.max_algo_orders, filters.max_iceberg_orders, filters.max_order_lists)


def exchange_limits(filters: ExchangeFilters) -> Counts:
    """The counting filters over all markets."""
    return Counts(
        filters.max_orders, filters.max_algo_orders, filters.max_iceberg_orders, filters.max_order_lists
    )


_NAMES = ("MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ICEBERG_ORDERS", "MAX_NUM_ORDER_LISTS")


def check_counts(adding: Counts, already: Counts, limits: Counts, prefix: str = "") -> None:
    """Raise -2010 with the first filter that `adding` to `already` would break."""
    for name, new, now, limit in zip(_NAMES, adding, already, limits, strict=True):
        if new and limit and now + new > limit:
            raise refusals.too_many(f"{prefix}{name}")


# --- an account on a market --------------------------------------------------------------------------


def admit(desk: Desk, account: Account, requests: Sequence[NewOrder], lists: int = 0) -> None:
    """Raise what the engine refuses before it looks at the orders: a closed market, or counts that are full."""
    if not desk.is_trading:
        raise refusals.market_closed()
    adding = count_new(requests, lists)
    limits = market_limits(desk.market.rules.max_open_orders, desk.filters)
    opened = account.records[desk.market.symbol].open.values()
    # Plain orders, nearly all there are, need no look at each open order.
    already = count_open(opened) if any(adding[1:]) else Counts(len(opened))
    check_counts(adding, already, limits)
    everywhere = exchange_limits(desk.settings.exchange_filters)
    if any(everywhere):
        every = chain.from_iterable(records.open.values() for records in account.records.values())
        check_counts(adding, count_open(every), everywhere, "EXCHANGE_")


def admit_one(desk: Desk, account: Account, request: NewOrder) -> None:
    """`admit` for a single order. Where only the number of open orders counts, no more than that is looked at."""
    most = desk.market.rules.max_open_orders
    if (
        not desk.is_trading
        or desk.counts_everywhere
        or request.type in ALGO_TYPES
        or request.iceberg_amount
        or (most and len(account.records[desk.market.symbol].open) >= most)
    ):
        admit(desk, account, (request,))


def check_position(desk: Desk, account: Account, side: Side, amount: Decimal) -> None:
    """MAX_POSITION: a buy must not bring balance and open buys of the base asset above the limit (-2010).

    Open buys count with what is not yet filled, because the rest is in the balance already.
    """
    limit = desk.filters.max_position
    if not limit or side is Side.SELL:
        return
    base = desk.market.base
    opened = account.records[desk.market.symbol].open.values()
    buying = sum((order.remaining for order in opened if order.side is Side.BUY), ZERO)
    if account.free[base] + account.locked[base] + buying + amount > limit:
        raise refusals.too_many("MAX_POSITION")


# --- permissions of requests that are not single orders ----------------------------------------------


def check_list_permission(request: NewOrderList, filters: MarketFilters) -> None:
    """Raise -2010 where the market does not allow the kind of order list."""
    if request.working is None:
        if not filters.oco_allowed:
            raise refusals.oco_not_supported()
    elif not filters.oto_allowed:
        raise refusals.not_supported("OTO orders are")
    elif request.pays and not filters.opo_allowed:
        raise refusals.not_supported("OPO orders are")


def check_amend(desk: Desk, amends_made: int) -> None:
    """Raise -2038 where the market is closed, allows no amendments, or the order has had its share of them."""
    if desk.market.status is not MarketStatus.TRADING:
        raise refusals.market_closed_to_amends()
    if not desk.filters.amend_allowed:
        raise refusals.amend_not_supported()
    if desk.filters.max_order_amends and amends_made >= desk.filters.max_order_amends:
        raise refusals.too_many_amends()


def check_cancel_replace(filters: MarketFilters) -> None:
    """Raise -2010 where the market does not allow cancelReplace."""
    if not filters.cancel_replace_allowed:
        raise refusals.not_supported("Order cancel-replace is")
