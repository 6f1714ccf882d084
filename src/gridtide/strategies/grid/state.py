"""What a running grid remembers, and its exact JSON form: decimals as text, no field left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from gridtide.domain.market import Timestamp
from gridtide.domain.money import ZERO, Amount, Price, parse_decimal, plain
from gridtide.strategies.grid.plan import GridPlan, LevelRole, PlannedLevel


class Phase(StrEnum):
    """Where the grid is in its life."""

    NEW = "new"
    BUYING = "buying"
    """The initial purchase is under way."""
    TRADING = "trading"


@dataclass(slots=True)
class GridState:
    """Mutable memory of a grid. Interval k lies between levels k and k + 1."""

    phase: Phase = Phase.NEW
    tries: int = 0
    """Orders of the initial purchase so far."""
    bought: Decimal = ZERO
    """Base that the initial purchase executed, before fees."""
    to_buy: list[Decimal] = field(default_factory=list)
    """Base that each interval still wants to buy at its lower level, resting or not. Changed by `owe` only."""
    open_slots: set[str] = field(default_factory=set)
    """Keys of slots whose order or wish has not been reported as over."""
    timers: dict[str, Timestamp] = field(default_factory=dict)
    """When to look after a slot: a partly filled order, or the next try of the initial purchase."""
    is_out_of_range: bool = False
    round_trips: int = 0
    _texts: list[str] = field(init=False, repr=False, compare=False)
    """`to_buy` as text, because it is stored after each fill and only one interval changes."""

    def __post_init__(self) -> None:
        self.owe_all(self.to_buy)

    def owe_all(self, amounts: list[Decimal]) -> None:
        """Set what every interval wants to buy."""
        self.to_buy, self._texts = amounts, [plain(amount) for amount in amounts]

    def owe(self, interval: int, amount: Decimal) -> None:
        """Set what one interval wants to buy."""
        self.to_buy[interval], self._texts[interval] = amount, plain(amount)

    def to_json(self) -> dict[str, Any]:
        return {
            "phase": self.phase.value,
            "tries": self.tries,
            "bought": plain(self.bought),
            "to_buy": list(self._texts),
            "open_slots": sorted(self.open_slots),
            "timers": dict(sorted(self.timers.items())),
            "is_out_of_range": self.is_out_of_range,
            "round_trips": self.round_trips,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GridState:
        return cls(
            phase=Phase(stored["phase"]),
            tries=stored["tries"],
            bought=parse_decimal(stored["bought"]),
            to_buy=[parse_decimal(amount) for amount in stored["to_buy"]],
            open_slots=set(stored["open_slots"]),
            timers={key: Timestamp(moment) for key, moment in stored["timers"].items()},
            is_out_of_range=stored["is_out_of_range"],
            round_trips=stored["round_trips"],
        )


_TEXTS: Final = ("symbol", "base", "quote")
_LISTS: Final = ("levels", "interval_amounts", "warnings")


def plan_to_text(plan: GridPlan) -> str:
    """All of a plan as JSON text; `plan_from_text` gives an equal one back."""
    stored: dict[str, Any] = {
        item.name: plain(value) if isinstance(value, Decimal) else value
        for item in fields(plan)
        if item.name not in _LISTS
        for value in (getattr(plan, item.name),)
    }
    stored["levels"] = [[plain(level.price), level.role.value, plain(level.amount)] for level in plan.levels]
    stored["interval_amounts"] = [plain(amount) for amount in plan.interval_amounts]
    stored["warnings"] = list(plan.warnings)
    return json.dumps(stored)


def plan_from_text(text: str) -> GridPlan:
    """The plan that `plan_to_text` was given."""
    stored = json.loads(text)
    values: dict[str, Any] = {
        name: parse_decimal(value) if isinstance(value, str) and name not in _TEXTS else value
        for name, value in stored.items()
        if name not in _LISTS
    }
    values["levels"] = tuple(
        PlannedLevel(index, Price(parse_decimal(price)), LevelRole(role), Amount(parse_decimal(amount)))
        for index, (price, role, amount) in enumerate(stored["levels"])
    )
    values["interval_amounts"] = tuple(Amount(parse_decimal(amount)) for amount in stored["interval_amounts"])
    values["warnings"] = tuple(stored["warnings"])
    return GridPlan(**values)
