"""The simulated exchange as a step function: requests, market moves and time in; answers and events out.

Nothing happens between calls, and equal calls give equal answers: the only randomness is the seeded generator
handed in.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol, TopOfBook
from gridtide.domain.money import ZERO, Amount, Price
from gridtide.domain.order import Side
from gridtide.venue import refusals
from gridtide.venue.account import Account, OwnRecords
from gridtide.venue.audit import Audit
from gridtide.venue.cancelling import cancel, find_open_order, find_order
from gridtide.venue.desk import Desk
from gridtide.venue.filters import check_request
from gridtide.venue.messages import BalancesChanged, BookView, Placement
from gridtide.venue.placement import place
from gridtide.venue.public_book import best_level, book_levels
from gridtide.venue.rounding import UNIT, is_multiple
from gridtide.venue.state import (
    STATE_VERSION,
    check_version,
    load_generator,
    load_settings,
    save_generator,
    save_settings,
)
from gridtide.venue.state_of_account import load_account, save_account
from gridtide.venue.state_of_desk import load_desk, load_market, save_desk
from gridtide.venue.step import Step
from gridtide.venue.walk import nearest_prices, walk

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from gridtide.domain.balance import Balance
    from gridtide.domain.market import Asset, Market, MarketRules, MarketStatus, Timestamp
    from gridtide.venue.messages import (
        Cancellation,
        NewOrder,
        PriceMoved,
        TradePrinted,
        VenueEvent,
        VenueFill,
        VenueOrder,
    )
    from gridtide.venue.settings import AccountFees, VenueSettings


class Venue:
    """An exchange with several markets and accounts.

    Requests that the exchange would refuse raise `VenueRefusal` with its code and text and change nothing.
    Times are milliseconds since 1970 UTC. An unknown account raises `InvalidInput`; an unknown symbol
    `VenueRefusal` -1121.
    """

    def __init__(self, markets: Sequence[Market], settings: VenueSettings, rng: random.Random) -> None:
        """A venue without accounts and without prices: the first move of a market gives it one."""
        self._settings = settings
        self._rng = rng
        self._accounts: dict[str, Account] = {}
        self._desks = {
            market.symbol: Desk(market, settings, rng.getrandbits(64), self._price_of) for market in markets
        }
        self._audit = Audit()

    # --- accounts ------------------------------------------------------------------------------------

    def add_account(self, account_id: str, balances: Mapping[Asset, Decimal], fees: AccountFees) -> None:
        """Open an account with free `balances`. Raises `InvalidInput` if it exists or a balance is negative."""
        if account_id in self._accounts:
            raise InvalidInput(f"account {account_id!r} exists already: choose another name")
        for asset, amount in balances.items():
            if amount < 0 or not is_multiple(amount, UNIT):
                raise InvalidInput(f"a balance of {amount} {asset} is negative or has more than 8 decimals")
        account = Account(account_id, balances, fees)
        for desk in self._desks.values():
            account.know(desk.market.base)
            account.know(desk.market.quote)
            account.records[desk.market.symbol] = OwnRecords()
        self._accounts[account_id] = account

    def deposit(
        self, account_id: str, asset: Asset, amount: Decimal, now: Timestamp
    ) -> tuple[VenueEvent, ...]:
        """Add `amount` to the free balance; negative withdraws. Raises `VenueRefusal` -2010 if funds are short."""
        account = self._account(account_id)
        if not is_multiple(amount, UNIT):
            raise InvalidInput(f"{amount} {asset} has more than 8 decimals")
        if account.free.get(asset, ZERO) + amount < 0:
            raise refusals.insufficient_balance()
        account.deposit(asset, amount)
        return (BalancesChanged(account_id, ((asset, account.balance(asset)),), now),)

    def set_fees(self, account_id: str, fees: AccountFees) -> None:
        """What the account pays from now on."""
        self._account(account_id).fees = fees

    def fees(self, account_id: str) -> AccountFees:
        """What the account pays."""
        return self._account(account_id).fees

    def accounts(self) -> tuple[str, ...]:
        """Ids of all accounts, in the order they were added."""
        return tuple(self._accounts)

    def balances(self, account_id: str) -> dict[Asset, Balance]:
        """Free and locked amounts of every asset the account ever held (zeros included) and of every market."""
        account = self._account(account_id)
        return {asset: account.balance(asset) for asset in account.free}

    # --- orders --------------------------------------------------------------------------------------

    def place_order(self, request: NewOrder, now: Timestamp) -> Placement:
        """Check, match and rest an order; the answer holds its state, its own fills and every event caused.

        Refusals, first that applies: parameters (-1121, -1102, -1106, -1116, -1100, -1013 Invalid quantity.),
        precision (-1111), filters (-1013), market closed, order count, duplicate id, balance, post-only (-2010).
        """
        account, desk = self._account(request.account_id), self._desk(request.symbol)
        check_request(request, desk.market.rules, desk.average_price)
        step = Step(desk, now)
        order = place(step, account, request)
        return Placement(order.view(), tuple(order.fills), step.finish())

    def check_order(self, request: NewOrder) -> None:
        """Refuse what `place_order` would refuse for parameters, precision and filters; place nothing."""
        self._account(request.account_id)
        desk = self._desk(request.symbol)
        check_request(request, desk.market.rules, desk.average_price)

    def cancel_order(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        new_client_order_id: str = "",
        now: Timestamp,
    ) -> Cancellation:
        """Cancel one open order. The answer carries the cancel's own id (`new_client_order_id`, derived if empty)
        as `client_order_id` and the order's as `original_client_order_id`; later queries show the order's again.

        Raises `VenueRefusal` -2011 if it is not open, -1102 without any id.
        """
        desk = self._desk(symbol)
        records = self._account(account_id).records[symbol]
        order = find_open_order(records, order_id, client_order_id)
        return cancel(desk, order, new_client_order_id, now)

    def cancel_all(self, account_id: str, symbol: Symbol, now: Timestamp) -> tuple[Cancellation, ...]:
        """Cancel every open order of the account on the symbol, oldest first; -2011 if there is none."""
        desk = self._desk(symbol)
        orders = list(self._account(account_id).records[symbol].open.values())
        if not orders:
            raise refusals.unknown_order()
        return tuple(cancel(desk, order, "", now) for order in orders)

    def order(
        self,
        account_id: str,
        symbol: Symbol,
        order_id: int | None = None,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """One order, open or not; of a reused client id the newest. -2013 if unknown, -2039 if the ids differ."""
        self._desk(symbol)
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
        symbols = list(self._desks) if symbol is None else [self._desk(symbol).market.symbol]
        return tuple(order.view() for each in symbols for order in account.records[each].open.values())

    def orders(
        self, account_id: str, symbol: Symbol, from_id: int | None = None, limit: int = 500
    ) -> tuple[VenueOrder, ...]:
        """All orders with id >= `from_id`, ascending, at most `limit`; without `from_id` the newest `limit`."""
        self._desk(symbol)
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
        self._desk(symbol)
        return tuple(self._account(account_id).records[symbol].fills_from(from_id, order_id, limit))

    # --- markets -------------------------------------------------------------------------------------

    def move_market(self, symbol: Symbol, move: PriceMoved, now: Timestamp) -> tuple[VenueEvent, ...]:
        """Walk the price to `move.price` over every price between (design.md 6): resting orders on the way fill as
        makers at their own price, the ambient book forms anew around the end, consumed liquidity is back.

        While the market is not TRADING the price moves without any execution.
        """
        desk = self._desk(symbol)
        if not (move.price.is_finite() and move.volume.is_finite() and move.price > 0 and move.volume >= 0):
            raise InvalidInput(f"a market cannot move to {move.price} with volume {move.volume}")
        step = Step(desk, now)
        walk(step, move)
        return step.finish()

    def set_status(self, symbol: Symbol, status: MarketStatus) -> None:
        """Open or close a market; open orders stay, and may be cancelled under any status."""
        desk = self._desk(symbol)
        desk.market = replace(desk.market, status=status)

    def set_rules(self, symbol: Symbol, rules: MarketRules) -> None:
        """Change what the market accepts from now on; resting orders stay as they are."""
        desk = self._desk(symbol)
        desk.market = replace(desk.market, rules=rules)
        desk.ambient.use_rules(rules)

    def markets(self) -> tuple[Market, ...]:
        """All markets, in the order given."""
        return tuple(desk.market for desk in self._desks.values())

    def market(self, symbol: Symbol) -> Market:
        """One market with its present rules and status."""
        return self._desk(symbol).market

    def book(self, symbol: Symbol, depth: int = 100) -> BookView:
        """The public book, best first, at most `depth` levels a side: ambient liquidity and all accounts' orders."""
        desk = self._desk(symbol)
        bids, asks = (tuple(islice(book_levels(desk, side), depth)) for side in (Side.BUY, Side.SELL))
        return BookView(symbol, desk.public.last_update_id, bids, asks)

    def best(self, symbol: Symbol) -> TopOfBook:
        """Best bid and ask with their amounts, and the last price."""
        desk = self._desk(symbol)
        bid, ask = best_level(desk, Side.BUY), best_level(desk, Side.SELL)
        return TopOfBook(
            bid=None if bid is None else Price(bid.price),
            ask=None if ask is None else Price(ask.price),
            last=None if desk.last_price is None else Price(desk.last_price),
            bid_amount=None if bid is None else Amount(bid.amount),
            ask_amount=None if ask is None else Amount(ask.amount),
        )

    def last_price(self, symbol: Symbol) -> Decimal | None:
        """Price of the last public trade or move; None before the first move."""
        return self._desk(symbol).last_price

    def average_price(self, symbol: Symbol) -> Decimal | None:
        """Volume-weighted price of the last `average_minutes` of market time, to 8 decimals; the last price
        where nothing traded; None before the first move."""
        return self._desk(symbol).average_price()

    def trades(
        self, symbol: Symbol, limit: int = 500, from_id: int | None = None
    ) -> tuple[TradePrinted, ...]:
        """Public trades still kept, ascending: from `from_id` on, or the newest `limit`."""
        trades = list(self._desk(symbol).trades)
        if from_id is None:
            return tuple(trades[-limit:])
        start = bisect_left(trades, from_id, key=lambda printed: printed.trade.trade_id)
        return tuple(trades[start : start + limit])

    def nearest_prices(self, symbol: Symbol) -> tuple[Decimal | None, Decimal | None]:
        """(below, above): a move to `price <= below` or `price >= above` fills something, any other does not.

        Where `below` is above the last price (an order left over by `volume_cap` or a closed market), the very
        next move matters, wherever it goes; the same for `above` below it.
        """
        return nearest_prices(self._desk(symbol))

    # --- the whole -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise `Defect` if funds are not conserved, a balance is negative, a lock is not that of the open orders,
        or a book is crossed."""
        self._audit.check(self._desks.values(), self._accounts.values())

    def state(self) -> dict[str, Any]:
        """Everything, settings and generator included, JSON-compatible (decimals as text)."""
        return {
            "version": STATE_VERSION,
            "settings": save_settings(self._settings),
            "rng": save_generator(self._rng),
            "markets": [save_desk(desk) for desk in self._desks.values()],
            "accounts": [save_account(account) for account in self._accounts.values()],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], rng: random.Random) -> Self:
        """The venue that `state` was taken of; `rng` is any generator, it is set to the saved one's state."""
        check_version(state)
        markets = [load_market(saved["market"]) for saved in state["markets"]]
        venue = cls(markets, load_settings(state["settings"]), rng)
        for row in state["accounts"]:
            account = load_account(row)
            venue._accounts[account.account_id] = account
        for row in state["markets"]:
            load_desk(venue._desks[row["market"]["symbol"]], row, venue._accounts)
        load_generator(rng, state["rng"])
        return venue

    # --- inside --------------------------------------------------------------------------------------

    def _account(self, account_id: str) -> Account:
        try:
            return self._accounts[account_id]
        except KeyError:
            raise InvalidInput(f"account {account_id!r} does not exist at this venue") from None

    def _desk(self, symbol: Symbol) -> Desk:
        try:
            return self._desks[symbol]
        except KeyError:
            raise refusals.invalid_symbol() from None

    def _price_of(self, asset: Asset, quote: Asset) -> Decimal | None:
        desk = self._desks.get(Symbol(f"{asset}/{quote}"))
        return None if desk is None else desk.last_price
