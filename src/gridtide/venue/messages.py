"""What goes into the venue and what comes out: requests, refusals, orders, executions, market moves.

Codes and texts of refusals are the exchange's own, because whoever is refused must see what it would see there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.errors import GridtideError
from gridtide.domain.order import OrderStatus, Side, TimeInForce

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.candle import MarketTrade
    from gridtide.domain.market import Asset, Symbol, Timestamp


class VenueRefusal(GridtideError):
    """The venue refuses a request, with the exchange's code and text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request to place an order, already parsed and authenticated."""

    account_id: str
    symbol: Symbol
    side: Side
    type: str
    """LIMIT, LIMIT_MAKER or MARKET for now; text, so that further types can come."""
    amount: Decimal | None
    quote_amount: Decimal | None = None
    """For MARKET orders sized in quote."""
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str = ""
    """Empty: the venue derives one."""
    self_trade_prevention: str = ""


@dataclass(frozen=True, slots=True)
class VenueOrder:
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
    working_at: Timestamp
    self_trade_prevention: str = "EXPIRE_MAKER"
    expiry_reason: str = ""


@dataclass(frozen=True, slots=True)
class VenueFill:
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


class BookLevel(NamedTuple):
    """One price level; an amount of zero removes it in a diff."""

    price: Decimal
    amount: Decimal


# --- what comes out ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order of an account changed; `execution_type` is the exchange's word (NEW, TRADE, CANCELED, EXPIRED …)."""

    order: VenueOrder
    execution_type: str
    execution_id: int
    fill: VenueFill | None = None
    reject_reason: str = "NONE"


@dataclass(frozen=True, slots=True)
class BalancesChanged:
    """Balances of the assets that may have changed, after an action."""

    account_id: str
    balances: tuple[tuple[Asset, Balance], ...]
    timestamp: Timestamp


@dataclass(frozen=True, slots=True)
class TradePrinted:
    """A public trade."""

    trade: MarketTrade
    buyer_is_maker: bool
    buyer_order_id: int = 0
    seller_order_id: int = 0


@dataclass(frozen=True, slots=True)
class BookChanged:
    """The book changed: absolute amounts of the changed levels. Update ids of one symbol have no gaps."""

    symbol: Symbol
    first_update_id: int
    last_update_id: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    best_bid: BookLevel | None
    best_ask: BookLevel | None
    timestamp: Timestamp


VenueEvent = OrderChanged | BalancesChanged | TradePrinted | BookChanged


@dataclass(frozen=True, slots=True)
class Placement:
    """The answer to an order: its state after matching, its own fills, and everything that happened."""

    order: VenueOrder
    fills: tuple[VenueFill, ...]
    events: tuple[VenueEvent, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The answer to a cancel."""

    order: VenueOrder
    events: tuple[VenueEvent, ...]


@dataclass(frozen=True, slots=True)
class BookView:
    """The book to some depth, best first, with the update id it stands at."""

    symbol: Symbol
    last_update_id: int
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]


# --- what the market does ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PriceMoved:
    """The market walks from where it is to `price`, visiting every price between, and trades `volume` base on
    the way (design.md 6, "Candles as a market")."""

    price: Decimal
    volume: Decimal
    market_time: Timestamp
    taker: Side | None = None
    """The taker's side where known (market trades); else the direction of the move."""
