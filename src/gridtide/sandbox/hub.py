"""Who hears what: market streams by name, user events by account. Encodes an event once for all its listeners."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gridtide.sandbox.outbox import frame
from gridtide.sandbox.time_unit import TimeUnit, event_in
from gridtide.sandbox.wire import encode

if TYPE_CHECKING:
    from gridtide.sandbox.seam import Seam


class StreamListener(Protocol):
    """A connection that hears market streams."""

    @property
    def combined(self) -> bool:
        """Whether it wants payloads wrapped with the stream's name."""
        ...

    @property
    def unit(self) -> TimeUnit:
        """What the times of its payloads count."""
        ...

    def send_frame(self, data: bytes) -> None:
        """Send a payload that is a WebSocket frame already."""
        ...


class UserListener(Protocol):
    """A subscription to one account's events."""

    def send_event(self, event: bytes) -> None: ...


class Hub:
    """All listeners. Sending to nobody costs a dictionary look-up; ask `wants` before building a payload."""

    def __init__(self, seam: Seam) -> None:
        self._seam = seam
        self._streams: defaultdict[str, set[StreamListener]] = defaultdict(set)
        self._users: defaultdict[str, set[UserListener]] = defaultdict(set)
        self.fresh: set[str] = set()
        """Streams with a new listener, which get their timed payload even if nothing changed."""

    # --- market streams ------------------------------------------------------------------------------

    def subscribe(self, name: str, listener: StreamListener) -> None:
        self._streams[name].add(listener)
        self.fresh.add(name)

    def unsubscribe(self, name: str, listener: StreamListener) -> None:
        listeners = self._streams.get(name)
        if listeners is None:
            return
        listeners.discard(listener)
        if not listeners:
            del self._streams[name]
            self.fresh.discard(name)

    def wants(self, name: str) -> bool:
        """Whether anybody listens to the stream."""
        return name in self._streams

    def names(self) -> tuple[str, ...]:
        """All streams somebody listens to."""
        return tuple(self._streams)

    def emit(self, name: str, payload: object) -> None:
        """Send a payload to the stream's listeners, raw or wrapped as each wants it."""
        listeners = self._streams.get(name)
        if not listeners:
            return
        raw, hook = encode(payload), self._seam.on_event
        if hook is None:
            self._send(name, raw)
        else:
            hook("", name, raw, partial(self._send, name))

    def _send(self, name: str, raw: bytes) -> None:
        frames: dict[tuple[bool, TimeUnit], bytes] = {}
        for listener in self._streams.get(name, ()):
            form = listener.combined, listener.unit
            data = frames.get(form)
            if data is None:
                data = frames[form] = _market_frame(name, raw, *form)
            listener.send_frame(data)

    # --- user events ---------------------------------------------------------------------------------

    def add_user(self, account_id: str, listener: UserListener) -> None:
        self._users[account_id].add(listener)

    def remove_user(self, account_id: str, listener: UserListener) -> None:
        self._users[account_id].discard(listener)

    def wants_user(self, account_id: str) -> bool:
        """Whether anybody listens to the account."""
        return bool(self._users.get(account_id))

    def emit_user(self, account_id: str, event: object) -> None:
        """Send an event to every subscription of the account, on whatever connection."""
        listeners = self._users.get(account_id)
        if not listeners:
            return
        raw, hook = encode(event), self._seam.on_event
        if hook is None:
            self._send_user(account_id, raw)
        else:
            hook(account_id, "user", raw, partial(self._send_user, account_id))

    def _send_user(self, account_id: str, raw: bytes) -> None:
        for listener in self._users.get(account_id, ()):
            listener.send_event(raw)


def _market_frame(name: str, raw: bytes, combined: bool, unit: TimeUnit) -> bytes:
    payload = event_in(unit, raw)
    return frame(b'{"stream":"' + name.encode() + b'","data":' + payload + b"}" if combined else payload)
