"""What one step wants: entries to commit first, then commands to hand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.domain.commands import Command
    from gridtide.domain.journal import JournalEntry


@dataclass(slots=True)
class Effects:
    """The outcome of one step. Nothing in `commands` may leave before `entries` are durable (R10)."""

    entries: list[JournalEntry] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
