"""Events: past participles. What happened outside, as the engine is told; each arrives with its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.candle import Candle
    from gridtide.domain.commands import OperatorCommand
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import PauseReason
    from gridtide.domain.market import Asset, Market, Symbol, Timestamp, TopOfBook
    from gridtide.domain.order import OrderUpdate


class RefusalReason(StrEnum):
    """Why an order certainly did not enter the book, sorted by what follows from it."""

    WOULD_TAKE = "would_take"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    PRICE_BAND = "price_band"
    MARKET_RULE = "market_rule"
    MARKET_CLOSED = "market_closed"
    MAX_OPEN_ORDERS = "max_open_orders"
    RATE_LIMIT = "rate_limit"
    CLOCK = "clock"
    NOT_PERMITTED = "not_permitted"
    OTHER = "other"


# --- market ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BookUpdated:
    """Best bid and ask, or the last price, changed."""

    symbol: Symbol
    book: TopOfBook


@dataclass(frozen=True, slots=True)
class CandleClosed:
    """A candle of a subscribed timeframe is complete."""

    symbol: Symbol
    timeframe: str
    candle: Candle


@dataclass(frozen=True, slots=True)
class AssetPriced:
    """A third asset's price in quote (a fee asset such as BNB)."""

    asset: Asset
    price: Decimal


@dataclass(frozen=True, slots=True)
class MarketChanged:
    """The exchange's rules or status of our market, read anew."""

    market: Market


# --- answers to commands -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The exchange took the order: its reply echoed our id and carried its own (R4)."""

    update: OrderUpdate
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """The exchange proved by its answer that there is no such order (R5)."""

    client_order_id: str
    reason: RefusalReason
    message: str
    retry_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class OrderUnconfirmed:
    """Anything that proves neither acceptance nor refusal (T8)."""

    client_order_id: str
    message: str


@dataclass(frozen=True, slots=True)
class OrderNotSent:
    """Our own side gave up before the transport was called (T4)."""

    client_order_id: str
    message: str


@dataclass(frozen=True, slots=True)
class OrderFound:
    """An order query answered with the order."""

    update: OrderUpdate


@dataclass(frozen=True, slots=True)
class OrderNotFound:
    """An order query answered, successfully, that there is no such order."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class CancelAccepted:
    """The matching engine ended the order."""

    update: OrderUpdate


@dataclass(frozen=True, slots=True)
class CancelFoundNothing:
    """-2011 "Unknown order sent.": not open now, and nothing more than that (T17)."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class CancelUnconfirmed:
    """The cancel's outcome is unknown (T18)."""

    client_order_id: str
    message: str


@dataclass(frozen=True, slots=True)
class FillsRead:
    """Our trade records from the asked id to the end, ascending."""

    symbol: Symbol
    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """One consistent round of reads (order-safety, reconciliation step 3)."""

    symbol: Symbol
    fills: tuple[Fill, ...]
    open_orders: tuple[OrderUpdate, ...]
    queried: tuple[OrderUpdate, ...]
    """Answers for local live intents that were missing among the open orders."""
    not_found: tuple[str, ...]
    """Client order ids that a successful query did not know."""
    balances: Mapping[Asset, Balance] | None
    """None in a light round."""
    stable: bool = True
    """False where reads kept changing under us for five rounds."""
    asked_at: Timestamp | None = None
    """As the command had it: whatever happened to an order since then, the reads may not show."""


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A read (query, fills, snapshot) failed; an error is not an observation (R7)."""

    what: str
    """``query``, ``fills``, ``snapshot`` or ``market``."""
    message: str
    client_order_id: str = ""
    not_permitted: bool = False
    """The key or its rights are wrong: waiting does not help (F52)."""


# --- stream ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderUpdated:
    """A user-stream event on an order, with the execution it reports, if any."""

    update: OrderUpdate
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class BalancesUpdated:
    """A user-stream event on balances: free and locked of the assets that may have changed."""

    balances: Mapping[Asset, Balance]


@dataclass(frozen=True, slots=True)
class FundsMoved:
    """A deposit, withdrawal or transfer on the account, from the user stream."""

    asset: Asset
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StreamInterrupted:
    """Events may have been lost: reconcile."""

    reason: str


@dataclass(frozen=True, slots=True)
class StreamRestored:
    """The user stream delivers again."""


# --- runner ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The process runs, its lease is held, the streams are connected."""

    balances: Mapping[Asset, Balance]
    newest_trade_id: int = 0
    """Newest execution of the account on the market; a fresh bot reads its fills from behind it."""


@dataclass(frozen=True, slots=True)
class TroubleFound:
    """A watchdog of the process found what forbids orders: the bot pauses until `TroubleOver`."""

    reason: PauseReason
    detail: str


@dataclass(frozen=True, slots=True)
class TroubleOver:
    """What a watchdog had found is over."""

    reason: PauseReason


@dataclass(frozen=True, slots=True)
class SendWindowOpened:
    """The sender can transmit up to `capacity` orders now (rate budget, connections)."""

    capacity: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The moment the engine asked for has come."""


@dataclass(frozen=True, slots=True)
class OperatorCommanded:
    """A person or a risk exit spoke."""

    command: OperatorCommand


Event = (
    BookUpdated
    | CandleClosed
    | AssetPriced
    | MarketChanged
    | OrderAccepted
    | OrderRefused
    | OrderUnconfirmed
    | OrderNotSent
    | OrderFound
    | OrderNotFound
    | CancelAccepted
    | CancelFoundNothing
    | CancelUnconfirmed
    | FillsRead
    | SnapshotTaken
    | ReadFailed
    | OrderUpdated
    | BalancesUpdated
    | FundsMoved
    | StreamInterrupted
    | StreamRestored
    | RunStarted
    | SendWindowOpened
    | TroubleFound
    | TroubleOver
    | TimerFired
    | OperatorCommanded
)

SubmitReply = OrderAccepted | OrderRefused | OrderUnconfirmed | OrderNotSent
CancelReply = CancelAccepted | CancelFoundNothing | CancelUnconfirmed
QueryReply = OrderFound | OrderNotFound | ReadFailed
StreamEvent = (
    BookUpdated
    | CandleClosed
    | OrderUpdated
    | BalancesUpdated
    | FundsMoved
    | StreamInterrupted
    | StreamRestored
)
