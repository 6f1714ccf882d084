"""Logs what a bot made durable: fills, orders, states, notices. The log follows the journal and never leads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridtide.domain.events import RefusalReason
from gridtide.domain.journal import BotStatePut, FillAdded, ForeignFillSeen, NoticeAdded, OrderPut
from gridtide.domain.lifecycle import IntentState
from gridtide.telemetry import events

if TYPE_CHECKING:
    import structlog

    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import JournalEntry, OrderRow

_ORDER_EVENTS = {
    IntentState.SENDING: events.ORDER_SUBMITTED,
    IntentState.OPEN: events.ORDER_ACCEPTED,
    IntentState.REJECTED: events.ORDER_REFUSED,
    IntentState.UNKNOWN: events.ORDER_UNCONFIRMED,
    IntentState.CANCELLING: events.ORDER_CANCEL_SENT,
    IntentState.SETTLED: events.ORDER_SETTLED,
    IntentState.ABSENT: events.ORDER_ABSENT,
    IntentState.ZOMBIE: events.ORDER_UNEXPECTED,
}
_WARNINGS = {events.ORDER_REFUSED, events.ORDER_UNCONFIRMED, events.ORDER_UNEXPECTED}
_NOTICE_LEVELS = {"info": "info", "warning": "warning", "alarm": "error"}


class JournalLog:
    """Takes journal entries, one at a time, and logs those that a person may look for later."""

    def __init__(self, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._logger = logger
        self._states: dict[str, IntentState] = {}

    def __call__(self, entry: JournalEntry) -> None:
        match entry:
            case FillAdded(fill, source):
                self._logger.info(events.FILL_BOOKED, **_fill_values(fill), source=source)
            case ForeignFillSeen(fill):
                self._logger.warning(events.FILL_FOREIGN, **_fill_values(fill))
            case OrderPut(row):
                self._log_order(row)
            case BotStatePut(state, reason, detail):
                self._logger.info(
                    events.BOT_STATE_CHANGED, state=state.value, reason=reason.value, detail=detail
                )
            case NoticeAdded(level, kind, text):
                getattr(self._logger, _NOTICE_LEVELS.get(level, "warning"))(
                    events.NOTICE, kind=kind, text=text
                )
            case _:
                pass

    def _log_order(self, row: OrderRow) -> None:
        """Once for each state an order comes to."""
        if self._states.get(row.client_order_id) == row.state:
            return
        self._states[row.client_order_id] = row.state
        if row.state.is_terminal:
            del self._states[row.client_order_id]
        name = _ORDER_EVENTS.get(row.state)
        if row.state is IntentState.REJECTED and not row.tx_count:
            name = events.ORDER_NOT_SENT
        if name is None:
            return
        # A post-only order on the wrong side of a moving price is a grid's daily bread.
        is_usual = row.reason.startswith(RefusalReason.WOULD_TAKE.value)
        log = self._logger.warning if name in _WARNINGS and not is_usual else self._logger.info
        log(
            name,
            client_order_id=row.client_order_id,
            slot=row.slot,
            side=row.side.value,
            price=row.price,
            amount=row.amount,
            executed_amount=row.executed_amount,
            reason=row.reason,
        )


def _fill_values(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "side": fill.side.value,
        "price": fill.price,
        "amount": fill.amount,
        "fee": fill.fee.amount,
        "fee_asset": fill.fee.asset,
        "is_maker": fill.is_maker,
    }
