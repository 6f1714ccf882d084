"""What a bot's books say of its fills and lots, as tables; read page by page, beside a running bot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import EXACT, ZERO
from gridtide.reports.table import Table

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.storage.reader import Reader, StoredBot, StoredFill

_WHOSE = ("bot", "exchange", "market", "mode", "generation")
_FILL = (
    *("time", "side", "level", "price", "amount", "quote_amount", "fee", "fee_asset", "profit", "is_maker"),
    *("trade_id", "order_id", "client_order_id", "heard_by"),
)
_LOT = ("lot", "level", "opened_at", "closed_at", "amount", "cost", "proceeds", "profit")


class Source(NamedTuple):
    """A database, and whose books of it; an empty name: everybody's."""

    url: str
    bot: str


def source_of(config: Path | None, database: str | None, bot: str | None, state_folder: Path) -> Source:
    """Where the options lead. Raises `InvalidInput`."""
    if database is not None:
        if config is not None:
            raise InvalidInput("--database and --config name two places: give one of them")
        from gridtide.storage.database import parse_url
        from gridtide.telemetry.redaction import SECRETS

        if password := parse_url(database).password:
            SECRETS.register(str(password))
        return Source(database, bot or "")
    from gridtide.cli.books import database_of
    from gridtide.cli.world import Wish, last_wish

    wish = last_wish(state_folder) if config is None else Wish(config, bot, state_folder)
    url, name = database_of(wish)
    return Source(url, bot or name)


def exported(what: str, source: Source) -> Table:
    """The table of `what`: ``fills`` or ``lots``. Raises `InvalidInput` where the books know no such bot."""
    from gridtide.storage.reader import open_reader

    rows_of, columns = (_fill_rows, _FILL) if what == "fills" else (_lot_rows, _LOT)
    with open_reader(source.url) as reader:
        bots = [bot for bot in reader.bots() if source.bot in ("", bot.name)]
        if not bots:
            raise InvalidInput(
                f"the books hold no bot{f' named {source.bot}' if source.bot else ''}: nothing was exported; start it "
                "with `gridtide run`, or name another with --bot"
            )
        rows = [_whose(bot) + row for bot in bots for row in rows_of(reader, bot)]
    names = (*_WHOSE, *columns)
    values: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return Table(what, dict(zip(names, values, strict=True)))


def _whose(bot: StoredBot) -> tuple[Any, ...]:
    return bot.name, bot.exchange, str(bot.symbol), bot.mode, bot.generation


def _fill_rows(reader: Reader, bot: StoredBot) -> Iterator[tuple[Any, ...]]:
    """Fills first: whatever is booked for one of them is stored with it."""
    fills = list(_fills(reader, bot.bot_id))
    profits: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    with localcontext(EXACT):
        for closing in reader.lot_closings(bot.bot_id):
            profits[closing.fill_key] += closing.proceeds - closing.cost
    slots = reader.order_slots(bot.bot_id)
    for fill, source in ((each.fill, each.source) for each in fills):
        yield (
            *(fill.timestamp, fill.side.value, _level(slots.get(fill.order_id, "")), fill.price, fill.amount),
            *(
                fill.quote_amount,
                fill.fee.amount,
                str(fill.fee.asset),
                profits[_booking(fill)],
                fill.is_maker,
            ),
            *(fill.trade_id, fill.order_id, fill.client_order_id, source),
        )


def _lot_rows(reader: Reader, bot: StoredBot) -> Iterator[tuple[Any, ...]]:
    """What was closed, oldest closing first, then what is still held: its proceeds stay empty."""
    held = reader.ledger(bot.bot_id).lots
    closings = reader.lot_closings(bot.bot_id)
    slots = reader.order_slots(bot.bot_id)
    levels = {
        _booking(each.fill): _level(slots.get(each.fill.order_id, "")) for each in _fills(reader, bot.bot_id)
    }
    with localcontext(EXACT):
        for each in closings:
            profit = each.proceeds - each.cost
            level = levels.get(each.fill_key)
            yield (
                each.lot_id,
                level,
                each.opened_at,
                each.closed_at,
                each.amount,
                each.cost,
                each.proceeds,
                profit,
            )
    for lot in held:
        yield lot.lot_id, _level(lot.owner), lot.opened_at, None, lot.amount, lot.cost, None, None


def _fills(reader: Reader, bot_id: int) -> Iterator[StoredFill]:
    after = None
    while page := reader.fills(bot_id, after):
        yield from page
        after = page[-1].fill.key


def _booking(fill: Fill) -> str:
    """The name of a fill's entry in the books."""
    return "fill:" + ":".join(map(str, fill.key))


def _level(slot: str) -> int | None:
    """The grid level of a slot such as ``041B``; None for one that is no level's."""
    return int(slot[:3]) if slot[:3].isdigit() else None
