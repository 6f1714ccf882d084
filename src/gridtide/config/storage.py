"""Where the books are kept."""

from __future__ import annotations

from pydantic import Field

from gridtide.config.values import Section


class StorageSettings(Section):
    """The database."""

    url: str = Field(default="sqlite:///gridtide.db", repr=False)
    """The database, as an SQLAlchemy address. A relative SQLite path starts in the folder you run gridtide in.
    Left out in mode sandbox: a file beside the sandbox's state."""
    journal_days: int = Field(default=7, ge=1, le=3650)
    """How many days the journal goes back. Orders, fills and the ledger stay for ever."""
