"""What a backtest leaves behind: every fill with what was held after it, what it earned, and what the bot said."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from gridtide.domain.journal import BotStatePut, FillAdded, LedgerBooked, NoticeAdded
from gridtide.domain.money import ZERO

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import BotState
    from gridtide.domain.ledger import LotClosing
    from gridtide.domain.market import Timestamp
    from gridtide.runners.backtest import Seen
    from gridtide.runners.backtest_lane import Lane


class RecordedFill(NamedTuple):
    """A fill, the point of the path at which it happened, and what the bot held when its step was over."""

    point: int
    fill: Fill
    profit: Decimal
    """Grid profit of the lots that it closed, net of fees; zero for a buy."""
    quote: Decimal
    base: Decimal


class RecordedNotice(NamedTuple):
    """Something the bot told its owner."""

    time: Timestamp
    level: str
    kind: str
    text: str


@dataclass(slots=True)
class LaneRecord:
    """One bot's run."""

    fills: list[RecordedFill] = field(default_factory=list)
    closings: list[LotClosing] = field(default_factory=list)
    notices: list[RecordedNotice] = field(default_factory=list)
    states: list[tuple[Timestamp, BotState, str]] = field(default_factory=list)
    """Every state the bot entered, with its reason in words."""


class Recorder:
    """Listens to a `BacktestRun`; `of` gives what belongs to a lane."""

    def __init__(self) -> None:
        self._records: dict[int, LaneRecord] = {}

    def of(self, lane: Lane) -> LaneRecord:
        """The lane's record, empty before its first step."""
        record = self._records.get(id(lane))
        if record is None:
            record = self._records[id(lane)] = LaneRecord()
        return record

    def __call__(self, seen: Seen) -> None:
        record = self.of(seen.lane)
        fills: list[Fill] = []
        profits: list[Decimal] = []
        for entry in seen.entries:
            if isinstance(entry, FillAdded):
                fills.append(entry.fill)
                profits.append(ZERO)
            elif isinstance(entry, LedgerBooked):
                change = entry.change
                if change.closings:
                    record.closings += change.closings
                    if profits:  # the booking stands right behind its fill
                        profits[-1] += change.profit
            elif isinstance(entry, NoticeAdded):
                record.notices.append(RecordedNotice(seen.now, entry.level, entry.kind, entry.text))
            elif isinstance(entry, BotStatePut):
                record.states.append((seen.now, entry.state, entry.detail))
        if fills:
            point, ledger = seen.lane.position, seen.lane.engine.state.ledger
            quote, base = ledger.holding(ledger.quote), ledger.holding(ledger.base)
            record.fills += [
                RecordedFill(point, fill, profit, quote, base)
                for fill, profit in zip(fills, profits, strict=True)
            ]
