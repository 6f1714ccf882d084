"""The tables of a backtest's result: fills, round trips, levels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from gridtide.domain.money import EXACT, ZERO
from gridtide.engine.order_ids import slot_in
from gridtide.reports.table import Table

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.ledger import LotClosing
    from gridtide.runners.backtest_record import LaneRecord

NO_LEVEL = -1
"""The level of orders that belong to none, such as the initial purchase."""


def fills_table(record: LaneRecord) -> Table:
    """Every fill in its order; `quote` and `base` are what the bot held after its step."""
    fills = [each.fill for each in record.fills]
    return Table(
        "fills",
        {
            "time": [fill.timestamp for fill in fills],
            "side": [str(fill.side) for fill in fills],
            "level": [_level(fill.client_order_id) for fill in fills],
            "price": [fill.price for fill in fills],
            "amount": [fill.amount for fill in fills],
            "quote_amount": [fill.quote_amount for fill in fills],
            "fee": [fill.fee.amount for fill in fills],
            "fee_asset": [fill.fee.asset for fill in fills],
            "is_maker": [fill.is_maker for fill in fills],
            "profit": [each.profit for each in record.fills],
            "quote": [each.quote for each in record.fills],
            "base": [each.base for each in record.fills],
            "trade_id": [fill.trade_id for fill in fills],
            "order_id": [fill.order_id for fill in fills],
        },
    )


def round_trips_table(record: LaneRecord) -> Table:
    """A row for each order that sold: what the lots it closed had cost, when the oldest of them was bought, and what
    the sale brought, net of fees."""
    orders = {_entry_of(each.fill): each.fill for each in record.fills}
    trips: dict[str, list[LotClosing]] = {}
    for closing in record.closings:
        trips.setdefault(orders[closing.fill_key].order_id, []).append(closing)
    rows = list(trips.values())
    with localcontext(EXACT):
        costs = [sum((closing.cost for closing in row), ZERO) for row in rows]
        proceeds = [sum((closing.proceeds for closing in row), ZERO) for row in rows]
        return Table(
            "round trips",
            {
                "opened_at": [min(closing.opened_at for closing in row) for row in rows],
                "closed_at": [row[-1].closed_at for row in rows],
                "level": [_level(orders[row[0].fill_key].client_order_id) for row in rows],
                "amount": [sum((closing.amount for closing in row), ZERO) for row in rows],
                "cost": costs,
                "proceeds": proceeds,
                "profit": [brought - cost for brought, cost in zip(proceeds, costs, strict=True)],
            },
        )


def _entry_of(fill: Fill) -> str:
    """How the books name the booking of a fill."""
    return f"fill:{fill.symbol}:{fill.trade_id}:{fill.order_id}"


def level_table(fills: Table, round_trips: Table, levels: Sequence[Decimal]) -> Table:
    """What each level of a grid took part in; profit belongs to the level that sold."""
    executed, closed = Counter(fills["level"]), Counter(round_trips["level"])
    profits: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    with localcontext(EXACT):
        for level, profit in zip(round_trips["level"], round_trips["profit"], strict=True):
            profits[level] += profit
    rows = range(len(levels))
    return Table(
        "levels",
        {
            "level": list(rows),
            "price": list(levels),
            "fills": [executed[row] for row in rows],
            "round_trips": [closed[row] for row in rows],
            "profit": [profits[row] for row in rows],
        },
    )


def _level(client_order_id: str) -> int:
    name = slot_in(client_order_id)[:-1]
    return int(name) if name.isdigit() else NO_LEVEL
