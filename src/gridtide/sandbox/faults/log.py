"""What really happened while faults were armed: who asked what, what was sent, what a fault did to it. Bounded."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gridtide.sandbox.wire import JsonObject

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. Never holds a key or a signature."""

    number: int
    at: int
    """Exchange time, ms."""
    kind: str
    """request, acted, answer, event, action or fault."""
    subject: str
    """The endpoint, stream or knob."""
    account: str
    fault: str
    """The fault that did it; empty where none did."""
    detail: str


class TruthLog:
    """The newest entries, oldest first."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._entries: deque[Entry] = deque(maxlen=KEPT_ENTRIES)
        self._count = 0

    def add(self, kind: str, subject: str, *, account: str = "", fault: str = "", detail: str = "") -> None:
        self._count += 1
        self._entries.append(Entry(self._count, self._now(), kind, subject, account, fault, detail))

    def entries(self, after: int = 0, fault: str = "") -> list[Entry]:
        """Entries with a number above `after`, of one fault or of all."""
        return [
            entry for entry in self._entries if entry.number > after and (not fault or entry.fault == fault)
        ]

    def rows(self, after: int = 0, fault: str = "") -> list[JsonObject]:
        """The same, JSON-ready."""
        return [asdict(entry) for entry in self.entries(after, fault)]
