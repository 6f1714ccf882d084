"""Commands: imperatives. What the engine tells its runner to do, and what an operator tells the engine.

`SubmitOrder` can only be built from `Approved`, and only the risk gate builds that.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.domain.market import Asset, Symbol, Timestamp
    from gridtide.domain.order import OrderIntent


@dataclass(frozen=True, slots=True)
class Approved:
    """An intent the risk gate let pass, with the funds it reserves. Only `gridtide.risk.gate` builds one."""

    intent: OrderIntent
    reserved_asset: Asset
    reserved_amount: Decimal
    """What the order can cost at worst, fee included, in `reserved_asset`."""


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """Send this order exactly once, signed with `signed_at` (R3, R11)."""

    approved: Approved
    client_order_id: str
    signed_at: Timestamp
    """Exchange time at which the SENDING row was committed, ms."""


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Send one cancel for an order of ours."""

    symbol: Symbol
    client_order_id: str
    order_id: str
    """Empty where the exchange's id is not known (the cancel probe of T10)."""


@dataclass(frozen=True, slots=True)
class QueryOrder:
    """Ask for one order by our id, or by the exchange's where ours is not known (a fill of an unknown order)."""

    symbol: Symbol
    client_order_id: str
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class ReadFills:
    """Page our trade records from `from_trade_id` (inclusive) to the end."""

    symbol: Symbol
    from_trade_id: int


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Read fills, open orders, each order of `client_order_ids` missing there, balances, and fills again."""

    symbol: Symbol
    from_trade_id: int
    client_order_ids: tuple[str, ...]
    full: bool = True
    """False: without balances (light reconciliation)."""
    asked_at: Timestamp | None = None
    """Exchange time, ms; comes back with the answer, so that rounds which overlap are told apart."""


@dataclass(frozen=True, slots=True)
class RefreshMarket:
    """Read the market's rules and status anew (F42)."""

    symbol: Symbol


Command = SubmitOrder | CancelOrder | QueryOrder | ReadFills | TakeSnapshot | RefreshMarket


class StopPolicy(StrEnum):
    """What a stop does with what rests on the exchange."""

    KEEP = "keep"
    CANCEL = "cancel"
    LIQUIDATE = "liquidate"


@dataclass(frozen=True, slots=True)
class Pause:
    """Operator: place nothing until resumed; fills are still booked."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Operator: go on; also clears holds on slots that somebody cancelled by hand."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Operator: end the bot."""

    policy: StopPolicy = StopPolicy.KEEP


OperatorCommand = Pause | Resume | Stop
