"""What faults act on: a request on its way to the venue, an event on its way to a client."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Answer, Delivery, Ending

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call, Endpoint
    from gridtide.sandbox.errors import ApiError
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.faults.plan import Where
    from gridtide.sandbox.faults.world import World
    from gridtide.sandbox.gateway import Passage

_RIGHTS = {Right.TRADE: "trading", Right.READ: "reads", Right.NONE: "public"}

USER = "user"
"""The name of user events among the streams."""


def matches(pattern: str, *names: str) -> bool:
    """Whether any name fits any of the patterns (``a|b``); an empty pattern fits all."""
    if not pattern:
        return True
    return any(fnmatchcase(name, each.strip()) for each in pattern.split("|") for name in names)


@cache
def names_of(method: str, path: str, ws_name: str, right: Right) -> tuple[str, ...]:
    """Every name a fault may call an endpoint by."""
    last = path.rpartition("/")[2]
    names = {_RIGHTS[right], ws_name, path, f"{method} {path}" if path else "", last, f"{method} {last}"}
    return tuple(sorted(names - {""}))


def endpoint_names(endpoint: Endpoint) -> tuple[str, ...]:
    return names_of(endpoint.method, endpoint.path, endpoint.ws_name, endpoint.right)


@dataclass(slots=True)
class Passing:
    """A request on its way through the faults."""

    passage: Passage
    world: World
    account: str
    """Of its key; empty for public requests and unknown keys."""
    shown: SandboxExchange
    """What the handler looks at: the exchange, or a past of it."""
    call: Call | None = None
    """Once it was received, admitted and authenticated."""

    @property
    def endpoint(self) -> Endpoint:
        return self.passage.incoming.endpoint

    @property
    def subject(self) -> str:
        endpoint = self.endpoint
        return f"{endpoint.method} {endpoint.path}" if endpoint.path else endpoint.ws_name

    @property
    def client_id(self) -> str:
        """Which order it is about, as the client names it."""
        values = self.passage.incoming.raw.values
        return (
            values.get("newClientOrderId") or values.get("origClientOrderId") or values.get("orderId") or ""
        )

    def fits(self, where: Where) -> bool:
        values = self.passage.incoming.raw.values
        market = where.market.replace("/", "").upper()
        return (
            matches(where.endpoint, *endpoint_names(self.endpoint))
            and (not where.account or where.account == self.account)
            and (not market or market == values.get("symbol", "").upper())
        )

    def refusal(self, error: ApiError) -> Answer:
        return self.passage.refusal(error)

    def no_answer(self, ending: Ending) -> Answer:
        """The connection ends, or nothing comes at all."""
        return Answer(200, None, 0, delivery=Delivery(ending=ending))


def with_content(answer: Answer, content: bytes, kind: str = "application/json") -> Answer:
    """The answer with other bytes in place of its JSON."""
    return replace(answer, delivery=Delivery(content=content, content_type=kind))


@dataclass(slots=True)
class Outgoing:
    """An event on its way to all listeners of a stream or an account."""

    world: World
    account: str
    stream: str
    raw: bytes
    _body: Any = field(default=None)

    @property
    def body(self) -> Any:
        """The event as JSON; not to be changed."""
        if self._body is None:
            self._body = orjson.loads(self.raw)
        return self._body

    @property
    def event(self) -> str:
        return str(self.body.get("e", "")) if isinstance(self.body, dict) else ""

    def fits(self, where: Where) -> bool:
        return (
            matches(where.stream, self.stream)
            and (not where.account or where.account == self.account)
            and (not where.event or matches(where.event, self.event))
            and (not where.market or self._is_of(where.market.replace("/", "").upper()))
        )

    def _is_of(self, market: str) -> bool:
        named = self.body.get("s", "") if isinstance(self.body, dict) else ""
        return market in (named, self.stream.partition("@")[0].upper())

    @property
    def summary(self) -> str:
        """What it says, in a few words."""
        if self.event == "executionReport":
            return " ".join(str(self.body[name]) for name in ("i", "c", "x", "X", "z"))
        return self.event
