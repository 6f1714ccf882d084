"""What an endpoint is: one row with its names, weight, rights, parameters and handler, for REST and WebSocket alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from gridtide.sandbox.authentication import Right
from gridtide.sandbox.errors import mandatory

if TYPE_CHECKING:
    from gridtide.sandbox.authentication import KeyEntry
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.parameters import Parameter

T = TypeVar("T")

Weight = int | Callable[[Mapping[str, str]], int]
"""A fixed weight, or one that depends on the raw parameters."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation. An empty `path` or `ws_name` means the other entrance only."""

    handler: Callable[[SandboxExchange, Call], object]
    """Gives the JSON-ready answer; raises `ApiError` or `VenueRefusal`. Runs without awaiting."""
    method: str = ""
    path: str = ""
    ws_name: str = ""
    weight: Weight = 1
    right: Right = Right.NONE
    required: tuple[Parameter[Any], ...] = ()
    optional: tuple[Parameter[Any], ...] = ()
    free_on_success: bool = False
    """Order placement and cancels: weight only if they fail (since 2026-04-02)."""
    shows_order_counts: bool = False

    def weigh(self, values: Mapping[str, str]) -> int:
        return self.weight(values) if callable(self.weight) else self.weight


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way: admitted, authenticated, decoded."""

    endpoint: Endpoint
    values: Mapping[str, Any]
    address: str
    raw: Mapping[str, str] = field(repr=False)
    key: KeyEntry | None = None

    @property
    def account_id(self) -> str:
        """The account of the key; only signed endpoints may ask."""
        assert self.key is not None
        return self.key.account_id

    def get(self, parameter: Parameter[T]) -> T | None:
        """The parameter's value, or None if it was not sent."""
        # `decode_all` put it there under this name with this very parameter's decoder.
        value: T | None = self.values.get(parameter.name)
        return value

    def need(self, parameter: Parameter[T]) -> T:
        """The parameter's value; -1102 if it was not sent."""
        value = self.get(parameter)
        if value is None:
            raise mandatory(parameter.name)
        return value


class Ending(Enum):
    """How a connection ends instead of answering, or does not end."""

    DROP = "drop"
    """Closed."""
    RESET = "reset"
    """Closed hard, so that the client sees a reset."""
    SILENCE = "silence"
    """Left open without a word."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of an answer on its way back, where it does not simply arrive."""

    content: bytes | None = None
    """Sent in place of the answer's JSON."""
    content_type: str = "application/json"
    cut_at: int | None = None
    """After how many bytes of the body the connection ends."""
    ending: Ending | None = None
    """Set: nothing is sent at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: HTTP status and JSON-ready body, and what the limits stood at."""

    status: int
    body: object
    used_weight: int
    account_id: str | None = None
    """Set where the account's order counts are shown with the answer."""
    retry_at: int | None = None
    delivery: Delivery | None = None

    @property
    def is_error(self) -> bool:
        return self.status >= 400
