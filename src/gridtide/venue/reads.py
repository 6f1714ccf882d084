"""What can be asked of a venue: nothing here changes anything.

Answers are frozen views; of long lists they are pages.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol, TopOfBook
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.venue import refusals
from gridtide.venue.cancelling import find_list, find_order
from gridtide.venue.fees import standard_rates
from gridtide.venue.messages import BookView
from gridtide.venue.public_book import book_levels
from gridtide.venue.skipping import prices_of_interest
from gridtide.venue.walk import nearest_prices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from gridtide.domain.balance import Balance
    from gridtide.domain.market import Asset, Market, Timestamp
    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desks
    from gridtide.venue.market_filters import MarketFilters
    from gridtide.venue.messages import (
        OrderAmendment,
        PreventedMatch,
        TradePrinted,
        VenueFill,
        VenueOrder,
        VenueOrderList,
    )
    from gridtide.venue.settings import AccountFees, CommissionRates, VenueSettings


Row = TypeVar("Row")


class VenueReads:
    """A venue's accounts and markets, to be looked at. An unknown account raises `InvalidInput`, an unknown symbol
    `VenueRefusal` -1121."""

    _settings: VenueSettings
    _accounts: Mapping[str, Account]
    _desks: Desks

    @property
    def settings(self) -> VenueSettings:
        """How it behaves at the moment, with the filters of every market."""
        return self._settings

    # --- accounts ---------------------------------------------------------------------------------------

    def accounts(self) -> tuple[str, ...]:
        """Ids of all accounts, in the order they were added."""
        return tuple(self._accounts)

    def fees(self, account_id: str) -> AccountFees:
        """What the account pays."""
        return self._account(account_id).fees

    def balances(self, account_id: str) -> dict[Asset, Balance]:
        """Free and locked amounts of every asset the account ever held (zeros included) and of every market."""
        account = self._account(account_id)
        return {asset: account.balance(asset) for asset in account.free}

    def standard_commission(self, account_id: str, symbol: Symbol | None, now: Timestamp) -> CommissionRates:
        """The account's standard rates on a market, its fee tier considered; None: without a market's own rates."""
        return standard_rates(self._account(account_id), symbol, now, self._price_of)

    # --- orders -----------------------------------------------------------------------------------------

    def order(
        self,
        account_id: str,
        symbol: Symbol,
        order_id: int | None = None,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """One order, open or not; of a reused client id the newest. -2013 if unknown, -2039 if the ids differ."""
        self._desks[symbol]
        records = self._account(account_id).records[symbol]
        order, agrees = find_order(records, order_id, client_order_id)
        if order is None:
            raise refusals.no_such_order()
        if not agrees:
            raise refusals.ids_differ()
        return order.view()

    def open_orders(self, account_id: str, symbol: Symbol | None = None) -> tuple[VenueOrder, ...]:
        """Open orders by ascending id, of one symbol or of all."""
        account = self._account(account_id)
        symbols = list(self._desks) if symbol is None else [self._desks[symbol].market.symbol]
        return tuple(order.view() for each in symbols for order in account.records[each].open.values())

    def orders(
        self, account_id: str, symbol: Symbol, from_id: int | None = None, limit: int = 500
    ) -> tuple[VenueOrder, ...]:
        """All orders with id >= `from_id`, ascending, at most `limit`; without `from_id` the newest `limit`."""
        self._desks[symbol]
        records = self._account(account_id).records[symbol]
        return tuple(order.view() for order in records.orders_from(from_id, limit))

    def fills(
        self,
        account_id: str,
        symbol: Symbol,
        from_id: int | None = None,
        order_id: int | None = None,
        limit: int = 500,
    ) -> tuple[VenueFill, ...]:
        """Executions with trade id >= `from_id`, ascending, at most `limit`; without `from_id` the newest."""
        self._desks[symbol]
        return tuple(self._account(account_id).records[symbol].fills_from(from_id, order_id, limit))

    def amendments(
        self,
        account_id: str,
        symbol: Symbol,
        order_id: int,
        from_execution_id: int | None = None,
        limit: int = 500,
    ) -> tuple[OrderAmendment, ...]:
        """Amendments of one order with execution id >= `from_execution_id`, ascending, at most `limit`; without it
        the newest."""
        self._desks[symbol]
        rows = self._account(account_id).records[symbol].amendments.get(order_id, [])
        return tuple(_page(rows, from_execution_id, limit, key=lambda row: row.execution_id))

    def prevented_matches(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_id: int | None = None,
        match_id: int | None = None,
        from_match_id: int | None = None,
        limit: int = 500,
    ) -> tuple[PreventedMatch, ...]:
        """Self-trades that were prevented, ascending: one (`match_id`), those of one order, or all; with id >=
        `from_match_id`, at most `limit`, without it the newest."""
        self._desks[symbol]
        rows: Sequence[PreventedMatch] = self._account(account_id).records[symbol].prevented
        if match_id is not None:
            rows = [row for row in rows if row.match_id == match_id]
        if order_id is not None:
            rows = [row for row in rows if order_id in (row.taker_order_id, row.maker_order_id)]
        return tuple(_page(rows, from_match_id, limit, key=lambda row: row.match_id))

    # --- order lists ------------------------------------------------------------------------------------

    def order_list(
        self,
        account_id: str,
        *,
        order_list_id: int | None = None,
        list_client_order_id: str | None = None,
    ) -> VenueOrderList:
        """One list of any market, open or not. -2013 if unknown, -1102 without any id."""
        order_list = find_list(self._account(account_id), order_list_id, list_client_order_id)
        if order_list is None:
            raise refusals.no_such_list()
        return order_list.view()

    def order_lists(
        self, account_id: str, from_id: int | None = None, limit: int = 500
    ) -> tuple[VenueOrderList, ...]:
        """All lists with id >= `from_id`, ascending, at most `limit`; without `from_id` the newest `limit`."""
        lists = list(self._account(account_id).lists.values())
        return tuple(found.view() for found in _page(lists, from_id, limit, key=lambda row: row.list_id))

    def open_order_lists(self, account_id: str) -> tuple[VenueOrderList, ...]:
        """Open lists of all markets, by ascending id."""
        return tuple(found.view() for found in self._account(account_id).lists.values() if not found.is_done)

    # --- markets ----------------------------------------------------------------------------------------

    def markets(self) -> tuple[Market, ...]:
        """All markets, in the order given."""
        return tuple(desk.market for desk in self._desks.values())

    def market(self, symbol: Symbol) -> Market:
        """One market with its present rules and status."""
        return self._desks[symbol].market

    def filters(self, symbol: Symbol) -> MarketFilters:
        """What only the exchange knows of a market."""
        return self._desks[symbol].filters

    def follows_recording(self, symbol: Symbol) -> bool:
        """Whether a recorded order book moves the market."""
        return self._desks[symbol].recorded is not None

    def book(self, symbol: Symbol, depth: int = 100) -> BookView:
        """The public book, best first, at most `depth` levels a side: ambient liquidity and all accounts' orders."""
        desk = self._desks[symbol]
        bids, asks = (tuple(islice(book_levels(desk, side), depth)) for side in (Side.BUY, Side.SELL))
        return BookView(symbol, desk.public.last_update_id, bids, asks)

    def best(self, symbol: Symbol) -> TopOfBook:
        """Best bid and ask with their amounts, and the last price."""
        desk = self._desks[symbol]
        bid, bid_amount = desk.best(Side.BUY) or (None, None)
        ask, ask_amount = desk.best(Side.SELL) or (None, None)
        return TopOfBook(
            None if bid is None else Price(bid),
            None if ask is None else Price(ask),
            None if desk.last_price is None else Price(desk.last_price),
            None if bid_amount is None else Amount(bid_amount),
            None if ask_amount is None else Amount(ask_amount),
        )

    def best_prices(self, symbol: Symbol) -> TopOfBook:
        """`best` without the amounts, for those who look often."""
        desk = self._desks[symbol]
        (bid, ask), last = desk.best_prices(), desk.last_price
        return TopOfBook(
            None if bid is None else Price(bid),
            None if ask is None else Price(ask),
            None if last is None else Price(last),
        )

    def last_price(self, symbol: Symbol) -> Decimal | None:
        """Price of the last public trade or move; None before the first move."""
        return self._desks[symbol].last_price

    def average_price(self, symbol: Symbol) -> Decimal | None:
        """Volume-weighted price of the last `average_minutes` of market time, to 8 decimals; the last price
        where nothing traded; None before the first move."""
        return self._desks[symbol].average_price()

    def trades(
        self, symbol: Symbol, limit: int = 500, from_id: int | None = None
    ) -> tuple[TradePrinted, ...]:
        """Public trades still kept, ascending: from `from_id` on, or the newest `limit`."""
        trades = list(self._desks[symbol].trades)
        if from_id is None:
            return tuple(trades[-limit:])
        start = bisect_left(trades, from_id, key=lambda printed: printed.trade.trade_id)
        return tuple(trades[start : start + limit])

    def nearest_prices(self, symbol: Symbol) -> tuple[Decimal | None, Decimal | None]:
        """(below, above): a move to `price <= below` or `price >= above` fills or triggers something, any other does
        not. With a trailing order that follows the market every move matters: both are the market's price.

        Where `below` is above the last price (an order left over by `volume_cap` or a closed market), the very
        next move matters, wherever it goes; the same for `above` below it.
        """
        return nearest_prices(self._desks[symbol])

    def prices_of_interest(self, symbol: Symbol) -> tuple[Decimal | None, Decimal | None]:
        """(at or below, at or above): up to the first point of a path at or beyond either, `Venue.skip_to` is the same
        as moving to every point. None: no price on that side matters. Where every point matters, `EVERY_POINT`.

        Whatever changes at the venue may change them: ask anew after every call.
        """
        return prices_of_interest(self._desks[symbol])

    # --- inside -----------------------------------------------------------------------------------------

    def _account(self, account_id: str) -> Account:
        try:
            return self._accounts[account_id]
        except KeyError:
            raise InvalidInput(f"account {account_id!r} does not exist at this venue") from None

    def _price_of(self, asset: Asset, quote: Asset) -> Decimal | None:
        desk = self._desks.get(Symbol(f"{asset}/{quote}"))
        return None if desk is None else desk.last_price


def _page(rows: Sequence[Row], from_id: int | None, limit: int, key: Callable[[Row], int]) -> Sequence[Row]:
    """Ascending from `from_id`, or the newest `limit`."""
    if from_id is None:
        return rows[-limit:]
    start = bisect_left(rows, from_id, key=key)
    return rows[start : start + limit]
