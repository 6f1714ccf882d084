"""The one place where something may come between a request and its effect: faults will be injected here.

Without hooks nothing is awaited and nothing changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Answer, Call


@dataclass(slots=True)
class Seam:
    """Hooks around every request and every event; each is optional.

    `before_acting` runs after a request was admitted and authenticated and before the venue sees it;
    `before_answering` may replace the answer; `before_sending` sees the account (empty: market data) and the
    JSON of an event and gives back what is sent in its place, None for nothing.
    """

    before_acting: Callable[[Call], Awaitable[None]] | None = None
    before_answering: Callable[[Call, Answer], Awaitable[Answer]] | None = None
    before_sending: Callable[[str, bytes], bytes | None] | None = None
