"""What a run says at its end: one object for machines, a few lines for people, both from the same values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.cli import wording
from gridtide.cli.output import table
from gridtide.domain.commands import StopPolicy
from gridtide.domain.money import ZERO, plain, tidy

if TYPE_CHECKING:
    from gridtide.runners.live import Verification
    from gridtide.runners.view import BotView

_LEFT = {
    StopPolicy.KEEP: "The orders stay in the book.",
    StopPolicy.CANCEL: "All orders of the bot were cancelled; it keeps its base.",
    StopPolicy.LIQUIDATE: "All orders of the bot were cancelled and its base was sold.",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `before` was taken with the market paused, before the stop policy acted; `after` behind it."""

    reason: str
    policy: StopPolicy
    before: BotView
    after: BotView
    verification: Verification
    seconds: float


def view_values(view: BotView) -> dict[str, Any]:
    """A bot at one moment, as plain values: money as text, `fills` and `open_orders` as counts."""
    books = view.statement
    return {
        "run_id": view.run_id,
        "name": view.name,
        "mode": view.mode,
        "exchange": view.exchange,
        "market": view.market.symbol,
        "state": view.state,
        "price": _money(view.price),
        "market_time": view.market_time,
        "fills": view.fills,
        "round_trips": view.round_trips,
        "open_orders": view.open_orders,
        "in_flight": view.in_flight,
        "parked": [
            {"slot": found.slot, "price": _money(found.price), "reason": found.reason, "detail": found.detail}
            for found in view.parked
        ],
        "grid_profit": _money(books.grid_profit if books else None),
        "floating_profit": _money(books.floating_profit if books else None),
        "dust": _money(books.dust if books else None),
        "fees": _money(books.fees if books else None),
        "fees_by_asset": {asset: plain(amount) for asset, amount in view.fees_by_asset.items()},
        "equity": _money(books.equity if books else None),
        "contributions": _money(books.contributions if books else None),
        "base_held": plain(view.base_held),
        "quote_held": plain(view.quote_held),
        "books_balanced": books is not None and books.is_balanced,
    }


def summary(ending: Ending) -> dict[str, Any]:
    """The object of `run --json`: the bot before the stop policy acted, and how the run ended."""
    return view_values(ending.before) | {
        "exchange_agrees": ending.verification.agrees,
        "differences": list(ending.verification.differences),
        "stopped_because": ending.reason,
        "on_stop": ending.policy.value,
        "open_orders_left": ending.after.open_orders,
        "seconds": round(ending.seconds, 3),
    }


def closing_text(ending: Ending) -> str:
    """The closing report."""
    view, books = ending.before, ending.before.statement
    lines = [
        f"{view.name} stopped after {wording.duration_text(int(ending.seconds * 1000))} ({ending.reason}).",
        "",
    ]
    rows = [("fills", f"{view.fills}, {wording.count(view.round_trips, 'round trip')}")]
    if books is not None:
        places = wording.money_places(books.contributions)
        quote = view.market.quote
        rows += [
            ("grid profit", f"{wording.number(books.grid_profit, places, sign=True)} {quote}"),
            ("floating profit", f"{wording.number(books.floating_profit, places, sign=True)} {quote}"),
            ("fees paid", f"{wording.number(books.fees, places)} {quote}{_by_asset(view.fees_by_asset)}"),
            (
                "equity",
                f"{wording.number(books.equity, places)} {quote}, put in {_short(books.contributions, places)}",
            ),
        ]
    balanced = books is not None and books.is_balanced
    rows.append(("books", "balanced to the last unit" if balanced else "OUT OF BALANCE"))
    rows.append(("exchange", _agreement(ending)))
    return "\n".join([*lines, table(rows), "", *_left_behind(ending)])


def _left_behind(ending: Ending) -> list[str]:
    view = ending.after
    market = view.market
    lines = [_LEFT[ending.policy]]
    if view.open_orders or _unsettled(view):
        lines.append(f"Left on the exchange: {_orders(view)}.")
    else:
        lines.append("No order of the bot is left on the exchange.")
    held = f"{tidy(view.base_held)} {market.base} and {wording.number(view.quote_held, 2)} {market.quote}"
    lines.append(f"In its books: {held}.")
    if ending.policy is StopPolicy.KEEP:
        lines.append("The same command goes on with this grid; `gridtide stop --cancel` cancels its orders.")
    return lines


def _orders(view: BotView) -> str:
    """`39 orders: 20 buys from 45,000.00 to 49,750.00, 19 sells from 50,250.00 to 55,000.00`."""
    parts = []
    resting = {"OPEN", "PART"}
    for name, prices in (
        ("buy", [level.price for level in view.levels if level.buy in resting]),
        ("sell", [level.price for level in view.levels if level.sell in resting]),
    ):
        if prices:
            low, high = (wording.price_text(view.market, price) for price in (min(prices), max(prices)))
            parts.append(f"{wording.count(len(prices), name)} from {low} to {high}")
    unsettled = _unsettled(view)
    in_flight = f" ({unsettled} more whose outcome is not known yet)" if unsettled else ""
    return f"{wording.count(view.open_orders, 'order')}{in_flight}" + (
        f": {', '.join(parts)}" if parts else ""
    )


def _unsettled(view: BotView) -> int:
    """Orders that may rest although nobody has confirmed it. What was never sent is not among them."""
    unclear = {"SENDING", "UNKNOWN", "CANCELLING", "CLOSING"}
    return sum(state in unclear for level in view.levels for state in (level.buy, level.sell))


def _agreement(ending: Ending) -> str:
    if ending.verification.agrees:
        return "agrees: orders, fills and balances are the same there"
    shown = "; ".join(ending.verification.differences[:5])
    return f"DOES NOT AGREE: {shown}"


def _by_asset(fees: Mapping[Any, Decimal]) -> str:
    return f" ({', '.join(f'{tidy(amount)} {asset}' for asset, amount in fees.items())})" if fees else ""


def _short(value: Decimal, places: int) -> str:
    return wording.number(value or ZERO, places)


def _money(value: Decimal | None) -> str | None:
    return None if value is None else tidy(value)
