"""One call into the venue: it gathers what happens on a market and hands it out in the exchange's order.

Orders and trades come as they happen; balances of each account and one book diff close the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.domain.balance import Balance
from gridtide.domain.candle import MarketTrade
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.venue.messages import BalancesChanged, OrderChanged, OrderListChanged, TradePrinted

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Asset, Timestamp
    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk
    from gridtide.venue.messages import (
        PreventedMatch,
        VenueEvent,
        VenueFill,
        VenueOrder,
        VenueOrderList,
    )
    from gridtide.venue.order_list import OrderList
    from gridtide.venue.working_order import WorkingOrder


class Step:
    """What happens on `desk` at `now`."""

    __slots__ = ("_accounts", "_events", "_prices", "desk", "fulfilled", "now", "prevented", "traded")

    def __init__(self, desk: Desk, now: Timestamp) -> None:
        self.desk = desk
        self.now = now
        self._events: list[VenueEvent] = []
        self._accounts: dict[Account, tuple[Asset, ...]] = {}
        """Assets whose balances may have changed, some of them twice."""
        self._prices: dict[Side, dict[Decimal, None]] = (
            {Side.BUY: {}, Side.SELL: {}} if desk.publishes else {}
        )
        """Levels of the public book that may have changed; empty where nothing is published."""
        self.traded: list[Decimal] = []
        """Prices paid that the orders waiting for a price have not heard of yet (`aftermath`)."""
        self.fulfilled: list[OrderList] = []
        """Lists whose working order has filled and whose legs are still to be placed (`aftermath`)."""
        self.prevented: list[PreventedMatch] = []

    def change_order(
        self,
        order: WorkingOrder,
        execution_type: str,
        fill: VenueFill | None = None,
        prevented: PreventedMatch | None = None,
    ) -> None:
        """Tell that an order is now as it is."""
        desk = self.desk
        desk.last_execution_id += 1
        self._events.append(
            OrderChanged(order.view(), execution_type, desk.last_execution_id, fill, prevented)
        )

    def tell_order(
        self,
        view: VenueOrder,
        execution_type: str,
        fill: VenueFill | None = None,
        prevented: PreventedMatch | None = None,
    ) -> int:
        """Returns the execution id of the event."""
        desk = self.desk
        desk.last_execution_id += 1
        self._events.append(OrderChanged(view, execution_type, desk.last_execution_id, fill, prevented))
        return desk.last_execution_id

    def tell_list(self, view: VenueOrderList) -> None:
        self._events.append(OrderListChanged(view, self.now))

    def touch_balances(self, account: Account, *assets: Asset) -> None:
        """Balances that may have changed."""
        if not self.desk.tells_balances:
            return
        known = self._accounts.get(account)
        if known is None:
            self._accounts[account] = assets
        elif known != assets:
            self._accounts[account] = (*known, *assets)

    def touch_level(self, side: Side, price: Decimal) -> None:
        """A level of the public book that may have changed."""
        if self._prices:
            self._prices[side][price] = None

    def touch_ambient(self) -> None:
        """Every ambient level, because the ambient book is about to form anew or has just done so."""
        for side, touched in self._prices.items():
            touched.update(dict.fromkeys(self.desk.ambient.side(side)))

    def print_trade(
        self,
        trade_id: int,
        price: Decimal,
        amount: Decimal,
        taker_side: Side,
        buyer_order_id: int = 0,
        seller_order_id: int = 0,
    ) -> None:
        """A public trade. It sets the last price even where nothing is published."""
        desk = self.desk
        desk.last_price = price
        if desk.waiting.any:
            self.traded.append(price)
        if not desk.publishes:
            return
        trade = MarketTrade(desk.market.symbol, self.now, Price(price), Amount(amount), taker_side, trade_id)
        printed = TradePrinted(trade, taker_side is Side.SELL, buyer_order_id, seller_order_id)
        desk.trades.append(printed)
        self._events.append(printed)

    def finish(self) -> tuple[VenueEvent, ...]:
        """Everything that happened, closed by balances and the book's diff."""
        events = self._events
        if not (self._accounts or self._prices):
            return tuple(events)
        for account, assets in self._accounts.items():
            free, locked = account.free, account.locked
            balances = {asset: Balance(free[asset], locked[asset]) for asset in assets}
            events.append(BalancesChanged(account.account_id, tuple(balances.items()), self.now))
        if self._prices:
            diff = self.desk.public.publish(
                self.desk, self._prices[Side.BUY], self._prices[Side.SELL], self.now
            )
            if diff is not None:
                events.append(diff)
        return tuple(events)
