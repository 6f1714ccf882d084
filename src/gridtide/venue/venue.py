"""The simulated exchange as a step function: requests, market moves and time in; answers and events out.

Nothing happens between calls, and equal calls give equal answers: the only randomness is the seeded generator
handed in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Symbol
from gridtide.domain.money import ZERO
from gridtide.venue import intervention, refusals
from gridtide.venue.account import Account, OwnRecords
from gridtide.venue.aftermath import settle_aftermath
from gridtide.venue.amending import amend
from gridtide.venue.audit import Audit
from gridtide.venue.cancelling import cancel, cancel_list, find_list, find_open_order
from gridtide.venue.desk import Desk, Desks
from gridtide.venue.filters import check_request
from gridtide.venue.messages import BalancesChanged, ListPlacement, Placement
from gridtide.venue.order_lists import check_list, place_list
from gridtide.venue.placement import place
from gridtide.venue.reads import VenueReads
from gridtide.venue.recorded_market import move_market
from gridtide.venue.rounding import LARGEST, UNIT, is_multiple
from gridtide.venue.skipping import skip_to
from gridtide.venue.state import (
    STATE_VERSION,
    check_version,
    load_generator,
    load_settings,
    save_generator,
    save_settings,
)
from gridtide.venue.state_history import whole
from gridtide.venue.state_of_account import load_account, save_account
from gridtide.venue.state_of_desk import load_desk, load_market, save_desk
from gridtide.venue.state_of_lists import restore_waiting
from gridtide.venue.step import Step

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from gridtide.domain.market import Asset, Market, MarketRules, MarketStatus, Timestamp
    from gridtide.venue.market_filters import MarketFilters
    from gridtide.venue.messages import (
        Amendment,
        Cancellation,
        ListCancellation,
        MarketMove,
        NewOrder,
        NewOrderList,
        VenueEvent,
    )
    from gridtide.venue.schedule import MarketSchedule
    from gridtide.venue.settings import AccountFees, VenueSettings
    from gridtide.venue.tape import Stretch


class Venue(VenueReads):
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
        self._desks = Desks(
            (market.symbol, Desk(market, settings, rng.getrandbits(64), self._price_of, rng))
            for market in markets
        )
        self._audit = Audit()
        self._next_list_id = 0

    # --- accounts ------------------------------------------------------------------------------------

    def add_account(self, account_id: str, balances: Mapping[Asset, Decimal], fees: AccountFees) -> None:
        """Open an account with free `balances`. Raises `InvalidInput` if it exists or a balance is negative."""
        if account_id in self._accounts:
            raise InvalidInput(f"account {account_id!r} exists already: choose another name")
        for asset, amount in balances.items():
            if not 0 <= amount < LARGEST or not is_multiple(amount, UNIT):
                raise InvalidInput(
                    f"a balance of {amount} {asset} is below zero, or has more than 15 digits before the point or 8 "
                    "behind"
                )
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
        if abs(amount) >= LARGEST or not is_multiple(amount, UNIT):
            raise InvalidInput(
                f"{amount} {asset} has more than 15 digits before the point or 8 behind; nothing was changed"
            )
        if account.free.get(asset, ZERO) + amount < 0:
            raise refusals.insufficient_balance()
        account.deposit(asset, amount)
        return (BalancesChanged(account_id, ((asset, account.balance(asset)),), now),)

    def set_fees(self, account_id: str, fees: AccountFees) -> None:
        """What the account pays from now on."""
        account = self._account(account_id)
        account.fees, account.fee_tier = fees, None

    def set_filters(self, symbol: Symbol, filters: MarketFilters) -> None:
        """New filters of a market, valid for new orders."""
        changed = self._desks[symbol]
        self._settings = replace(self._settings, filters={**self._settings.filters, symbol: filters})
        for desk in self._desks.values():
            desk.use_settings(self._settings)
        changed.average.use_minutes(self._settings.average_minutes_of(symbol))

    # --- orders --------------------------------------------------------------------------------------

    def place_order(self, request: NewOrder, now: Timestamp) -> Placement:
        """Check, match and rest an order; the answer holds its state, its own fills and every event caused.

        Refusals, first that applies: parameters (-1121, -1102, -1106, -1116, -1100, -1013 Invalid quantity.),
        precision (-1111), filters (-1013), market closed, order count, duplicate id, balance, post-only (-2010).
        """
        account, desk = self._account(request.account_id), self._desks[request.symbol]
        check_request(request, desk)
        if request.iceberg_amount:
            raise refusals.no_icebergs()
        step = Step(desk, now)
        order = place(step, account, request)
        view, fills = order.view(), tuple(order.fills)
        if not (step.traded or step.fulfilled or step.prevented):  # as nearly always: nothing follows from it
            return Placement(view, fills, step.finish())
        prevented = tuple(match for match in step.prevented if match.taker_order_id == order.order_id)
        settle_aftermath(step)
        return Placement(view, fills, step.finish(), prevented)

    def check_order(self, request: NewOrder) -> None:
        """Refuse what `place_order` would refuse for parameters, precision and filters; place nothing."""
        self._account(request.account_id)
        check_request(request, self._desks[request.symbol])
        if request.iceberg_amount:
            raise refusals.no_icebergs()

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
        as `client_order_id` and the order's as `original_client_order_id`; later queries show the order's again. An
        order in a list takes the whole list along.

        Raises `VenueRefusal` -2011 if it is not open, -1102 without any id.
        """
        desk = self._desks[symbol]
        records = self._account(account_id).records[symbol]
        order = find_open_order(records, order_id, client_order_id)
        return cancel(desk, order, new_client_order_id, now)

    def cancel_all(
        self, account_id: str, symbol: Symbol, now: Timestamp
    ) -> tuple[Cancellation | ListCancellation, ...]:
        """Cancel every open order of the account on the symbol, oldest first, a list once; -2011 if there is none."""
        desk = self._desks[symbol]
        orders = list(self._account(account_id).records[symbol].open.values())
        if not orders:
            raise refusals.unknown_order()
        return tuple(
            cancel(desk, order, "", now)
            if order.order_list is None
            else cancel_list(desk, order.order_list, "", now)
            for order in orders
            if order.is_open
        )

    def amend_order(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        new_client_order_id: str = "",
        new_amount: Decimal,
        now: Timestamp,
    ) -> Amendment:
        """Reduce the amount of an open order, which keeps its place in the queue and goes by `new_client_order_id`
        (derived if empty) from now on. Both legs of an OCO are amended.

        Raises `VenueRefusal` -1102 without any id, -1100, -1111 and -1013 for an id or amount that no order could
        have, -2038 for what the engine refuses.
        """
        desk = self._desks[symbol]
        records = self._account(account_id).records[symbol]
        return amend(Step(desk, now), records, order_id, client_order_id, new_client_order_id, new_amount)

    # --- order lists ---------------------------------------------------------------------------------

    def place_order_list(self, request: NewOrderList, now: Timestamp) -> ListPlacement:
        """Place orders that depend on each other: an OCO pair, or a working order with one or two legs.

        Refusals, beside those of each order: kinds of order that do not go together (-1158 to -1168, -1196 to -1199,
        -1222, -1223), the relation of the prices (-2010). The answer shows the orders before what a working order that
        fills at once sets off; the events show that too.
        """
        account, desk = self._account(request.account_id), self._desks[request.symbol]
        check_list(request, desk)
        step = Step(desk, now)
        order_list = place_list(step, account, request, self._next_list_id)
        self._next_list_id += 1
        view, orders = order_list.view(), tuple(order.view() for order in order_list.orders)
        settle_aftermath(step)
        return ListPlacement(view, orders, step.finish())

    def check_order_list(self, request: NewOrderList) -> None:
        """Refuse what `place_order_list` would refuse for parameters, precision and filters; place nothing."""
        self._account(request.account_id)
        check_list(request, self._desks[request.symbol])

    def cancel_order_list(
        self,
        account_id: str,
        symbol: Symbol,
        *,
        order_list_id: int | None = None,
        list_client_order_id: str | None = None,
        new_client_order_id: str = "",
        now: Timestamp,
    ) -> ListCancellation:
        """Cancel every open order of a list. Raises `VenueRefusal` -2011 if it is not open, -1102 without any id."""
        desk = self._desks[symbol]
        order_list = find_list(self._account(account_id), order_list_id, list_client_order_id)
        if order_list is None or order_list.is_done or order_list.symbol != symbol:
            raise refusals.unknown_order()
        return cancel_list(desk, order_list, new_client_order_id, now)

    # --- markets -------------------------------------------------------------------------------------

    def move_market(self, symbol: Symbol, move: MarketMove, now: Timestamp) -> tuple[VenueEvent, ...]:
        """What everybody else does. While the market is not TRADING it moves without any execution.

        `PriceMoved`: the price walks to its end over every price between (design.md 6): resting orders on the way
        fill as makers at their own price, the ambient book forms anew around the end, consumed liquidity is back.

        `DepthUpdate`: a recorded book, which from then on is everybody else's liquidity instead of the ambient one;
        what it crosses fills at its own price, with no more than the recorded amount. What takers consumed of a
        level is back when the recording next tells that level. Without orders of accounts the update ids are the
        recorded ones, own changes shift them. Raises `InvalidInput` for a gap.

        `MarketTrade`: a recorded trade, printed less what accounts' orders took of it; with a recorded book it fills
        what it goes through, and what it touches by the fill model, else it walks the price.
        """
        step = Step(self._desks[symbol], now)
        move_market(step, move)
        if step.traded or step.fulfilled:
            settle_aftermath(step)
        return step.finish()

    def skip_to(
        self, symbol: Symbol, price: Decimal, market_time: Timestamp, passed: Stretch | None = None
    ) -> None:
        """The market went over one or more points, all between the `prices_of_interest`, the last of which is this
        price at this time: the venue is as if it had been moved to each.

        `passed` are these points, for what refers to what traded of late (average prices, `volume_slippage`); without
        it they count as points without volume. Raises `Defect` if the price is not between the bounds.
        """
        skip_to(self._desks[symbol], price, market_time, passed)

    def hit_order(
        self, account_id: str, symbol: Symbol, order_id: int, amount: Decimal, now: Timestamp
    ) -> tuple[VenueEvent, ...]:
        """A stranger takes `amount` of an order in the book, past whatever is better. Raises `InvalidInput`."""
        order = find_open_order(self._account(account_id).records[symbol], order_id, None)
        return intervention.hit(self._desks[symbol], order, amount, now)

    def expire_orders(self, account_id: str, symbol: Symbol, now: Timestamp) -> tuple[VenueEvent, ...]:
        """Every open order of the account on the symbol expires, as at a maintenance of the exchange."""
        orders = list(self._account(account_id).records[symbol].open.values())
        return intervention.expire_all(self._desks[symbol], orders, now)

    def desert(self, symbol: Symbol, now: Timestamp, *, is_deserted: bool) -> tuple[VenueEvent, ...]:
        """Everybody else leaves the book, or comes back; orders of accounts stay."""
        return intervention.desert(self._desks[symbol], now, is_deserted=is_deserted)

    def set_status(self, symbol: Symbol, status: MarketStatus) -> None:
        """Open or close a market; open orders stay, and may be cancelled under any status."""
        desk = self._desks[symbol]
        desk.use_market(replace(desk.market, status=status))

    def set_rules(self, symbol: Symbol, rules: MarketRules) -> None:
        """Change what the market accepts from now on; resting orders stay as they are."""
        desk = self._desks[symbol]
        desk.use_market(replace(desk.market, rules=rules))
        desk.ambient.use_rules(rules)

    def obey(self, symbol: Symbol, schedule: MarketSchedule, now: Timestamp) -> None:
        """Let the market have the rules and the status that its schedule knows for `now`."""
        rules, status = schedule.rules_at(now), schedule.status_at(now)
        market = self._desks[symbol].market
        if rules is not None and rules != market.rules:
            self.set_rules(symbol, rules)
        if status is not None and status is not market.status:
            self.set_status(symbol, status)

    # --- the whole -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise `Defect` if funds are not conserved, a balance is negative, a lock is not that of the open orders,
        or a book is crossed."""
        self._audit.check(self._desks.values(), self._accounts.values())

    def state(self) -> dict[str, Any]:
        """Everything, settings and generator included, JSON-compatible (decimals as text)."""
        state: dict[str, Any] = whole(self.snapshot())
        return state

    def snapshot(self) -> dict[str, Any]:
        """`state` with its long parts as `History`: taken quickly, and not changed by what happens later."""
        return {
            "version": STATE_VERSION,
            "settings": save_settings(self._settings),
            "rng": save_generator(self._rng),
            "next_list_id": self._next_list_id,
            "markets": [save_desk(desk) for desk in self._desks.values()],
            "accounts": [save_account(account) for account in self._accounts.values()],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], rng: random.Random) -> Self:
        """The venue that `state` was taken of; `rng` is any generator, it is set to the saved one's state."""
        check_version(state)
        markets = [load_market(saved["market"]) for saved in state["markets"]]
        venue = cls(markets, load_settings(state["settings"]), rng)
        venue._next_list_id = state["next_list_id"]
        for row in state["accounts"]:
            account = load_account(row)
            venue._accounts[account.account_id] = account
        for row in state["markets"]:
            desk = venue._desks[row["market"]["symbol"]]
            load_desk(desk, row, venue._accounts)
            restore_waiting(desk, venue._accounts.values())
        load_generator(rng, state["rng"])
        return venue
