"""What a trader wants to see of a running bot, at one moment: plain values, ready to render or to print as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.ledger import Statement
    from gridtide.domain.market import Asset, Market


@dataclass(frozen=True, slots=True)
class LevelView:
    """One grid price and what stands there."""

    index: int
    price: Decimal
    buy: str = ""
    """State of the buy slot's order (OPEN, PART, SENDING …), ``parked: reason``, or empty."""
    buy_amount: Decimal = Decimal(0)
    sell: str = ""
    sell_amount: Decimal = Decimal(0)
    is_vacant: bool = False


@dataclass(frozen=True, slots=True)
class ParkedView:
    """A slot without an order on purpose."""

    slot: str
    price: Decimal | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """Something the owner should know."""

    timestamp: int
    level: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class BotView:
    """The bot at one moment."""

    name: str
    mode: str
    exchange: str
    run_id: str
    market: Market
    state: str
    """``RUNNING``, ``PAUSED (operator)``, ``OUT_OF_RANGE`` …"""
    state_detail: str
    now: int
    market_time: int | None
    """Time of the played market where it differs from the wall clock, ms."""
    price: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    levels: tuple[LevelView, ...]
    parked: tuple[ParkedView, ...]
    open_orders: int
    in_flight: int
    fills: int
    round_trips: int
    recent_fills: tuple[Fill, ...]
    """Newest last."""
    base_held: Decimal
    quote_held: Decimal
    statement: Statement | None
    fees_by_asset: Mapping[Asset, Decimal] = field(default_factory=dict)
    notices: tuple[NoticeView, ...] = ()
    connected: bool = True
    started_at: int = 0
