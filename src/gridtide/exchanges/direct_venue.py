"""The direct exchange port over a venue: what backtests trade on. Time is handed in, answers come at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gridtide.domain.errors import Transient
from gridtide.domain.events import CancelAccepted, OrderFound, OrderNotFound, SnapshotTaken
from gridtide.domain.market import MarketStatus
from gridtide.domain.money import ONE
from gridtide.exchanges.binance_refusals import NO_SUCH_ORDER_CODES
from gridtide.exchanges.venue_replies import accepted, not_accepted, not_cancelled, order_request
from gridtide.exchanges.venue_values import order_update, own_fill, user_event
from gridtide.venue.messages import OrderChanged, PriceMoved, VenueRefusal
from gridtide.venue.tape import Stretch

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder, TakeSnapshot
    from gridtide.domain.events import CancelReply, QueryReply, StreamEvent, SubmitReply
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, Market, Symbol, Timestamp, TopOfBook
    from gridtide.ports.direct_exchange import Bounds
    from gridtide.price_path.path import PricePath
    from gridtide.price_path.point import PathPoint
    from gridtide.venue.messages import VenueEvent, VenueOrder
    from gridtide.venue.schedule import MarketSchedule
    from gridtide.venue.venue import Venue

_NO_LIMIT = 10**9


class _PathTape:
    """A price path as the venue looks back on it."""

    def __init__(self, path: PricePath) -> None:
        self._path = path
        unit = ONE.scaleb(-path.places)
        self.lowest, self.highest = (int(price) * unit for price in (path.prices.min(), path.prices.max()))

    def points(self, start: int, end: int, since: Timestamp) -> Iterable[PathPoint]:
        if self._path.time(end - 1) < since:
            return ()
        return self._path.points(max(start, min(end, self._path.first_at(since))), end)


class DirectVenue:
    """One account of `venue`; raises what the venue raises for mistakes of the program."""

    def __init__(self, venue: Venue, account_id: str) -> None:
        self.venue = venue
        self.account_id = account_id
        self._heard: list[tuple[Symbol, StreamEvent]] = []
        self._tapes: dict[Symbol, _PathTape] = {}

    def market(self, symbol: Symbol) -> Market:
        return self.venue.market(symbol)

    # --- orders --------------------------------------------------------------------------------------

    def submit(self, command: SubmitOrder, now: Timestamp) -> SubmitReply:
        try:
            placement = self.venue.place_order(order_request(self.account_id, command), now)
        except VenueRefusal as refusal:
            return not_accepted(command.client_order_id, refusal)
        self._hear(placement.events, told=placement.order.order_id)
        return accepted(placement)

    def cancel(self, command: CancelOrder, now: Timestamp) -> CancelReply:
        name = command.client_order_id
        try:
            done = self.venue.cancel_order(self.account_id, command.symbol, client_order_id=name, now=now)
        except VenueRefusal as refusal:
            return not_cancelled(name, refusal)
        self._hear(done.events, told=done.order.order_id)
        return CancelAccepted(order_update(done.order))

    # --- reads ---------------------------------------------------------------------------------------

    def query(self, command: QueryOrder) -> QueryReply:
        found = self._find(command.symbol, command.client_order_id, command.order_id)
        return OrderNotFound(command.client_order_id) if found is None else OrderFound(order_update(found))

    def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        found = self.venue.fills(self.account_id, symbol, from_trade_id, None, _NO_LIMIT)
        return tuple(own_fill(fill, named=False) for fill in found)

    def snapshot(self, command: TakeSnapshot) -> SnapshotTaken:
        shown = tuple(map(order_update, self.venue.open_orders(self.account_id, command.symbol)))
        names = {update.client_order_id for update in shown}
        missing = [name for name in command.client_order_ids if name not in names]
        found = {name: self._find(command.symbol, name) for name in missing}
        return SnapshotTaken(
            symbol=command.symbol,
            fills=self.fills(command.symbol, command.from_trade_id),
            open_orders=shown,
            queried=tuple(order_update(order) for order in found.values() if order is not None),
            not_found=tuple(name for name, order in found.items() if order is None),
            balances=self.balances() if command.full else None,
            stable=True,
            asked_at=command.asked_at,
        )

    def balances(self) -> Mapping[Asset, Balance]:
        return self.venue.balances(self.account_id)

    def book(self, symbol: Symbol) -> TopOfBook:
        return self.venue.best_prices(symbol)

    # --- the market ----------------------------------------------------------------------------------

    def move(self, symbol: Symbol, point: PathPoint) -> None:
        now = point.market_time
        self._hear(self.venue.move_market(symbol, PriceMoved(point.price, point.volume, now), now))

    def pass_over(self, symbol: Symbol, path: PricePath, start: int, stop: int) -> None:
        tape = self._tapes.get(symbol)
        if tape is None:
            tape = self._tapes[symbol] = _PathTape(path)
        last = stop - 1
        self.venue.skip_to(symbol, path.price(last), path.time(last), Stretch(tape, start, stop))

    def bounds(self, symbol: Symbol) -> Bounds:
        return self.venue.prices_of_interest(symbol)

    def heard(self) -> Sequence[tuple[Symbol, StreamEvent]]:
        heard, self._heard = self._heard, []
        return heard

    def obey(self, symbol: Symbol, schedule: MarketSchedule, now: Timestamp) -> Market:
        before = self.venue.market(symbol).status
        self.venue.obey(symbol, schedule, now)
        market = self.venue.market(symbol)
        if market.status is MarketStatus.BREAK and before is not MarketStatus.BREAK:
            self._hear(self.venue.expire_orders(self.account_id, symbol, now))  # a delisting ends them
        return market

    # --- inside --------------------------------------------------------------------------------------

    def _hear(self, events: Sequence[VenueEvent], told: int | None = None) -> None:
        """Note what concerns the account's orders; of the order `told` the answer itself tells everything."""
        for event in events:
            if isinstance(event, OrderChanged) and event.order.order_id != told:
                heard = user_event(event, self.account_id)
                if heard is not None:
                    self._heard.append((event.order.symbol, heard))

    def _find(self, symbol: Symbol, name: str, order_id: str = "") -> VenueOrder | None:
        try:
            return self.venue.order(self.account_id, symbol, None if name else int(order_id), name or None)
        except VenueRefusal as refusal:
            if refusal.code in NO_SUCH_ORDER_CODES:
                return None
            raise Transient(str(refusal)) from None
