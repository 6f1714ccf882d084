"""Names of what is logged. A name never changes with its values: values are fields."""

from __future__ import annotations

from typing import Final

# --- a run -------------------------------------------------------------------------------------------

RUN_STARTED: Final = "run.started"
RUN_STOPPED: Final = "run.stopped"
RUN_FAILED: Final = "run.failed"
CONFIG_LOADED: Final = "config.loaded"
COMMAND_RECEIVED: Final = "command.received"
NOTICE: Final = "notice"
BOT_STATE_CHANGED: Final = "bot.state_changed"

# --- orders and money --------------------------------------------------------------------------------

ORDER_SUBMITTED: Final = "order.submitted"
ORDER_ACCEPTED: Final = "order.accepted"
ORDER_REFUSED: Final = "order.refused"
ORDER_UNCONFIRMED: Final = "order.unconfirmed"
ORDER_NOT_SENT: Final = "order.not_sent"
ORDER_CANCELLED: Final = "order.cancelled"
FILL_BOOKED: Final = "fill.booked"
BOOKS_OUT_OF_BALANCE: Final = "books.out_of_balance"

# --- exchange ----------------------------------------------------------------------------------------

EXCHANGE_CONNECTED: Final = "exchange.connected"
EXCHANGE_READ_FAILED: Final = "exchange.read_failed"
STREAM_INTERRUPTED: Final = "stream.interrupted"
STREAM_RESTORED: Final = "stream.restored"
RECONCILED: Final = "reconciliation.done"

# --- sandbox -----------------------------------------------------------------------------------------

SANDBOX_STARTED: Final = "sandbox.started"
SANDBOX_ATTACHED: Final = "sandbox.attached"
SANDBOX_STOPPED: Final = "sandbox.stopped"

# --- the log itself ----------------------------------------------------------------------------------

LINES_LEFT_OUT: Final = "log.lines_left_out"
UNCAUGHT: Final = "uncaught"
