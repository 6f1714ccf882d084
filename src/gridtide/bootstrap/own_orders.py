"""Which orders of an account are a bot's own, read from their ids alone; and whether its books know them all.

An order leaves only after its row is durable (R1). So one of ours without a row proves that the database is older than
the orders, or not the right one (F46).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.engine import order_ids

if TYPE_CHECKING:
    from gridtide.domain.order import OrderUpdate, Slot
    from gridtide.ports.exchange import RecordedExchange
    from gridtide.storage.reader import Reader, StoredBot
    from gridtide.storage.sql_journal import BotIdentity

GENERATIONS_AHEAD = 1_000
"""How many generations beyond the newest stored one are recognised."""


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order of the bot at the exchange."""

    generation: int
    slot: Slot
    update: OrderUpdate


@dataclass(frozen=True, slots=True)
class OrderIds:
    """Reads the ids of one bot, whatever its generation."""

    generations: dict[str, int]
    """By the code in the id."""

    @classmethod
    def of(cls, bot: BotIdentity, newest_stored: int) -> OrderIds:
        return cls(
            {
                order_ids.bot_code(bot.account_id, bot.symbol, bot.name, generation): generation
                for generation in range(1, newest_stored + GENERATIONS_AHEAD + 1)
            }
        )

    def own(self, updates: Iterable[OrderUpdate]) -> Iterator[OwnOrder]:
        """Those of `updates` that are the bot's, in the same order."""
        for update in updates:
            decoded = order_ids.decode(update.client_order_id)
            if decoded is not None and decoded.bot_code in self.generations:
                yield OwnOrder(self.generations[decoded.bot_code], decoded.slot, update)


@dataclass(frozen=True, slots=True)
class Sightings:
    """What the exchange shows of a bot beyond its books."""

    unknown: tuple[OwnOrder, ...]
    """Orders without a row, oldest first."""
    newest_generation: int
    """The newest that the exchange showed; 0 for none."""

    @property
    def open(self) -> tuple[OwnOrder, ...]:
        return tuple(order for order in self.unknown if not order.update.status.is_final)


def stored_generations(reader: Reader, bot: BotIdentity) -> list[StoredBot]:
    """All generations of the bot in a database, oldest first."""
    wanted = (bot.name, bot.account_id, bot.symbol, bot.exchange, bot.mode)
    return [
        found
        for found in reader.bots()
        if (found.name, found.account_id, found.symbol, found.exchange, found.mode) == wanted
    ]


async def look_for_unknown(exchange: RecordedExchange, bot: BotIdentity, reader: Reader | None) -> Sightings:
    """Compare the exchange's newest orders with the rows of the bot in all its generations.

    Reads from the newest order the books know; without books, the newest page and what is open. Reads only.
    """
    stored = stored_generations(reader, bot) if reader is not None else []
    bot_ids = [found.bot_id for found in stored]
    newest = reader.newest_order_number(bot_ids) if reader is not None and bot_ids else 0
    ids = OrderIds.of(bot, max((found.generation for found in stored), default=0))
    shown = {
        update.client_order_id: update
        for update in (
            *await exchange.orders(bot.symbol, newest or None),
            *await exchange.open_orders(bot.symbol),
        )
    }
    own = list(ids.own(shown.values()))
    names = [order.update.client_order_id for order in own]
    known = reader.sent_orders(bot_ids, names) if reader is not None and bot_ids else frozenset()
    unknown = tuple(order for order in own if order.update.client_order_id not in known)
    return Sightings(unknown, max((order.generation for order in own), default=0))


def refuse_older_books(sightings: Sightings, place: str, *, has_books: bool) -> None:
    """Step 0 of reconciliation: raise `InvalidInput` where the exchange proves the books older than its orders.

    Without books, orders that are over are no reason: a bot whose owner cleared it may begin again.
    """
    unknown = sightings.unknown if has_books else sightings.open
    if not unknown:
        return
    told = f"{place} is older than its orders" if has_books else f"{place} holds nothing of this bot"
    count = len(unknown)
    resting = f"{len(sightings.open)} of them open" if sightings.open else "none of them open"
    raise InvalidInput(
        f"{told}: the exchange shows {count} order{'s' if count > 1 else ''} of it that no row knows ({resting}, the "
        f"newest is {unknown[-1].update.client_order_id}); nothing was placed. Put the newest database back if you "
        "have it, or make the books anew from the exchange's records with `gridtide rebuild`"
    )
