"""Every knob there is, one table."""

from __future__ import annotations

from gridtide.sandbox.faults import (
    accounts,
    answers,
    connections,
    engine,
    markets,
    reads,
    requests,
    streams,
    whole_exchange,
)
from gridtide.sandbox.faults.knob import Knob

KNOBS: dict[str, Knob] = {
    knob.name: knob
    for knob in (
        *requests.KNOBS,
        *answers.KNOBS,
        *engine.KNOBS,
        *reads.KNOBS,
        *streams.KNOBS,
        *connections.KNOBS,
        *accounts.KNOBS,
        *markets.KNOBS,
        *whole_exchange.KNOBS,
    )
}
