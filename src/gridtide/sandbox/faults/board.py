"""The faults of a sandbox that runs in another thread, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridtide.sandbox.faults.scenario import fault, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gridtide.sandbox.faults.injector import Injector
    from gridtide.sandbox.faults.log import Entry
    from gridtide.sandbox.faults.plan import Fault


class FaultBoard:
    """Arms and removes faults: ``sandbox.faults.add("answer.lost", endpoint="POST order", nth=1)``."""

    def __init__(self, call: Callable[[Callable[[Injector], Any]], Any]) -> None:
        self._call = call

    def add(self, what: str | Fault, **fields: object) -> str:
        """Arm a fault, by its knob and keywords or ready made; gives its name. Raises `InvalidInput`."""
        made = fault(what, **fields) if isinstance(what, str) else what
        return str(self._call(lambda injector: injector.add(made)))

    def begin(self, scenario: Mapping[str, object]) -> None:
        """Arm a whole scenario, as a file has it."""
        made = plan(scenario)
        self._call(lambda injector: injector.begin(made))

    def remove(self, name: str) -> None:
        """Remove one fault."""
        self._call(lambda injector: injector.remove(name))

    def clear(self) -> None:
        """Remove all faults."""
        self._call(lambda injector: injector.clear())

    def log(self, fault_name: str = "") -> list[Entry]:
        """What really happened, of one fault or all."""
        entries: list[Entry] = self._call(lambda injector: injector.log.entries(fault=fault_name))
        return entries
