"""What an examination of a bot's books found, invariant by invariant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """Whether something that must hold does."""

    HELD = "held"
    BROKEN = "broken"
    UNCHECKED = "unchecked"
    """It could not be looked at; the detail says why."""


SAYS: Final = {
    "I1": "at most one live order stands in a slot",
    "I2": "each order was sent at most once, and stands for one order at the exchange",
    "I3": "the fills of every order that is over add up to what it executed",
    "I4": "each execution is booked once and belongs to one order",
    "I5": "each fill's postings add up to its execution, the fee in its own asset",
    "I6": "the account holds what the books say, to the last unit",
    "I7": "the exchange locks what the resting orders need, to the last unit",
    "I8": "the orders open at the exchange are those open in the books",
    "I9": "nothing in the books is below zero",
    "I10": "the lots hold the base of the books, and profit explains equity",
    "I11": "no more is reserved than is held, orders of unknown fate included",
    "I12": "counters and cumulative amounts never fell, and what was over stayed over",
    "I13": "every interval of the grid has an order or a wish with a reason",
    "I14": "replaying the journal into an empty database gives the same tables",
    "I15": "no order stays unresolved for long without an alarm",
    "I16": "no order left while the bot was not to send",
    "file": "the database can be read, every page of it",
    "schema": "the tables are those of this program",
    "library": "the SQLite library is safe for the way the database is written",
    "rights": "nobody else can read the database",
    "space": "there is room on the disk",
    "lease": "one process at most may trade the bot",
    "events": "the journal has no gap",
    "F46": "the books know every order of the bot that the exchange knows",
    "exchange": "the exchange can be asked",
}
"""What each finding is about, in words: I1 to I16 as in the order protocol, then the storage."""

_ADVICE: Final = {
    "I3": "start the bot: it reads the missing fills; if it stays, `gridtide rebuild` makes the books anew",
    "I4": "start the bot: it books what is missing; if it stays, `gridtide rebuild` makes the books anew",
    "I6": "look at the account for a deposit, a withdrawal or a trade by hand; `gridtide resume` takes it as it is",
    "I7": "look at the account's open orders for one that is not the bot's",
    "I8": "start the bot: it compares and mends; if it stays, `gridtide rebuild` makes the books anew",
    "I13": "start the bot: it gives the interval an order again",
    "I15": "start the bot, or look at the order at the exchange if it runs",
    "file": "put a backup back, or `gridtide rebuild` makes the books anew from the exchange's records",
    "schema": "use the gridtide that wrote it",
    "library": "install pysqlite3-binary, or use the Python of the install",
    "space": "free some space before the disk is full: without it nothing is stored, and nothing sent",
    "F46": "put the newest database back if you have it; else `gridtide rebuild` makes the books anew",
}
_LAST_RESORT: Final = "stop the bot and keep a copy of the database; `gridtide rebuild` makes the books anew"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `detail` has the numbers."""

    id: str
    outcome: Outcome
    detail: str
    advice: str = ""
    """What to do about it; empty unless it is broken."""

    @property
    def says(self) -> str:
        return SAYS[self.id]


def finding(name: str, problems: list[str], held: str) -> Finding:
    """Broken where there are `problems`, of which the first few are told; else held, with the numbers `held`."""
    if not problems:
        return Finding(name, Outcome.HELD, held)
    more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
    return Finding(name, Outcome.BROKEN, "; ".join(problems[:3]) + more, _ADVICE.get(name, _LAST_RESORT))


def unchecked(name: str, why: str) -> Finding:
    return Finding(name, Outcome.UNCHECKED, why)
