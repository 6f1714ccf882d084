"""What a fault may reach: the exchange, its connections, the clock that waits, and the log of the truth."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.faults.log import TruthLog
    from gridtide.sandbox.faults.plan import Where
    from gridtide.sandbox.listing import Listing
    from gridtide.sandbox.sockets import Connections
    from gridtide.venue.recent_past import RecentPast


@dataclass(slots=True)
class World:
    """Handed to every effect."""

    exchange: SandboxExchange
    connections: Connections
    log: TruthLog
    journal: RecentPast
    held_events: defaultdict[str, list[Callable[[], None]]] = field(default_factory=lambda: defaultdict(list))
    """User events that wait for an answer, by account."""
    holds: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def later(self, seconds: float, action: Callable[[], object]) -> Callable[[], None]:
        """Do something after `seconds`; gives what cancels it."""
        return asyncio.get_running_loop().call_later(seconds, action).cancel

    def listing(self, where: Where) -> Listing:
        """The market a fault names, or the first; raises `InvalidInput`."""
        listings = self.exchange.listings
        if not where.market:
            return next(iter(listings.values()))
        found = listings.get(where.market.replace("/", "").upper())
        if found is None:
            raise InvalidInput(f"the sandbox has no market {where.market}; it has {', '.join(listings)}")
        return found

    def symbol(self, where: Where) -> Symbol:
        return self.listing(where).symbol

    def account(self, where: Where) -> str:
        """The account a fault names, or the first; raises `InvalidInput`."""
        accounts = self.exchange.venue.accounts()
        if where.account and where.account not in accounts:
            raise InvalidInput(f"the sandbox has no account {where.account}")
        return where.account or accounts[0]
