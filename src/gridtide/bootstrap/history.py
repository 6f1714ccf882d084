"""Everything the exchange has of one bot, read so that it fits together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gridtide.bootstrap.own_orders import OrderIds, OwnOrder
from gridtide.domain.errors import Transient
from gridtide.engine.replay import Records

if TYPE_CHECKING:
    from gridtide.ports.exchange import RecordedExchange
    from gridtide.storage.sql_journal import BotIdentity

ROUNDS = 8
_PAUSE_SECONDS = 0.5
SAFE_AGE_MS = 600_000


async def read_own_orders(
    exchange: RecordedExchange, bot: BotIdentity, newest_stored: int
) -> tuple[OwnOrder, ...]:
    """All orders of all generations of the bot, in the order they were placed."""
    ids = OrderIds.of(bot, newest_stored)
    return tuple(ids.own(await exchange.orders(bot.symbol, 0)))


async def read_records(exchange: RecordedExchange, bot: BotIdentity, generation: int) -> Records:
    """Orders, fills and balances of one generation, from reads between which nothing of it happened.

    Raises `Transient` where they do not come to rest, or where fills of an order are missing.
    """
    reason = ""
    for _ in range(ROUNDS):
        before = await exchange.fills(bot.symbol, 0)
        own = await read_own_orders(exchange, bot, generation)
        balances = await exchange.balances()
        account = await exchange.fills(bot.symbol, 0)
        updates = tuple(order.update for order in own if order.generation == generation)
        order_ids = {update.order_id for update in updates}
        old = exchange.now() - SAFE_AGE_MS
        records = Records(
            orders=updates,
            fills=tuple(fill for fill in account if fill.order_id in order_ids),
            balances=balances,
            newest_trade_id=max((fill.trade_id for fill in account), default=0),
            safe_trade_id=max((fill.trade_id for fill in account if fill.timestamp <= old), default=0),
        )
        short = records.shortfalls()
        if before == account and not short:
            return records
        reason = f" ({short[0]})" if short else ""
        await asyncio.sleep(_PAUSE_SECONDS)
    raise Transient(
        f"the exchange's records do not fit together yet{reason}: nothing was written; try again in a minute"
    )
