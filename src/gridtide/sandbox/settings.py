"""What a sandbox exchange is started with: plain values, no files and no environment read here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gridtide.sandbox.faults.plan import FaultPlan
from gridtide.venue.settings import VenueSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path

    from gridtide.domain.market import Asset, Market, Timestamp
    from gridtide.market_data.source import LiveSource, MarketSource
    from gridtide.venue.settings import AccountFees


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What an API key may do; `withdrawals`, `transfers` and `ip_restricted` are only shown, to test checks of keys.

    With `addresses` the key is refused from any other.
    """

    reading: bool = True
    trading: bool = True
    withdrawals: bool = False
    transfers: bool = False
    ip_restricted: bool = True
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key with either an HMAC `secret` or the PEM text of an RSA or Ed25519 `public_key`."""

    key: str
    secret: str = field(default="", repr=False)
    public_key: str = ""
    permissions: KeyPermissions = KeyPermissions()


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """An account, its keys, what it starts with and what it pays."""

    account_id: str
    keys: tuple[ApiKey, ...]
    balances: Mapping[Asset, Decimal]
    fees: AccountFees


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """A market and what plays it. Without a source its price moves only when somebody calls `move`.

    Points of the source before `start` are skipped.
    """

    market: Market
    source: MarketSource | LiveSource | None = None
    start: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Rate limits (protocol section 4). Windows are aligned to the clock, weights are per address."""

    request_weight_per_minute: int = 6000
    raw_requests_per_5_minutes: int = 300_000
    orders_per_10_seconds: int = 100
    orders_per_day: int = 200_000
    maker_fill_credit: int = 5
    """How much a first fill as maker takes off the unfilled order count; as taker it is 1."""
    refusals_before_ban: int = 20
    """Requests refused with 429 in a row of one address until it is banned (418)."""
    ban_seconds: int = 120
    stream_messages_per_second: int = 5
    streams_per_connection: int = 1024
    connections_per_5_minutes: int = 300


UNLIMITED = 10**12
"""A limit that nobody reaches."""


def unlimited_orders(limits: Limits) -> Limits:
    """`limits` without counts of orders, weights, requests and connections: for benches, not for tests of a client."""
    return replace(
        limits,
        request_weight_per_minute=UNLIMITED,
        raw_requests_per_5_minutes=UNLIMITED,
        orders_per_10_seconds=UNLIMITED,
        orders_per_day=UNLIMITED,
        connections_per_5_minutes=UNLIMITED,
        stream_messages_per_second=UNLIMITED,
    )


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """How WebSocket connections are kept alive and cut (protocol section 10)."""

    ping_seconds: float = 20.0
    pong_timeout_seconds: float = 60.0
    lifetime_seconds: float = 86_400.0
    queue_bound: int = 10_000
    """Messages a connection may be behind before it is cut."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """A whole sandbox exchange.

    `port` 0 takes any free port; the control API exists only with a `control_port` (0: any free one) and a
    `control_token`. `speed` is market seconds per wall second. Unknown parameters are refused with -1104 on REST
    and ignored on the WebSocket API unless the switches say otherwise (protocol sections 9.1 and 18).
    """

    accounts: tuple[AccountSettings, ...]
    markets: tuple[MarketSettings, ...]
    host: str = "127.0.0.1"
    port: int = 0
    control_port: int | None = None
    control_token: str = field(default="", repr=False)
    instance_id: str = ""
    speed: float = 1.0
    hold: bool = False
    limits: Limits = Limits()
    sockets: SocketSettings = SocketSettings()
    venue: VenueSettings = field(default_factory=VenueSettings)
    seed: int = 0
    strict_parameters: bool = True
    strict_websocket_parameters: bool = False
    retired_features: bool = False
    """Serve what the exchange has switched off since: the stream ``!ticker@arr``."""
    kept_candles: int = 3000
    state_file: Path | None = None
    save_interval_seconds: float = 2.0
    kind: str = ""
    """What the saved state must have been made of; another kind is refused at start. Empty: not checked."""
    faults: FaultPlan = field(default_factory=FaultPlan)
    """What shall go wrong from the start."""
