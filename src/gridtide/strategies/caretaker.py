"""Stands in for a strategy whose state is lost: it keeps the bot's orders and books, and wants nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.strategies.protocol import ExecutionContext, StrategyState

_PART: Final = "caretaker"


class Caretaker:
    """Places nothing, ever: its owner cancels or sells what is there, and begins anew."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        """Why the strategy that was here could not be taken along."""

    def on_start(self, context: ExecutionContext) -> None:
        """Wants nothing."""

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        """Fills are booked all the same."""

    def get_state(self) -> StrategyState:
        return {_PART: self.reason}

    @classmethod
    def from_state(cls, state: StrategyState) -> Self:
        return cls(str(state[_PART]))


def is_cared_for(state: Mapping[str, Any]) -> bool:
    """Whether a stored state is a caretaker's."""
    return _PART in state
