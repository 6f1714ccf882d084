"""Names of what is logged. A name never changes with its values: values are fields."""

from __future__ import annotations

from typing import Final

# --- a run -------------------------------------------------------------------------------------------

RUN_STARTED: Final = "run.started"
RUN_STOPPED: Final = "run.stopped"
RUN_COMPARED: Final = "run.compared"
"""Books and exchange, at the end of a run."""
VIEW_FAILED: Final = "view.failed"
COMMAND_RECEIVED: Final = "command.received"
NOTICE: Final = "notice"
BOT_STATE_CHANGED: Final = "bot.state_changed"

# --- orders and money --------------------------------------------------------------------------------

ORDER_SUBMITTED: Final = "order.submitted"
ORDER_ACCEPTED: Final = "order.accepted"
ORDER_REFUSED: Final = "order.refused"
ORDER_UNCONFIRMED: Final = "order.unconfirmed"
ORDER_NOT_SENT: Final = "order.not_sent"
ORDER_CANCEL_SENT: Final = "order.cancel_sent"
ORDER_SETTLED: Final = "order.settled"
ORDER_ABSENT: Final = "order.absent"
ORDER_UNEXPECTED: Final = "order.unexpected"
FILL_BOOKED: Final = "fill.booked"
FILL_FOREIGN: Final = "fill.foreign"

# --- the log itself ----------------------------------------------------------------------------------

LINES_LEFT_OUT: Final = "log.lines_left_out"
UNCAUGHT: Final = "uncaught"
