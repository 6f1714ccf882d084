"""Faults by the control API: what is in force, arm, remove, and the log of what really happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.faults.plan import Span
from gridtide.sandbox.faults.scenario import from_row, plan
from gridtide.sandbox.wire import JsonObject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from gridtide.sandbox.faults.injector import Injector
    from gridtide.sandbox.faults.schedule import Armed


class FaultControl:
    """The operations under ``/control/faults``."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def operations(self) -> Mapping[tuple[str, str], Callable[[web.BaseRequest], Awaitable[JsonObject]]]:
        return {
            ("GET", "/control/faults"): self._list,
            ("POST", "/control/faults"): self._add,
            ("DELETE", "/control/faults"): self._remove,
            ("GET", "/control/faults/log"): self._log,
        }

    async def _list(self, _request: web.BaseRequest) -> JsonObject:
        return {"faults": [describe(armed) for armed in self._injector.armed()]}

    async def _add(self, request: web.BaseRequest) -> JsonObject:
        """Body: a fault as a scenario writes it, a list of them, or a whole scenario. All are checked before any is
        armed; one that cannot happen leaves those before it in force."""
        try:
            body = await request.json()
        except ValueError:
            raise InvalidInput("the body is not JSON; no fault was armed") from None
        if isinstance(body, dict) and "fault" not in body:
            return {"armed": self._injector.begin(plan(body))}
        faults = [from_row(row) for row in (body if isinstance(body, list) else [body])]
        return {"armed": [self._injector.add(fault) for fault in faults]}

    async def _remove(self, request: web.BaseRequest) -> JsonObject:
        """``?name=…`` removes one, without it all."""
        name = request.query.get("name")
        if name is None:
            self._injector.clear()
        else:
            self._injector.remove(name)
        return await self._list(request)

    async def _log(self, request: web.BaseRequest) -> JsonObject:
        """``?after=`` a number, ``?fault=`` a name: what was asked, done, sent, and changed by which fault."""
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise InvalidInput("after must be the number of an entry")
        return {"log": self._injector.log.rows(int(after), request.query.get("fault", ""))}


def describe(armed: Armed) -> JsonObject:
    """A fault in force, JSON-ready."""
    fault = armed.fault
    shown: JsonObject = {"name": armed.name, "fault": fault.knob}
    for part in (fault.where, fault.when):
        for key in part.__slots__:
            value = getattr(part, key)
            if value not in ("", None):
                shown[key] = value
    shown |= {key: _plain(value) for key, value in fault.options.items()}
    return {**shown, "matches": armed.matches, "strikes": armed.strikes}


def _plain(value: object) -> object:
    if isinstance(value, Span):
        return [value.low, value.high]
    return value if isinstance(value, bool | int | float) else str(value)
