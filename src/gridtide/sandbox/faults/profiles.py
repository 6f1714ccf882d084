"""Named sets of random faults. A seed draws from the sets that a plan names and from no other.

``beyond`` breaks the assumptions of the order protocol (requests that arrive twice, an engine slower than QUEUE): no
other set contains those two knobs.
"""

from __future__ import annotations

from collections.abc import Mapping

Row = Mapping[str, object]
"""A fault as a scenario writes it; its probability is that of a rate of 1."""

_NETWORK: tuple[Row, ...] = (
    {"fault": "request.lost", "probability": 0.01},
    {"fault": "request.delayed", "probability": 0.02, "seconds": [0, 20]},
    {"fault": "request.reset", "probability": 0.005, "moment": "before"},
    {"fault": "request.reset", "probability": 0.005, "moment": "after"},
    {"fault": "answer.lost", "probability": 0.01},
    {"fault": "answer.delayed", "probability": 0.02, "seconds": [0, 20]},
    {"fault": "answer.cut", "probability": 0.005, "byte": [0, 200]},
    {"fault": "answer.html", "probability": 0.005},
    {"fault": "answer.empty", "probability": 0.003},
    {"fault": "answer.invalid_json", "probability": 0.003},
)
_EXCHANGE: tuple[Row, ...] = (
    {"fault": "engine.timeout", "probability": 0.005, "seconds": [0, 5]},
    {"fault": "engine.unknown", "probability": 0.005, "code": -1006, "executed": True},
    {"fault": "engine.unknown", "probability": 0.005, "code": -1008, "executed": False},
    {"fault": "engine.cancel_race", "probability": 0.02, "share": [0.1, 1]},
    {"fault": "engine.fill", "probability": 0.01, "share": [0.1, 1]},
    {"fault": "reads.error", "probability": 0.01},
    {"fault": "reads.lag", "probability": 0.05, "seconds": [0, 120]},
    {"fault": "reads.blind", "seconds": 120, "share": 0.02},
    {"fault": "reads.shuffled", "probability": 0.02, "endpoint": "myTrades"},
)
_STREAMS: tuple[Row, ...] = (
    {"fault": "stream.drop", "probability": 0.02},
    {"fault": "stream.repeat", "probability": 0.02, "seconds": [0, 5]},
    {"fault": "stream.swap", "probability": 0.02},
    {"fault": "stream.delay", "probability": 0.02, "seconds": [0, 20]},
    {"fault": "stream.merge", "probability": 0.02},
    {"fault": "stream.answer_first", "probability": 0.1},
    {"fault": "stream.event_first", "probability": 0.1},
)
_BEYOND: tuple[Row, ...] = (
    {"fault": "request.twice", "probability": 0.005, "seconds": [0, 2]},
    {"fault": "engine.queue", "probability": 0.005, "seconds": [25, 300]},
)

PROFILES: dict[str, tuple[Row, ...]] = {
    "network": _NETWORK,
    "exchange": _EXCHANGE,
    "streams": _STREAMS,
    "everyday": (*_NETWORK, *_EXCHANGE, *_STREAMS),
    "beyond": _BEYOND,
}
