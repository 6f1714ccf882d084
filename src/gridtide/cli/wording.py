"""Numbers, times and states as a person reads them. For showing only: nothing here is booked or sent."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO, round_half_up, tidy
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Market
    from gridtide.runners.view import BotView

_ORDER_WORDS = {
    "PLANNED": "to be sent",
    "SENDING": "sending",
    "UNKNOWN": "asking",
    "OPEN": "open",
    "PART": "part filled",
    "CANCELLING": "cancelling",
    "CLOSING": "closing",
    "ZOMBIE": "unexpected",
}
_MODE_WORDS = {
    "sandbox": "sandbox, play money",
    "paper": "paper, play money",
    "testnet": "testnet, play money",
    "live": "REAL MONEY",
}


def mode_words(mode: str) -> str:
    """Whose money it is, in words."""
    return _MODE_WORDS.get(mode, mode)


def order_words(state: str) -> str:
    """`OPEN` as `open`, `parked: would_take` as `parked: would take`."""
    return _ORDER_WORDS.get(state, state.replace("_", " "))


def places_of(step: Decimal) -> int:
    """Decimals that a step of a market needs: 2 for 0.01 and for 0.0100."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def money_places(capital: Decimal) -> int:
    """Decimals of money worth showing beside `capital`: enough to see a fee, no more."""
    if abs(capital) >= 1_000_000:
        return 2
    return 4 if abs(capital) >= 100 else 8


def number(value: Decimal, places: int, *, sign: bool = False) -> str:
    """`12,345.60`; with `sign`, `+12,345.60`."""
    rounded = round_half_up(value, places) or ZERO  # a loss too small to show is no "-0.00"
    return f"{rounded:+,.{places}f}" if sign and rounded else f"{rounded:,.{places}f}"


def price_text(market: Market, price: Decimal | None) -> str:
    """A price to the market's step."""
    return "-" if price is None else number(price, places_of(market.rules.tick_size))


def amount_text(market: Market, amount: Decimal) -> str:
    """An amount of base to the market's lot."""
    return number(amount, places_of(market.rules.lot_size))


def count(number_of: int, thing: str) -> str:
    """`1 round trip`, `2 round trips`."""
    return f"{number_of} {thing}" + ("" if number_of == 1 else "s")


def clock_text(milliseconds: int) -> str:
    """Local time of day."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%H:%M:%S")


def market_time_text(milliseconds: int) -> str:
    """A played market's own time, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def duration_text(milliseconds: int) -> str:
    """`0:01:12`."""
    seconds = max(0, milliseconds // 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def fill_text(market: Market, fill: Fill) -> str:
    """`sold 0.00123 BTC at 51,100.00 USDT, fee 0.06 USDT`."""
    verb = "bought" if fill.side is Side.BUY else "sold"
    return (
        f"{verb} {amount_text(market, fill.amount)} {market.base} at {price_text(market, fill.price)} {market.quote}, "
        f"fee {tidy(fill.fee.amount)} {fill.fee.asset}"
    )


def books_text(view: BotView) -> str:
    """Whether equity is explained to the last unit."""
    if view.statement is None:
        return "books not open yet"
    return "books balanced" if view.statement.is_balanced else "BOOKS OUT OF BALANCE"
