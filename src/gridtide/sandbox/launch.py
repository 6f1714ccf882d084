"""What an embedded sandbox is launched with: a JSON-ready description, and the settings made of it."""

from __future__ import annotations

import atexit
import gc
import hashlib
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Asset, Symbol, Timestamp
from gridtide.domain.money import ONE, FeeRate, parse_decimal
from gridtide.sandbox.settings import (
    AccountSettings,
    ApiKey,
    Limits,
    MarketSettings,
    SandboxSettings,
)
from gridtide.venue.settings import AccountFees

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.domain.market import Market
    from gridtide.market_data.source import LiveSource, MarketSource

ACCOUNT = "main"
"""The id of the one account of an embedded sandbox."""

DEFAULT_SYMBOL = Symbol("BTC/USDT")
STATE_FILE = "sandbox.state.json"
_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class MarketLaunch:
    """One market to play: a file, the live market of an exchange, or without either the seeded synthetic market."""

    symbol: str | None = None
    """None: what the file's name says, or BTC/USDT."""
    file: str | None = None
    seed: int = 1
    start_price: str = "50000"
    """Of the synthetic market."""
    exchange: str | None = None
    """Whose live market is followed, by CCXT id."""

    @property
    def kind(self) -> str:
        """What the market is made of, for a person; a saved state of another kind is refused."""
        if self.file is not None:
            return Path(self.file).name
        if self.exchange is not None:
            return f"live {self.exchange} {self.symbol}"
        return f"synthetic {self.symbol or DEFAULT_SYMBOL}, seed {self.seed}, from {self.start_price}"


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """An embedded sandbox: one market, one account. Money and rates are exact texts, so that it goes into JSON.

    Without a `market_file` the seeded synthetic market is played.
    """

    symbol: str | None = None
    """None: what the file's name says, or BTC/USDT."""
    market_file: str | None = None
    seed: int = 1
    start_price: str = "50000"
    """Of the synthetic market."""
    start: int | None = None
    """Market time (ms) to start at; None: the beginning of the file, or now for the synthetic market."""
    speed: float = 1.0
    hold: bool = False
    port: int = 0
    """0: any free one."""
    balances: Mapping[str, str] = field(default_factory=lambda: {"USDT": "100000"})
    maker_fee: str = "0.001"
    taker_fee: str = "0.001"
    fee_asset: str | None = None
    """A third asset that fees are taken in, None: what is received."""
    fee_asset_price: str | None = None
    """What one unit of it costs in quote, where the sandbox has no market for it."""
    orders_per_10_seconds: int = Limits().orders_per_10_seconds

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; the file by its absolute path."""
        file = None if self.market_file is None else str(Path(self.market_file).absolute())
        return {**asdict(self), "market_file": file}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LaunchSpec:
        """The spec that `to_json` gave; raises `InvalidInput` for anything else."""
        try:
            return cls(**values)
        except TypeError as error:
            raise InvalidInput(f"the sandbox's launch file does not fit this version: {error}") from None

    @property
    def market(self) -> MarketLaunch:
        """The one market."""
        return MarketLaunch(self.symbol, self.market_file, self.seed, self.start_price)

    @property
    def kind(self) -> str:
        """What the market is made of."""
        return self.market.kind


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach an embedded sandbox: made at its first launch and kept with its state."""

    api_key: str
    secret: str = field(repr=False)

    @classmethod
    def generate(cls) -> Credentials:
        return cls(_random_text(64), _random_text(64))


def folder_name(words: str, kind: str) -> str:
    """The name of a sandbox's folder: words a person recognises, and a hash of everything it is made of."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-").lower()[:40]
    return f"{readable}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Identity:
    """What a process of an embedded sandbox is told apart by, besides what it was launched with."""

    instance_id: str
    control_token: str = field(repr=False)
    credentials: Credentials
    market_start: Timestamp
    """Where the synthetic market begins: the wall time of the first launch, kept with the state."""


def build_settings(spec: LaunchSpec, folder: Path, identity: Identity) -> SandboxSettings:
    """Settings of the sandbox that `spec` describes, with its state in `folder`."""
    credentials = identity.credentials
    key = ApiKey(credentials.api_key, credentials.secret)
    balances = {Asset(asset): parse_decimal(amount) for asset, amount in spec.balances.items()}
    source = open_source(spec.market, identity.market_start)
    start = None if spec.start is None else Timestamp(spec.start)
    return SandboxSettings(
        accounts=(AccountSettings(ACCOUNT, (key,), balances, _fees(spec)),),
        markets=(MarketSettings(source.market, source, start),),
        port=spec.port,
        control_port=0,
        control_token=identity.control_token,
        instance_id=identity.instance_id,
        speed=spec.speed,
        hold=spec.hold,
        limits=Limits(orders_per_10_seconds=spec.orders_per_10_seconds),
        seed=spec.seed,
        state_file=folder / STATE_FILE,
        kind=spec.kind,
    )


def _fees(spec: LaunchSpec) -> AccountFees:
    return AccountFees(
        FeeRate(parse_decimal(spec.maker_fee)),
        FeeRate(parse_decimal(spec.taker_fee)),
        asset=None if spec.fee_asset is None else Asset(spec.fee_asset),
        asset_price=None if spec.fee_asset_price is None else parse_decimal(spec.fee_asset_price),
    )


def open_source(
    launch: MarketLaunch, market_start: Timestamp, market: Market | None = None
) -> MarketSource | LiveSource:
    """What plays the market; `market` gives the synthetic one its rules, else they are the known or guessed ones.

    Raises `InvalidInput` for an unusable file, or an exchange that does not answer. Call it outside any event loop.
    """
    symbol = None if launch.symbol is None else Symbol(launch.symbol)
    if launch.file is not None:
        from gridtide.market_data.files import open_market  # loads DuckDB: only where a file is played

        return open_market(launch.file, symbol)
    if launch.exchange is not None:
        from gridtide.market_data.live_feed import open_live

        return open_live(launch.exchange, symbol or DEFAULT_SYMBOL)
    from gridtide.market_data.known_markets import known_symbols, market_of
    from gridtide.market_data.synthetic import SyntheticMarket

    price, symbol = parse_decimal(launch.start_price), symbol or DEFAULT_SYMBOL
    if market is None:
        market = market_of(symbol) if symbol in known_symbols() else market_of(symbol, *_steps_at(price))
    return SyntheticMarket(market, price, launch.seed, market_start)


def _steps_at(price: Decimal) -> tuple[tuple[Decimal], tuple[Decimal]]:
    """A price step of about a millionth, and a lot worth about a tenth of a unit of quote."""
    tick = ONE.scaleb(max(-8, min(-2, price.adjusted() - 5)))
    lot = ONE.scaleb(max(-8, min(0, -1 - price.adjusted())))
    return (tick,), (lot,)


def settle_memory() -> None:
    """What was loaded stays: the collector need not look at it while orders wait. At the exit it must again, or DuckDB
    reports on stderr, line by line, what nobody freed."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
