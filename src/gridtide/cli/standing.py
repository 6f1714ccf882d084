"""How a bot stands: the values, read from its books where it does not run, and the same values as text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.cli import wording
from gridtide.cli.output import table
from gridtide.domain.money import plain, tidy
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from gridtide.cli.world import Wish
    from gridtide.storage.reader import Reader, StoredBot


def standing_text(values: Mapping[str, Any]) -> str:
    """The values of a running or a stored bot, for a person."""
    quote = str(values["market"]).partition("/")[2]
    profits = [
        (name.replace("_", " "), f"{_money(values, name)} {quote}")
        for name in ("grid_profit", "floating_profit", "fees", "equity")
        if values.get(name) is not None
    ]
    rows = [
        ("bot", f"{values['name']}, {values['market']} on {values['exchange']} ({values['mode']})"),
        ("state", _state_text(values)),
        *([("price", f"{Decimal(values['price']):,}")] if values.get("price") else []),
        ("fills", str(values["fills"])),
        ("orders", _orders_text(values)),
        *profits,
        (
            "holds",
            f"{_shown(values['base_held'])} {_base(values)} and {_money(values, 'quote_held')} {quote}",
        ),
    ]
    if "books_balanced" in values:
        rows.append(("books", "balanced" if values["books_balanced"] else "OUT OF BALANCE"))
    rows += [(f"parked {found['slot']}", _parked_text(found)) for found in values["parked"]]
    return table(rows)


def stored_standing(wish: Wish) -> dict[str, Any]:
    """What the database says of the bot that is meant. Raises `InvalidInput` where it says nothing."""
    from gridtide.cli.books import database_of
    from gridtide.domain.errors import InvalidInput
    from gridtide.storage.reader import open_reader

    url, name = database_of(wish)
    with open_reader(url) as reader:
        bots = [bot for bot in reader.bots() if bot.name == name]
        if not bots:
            raise InvalidInput(f"the books hold no bot named {name}: start it with `gridtide run`")
        return _stored(reader, bots[-1])


def _stored(reader: Reader, bot: StoredBot) -> dict[str, Any]:
    from gridtide.domain.ledger import Ledger
    from gridtide.domain.lifecycle import IntentState
    from gridtide.domain.market import Asset

    base, _, quote = bot.symbol.partition("/")
    state = reader.state(bot.bot_id)
    orders = reader.live_orders(bot.bot_id)
    ledger = Ledger(Asset(base), Asset(quote), reader.ledger(bot.bot_id))
    resting = [order for order in orders if order.state.rests_at_exchange]
    sent = [order for order in orders if order.state is not IntentState.PLANNED]
    runs = reader.runs(bot.bot_id)
    return {
        "run_id": runs[-1].run_id if runs else "",
        "name": bot.name,
        "mode": bot.mode,
        "exchange": bot.exchange,
        "market": bot.symbol,
        "state": state.state.value if state is not None else "STARTING",
        "fills": reader.fill_count(bot.bot_id),
        "open_orders": len(resting),
        "in_flight": len(sent) - len(resting),
        "buys": sum(order.side is Side.BUY for order in resting),
        "parked": [
            {
                "slot": slot.slot,
                "price": None if slot.wish_price is None else plain(slot.wish_price),
                "reason": slot.parked_reason,
                "detail": slot.parked_detail,
            }
            for slot in reader.parked_slots(bot.bot_id)
        ],
        "grid_profit": tidy(ledger.totals.grid_profit),
        "fees": tidy(ledger.totals.fees_value),
        "fees_by_asset": {asset: plain(amount) for asset, amount in ledger.fees_paid().items()},
        "contributions": plain(ledger.totals.contributed_value),
        "base_held": plain(ledger.holding(Asset(base))),
        "quote_held": plain(ledger.holding(Asset(quote))),
    }


def _state_text(values: Mapping[str, Any]) -> str:
    state = str(values["state"])
    if values.get("running"):
        return state
    if state in ("STOPPED", "STOPPING"):
        return "stopped; its orders rest at the exchange" if values["open_orders"] else "stopped"
    return f"not running; it was {state} when it ended, and `gridtide run` goes on from there"


def _orders_text(values: Mapping[str, Any]) -> str:
    text = f"{values['open_orders']} open"
    if values["in_flight"]:
        text += f", {values['in_flight']} on the way"
    return text + (f", {len(values['parked'])} parked" if values["parked"] else "")


def _parked_text(found: Mapping[str, Any]) -> str:
    detail = f": {found['detail']}" if found["detail"] else ""
    return f"{str(found['reason']).replace('_', ' ')}{detail}"


def _base(values: Mapping[str, Any]) -> str:
    return str(values["market"]).partition("/")[0]


def _money(values: Mapping[str, Any], name: str) -> str:
    """As on the live view: as many decimals as the bot's capital is worth."""
    places = wording.money_places(Decimal(values.get("contributions") or 0))
    return wording.number(Decimal(values[name]), places, sign=name.endswith("profit"))


def _shown(value: object) -> str:
    return tidy(Decimal(str(value)))
