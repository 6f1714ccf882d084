"""The journal: where a step's entries become durable before anything leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gridtide.domain.journal import BotSnapshot, JournalEntry
    from gridtide.domain.market import Timestamp


class Journal(Protocol):
    """The durable record of one bot. Calls block until the data is safe; runners decide about threads."""

    def load(self) -> BotSnapshot:
        """What to continue from; a fresh snapshot for a bot that never ran."""

    def commit(self, entries: Sequence[JournalEntry], now: Timestamp) -> None:
        """Write all entries in one durable transaction, or raise `StorageFailed` / `Fenced` and write none."""

    def renew_lease(self) -> None:
        """Say that we are still here, every few seconds; raises `Fenced` where somebody else has taken over."""

    def close(self) -> None: ...
