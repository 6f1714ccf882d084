"""What a knob is: a name, its options, and the one small function that is its effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from gridtide.sandbox.faults.plan import Where

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Answer
    from gridtide.sandbox.faults.schedule import Armed
    from gridtide.sandbox.faults.subjects import Outgoing, Passing
    from gridtide.sandbox.faults.world import World
    from gridtide.sandbox.seam import Liveness
    from gridtide.sandbox.sockets import Connection

Options = Mapping[str, Any]
"""By name, parsed and drawn; with them ``draw``, a generator for this strike alone, and ``armed``, the fault."""

Proceed = Callable[[], "Awaitable[Answer]"]
"""Lets the request go on to the next fault and at last to the venue; may be called twice, or never."""

RequestEffect = Callable[["Passing", Options, Proceed], "Awaitable[Answer]"]
Send = Callable[[bytes], None]
EventEffect = Callable[["Armed", "Outgoing", Options, Send], None]
Undo = Callable[[], None]
Action = Callable[["World", Where, Options], "Undo | None"]
"""Something happens at the exchange; gives what takes it back, where it can be."""
LivenessEffect = Callable[["Connection", "Liveness", Options], "Liveness"]


class Layer(Enum):
    """Between which steps a request's fault acts, from the client inwards."""

    ANSWER = 0
    """Around everything: what comes back."""
    NETWORK = 1
    """Before the request is received."""
    ENGINE = 2
    """Received, admitted and authenticated, but not yet at the venue."""
    READ = 3
    """What a query looks at."""


class Kind(Enum):
    """How an option is written, and which values it takes."""

    SECONDS = "seconds"
    WHOLE = "whole number"
    NUMBER = "number"
    SHARE = "number from 0 to 1"
    DECIMAL = "decimal"
    TEXT = "text"
    FLAG = "true or false"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a knob. Seconds and numbers may be given as ``[low, high]``: drawn anew each time."""

    name: str
    kind: Kind
    default: object
    """None: not set."""
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Knob:
    """One kind of fault. It has one or more effects, by what it can come between."""

    name: str
    text: str
    options: tuple[Option, ...] = ()
    where: Where = field(default_factory=Where)
    """What it applies to where the fault does not say."""
    on_request: RequestEffect | None = None
    layer: Layer = Layer.ANSWER
    on_event: EventEffect | None = None
    action: Action | None = None
    liveness: LivenessEffect | None = None
    on_subscribing: bool = False
    """Whether it also answers subscriptions to market streams (by code and message, or silence)."""
    changes_saved: bool = False
    """Whether its action changes what the state file holds: rules or status of a market, rights of a key."""

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


def seconds(default: float | None, text: str, name: str = "seconds") -> Option:
    return Option(name, Kind.SECONDS, default, text)


def whole(name: str, default: int | None, text: str) -> Option:
    return Option(name, Kind.WHOLE, default, text)


def number(name: str, default: float | None, text: str) -> Option:
    return Option(name, Kind.NUMBER, default, text)


def share(name: str, default: float | None, text: str) -> Option:
    return Option(name, Kind.SHARE, default, text)


def decimal(name: str, default: object, text: str) -> Option:
    return Option(name, Kind.DECIMAL, default, text)


def word(name: str, default: str, text: str, *choices: str) -> Option:
    return Option(name, Kind.TEXT, default, text, choices)


def flag(name: str, text: str, *, default: bool) -> Option:
    return Option(name, Kind.FLAG, default, text)
