"""Journal entries as JSON and back, exact to the last digit; what cannot come back as it was is refused.

A payload names its version. New fields with defaults keep the version; anything else raises it. Fields that were left
at their defaults are not written, and the lines of one booking share what they have in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson

from gridtide.domain.balance import Balance
from gridtide.domain.errors import Defect, StorageFailed
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import (
    BalancesSeen,
    BaselinePut,
    BotState,
    BotStatePut,
    CursorPut,
    FillAdded,
    FillCorrected,
    ForeignFillSeen,
    JournalEntry,
    LedgerBooked,
    NoticeAdded,
    OrderPut,
    OrderRow,
    PauseReason,
    SlotPut,
    SlotRow,
    StrategyStatePut,
)
from gridtide.domain.ledger import (
    Account,
    AccountBalance,
    LedgerChange,
    LedgerTotals,
    Lot,
    LotClosing,
    Posting,
)
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.money import parse_decimal
from gridtide.domain.order import OrderType, Side, TimeInForce

VERSION = 2
_READABLE = (1, VERSION)
"""Version 1 wrote each posting with its entry and time."""

_Decoder = Callable[[Any], Any]


def encode(entry: JournalEntry) -> tuple[str, str]:
    """Kind and payload of `entry`; raises `Defect` for a value that JSON would change, such as NaN."""
    try:
        payload = orjson.dumps({"version": VERSION, "entry": _body(entry)}, default=_exact)
    except TypeError as error:  # orjson's own errors are TypeErrors
        raise Defect(f"a {type(entry).__name__} cannot be stored: {error.__cause__ or error}") from error
    return _KINDS[type(entry)], payload.decode()


def _body(entry: JournalEntry) -> object:
    match entry:
        case StrategyStatePut(state):
            return {"state": _plain(state)}
        case OrderPut(order):
            return {"row": _sparse(order)}
        case SlotPut(slot):
            return {"row": _sparse(slot)}
        case LedgerBooked(change):
            return {"change": _ledger_body(change)}
        case BalancesSeen(balances):
            return {"balances": {asset: balance._asdict() for asset, balance in balances.items()}}
        case _:
            return entry


_DEFAULTS = {cls: tuple((field.name, field.default) for field in fields(cls)) for cls in (OrderRow, SlotRow)}


def _sparse(row: OrderRow | SlotRow) -> dict[str, object]:
    """The fields that are not the very defaults: an equal decimal with other digits is written."""
    written = ((name, getattr(row, name), default) for name, default in _DEFAULTS[type(row)])
    return {name: value for name, value, default in written if value is not default}


def _ledger_body(change: LedgerChange) -> dict[str, object]:
    """Postings as [entry, time, [[account, asset, amount], …]], one for each entry."""
    entries = groupby(change.postings, key=attrgetter("entry_id", "timestamp"))
    return {
        "postings": [
            [*entry, [[line.account, line.asset, line.amount] for line in lines]] for entry, lines in entries
        ],
        "balances": [item._asdict() for item in change.balances],
        "lots": [lot._asdict() for lot in change.lots],
        "closings": [closing._asdict() for closing in change.closings],
        "totals": change.totals._asdict(),
    }


def encode_part(value: Any) -> str:
    """One part of a strategy's state as JSON; raises `Defect` for a value that JSON would change."""
    try:
        return orjson.dumps(_plain(value)).decode()
    except TypeError as error:
        raise Defect(f"a strategy's state cannot be stored: {error}") from error


def decode_part(payload: str) -> Any:
    """The part as it was stored."""
    return orjson.loads(payload)


def decode(kind: str, payload: str) -> JournalEntry:
    """The entry as it was; raises `StorageFailed` for a kind, version or value this program does not know."""
    try:
        document = orjson.loads(payload)
        if document["version"] not in _READABLE:
            raise ValueError(f"version {document['version']}")
        entry: JournalEntry = _ENTRIES[kind](document["entry"])
        return entry
    except (KeyError, TypeError, ValueError) as error:
        raise StorageFailed(
            f"a journal entry of the kind {kind} cannot be read ({error!r}): it was left as it is; use the version "
            "of gridtide that wrote it"
        ) from error


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} has no exact form in JSON")


_SCALARS = frozenset({str, int, bool, type(None)})


def _plain(value: Any) -> Any:
    """A strategy's state as plain JSON values, so that what is loaded equals what was stored.

    Written for speed: it sees the whole state at each fill.
    """
    kind = type(value)
    if kind in _SCALARS or (kind is float and math.isfinite(value)):
        return value
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_name(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):  # a member of a StrEnum
        return str(value)
    raise Defect(f"a strategy's state holds {value!r}, which is not JSON: write decimals as text")


def _name(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise Defect(f"a strategy's state has the key {key!r}: JSON knows texts only")


# --- decoding: which class, and which fields need more than JSON gives -------------------------------


def _record(cls: type[Any], **fields: _Decoder) -> _Decoder:
    """A decoder of `cls`: `fields` convert, all others are taken as they are."""

    def decode_record(data: Any) -> Any:
        return cls(**{name: fields[name](value) if name in fields else value for name, value in data.items()})

    return decode_record


def _optional(inner: _Decoder) -> _Decoder:
    return lambda value: None if value is None else inner(value)


def _tuple(inner: _Decoder) -> _Decoder:
    return lambda values: tuple(inner(value) for value in values)


def _mapping(inner: _Decoder) -> _Decoder:
    return lambda values: {key: inner(value) for key, value in values.items()}


_money = parse_decimal

_ORDER = _record(
    OrderRow,
    side=Side,
    type=OrderType,
    time_in_force=TimeInForce,
    price=_optional(_money),
    amount=_money,
    state=IntentState,
    reserved_amount=_money,
    executed_amount=_money,
    executed_quote=_money,
    filled_amount=_money,
    filled_quote=_money,
    received=_money,
)
_SLOT = _record(SlotRow, wish_price=_optional(_money), wish_amount=_optional(_money))
_FILL = _record(
    Fill, side=Side, price=_money, amount=_money, quote_amount=_money, fee=_record(Fee, amount=_money)
)
_posting = _record(Posting, account=Account, amount=_money)


def _postings(values: Any) -> tuple[Posting, ...]:
    found: list[Posting] = []
    for value in values:
        if isinstance(value, dict):  # version 1
            found.append(_posting(value))
            continue
        entry_id, timestamp, lines = value
        found += [
            Posting(entry_id, Account(account), asset, _money(amount), timestamp)
            for account, asset, amount in lines
        ]
    return tuple(found)


_LEDGER_CHANGE = _record(
    LedgerChange,
    postings=_postings,
    balances=_tuple(_record(AccountBalance, account=Account, balance=_money)),
    lots=_tuple(_record(Lot, amount=_money, cost=_money)),
    closings=_tuple(_record(LotClosing, amount=_money, cost=_money, proceeds=_money)),
    totals=_record(
        LedgerTotals,
        grid_profit=_money,
        contributed_value=_money,
        fees_value=_money,
        third_book_value=_money,
    ),
)

_KINDS: dict[type[JournalEntry], str] = {
    OrderPut: "order_put",
    SlotPut: "slot_put",
    FillAdded: "fill_added",
    FillCorrected: "fill_corrected",
    ForeignFillSeen: "foreign_fill_seen",
    LedgerBooked: "ledger_booked",
    StrategyStatePut: "strategy_state_put",
    BotStatePut: "bot_state_put",
    CursorPut: "cursor_put",
    BaselinePut: "baseline_put",
    BalancesSeen: "balances_seen",
    NoticeAdded: "notice_added",
}

_ENTRIES: dict[str, _Decoder] = {
    "order_put": _record(OrderPut, row=_ORDER),
    "slot_put": _record(SlotPut, row=_SLOT),
    "fill_added": _record(FillAdded, fill=_FILL),
    "fill_corrected": _record(FillCorrected, fill=_FILL),
    "foreign_fill_seen": _record(ForeignFillSeen, fill=_FILL),
    "ledger_booked": _record(LedgerBooked, change=_LEDGER_CHANGE),
    "strategy_state_put": _record(StrategyStatePut),
    "bot_state_put": _record(BotStatePut, state=BotState, reason=PauseReason),
    "cursor_put": _record(CursorPut),
    "baseline_put": _record(BaselinePut, baseline=_mapping(_money)),
    "balances_seen": _record(BalancesSeen, balances=_mapping(_record(Balance, free=_money, locked=_money))),
    "notice_added": _record(NoticeAdded),
}
