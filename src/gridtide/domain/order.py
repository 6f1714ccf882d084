"""Orders as a strategy wishes them and as an exchange shows them: sides, types, statuses, slots, intents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import Amount, Money, Price, notional

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol, Timestamp

_SLOT_NAME = re.compile(r"[0-9A-Z]{3}")


class Side(StrEnum):
    """Which way the base asset moves."""

    __hash__ = str.__hash__  # an enum's own is a call of Python for each look into a table

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order meets the book."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    """A limit order that is refused rather than take (post-only)."""
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long an order may rest."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """What the exchange says of an order. `UNRECOGNISED` stands for any word we do not know (F22)."""

    __hash__ = str.__hash__  # an enum's own is a call of Python for each look into a table

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    UNRECOGNISED = "UNRECOGNISED"

    is_final: bool
    """Whether the order can no longer execute. An unknown word counts as final: nothing rests on it."""
    rank: int
    """NEW < PARTIALLY_FILLED < final: a status of lower rank than one already seen is a stale read (T13)."""

    @classmethod
    def parse(cls, text: str) -> OrderStatus:
        """The status by its word; `UNRECOGNISED` for any other (F22)."""
        try:
            return cls(text)
        except ValueError:
            return cls.UNRECOGNISED


_OPEN_STATUSES = frozenset(
    {
        OrderStatus.PENDING_NEW,
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_CANCEL,
    }
)
for _status in OrderStatus:  # worked out once: each sighting of an order asks
    _status.is_final = _status not in _OPEN_STATUSES
    _status.rank = 2 if _status.is_final else int(_status is OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """The name of one order a strategy may want: for a grid, level and side. At most one live order a slot."""

    name: str
    """Three characters, digits or capitals: a grid uses the level's number, ``041``."""
    side: Side
    key: str = field(init=False, repr=False, compare=False)
    """The slot as it stands in client order ids, lot owners and the database: ``041B``."""

    def __post_init__(self) -> None:
        if _SLOT_NAME.fullmatch(self.name) is None:
            raise InvalidValue(f"slot name {self.name!r} is not three digits or capital letters")
        object.__setattr__(self, "key", f"{self.name}{self.side.value[0]}")

    @staticmethod
    def parse(key: str) -> Slot:
        """The slot of a `key`; raises `InvalidValue` for anything else."""
        return _parse_slot(key)

    @staticmethod
    def level(index: int, side: Side) -> Slot:
        """The slot of grid level `index` (0 to 999)."""
        return _level_slot(index, side)

    def __str__(self) -> str:
        return self.key


@lru_cache(maxsize=4096)
def _parse_slot(key: str) -> Slot:
    if len(key) != 4 or key[3] not in "BS":
        raise InvalidValue(f"{key!r} is not a slot key")
    return Slot(key[:3], Side.BUY if key[3] == "B" else Side.SELL)


@lru_cache(maxsize=4096)
def _level_slot(index: int, side: Side) -> Slot:
    if not 0 <= index <= 999:
        raise InvalidValue(f"level {index} is outside 0 to 999")
    return Slot(f"{index:03d}", side)


class OrderIntent(NamedTuple):
    """One wish to have one order. `price` is None for market orders only."""

    slot: Slot
    symbol: Symbol
    type: OrderType
    price: Price | None
    amount: Amount
    time_in_force: TimeInForce = TimeInForce.GTC
    emergency: bool = False
    """Set by operator commands and risk exits: may reduce where a strategy may not act."""

    @property
    def side(self) -> Side:
        return self.slot.side

    def value(self, market_price: Decimal | None = None) -> Money:
        """Quote value at the limit price, or at `market_price` for a market order."""
        price = self.price if self.price is not None else market_price
        if price is None:
            raise InvalidValue("a market order has no value without a market price")
        return notional(price, self.amount)


class OrderUpdate(NamedTuple):
    """What the exchange showed of one order at one moment: reply, stream event, query or open-orders row.

    Cumulative fields only ever grow; an update that is behind what is known changes nothing (T13).
    """

    symbol: Symbol
    client_order_id: str
    order_id: str
    side: Side
    type: str
    """The exchange's own word; kept as text because it may be one we never send."""
    price: Decimal
    amount: Decimal
    status: OrderStatus
    executed_amount: Decimal
    executed_quote: Decimal
    """Negative where the exchange says "not available" (I3)."""
    timestamp: Timestamp
    expiry_reason: str = ""
    status_text: str = ""
    """The exchange's word for the status, for the alarm of F22."""
