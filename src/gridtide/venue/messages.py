"""What goes into the venue and what comes out: requests, refusals, orders, executions, market moves.

Codes and texts of refusals are the exchange's own, because whoever is refused must see what it would see there. Most of
them are named tuples: a backtest makes some for every fill, and frozen dataclasses cost three times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.errors import GridtideError
from gridtide.domain.money import ZERO
from gridtide.domain.order import OrderStatus, Side, TimeInForce

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.market import Asset, Symbol, Timestamp


class VenueRefusal(GridtideError):
    """The venue refuses a request, with the exchange's code and text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class NewOrder(NamedTuple):
    """A request to place an order, already parsed and authenticated."""

    account_id: str
    symbol: Symbol
    side: Side
    type: str
    """The exchange's word: LIMIT, LIMIT_MAKER, MARKET, STOP_LOSS(_LIMIT) or TAKE_PROFIT(_LIMIT)."""
    amount: Decimal | None
    """None for MARKET orders sized in quote, and for the pending orders of a list that pays (OPO)."""
    quote_amount: Decimal | None = None
    """For MARKET orders sized in quote."""
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str = ""
    """Empty: the venue derives one."""
    self_trade_prevention: str = ""
    stop_price: Decimal | None = None
    trailing_delta: int | None = None
    """In basis points: 100 is 1 %."""
    iceberg_amount: Decimal | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None


@dataclass(frozen=True, slots=True)
class NewOrderList:
    """A request to place orders that depend on each other.

    Without `working`: an OCO of the two `legs`, above first. With it the legs wait until the working order is filled:
    one leg makes an OTO, two (above first) an OTOCO. With `pays` (OPO, OPOCO) the legs have no amount of their own:
    they sell what the working order bought.
    """

    account_id: str
    symbol: Symbol
    legs: tuple[NewOrder, ...]
    working: NewOrder | None = None
    pays: bool = False
    list_client_order_id: str = ""
    """Empty: the venue derives one."""


class VenueOrder(NamedTuple):
    """An order as the venue knows it, at one moment."""

    account_id: str
    symbol: Symbol
    order_id: int
    client_order_id: str
    original_client_order_id: str
    """Set once a cancel renamed the request: the order's own id."""
    side: Side
    type: str
    time_in_force: TimeInForce
    price: Decimal
    amount: Decimal
    quote_amount: Decimal
    """Requested quote amount of a MARKET order sized in quote, else 0."""
    executed_amount: Decimal
    executed_quote: Decimal
    status: OrderStatus
    created_at: Timestamp
    updated_at: Timestamp
    working_at: int
    """When it entered the book or matched; -1 while it waits for its trigger or its list."""
    self_trade_prevention: str = "EXPIRE_MAKER"
    expiry_reason: str = ""
    stop_price: Decimal = ZERO
    trailing_delta: int | None = None
    trailing_at: Timestamp | None = None
    """When a trailing order began to follow the price; None before."""
    iceberg_amount: Decimal = ZERO
    order_list_id: int = -1
    prevented_amount: Decimal = ZERO
    """What self-trade prevention took from it (open: amount - executed - prevented is left)."""
    prevented_match_id: int | None = None
    """The newest prevented match it was part of."""
    strategy_id: int | None = None
    strategy_type: int | None = None

    @property
    def is_working(self) -> bool:
        """Whether it entered the book or matched, rather than wait for its trigger or its list."""
        return self.working_at >= 0


class VenueFill(NamedTuple):
    """One execution of one account's order. A self-trade yields two with one trade id (F38)."""

    account_id: str
    symbol: Symbol
    trade_id: int
    order_id: int
    client_order_id: str
    side: Side
    price: Decimal
    amount: Decimal
    quote_amount: Decimal
    fee: Decimal
    fee_asset: Asset
    is_maker: bool
    timestamp: Timestamp


class PreventedMatch(NamedTuple):
    """A self-trade that did not happen. An amount is None where the mode leaves that order untouched."""

    account_id: str
    symbol: Symbol
    match_id: int
    taker_order_id: int
    maker_order_id: int
    mode: str
    price: Decimal
    taker_prevented_amount: Decimal | None
    maker_prevented_amount: Decimal | None
    timestamp: Timestamp
    amount: Decimal
    """What would have traded."""


class OrderAmendment(NamedTuple):
    """One reduction of an open order's amount that kept its place in the queue."""

    symbol: Symbol
    order_id: int
    execution_id: int
    original_client_order_id: str
    new_client_order_id: str
    original_amount: Decimal
    new_amount: Decimal
    timestamp: Timestamp


class VenueOrderList(NamedTuple):
    """An order list as the venue knows it, at one moment. The words are the exchange's."""

    account_id: str
    symbol: Symbol
    order_list_id: int
    list_client_order_id: str
    contingency: str
    """OCO or OTO (an OTOCO is an OTO whose pending orders are an OCO)."""
    status_type: str
    """RESPONSE, EXEC_STARTED, UPDATED or ALL_DONE."""
    order_status: str
    """EXECUTING, ALL_DONE or REJECT."""
    orders: tuple[tuple[int, str], ...]
    """Order id and client order id of each, in the order they were placed."""
    transaction_time: Timestamp


class BookLevel(NamedTuple):
    """One price level; an amount of zero removes it in a diff."""

    price: Decimal
    amount: Decimal


# --- what comes out ----------------------------------------------------------------------------------


class OrderChanged(NamedTuple):
    """An order of an account changed; `execution_type` is the exchange's word (NEW, TRADE, CANCELED, EXPIRED …)."""

    order: VenueOrder
    execution_type: str
    execution_id: int
    fill: VenueFill | None = None
    prevented: PreventedMatch | None = None
    """With TRADE_PREVENTION: what did not happen."""


class OrderListChanged(NamedTuple):
    """An order list of an account changed."""

    order_list: VenueOrderList
    timestamp: Timestamp


class BalancesChanged(NamedTuple):
    """Balances of the assets that may have changed, after an action."""

    account_id: str
    balances: tuple[tuple[Asset, Balance], ...]
    timestamp: Timestamp


class TradePrinted(NamedTuple):
    """A public trade."""

    trade: MarketTrade
    buyer_is_maker: bool
    buyer_order_id: int = 0
    seller_order_id: int = 0


class BookChanged(NamedTuple):
    """The book changed: absolute amounts of the changed levels. Update ids of one symbol have no gaps."""

    symbol: Symbol
    first_update_id: int
    last_update_id: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    best_bid: BookLevel | None
    best_ask: BookLevel | None
    timestamp: Timestamp


VenueEvent = OrderChanged | OrderListChanged | BalancesChanged | TradePrinted | BookChanged


class Placement(NamedTuple):
    """The answer to an order: its state after matching, its own fills, and everything that happened."""

    order: VenueOrder
    fills: tuple[VenueFill, ...]
    events: tuple[VenueEvent, ...]
    prevented: tuple[PreventedMatch, ...] = ()
    """Self-trades of this order that did not happen."""


class Cancellation(NamedTuple):
    """The answer to a cancel of one order. Where it stood in an order list, the list is cancelled with it."""

    order: VenueOrder
    events: tuple[VenueEvent, ...]
    order_list: VenueOrderList | None = None
    list_orders: tuple[VenueOrder, ...] = ()
    """Every order of that list, in the order they were placed."""


class Amendment(NamedTuple):
    """The answer to a reduction of an order's amount."""

    order: VenueOrder
    record: OrderAmendment
    events: tuple[VenueEvent, ...]
    order_list: VenueOrderList | None = None


class ListPlacement(NamedTuple):
    """The answer to an order list: its orders after matching, in the order they were placed."""

    order_list: VenueOrderList
    orders: tuple[VenueOrder, ...]
    events: tuple[VenueEvent, ...]


class ListCancellation(NamedTuple):
    """The answer to the cancel of an order list."""

    order_list: VenueOrderList
    orders: tuple[VenueOrder, ...]
    events: tuple[VenueEvent, ...]


class BookView(NamedTuple):
    """The book to some depth, best first, with the update id it stands at."""

    symbol: Symbol
    last_update_id: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]


# --- what the market does ----------------------------------------------------------------------------


class PriceMoved(NamedTuple):
    """The market walks from where it is to `price`, visiting every price between, and trades `volume` base on
    the way (design.md 6, "Candles as a market")."""

    price: Decimal
    volume: Decimal
    market_time: Timestamp
    taker: Side | None = None
    """The taker's side where known (market trades); else the direction of the move."""
    trade_id: int = 0
    """The recorded id of the trade at its end, where there is one."""


MarketMove = PriceMoved | DepthUpdate | MarketTrade
"""Everything that moves a market: a walk of the price, or a recorded book and recorded trades."""
