"""The order's life is a table: what is in it is the protocol's, what is not raises."""

from __future__ import annotations

from itertools import product

import pytest

from gridtide.domain.errors import Defect
from gridtide.domain.lifecycle import (
    LIVE_STATES,
    TRANSITIONS,
    IntentEvent,
    IntentState,
    next_state,
)

S, E = IntentState, IntentEvent

PROTOCOL: dict[str, tuple[set[IntentState], set[IntentState]]] = {
    "T2": ({S.PLANNED}, {S.SENDING}),
    "T3": ({S.PLANNED}, {S.REJECTED}),
    "T4": ({S.SENDING}, {S.REJECTED}),
    "T5": ({S.SENDING}, {S.OPEN, S.PART}),
    "T6": ({S.SENDING}, {S.CLOSING}),
    "T7": ({S.SENDING}, {S.REJECTED}),
    "T8": ({S.SENDING}, {S.UNKNOWN}),
    "T9": ({S.UNKNOWN}, {S.OPEN, S.PART, S.CLOSING}),
    "T10": ({S.UNKNOWN}, {S.CLOSING}),
    "T11": ({S.UNKNOWN}, {S.ABSENT}),
    "T13": ({S.OPEN, S.PART, S.CANCELLING}, {S.PART, S.CANCELLING}),
    "T14": ({S.OPEN, S.PART}, {S.CLOSING}),
    "T15": ({S.OPEN, S.PART}, {S.CANCELLING}),
    "T16": ({S.CANCELLING}, {S.CLOSING}),
    "T17": ({S.CANCELLING}, {S.CANCELLING}),
    "T18": ({S.CANCELLING}, {S.CANCELLING}),
    "T19": ({S.CLOSING}, {S.SETTLED}),
    "T21": ({S.REJECTED, S.ABSENT, S.SETTLED}, {S.ZOMBIE}),
    "T23": ({S.ZOMBIE}, {S.SETTLED}),
}
"""The state table of the protocol, copied by hand: transition → from, to. T1, T12, T20 and T22 move no row."""


@pytest.mark.parametrize("state, event", list(product(IntentState, IntentEvent)))
def test_every_pair_is_in_the_table_or_raises(state: IntentState, event: IntentEvent) -> None:
    """A guess about an order's fate is never made."""
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) is TRANSITIONS[state, event][0]
    else:
        with pytest.raises(Defect, match=f"{state} cannot take the event {event}"):
            next_state(state, event)


def test_every_row_is_one_of_the_protocol_and_none_is_missing() -> None:
    """Each transition id has one meaning: its from and to states are those of the protocol, all of them."""
    seen: dict[str, tuple[set[IntentState], set[IntentState]]] = {}
    for (before, _), (after, names) in TRANSITIONS.items():
        for name in names.split("/"):
            starts, ends = seen.setdefault(name, (set(), set()))
            starts.add(before)
            ends.add(after)
    assert seen == PROTOCOL


def test_one_cause_has_one_name() -> None:
    """Within one state no two events share a transition id, except the shades of one sighting."""
    shades = [
        {E.SEEN_OPEN, E.SEEN_PARTIAL},
        {E.SEEN_OPEN, E.SEEN_PARTIAL, E.SEEN_FINAL},
    ]
    for state in IntentState:
        by_name: dict[str, set[IntentEvent]] = {}
        for (before, event), (_, names) in TRANSITIONS.items():
            if before is state:
                for name in names.split("/"):
                    by_name.setdefault(name, set()).add(event)
        assert all(len(events) == 1 or events in shades for events in by_name.values()), by_name


def test_terminal_states_are_left_by_contradiction_only() -> None:
    """I12, R8: a verdict stays, and stays reversible."""
    for state in IntentState:
        leaving = {event for before, event in TRANSITIONS if before is state}
        if state.is_terminal:
            assert leaving == {E.CONTRADICTED}
        else:
            assert E.CONTRADICTED not in leaving


def test_live_states_and_terminal_states_and_the_zombie_are_all() -> None:
    """R2: a ZOMBIE occupies no slot."""
    terminal = {state for state in IntentState if state.is_terminal}
    assert LIVE_STATES | terminal | {S.ZOMBIE} == set(IntentState)
    assert not LIVE_STATES & terminal
    assert not S.ZOMBIE.is_live
    assert {state for state in IntentState if state.rests_at_exchange} == {S.OPEN, S.PART}


def test_from_the_first_wish_every_state_can_be_reached_and_can_end() -> None:
    reached = {S.PLANNED}
    for _ in IntentState:
        reached |= {after for (before, _), (after, _) in TRANSITIONS.items() if before in reached}
    assert reached == set(IntentState)
    ending = {state for state in IntentState if state.is_terminal}
    for _ in IntentState:
        ending |= {before for (before, _), (after, _) in TRANSITIONS.items() if after in ending}
    assert ending == set(IntentState)
