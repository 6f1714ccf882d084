"""Joins the faults in force to the seam: who is struck, in which order their effects nest, what the log says.

With no fault in force it takes itself out of the seam, and the sandbox runs as if there were none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.faults import streams, whole_exchange
from gridtide.sandbox.faults.catalogue import KNOBS
from gridtide.sandbox.faults.connections import fits
from gridtide.sandbox.faults.knob import Layer
from gridtide.sandbox.faults.lifting import lifted
from gridtide.sandbox.faults.log import TruthLog
from gridtide.sandbox.faults.plan import Where
from gridtide.sandbox.faults.schedule import Armed
from gridtide.sandbox.faults.subjects import USER, Outgoing, Passing, matches
from gridtide.sandbox.faults.world import World
from gridtide.sandbox.seam import Liveness, NoAnswer
from gridtide.venue.recent_past import RecentPast

if TYPE_CHECKING:
    from gridtide.domain.market import Timestamp
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.faults.knob import Options, Proceed, Send
    from gridtide.sandbox.faults.plan import Fault, FaultPlan
    from gridtide.sandbox.gateway import Passage
    from gridtide.sandbox.sockets import Connection, Connections
    from gridtide.venue.messages import VenueEvent

Struck = tuple[Armed, "Options"]


class Injector:
    """All faults in force. Everything runs in the sandbox's event loop."""

    def __init__(self, exchange: SandboxExchange, connections: Connections) -> None:
        self.log = TruthLog(exchange.now)
        self._world = World(exchange, connections, self.log, RecentPast())
        self._armed: dict[str, Armed] = {}
        self._seed = 0
        self._count = 0

    # --- arming --------------------------------------------------------------------------------------

    def begin(self, plan: FaultPlan) -> list[str]:
        """Arm a whole plan, with its seed; gives the names."""
        self._seed = plan.seed
        return [self.add(fault) for fault in plan.faults]

    def add(self, fault: Fault) -> str:
        """Arm a fault now; gives its name. What happens by itself at once has happened when this returns.

        Raises `InvalidInput` for an unknown knob, a name in use, or something that cannot happen.
        """
        knob = KNOBS.get(fault.knob)
        if knob is None:
            raise InvalidInput(f"there is no fault {fault.knob}")
        self._count += 1
        name = fault.name or f"{fault.knob}#{self._count}"
        if name in self._armed:
            raise InvalidInput(f"a fault is called {name} already; no other was armed")
        now = self._world.exchange.clock.monotonic()
        armed = Armed(name, fault, knob, _merged(fault.where, knob.where), self._seed, now)
        self._armed[name] = armed
        self._join()
        self.log.add("fault", fault.knob, fault=name, detail="armed")
        try:
            self._start(armed)
        except GridtideError:
            self.remove(name)
            raise
        return name

    def remove(self, name: str) -> None:
        """Take a fault out of force and take back what it lastingly changed. Raises `InvalidInput`."""
        armed = self._armed.pop(name, None)
        if armed is None:
            raise InvalidInput(f"no fault is called {name}; nothing was changed")
        for cancel in armed.timers.values():
            cancel()
        self._undo(armed)
        self.log.add("fault", armed.fault.knob, fault=name, detail="removed")
        self._join()

    def clear(self) -> None:
        """Remove every fault, the newest first."""
        for name in reversed(tuple(self._armed)):
            self.remove(name)

    def lifted(self) -> AbstractContextManager[None]:
        """Within it the state is as if these faults had changed nothing of it."""
        return lifted(self._world.exchange, self._armed.values())

    def armed(self) -> tuple[Armed, ...]:
        """The faults in force, oldest first."""
        return tuple(self._armed.values())

    def _join(self) -> None:
        """Put hooks where a fault in force needs them, and take away those nobody needs."""
        seam, knobs = self._world.exchange.seam, [armed.knob for armed in self._armed.values()]
        is_any = bool(knobs)
        if is_any and seam.on_published is None:
            self._world.journal.begin(self._world.exchange.venue)
        seam.around_request = self._around_request if is_any else None
        seam.on_event = self._on_event if is_any else None
        seam.on_published = self._on_published if is_any else None
        seam.at_the_door = self._at_the_door if is_any else None
        seam.on_subscribing = self._on_subscribing if is_any else None
        seam.liveness = self._liveness if any(knob.liveness for knob in knobs) else None

    # --- what happens by itself ----------------------------------------------------------------------

    def _start(self, armed: Armed) -> None:
        """Start what does not wait for a request, and see to its end."""
        until = armed.fault.when.until_seconds
        if until is not None:
            armed.timers["end"] = self._world.later(until, partial(self.remove, armed.name))
        if armed.knob.action is None or armed.fault.where.endpoint:
            return
        when = armed.fault.when
        if when.from_seconds:
            self._next(armed, when.from_seconds)
        else:
            self._happen(armed, armed.strike(self._now()))
            self._again(armed)

    def _next(self, armed: Armed, seconds: float) -> None:
        armed.timers["next"] = self._world.later(seconds, partial(self._happen_by_itself, armed))

    def _happen_by_itself(self, armed: Armed) -> None:
        # A timer may run a moment early, by its own clock.
        now = max(self._now(), armed.armed_at + armed.fault.when.from_seconds)
        try:
            self._happen(armed, armed.strike(now))
        except GridtideError as error:
            self.log.add("action", armed.fault.knob, fault=armed.name, detail=f"not done: {error}")
        self._again(armed)

    def _again(self, armed: Armed) -> None:
        wait = armed.fault.when.repeat_seconds
        if wait is not None and not armed.is_worn_out:
            self._next(armed, wait)

    def _happen(self, armed: Armed, options: Options | None) -> None:
        action = armed.knob.action
        if options is None or action is None:
            return
        self._undo(armed)
        self._refuse_second(armed)
        where = replace(armed.where, endpoint="")
        armed.undo = action(self._world, where, options)
        self.log.add(
            "action", armed.fault.knob, account=where.account, fault=armed.name, detail=_described(options)
        )

    def _refuse_second(self, armed: Armed) -> None:
        """Two faults that change the same thing could not be taken back in any order."""
        for other in self._armed.values():
            if (
                other.undo is not None
                and other.knob is armed.knob
                and self._is_same(other.where, armed.where)
            ):
                raise InvalidInput(f"the fault {other.name} does the same already: remove it first")

    def _is_same(self, one: Where, other: Where) -> bool:
        world = self._world
        return world.symbol(one) == world.symbol(other) and world.account(one) == world.account(other)

    def _undo(self, armed: Armed) -> None:
        if armed.undo is not None:
            armed.undo()
            armed.undo = None

    def _now(self) -> float:
        return self._world.exchange.clock.monotonic()

    # --- requests ------------------------------------------------------------------------------------

    async def _around_request(self, passage: Passage) -> Answer:
        passing = Passing(passage, self._world, self._account_of(passage), self._world.exchange)
        self.log.add("request", passing.subject, account=passing.account, detail=passing.client_id)
        struck = self._strike_request(passing)
        outer = [each for each in struck if each[0].knob.layer in (Layer.ANSWER, Layer.NETWORK)]
        inner = [each for each in struck if each not in outer]

        async def enter() -> Answer:
            try:
                passing.call = passage.open()
                return await _nested(inner, passing, partial(self._act, passing))()
            except ApiError as error:
                return passage.refusal(error)

        answer = await _nested(outer, passing, enter)()
        self._log_answer(passing, answer, struck)
        return answer

    async def _act(self, passing: Passing) -> Answer:
        assert passing.call is not None
        acts = [
            armed
            for armed in self._armed.values()
            if armed.knob.action is not None and armed.fault.where.endpoint and passing.fits(armed.where)
        ]
        self._happen_around(acts, "before")
        answer = passing.passage.act(passing.call, passing.shown)
        detail = f"{passing.client_id} {answer.status} {_order_id(answer)}".strip()
        self.log.add("acted", passing.subject, account=passing.account, detail=detail)
        self._happen_around(acts, "after")
        return answer

    def _happen_around(self, acts: Iterable[Armed], moment: str) -> None:
        for armed in acts:
            if armed.fault.options.get("moment", "after") == moment:
                try:
                    self._happen(armed, armed.strike(self._now()))
                except GridtideError as error:
                    self.log.add("action", armed.fault.knob, fault=armed.name, detail=f"not done: {error}")

    def _strike_request(self, passing: Passing) -> list[Struck]:
        """The faults that strike, outermost first."""
        now = self._now()
        struck = [
            (armed, options)
            for armed in self._armed.values()
            if armed.knob.on_request is not None
            and passing.fits(armed.where)
            and not (armed.knob.on_subscribing and not matches(armed.where.stream, USER))
            and (options := armed.strike(now)) is not None
        ]
        return sorted(struck, key=lambda each: each[0].knob.layer.value)

    def _account_of(self, passage: Passage) -> str:
        incoming = passage.incoming
        if incoming.api_key is None:
            return "" if incoming.session is None else incoming.session.account_id
        return next(
            (
                entry.account_id
                for entry in self._world.exchange.keys
                if entry.api_key.key == incoming.api_key
            ),
            "",
        )

    def _log_answer(self, passing: Passing, answer: Answer, struck: list[Struck]) -> None:
        for armed, options in struck:
            self.log.add(
                "fault",
                passing.subject,
                account=passing.account,
                fault=armed.name,
                detail=f"{passing.client_id} {_described(options)}".strip(),
            )
        ending = answer.delivery.ending if answer.delivery is not None else None
        detail = f"none: {ending.value}" if ending is not None else str(answer.status)
        self.log.add("answer", passing.subject, account=passing.account, detail=detail)

    # --- events --------------------------------------------------------------------------------------

    def _on_event(self, account: str, stream: str, raw: bytes, send: Send) -> None:
        outgoing = Outgoing(self._world, account, stream, raw)
        now = self._now()
        struck = [
            (armed, options)
            for armed in self._armed.values()
            if armed.knob.on_event is not None
            and outgoing.fits(armed.where)
            and (options := armed.strike(now)) is not None
        ]
        subject = f"{stream} {outgoing.event}".strip()
        for armed, options in struck:
            self.log.add(
                "fault",
                subject,
                account=account,
                fault=armed.name,
                detail=f"{armed.fault.knob} {outgoing.summary} {_described(options)}",
            )
        going: Send = partial(self._send, outgoing, subject, send)
        for armed, options in reversed(struck):
            going = partial(self._event_effect, armed, options, outgoing, going)
        going(raw)

    def _event_effect(
        self, armed: Armed, options: Options, outgoing: Outgoing, send: Send, raw: bytes
    ) -> None:
        assert armed.knob.on_event is not None
        # What an earlier fault made of the event is what the next one sees.
        seen = outgoing if raw is outgoing.raw else replace(outgoing, raw=raw, _body=None)
        armed.knob.on_event(armed, seen, options, send)

    def _send(self, outgoing: Outgoing, subject: str, send: Send, raw: bytes) -> None:
        if outgoing.account and self._world.holds[outgoing.account]:
            held = self._world.held_events[outgoing.account]
            held.append(partial(self._send_now, outgoing, subject, send, raw))
        else:
            self._send_now(outgoing, subject, send, raw)

    def _send_now(self, outgoing: Outgoing, subject: str, send: Send, raw: bytes) -> None:
        send(raw)
        if outgoing.account:
            self.log.add("event", subject, account=outgoing.account, detail=outgoing.summary)
        for armed in tuple(self._armed.values()):
            if armed.knob.on_event is streams.swap:
                streams.after_swap(armed, outgoing)

    def _on_published(self, events: Sequence[VenueEvent], now: Timestamp) -> None:
        self._world.journal.add(events, now)

    # --- connections ---------------------------------------------------------------------------------

    def _at_the_door(self) -> ApiError | None:
        """Maintenance and a ban refuse everything."""
        for armed in self._armed.values():
            if armed.fault.knob == "exchange.ban" and armed.is_open(self._now()):
                return whole_exchange.ban_error(self._world, armed.options())
            if armed.fault.knob == "exchange.maintenance" and armed.is_open(self._now()):
                return whole_exchange.maintenance_error(armed.options())
        return None

    def _on_subscribing(self, names: Sequence[str]) -> ApiError | NoAnswer | None:
        for armed in self._armed.values():
            if not armed.knob.on_subscribing or armed.fault.where.endpoint:
                continue
            if not any(matches(armed.where.stream, name) for name in names):
                continue
            options = armed.strike(self._now())
            if options is not None:
                self.log.add("fault", "SUBSCRIBE", fault=armed.name, detail=" ".join(names))
                return ApiError(options["code"], options["message"]) if "code" in options else NoAnswer()
        return None

    def _liveness(self, connection: Connection) -> Liveness:
        liveness = Liveness()
        for armed in self._armed.values():
            effect = armed.knob.liveness
            if effect is not None and armed.is_open(self._now()) and fits(connection, armed.where):
                liveness = effect(connection, liveness, armed.options())
        return liveness


def _nested(struck: list[Struck], passing: Passing, innermost: Proceed) -> Proceed:
    """The effects around each other, the first outermost."""
    proceed = innermost
    for armed, options in reversed(struck):
        proceed = partial(_effect, armed, options, passing, proceed)
    return proceed


def _effect(armed: Armed, options: Options, passing: Passing, proceed: Proceed) -> Awaitable[Answer]:
    assert armed.knob.on_request is not None
    return armed.knob.on_request(passing, options, proceed)


def _merged(given: Where, usual: Where) -> Where:
    return Where(
        endpoint=given.endpoint or usual.endpoint,
        stream=given.stream or usual.stream,
        event=given.event or usual.event,
        account=given.account,
        market=given.market,
    )


def _described(options: Options) -> str:
    """What was drawn, in words."""
    inner = ("draw", "armed")
    return " ".join(
        f"{name}={value}" for name, value in options.items() if name not in inner and value is not None
    )


def _order_id(answer: Answer) -> str:
    found = answer.body.get("orderId") if isinstance(answer.body, dict) else None
    return "" if found is None else f"order {found}"
