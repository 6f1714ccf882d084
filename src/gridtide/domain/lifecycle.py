"""The life of an order as a table: which event moves an intent from which state to which.

The rows carry the ids of the protocol (T1 to T23). A pair that is not in the table is a defect, never a guess.
"""

from __future__ import annotations

from enum import StrEnum

from gridtide.domain.errors import Defect


class IntentState(StrEnum):
    """Where a wish for an order stands."""

    __hash__ = str.__hash__  # an enum's own is a call of Python for each look into a table

    PLANNED = "PLANNED"
    """Durable, funds reserved, certainly never sent."""
    SENDING = "SENDING"
    """May have been sent: committed before the first byte left."""
    UNKNOWN = "UNKNOWN"
    """Sent or not, accepted or not: nobody knows; keeps its slot and its funds."""
    OPEN = "OPEN"
    PART = "PART"
    """Open and partly executed."""
    CANCELLING = "CANCELLING"
    CLOSING = "CLOSING"
    """Final at the exchange; its fills do not add up yet."""
    SETTLED = "SETTLED"
    """Final, and its fills add up to it."""
    REJECTED = "REJECTED"
    """Never became an order: refused, dropped or not sent."""
    ABSENT = "ABSENT"
    """Proved never to have become an order."""
    ZOMBIE = "ZOMBIE"
    """An order of ours that should not be there; contradicts an earlier verdict."""

    is_live: bool
    """Whether the intent occupies its slot (R2). A ZOMBIE does not, but it blocks T1."""
    is_terminal: bool
    rests_at_exchange: bool
    """Whether the exchange shows the order as open, as far as we know (I8)."""


LIVE_STATES = frozenset(
    {
        IntentState.PLANNED,
        IntentState.SENDING,
        IntentState.UNKNOWN,
        IntentState.OPEN,
        IntentState.PART,
        IntentState.CANCELLING,
        IntentState.CLOSING,
    }
)
for _state in IntentState:  # worked out once: each step of each order asks
    _state.is_live = _state in LIVE_STATES
    _state.is_terminal = _state in {IntentState.SETTLED, IntentState.REJECTED, IntentState.ABSENT}
    _state.rests_at_exchange = _state in {IntentState.OPEN, IntentState.PART}


class IntentEvent(StrEnum):
    """What can happen to an intent."""

    __hash__ = str.__hash__

    SENT = "sent"
    DROPPED = "dropped"
    NOT_SENT = "not_sent"
    SEEN_OPEN = "seen_open"
    SEEN_PARTIAL = "seen_partial"
    SEEN_FINAL = "seen_final"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    PROVED_ABSENT = "proved_absent"
    CANCEL_REQUESTED = "cancel_requested"
    FILLS_COMPLETE = "fills_complete"
    CONTRADICTED = "contradicted"


_S = IntentState
_E = IntentEvent

TRANSITIONS: dict[tuple[IntentState, IntentEvent], tuple[IntentState, str]] = {
    (_S.PLANNED, _E.SENT): (_S.SENDING, "T2"),
    (_S.PLANNED, _E.DROPPED): (_S.REJECTED, "T3"),
    (_S.SENDING, _E.NOT_SENT): (_S.REJECTED, "T4"),
    (_S.SENDING, _E.SEEN_OPEN): (_S.OPEN, "T5"),
    (_S.SENDING, _E.SEEN_PARTIAL): (_S.PART, "T5"),
    (_S.SENDING, _E.SEEN_FINAL): (_S.CLOSING, "T6"),
    (_S.SENDING, _E.REFUSED): (_S.REJECTED, "T7"),
    (_S.SENDING, _E.UNCONFIRMED): (_S.UNKNOWN, "T8"),
    (_S.UNKNOWN, _E.SEEN_OPEN): (_S.OPEN, "T9"),
    (_S.UNKNOWN, _E.SEEN_PARTIAL): (_S.PART, "T9"),
    (_S.UNKNOWN, _E.SEEN_FINAL): (_S.CLOSING, "T9/T10"),
    (_S.UNKNOWN, _E.PROVED_ABSENT): (_S.ABSENT, "T11"),
    (_S.OPEN, _E.SEEN_PARTIAL): (_S.PART, "T13"),
    (_S.OPEN, _E.SEEN_FINAL): (_S.CLOSING, "T14"),
    (_S.OPEN, _E.CANCEL_REQUESTED): (_S.CANCELLING, "T15"),
    (_S.PART, _E.SEEN_PARTIAL): (_S.PART, "T13"),
    (_S.PART, _E.SEEN_FINAL): (_S.CLOSING, "T14"),
    (_S.PART, _E.CANCEL_REQUESTED): (_S.CANCELLING, "T15"),
    (_S.CANCELLING, _E.SEEN_OPEN): (_S.CANCELLING, "T17/T18"),
    (_S.CANCELLING, _E.SEEN_PARTIAL): (_S.CANCELLING, "T13"),
    (_S.CANCELLING, _E.SEEN_FINAL): (_S.CLOSING, "T16"),
    (_S.CLOSING, _E.FILLS_COMPLETE): (_S.SETTLED, "T19"),
    (_S.REJECTED, _E.CONTRADICTED): (_S.ZOMBIE, "T21"),
    (_S.ABSENT, _E.CONTRADICTED): (_S.ZOMBIE, "T21"),
    (_S.SETTLED, _E.CONTRADICTED): (_S.ZOMBIE, "T21"),
    (_S.ZOMBIE, _E.FILLS_COMPLETE): (_S.SETTLED, "T23"),
}
"""(state, event) -> (next state, transition id). T1 and T22 create rows; T12 and T20 raise alarms only."""


def next_state(state: IntentState, event: IntentEvent) -> IntentState:
    """The state after `event`; raises `Defect` for a pair that is not in the table."""
    try:
        return TRANSITIONS[state, event][0]
    except KeyError:
        raise Defect(f"an intent in state {state} cannot take the event {event}") from None
