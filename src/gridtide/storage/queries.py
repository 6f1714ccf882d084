"""What the tables hold, as domain values. The journal's `load` and the reader read through here.

Orders come in the order they were first wished for; what has no order of its own is sorted in Python, because text
sorts differently from database to database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row, Select, Table, and_, func, or_, select, text, tuple_

from gridtide.domain.fill import Fee, Fill, FillKey
from gridtide.domain.journal import BotSnapshot, BotState, BotStatePut, CursorPut, OrderRow, SlotRow
from gridtide.domain.ledger import AccountBalance, LedgerState, LedgerTotals, Lot, LotClosing
from gridtide.storage import tables as t
from gridtide.storage.codec import decode_part
from gridtide.storage.projection import value_columns

if TYPE_CHECKING:
    from decimal import Decimal

    from sqlalchemy import Connection

    from gridtide.domain.market import Asset, Symbol, Timestamp

_Value = TypeVar("_Value")

RECENT_ORDERS = 200
"""Orders ended last that a restart remembers: late and lagging messages about them are no surprise (T21, T22)."""
_CHUNK = 500
"""Keys in one IN list, well below every database's limit."""


def _read(
    connection: Connection, table: Table, cls: type[_Value], bot_id: int, *where: Any, order: Any = None
) -> list[_Value]:
    """Rows of `table` as values of `cls`, whose fields bear the names of the columns."""
    names = value_columns(table)
    query = select(*(table.c[name] for name in names)).where(table.c.bot_id == bot_id, *where)
    rows = connection.execute(query if order is None else query.order_by(order))
    return [cls(**dict(zip(names, row, strict=True))) for row in rows]


def _orders(connection: Connection, bot_id: int, *where: Any) -> tuple[OrderRow, ...]:
    return tuple(_read(connection, t.ORDERS, OrderRow, bot_id, *where, order=t.ORDERS.c.opened_seq))


def all_orders(connection: Connection, bot_id: int) -> tuple[OrderRow, ...]:
    """Every order there ever was."""
    return _orders(connection, bot_id)


def live_orders(connection: Connection, bot_id: int) -> tuple[OrderRow, ...]:
    """Orders that occupy their slot."""
    return _orders(connection, bot_id, text(t.LIVE_CONDITION))


def live_orders_and_zombies(connection: Connection, bot_id: int) -> tuple[OrderRow, ...]:
    """Orders that something is still to be done about."""
    return _orders(connection, bot_id, text(f"({t.LIVE_CONDITION} OR {t.ZOMBIE_CONDITION})"))


def recently_ended_orders(
    connection: Connection, bot_id: int, symbol: Symbol, trade_id: int
) -> tuple[OrderRow, ...]:
    """Terminal orders that the exchange may still speak of: with a fill of `trade_id` or newer, or just changed."""
    filled = select(t.FILLS.c.order_id).where(
        t.FILLS.c.bot_id == bot_id, t.FILLS.c.symbol == symbol, t.FILLS.c.trade_id >= trade_id
    )
    newest = select(t.ORDERS.c.client_order_id).where(t.ORDERS.c.bot_id == bot_id)
    newest = newest.order_by(t.ORDERS.c.updated_at.desc()).limit(RECENT_ORDERS)
    by_order_id = and_(
        t.ORDERS.c.symbol == symbol, text(t.KNOWN_AT_EXCHANGE), t.ORDERS.c.order_id.in_(filled)
    )
    found = _orders(connection, bot_id, or_(by_order_id, t.ORDERS.c.client_order_id.in_(newest)))
    return tuple(row for row in found if row.state.is_terminal)


def newest_order_number(connection: Connection, bot_ids: Iterable[int]) -> int:
    """The newest of the exchange's numbers of our orders; 0 where it numbers none."""
    query = select(t.ORDERS.c.order_id).where(
        t.ORDERS.c.bot_id.in_(tuple(bot_ids)), text(t.KNOWN_AT_EXCHANGE)
    )
    return max((int(found) for found in connection.scalars(query) if found.isdigit()), default=0)


def sent_orders(
    connection: Connection, bot_ids: Iterable[int], client_order_ids: Sequence[str]
) -> frozenset[str]:
    """Those of `client_order_ids` that a row says were sent."""
    found: set[str] = set()
    ours = t.ORDERS.c.bot_id.in_(tuple(bot_ids))
    for start in range(0, len(client_order_ids), _CHUNK):
        chunk = t.ORDERS.c.client_order_id.in_(client_order_ids[start : start + _CHUNK])
        query = select(t.ORDERS.c.client_order_id).where(ours, chunk, t.ORDERS.c.tx_count > 0)
        found.update(connection.scalars(query))
    return frozenset(found)


def fills_of(
    connection: Connection, bot_id: int, symbol: Symbol, orders: Iterable[OrderRow]
) -> tuple[Fill, ...]:
    """The fills booked for `orders`, by key."""
    order_ids = [order.order_id for order in orders if order.order_id]
    mine = _fills_of(bot_id).where(t.FILLS.c.symbol == symbol)
    found: list[Fill] = []
    for start in range(0, len(order_ids), _CHUNK):
        rows = connection.execute(mine.where(t.FILLS.c.order_id.in_(order_ids[start : start + _CHUNK])))
        found += [_fill(row) for row in rows]
    return tuple(sorted(found, key=lambda fill: fill.key))


def recent_executions(
    connection: Connection, bot_id: int, symbol: Symbol, trade_id: int
) -> tuple[tuple[Timestamp, int], ...]:
    """Time and id of own and foreign executions from `trade_id` on, by id."""
    found: list[tuple[Timestamp, int]] = []
    for table in (t.FILLS, t.FOREIGN_FILLS):
        rows = connection.execute(
            select(table.c.timestamp, table.c.trade_id).where(
                table.c.bot_id == bot_id, table.c.symbol == symbol, table.c.trade_id >= trade_id
            )
        )
        found += [(row.timestamp, row.trade_id) for row in rows]
    return tuple(sorted(found, key=lambda item: (item[1], item[0])))


def foreign_fill_keys(
    connection: Connection, bot_id: int, symbol: Symbol, trade_id: int
) -> frozenset[FillKey]:
    """Keys of the foreign executions from `trade_id` on."""
    c = t.FOREIGN_FILLS.c
    rows = connection.execute(
        select(c.symbol, c.trade_id, c.order_id).where(
            c.bot_id == bot_id, c.symbol == symbol, c.trade_id >= trade_id
        )
    )
    return frozenset(FillKey(*row) for row in rows)


def fill_count(connection: Connection, bot_id: int) -> int:
    query = select(func.count()).select_from(t.FILLS).where(t.FILLS.c.bot_id == bot_id)
    return connection.scalar(query) or 0


def fills(
    connection: Connection, bot_id: int, *, after: FillKey | None, limit: int
) -> tuple[tuple[Fill, str], ...]:
    """A page of fills with their sources, by trade id, behind the key `after`."""
    key = tuple_(t.FILLS.c.symbol, t.FILLS.c.trade_id, t.FILLS.c.order_id)
    query = _fills_of(bot_id).order_by(*key.clauses).limit(limit)
    rows = connection.execute(query if after is None else query.where(key > tuple(after)))
    return tuple((_fill(row), row.source) for row in rows)


def newest_fills(connection: Connection, bot_id: int, limit: int) -> tuple[Fill, ...]:
    """The newest fills by trade id, newest last."""
    newest = t.FILLS.c.symbol.desc(), t.FILLS.c.trade_id.desc(), t.FILLS.c.order_id.desc()
    rows = connection.execute(_fills_of(bot_id).order_by(*newest).limit(limit)).all()
    return tuple(_fill(row) for row in reversed(rows))


def _fills_of(bot_id: int) -> Select[Any]:
    return select(t.FILLS).where(t.FILLS.c.bot_id == bot_id)


def _fill(row: Row[Any]) -> Fill:
    return Fill(
        symbol=row.symbol,
        trade_id=row.trade_id,
        order_id=row.order_id,
        side=row.side,
        price=row.price,
        amount=row.amount,
        quote_amount=row.quote_amount,
        fee=Fee(row.fee_amount, row.fee_asset),
        is_maker=row.is_maker,
        timestamp=row.timestamp,
        client_order_id=row.client_order_id,
    )


def order_slots(connection: Connection, bot_id: int) -> dict[str, str]:
    """The slot of each order that the exchange numbered, by that number."""
    query = select(t.ORDERS.c.order_id, t.ORDERS.c.slot)
    rows = connection.execute(query.where(t.ORDERS.c.bot_id == bot_id, text(t.KNOWN_AT_EXCHANGE)))
    return {row.order_id: row.slot for row in rows}


def lot_closings(connection: Connection, bot_id: int) -> tuple[LotClosing, ...]:
    """Every part of a lot that a sell closed, in the order of the closings."""
    return tuple(_read(connection, t.LOT_CLOSINGS, LotClosing, bot_id, order=t.LOT_CLOSINGS.c.closing_id))


def slots(connection: Connection, bot_id: int) -> tuple[SlotRow, ...]:
    """All slots, by key."""
    return tuple(sorted(_read(connection, t.SLOTS, SlotRow, bot_id), key=lambda row: row.slot))


def ledger_state(connection: Connection, bot_id: int) -> LedgerState:
    """The books: balances by account and asset, open lots by id."""
    balances = _read(connection, t.LEDGER_BALANCES, AccountBalance, bot_id)
    totals = _read(connection, t.LEDGER_TOTALS, LedgerTotals, bot_id)
    return LedgerState(
        tuple(sorted(balances, key=lambda item: (item.account, item.asset))),
        tuple(_read(connection, t.LOTS, Lot, bot_id, order=t.LOTS.c.lot_id)),
        totals[0] if totals else LedgerTotals(),
    )


def strategy_state(connection: Connection, bot_id: int) -> Mapping[str, Any] | None:
    """All parts of a strategy's state; None for a strategy that never started."""
    rows = connection.execute(
        select(t.STRATEGY_STATES.c.part, t.STRATEGY_STATES.c.payload).where(
            t.STRATEGY_STATES.c.bot_id == bot_id
        )
    )
    return {row.part: decode_part(row.payload) for row in rows} or None


def bot_state(connection: Connection, bot_id: int) -> BotStatePut | None:
    found = _read(connection, t.BOT_STATES, BotStatePut, bot_id)
    return found[0] if found else None


def cursor(connection: Connection, bot_id: int) -> CursorPut:
    found = _read(connection, t.CURSORS, CursorPut, bot_id)
    return found[0] if found else CursorPut(0, 0)


def baseline(connection: Connection, bot_id: int) -> dict[Asset, Decimal]:
    rows = connection.execute(
        select(t.BASELINES.c.asset, t.BASELINES.c.amount).where(t.BASELINES.c.bot_id == bot_id)
    )
    return dict(sorted((row.asset, row.amount) for row in rows))


def snapshot(
    connection: Connection, bot_id: int, symbol: Symbol, generation: int, *, is_resume: bool
) -> BotSnapshot:
    """What an engine continues from."""
    state = bot_state(connection, bot_id) or BotStatePut(BotState.STARTING)
    at = cursor(connection, bot_id)
    orders = live_orders_and_zombies(connection, bot_id)
    recent = recently_ended_orders(connection, bot_id, symbol, at.safe)
    return BotSnapshot(
        generation=generation,
        state=state.state,
        pause_reason=state.reason,
        pause_detail=state.detail,
        orders=orders,
        slots=slots(connection, bot_id),
        ledger=ledger_state(connection, bot_id),
        strategy_state=strategy_state(connection, bot_id),
        recent_orders=recent,
        fills=fills_of(connection, bot_id, symbol, (*orders, *recent)),
        cursor=at,
        baseline=baseline(connection, bot_id),
        fill_count=fill_count(connection, bot_id),
        recent_executions=recent_executions(connection, bot_id, symbol, at.safe),
        foreign_fills=foreign_fill_keys(connection, bot_id, symbol, at.safe),
        is_resume=is_resume,
    )


def last_seq(connection: Connection, bot_id: int) -> int:
    """Number of the newest journal entry; 0 where there is none."""
    return connection.scalar(select(func.max(t.JOURNAL.c.seq)).where(t.JOURNAL.c.bot_id == bot_id)) or 0
