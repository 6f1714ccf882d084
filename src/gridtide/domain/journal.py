"""Journal entries: what one step of the engine writes, in one transaction, before anything leaves.

Entries put whole rows, so applying one twice changes nothing, and replaying all of them rebuilds the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gridtide.domain.ledger import LedgerState

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.ledger import LedgerChange
    from gridtide.domain.lifecycle import IntentState
    from gridtide.domain.market import Asset, Symbol, Timestamp
    from gridtide.domain.order import OrderType, Side, TimeInForce


class BotState(StrEnum):
    """What the bot as a whole is doing."""

    STARTING = "STARTING"
    RECONCILING = "RECONCILING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FENCED = "FENCED"
    STORAGE_FAILED = "STORAGE_FAILED"


class PauseReason(StrEnum):
    """Why a bot is paused. `risk` and `integrity` need a person to resume."""

    NONE = ""
    RISK = "risk"
    INTEGRITY = "integrity"
    AUTH = "auth"
    CLOCK = "clock"
    MARKET = "market"
    RATE = "rate"
    EXCHANGE = "exchange"
    OPERATOR = "operator"
    STRATEGY = "strategy"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One intent and what became of it; `client_order_id` is its key."""

    client_order_id: str
    slot: str
    cycle: int
    attempt: int
    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: Decimal | None
    amount: Decimal
    state: IntentState
    reserved_asset: Asset
    reserved_amount: Decimal
    created_at: Timestamp
    updated_at: Timestamp
    tx_count: int = 0
    signed_at: Timestamp | None = None
    cancel_at: Timestamp | None = None
    order_id: str = ""
    status: str = ""
    executed_amount: Decimal = Decimal(0)
    executed_quote: Decimal = Decimal(0)
    filled_amount: Decimal = Decimal(0)
    """Sum of the fills booked for it (I3)."""
    filled_quote: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    """Net of fees: base of a buy, quote of a sell."""
    cancel_requested: bool = False
    """We decided to end it, whether or not a cancel has left."""
    reason: str = ""
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot's counters and, where it has no order on purpose, why."""

    slot: str
    cycle: int
    attempt: int
    parked_reason: str = ""
    parked_detail: str = ""
    retry_at: Timestamp | None = None
    wish_price: Decimal | None = None
    wish_amount: Decimal | None = None
    wish_type: str = ""
    wish_time_in_force: str = ""
    held: bool = False
    """Somebody else cancelled its order: nothing is placed until a person resumes (F21)."""


@dataclass(frozen=True, slots=True)
class OrderPut:
    row: OrderRow


@dataclass(frozen=True, slots=True)
class SlotPut:
    row: SlotRow


@dataclass(frozen=True, slots=True)
class FillAdded:
    """A fill that was not booked before; the store's unique key refuses a second one (I4)."""

    fill: Fill
    source: str
    """``stream``, ``reply`` or ``records``."""


@dataclass(frozen=True, slots=True)
class FillCorrected:
    """A fill that is booked, as the trade records have it: they win over what an event or a reply had told."""

    fill: Fill


@dataclass(frozen=True, slots=True)
class ForeignFillSeen:
    """An execution on the account that is not ours: recorded, not posted."""

    fill: Fill


@dataclass(frozen=True, slots=True)
class LedgerBooked:
    change: LedgerChange


@dataclass(frozen=True, slots=True)
class StrategyStatePut:
    """Parts of the strategy's own state that changed: JSON-compatible. Parts not named stay as they were, so that
    what never changes (a plan) is not written again with each fill."""

    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BotStatePut:
    state: BotState
    reason: PauseReason = PauseReason.NONE
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CursorPut:
    """`applied`: newest trade id applied; `safe`: newest own fill old enough that none before it can be missing."""

    applied: int
    safe: int


@dataclass(frozen=True, slots=True)
class BaselinePut:
    """The account's totals that the bot's own postings do not explain, by asset (I6)."""

    baseline: Mapping[Asset, Decimal]


@dataclass(frozen=True, slots=True)
class BalancesSeen:
    """A balance snapshot of the account."""

    balances: Mapping[Asset, Balance]


@dataclass(frozen=True, slots=True)
class NoticeAdded:
    """Something the owner should know."""

    level: str
    """``info``, ``warning`` or ``alarm``."""
    kind: str
    """A constant such as ``order.parked``."""
    text: str


JournalEntry = (
    OrderPut
    | SlotPut
    | FillAdded
    | FillCorrected
    | ForeignFillSeen
    | LedgerBooked
    | StrategyStatePut
    | BotStatePut
    | CursorPut
    | BaselinePut
    | BalancesSeen
    | NoticeAdded
)


@dataclass(frozen=True, slots=True)
class BotSnapshot:
    """What the journal gives back after a restart: enough to continue, not the whole history."""

    generation: int
    """Goes up with each start that is not a resume; part of every client order id."""
    state: BotState = BotState.STARTING
    pause_reason: PauseReason = PauseReason.NONE
    pause_detail: str = ""
    orders: tuple[OrderRow, ...] = ()
    """Orders in live states and zombies."""
    slots: tuple[SlotRow, ...] = ()
    ledger: LedgerState = field(default_factory=LedgerState)
    strategy_state: Mapping[str, Any] | None = None
    recent_orders: tuple[OrderRow, ...] = ()
    """Terminal orders with a fill at or after the safe cursor: late trade records are recognised by them."""
    fills: tuple[Fill, ...] = ()
    """Those booked for `orders` and `recent_orders`, by key."""
    cursor: CursorPut = CursorPut(0, 0)
    baseline: Mapping[Asset, Decimal] = field(default_factory=dict)
    fill_count: int = 0
    recent_executions: tuple[tuple[Timestamp, int], ...] = ()
    """Time and trade id of own and foreign executions from the safe cursor on: the cursor goes on from them."""
    foreign_fills: frozenset[FillKey] = frozenset()
    """Keys of the foreign executions from the safe cursor on, which the baseline has in it."""
    is_resume: bool = False
