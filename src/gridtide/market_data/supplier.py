"""Who can give a market's past: the exchange's API, its bulk archive, the market trades of that time.

A supplier says exactly which time a delivery covers; what it does not cover, it was not asked for or does not have.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gridtide.market_data.block import Block
    from gridtide.market_data.series import Series, Span


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything the supplier has of `span`, in `block`; an empty block says that there is nothing."""

    span: Span
    block: Block
    is_whole_file: bool = False
    """It took long to come and is stored at once; small pages are stored several at a time."""


class Supplier(Protocol):
    """Gives what it has of a time, in order, in as many deliveries as it likes.

    Raises `Transient`, `RateLimited`, `NotPermitted` or `DataUnusable`; what was delivered before counts.
    """

    name: str
    """Stands in the stored data as their origin."""

    @property
    def notes(self) -> list[str]:
        """Sentences about what it could not give, for the person."""

    def deliver(self, series: Series, span: Span) -> AsyncGenerator[Delivery]: ...

    async def close(self) -> None: ...
