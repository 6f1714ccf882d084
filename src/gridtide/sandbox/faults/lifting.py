"""The exchange as it is without what faults in force have changed of it: for the moment in which its state is taken.

A sandbox that was killed starts with the faults it is told to have, and not with what was left of earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.faults.schedule import Armed


@contextmanager
def lifted(exchange: SandboxExchange, armed: Iterable[Armed]) -> Iterator[None]:
    """Within it, rules and statuses of markets and rights of keys are as without these faults. Await nothing in it."""
    undone = [each for each in armed if each.undo is not None and each.knob.changes_saved]
    if not undone:
        yield
        return
    markets = exchange.venue.markets()
    rights = [(entry, entry.api_key) for entry in exchange.keys]
    for each in reversed(undone):
        assert each.undo is not None
        each.undo()
    try:
        yield
    finally:
        for market in markets:
            exchange.venue.set_rules(market.symbol, market.rules)
            exchange.venue.set_status(market.symbol, market.status)
        for entry, api_key in rights:
            entry.api_key = api_key
