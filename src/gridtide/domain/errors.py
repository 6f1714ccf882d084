"""The error tree, sorted by what the caller does next.

::

    GridtideError                     everything this program raises on purpose
    ├── InvalidInput                  tell the person what to change; nothing was placed
    │   ├── InvalidValue              one value is out of its domain
    │   ├── InvalidConfig             a setting is wrong; names the key
    │   ├── PlanRefused               the grid cannot be traded as asked; names level and rule
    │   └── DataUnusable              a market file cannot be read as what it should be
    ├── Refused                       final: the exchange or the risk gate said no
    ├── Unconfirmed                   reconcile: nobody knows whether it happened
    ├── Transient                     try again later (reads only, never orders)
    │   └── RateLimited               ... not before `retry_after_seconds`
    ├── NotPermitted                  keys or rights are wrong: pause and ask a person
    ├── StorageFailed                 nothing may leave: the journal did not take it
    ├── Fenced                        another instance owns this bot: stop
    └── Defect                        a rule of our own was broken: stop, keep everything
"""

from __future__ import annotations


class GridtideError(Exception):
    """Base of all errors raised on purpose; its text is one sentence for a person."""


class InvalidInput(GridtideError):
    """The person has to change something; nothing was placed."""


class InvalidValue(InvalidInput, ValueError):
    """One value is outside its domain."""


class InvalidConfig(InvalidInput):
    """A setting is missing, unknown or wrong; the text names its key and place."""


class PlanRefused(InvalidInput):
    """The grid cannot be traded as asked; the text names the level and the rule."""


class DataUnusable(InvalidInput):
    """A market file is missing, corrupt or not what it claims to be."""


class Refused(GridtideError):
    """Final: the exchange or the risk gate said no."""


class Unconfirmed(GridtideError):
    """Nobody knows whether it happened: reconcile, never repeat."""


class Transient(GridtideError):
    """A read failed in a way that passes; reads may be repeated, orders never."""


class RateLimited(Transient):
    """The exchange asked to slow down."""

    def __init__(self, message: str, retry_after_seconds: float = 0.0, *, banned: bool = False) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.banned = banned


class NotPermitted(GridtideError):
    """The key, its address or its rights are wrong: pause and ask a person."""


class StorageFailed(GridtideError):
    """A commit failed; what was not written must not leave."""


class Fenced(GridtideError):
    """Another instance owns this bot."""


class Defect(GridtideError):
    """A rule of our own was broken; stop and keep everything as it is."""
