"""The engine's constants in one object: waiting times of the order protocol and who the bot is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.money import ZERO

if TYPE_CHECKING:
    from gridtide.domain.market import Asset, Symbol


@dataclass(frozen=True, slots=True)
class ProtocolTimes:
    """Waiting times in ms of exchange time (order-safety part 2, "Constants").

    `queue` is our own margin for a request that waits inside the exchange; only a sandbox whose own queue is
    bounded below it may use less than 180 s.
    """

    receive_window: int = 5_000
    skew: int = 1_000
    read_lag: int = 15_000
    queue: int = 180_000
    poll: int = 2_000
    longest_poll: int = 30_000
    """Between two questions for an order that can still take effect."""
    cancel_again: int = 60_000
    alarm: int = 600_000
    light_reconciliation: int = 60_000
    full_reconciliation: int = 900_000
    market_refresh: int = 600_000
    """How old the market's rules may get (F42)."""
    safe_age: int = 600_000
    refused_post_only: int = 500
    """A level whose post-only order the exchange refused waits at least this long, and for a newer book."""
    parked_retry: int = 30_000
    refused_retry: int = 10_000
    longest_refused_retry: int = 600_000
    """Refused for want of money again and again, a level waits twice as long each time, up to this (F11)."""
    longest_wait: int = 60_000
    """Between repeated questions, and between rounds of reads while the exchange does not answer."""
    blackout_alarm: int = 300_000
    """After this long without a readable account the owner is told (F50)."""

    @property
    def dead_after(self) -> int:
        """How long after its signature a request can still take effect."""
        return self.receive_window + self.skew + self.queue


ABSENCE_READS = 5
"""Successful "does not exist" answers, spread over the read lag, that the absence proof needs."""


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who places the orders; decides every client order id."""

    name: str
    account_id: str
    symbol: Symbol
    generation: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a fresh bot starts with: the only money it may touch."""

    quote: Decimal = ZERO
    base: Decimal = ZERO
    base_cost: Decimal = ZERO
    """Cost basis of `base` in quote, as the owner states it."""
    base_owner: str = "INIB"
    third: tuple[tuple[Asset, Decimal, Decimal], ...] = ()
    """Third assets (asset, amount, price in quote), for fees."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an engine is told once."""

    identity: BotIdentity
    allocation: Allocation
    times: ProtocolTimes = ProtocolTimes()
    exclusive_account: bool = True
    """True where only our bots trade on the account: balances can then be checked to the last unit (I6, I7)."""
    order_numbers_grow: bool = True
    """Whether the exchange numbers its orders upwards, so that an old number tells of a lost history (F47)."""
    is_resumable: bool = True
    """False for runs that nobody will ever resume, such as backtests: the rows of orders and slots and the strategy's
    state are then not handed to the journal. What is decided does not depend on it."""
