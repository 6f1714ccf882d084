"""Which database is too old to trade on: one that lacks an order, not one that lacks an answer (F46, R1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from gridtide.bootstrap.own_orders import look_for_unknown, refuse_older_books
from gridtide.domain.errors import InvalidInput
from gridtide.domain.journal import OrderPut, OrderRow
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Symbol
from gridtide.domain.order import OrderStatus, OrderUpdate, Slot
from gridtide.engine import order_ids
from gridtide.ports.exchange import RecordedExchange
from gridtide.storage.database import open_database
from gridtide.storage.reader import open_reader
from gridtide.storage.sql_journal import open_bot
from tests.storage.builders import BOT, NOW, order, planned

CODE = order_ids.bot_code(BOT.account_id, BOT.symbol, BOT.name, 1)
KNOWN, DOUBTFUL = (order_ids.client_order_id(CODE, Slot.parse(key), 1, 1) for key in ("041B", "042B"))


@dataclass
class Records:
    """An exchange that shows both orders, numbered 7 and 8, from the one that is asked for on."""

    rows: tuple[OrderRow, ...]

    async def orders(self, symbol: Symbol, from_order_id: int | None) -> tuple[OrderUpdate, ...]:
        return tuple(shown for shown in map(_shown, self.rows) if int(shown.order_id) >= (from_order_id or 0))

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]:
        return ()


def _shown(row: OrderRow) -> OrderUpdate:
    return OrderUpdate(
        symbol=row.symbol,
        client_order_id=row.client_order_id,
        order_id={KNOWN: "7", DOUBTFUL: "8"}[row.client_order_id],
        side=row.side,
        type="LIMIT_MAKER",
        price=row.price or Decimal(0),
        amount=row.amount,
        status=OrderStatus.NEW,
        executed_amount=Decimal(0),
        executed_quote=Decimal(0),
        timestamp=NOW,
    )


ASKED = replace(order(DOUBTFUL, "042B", IntentState.UNKNOWN), order_id="", status="")
SENDING = replace(ASKED, state=IntentState.SENDING)


@pytest.mark.parametrize(
    "copied, is_too_old",
    [(SENDING, False), (ASKED, False), (planned(DOUBTFUL, "042B"), True), (None, True)],
    ids=["sending", "unknown", "never sent", "no row"],
)
async def test_a_copy_is_too_old_when_it_lacks_an_order_not_an_answer(
    tmp_path: Path, copied: OrderRow | None, is_too_old: bool
) -> None:
    """F46: a copy made between sending and the answer is what a killed process leaves: it goes on. One made before the
    order was sent is refused, with or without a row of the plan."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    known = replace(order(KNOWN), order_id="7")
    database = open_database(url)
    journal = open_bot(database, BOT, NOW, resume=True)
    journal.commit([OrderPut(row) for row in (known, copied) if row is not None], NOW)
    journal.close()
    database.close()
    exchange = cast("RecordedExchange", Records((known, order(DOUBTFUL, "042B"))))
    with open_reader(url) as reader:
        found = await look_for_unknown(exchange, BOT, reader)
    assert [own.update.client_order_id for own in found.unknown] == [DOUBTFUL] * is_too_old
    if is_too_old:
        with pytest.raises(InvalidInput, match="is older than its orders"):
            refuse_older_books(found, "bot.db", has_books=True)
    else:
        refuse_older_books(found, "bot.db", has_books=True)
