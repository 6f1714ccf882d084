"""The exchange on your own machine: its market, its speed, its accounts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from gridtide.config.fees import FeeSettings
from gridtide.config.sandbox_account import SandboxAccount
from gridtide.config.sandbox_choices import SandboxChoices
from gridtide.config.values import AssetCode, Name, NotNegative, Positive, Section


class SandboxSettings(Section):
    """Read in mode sandbox only."""

    market: Path | None = None
    """A file of candles or market trades to play (Parquet or CSV). Left out: a synthetic market from `seed`."""

    seed: Annotated[int, Field(ge=0)] = 1
    """The synthetic market's seed: the same seed, the same market."""

    start_price: Positive | None = None
    """Where the synthetic market begins. Left out: in the middle of the bot's range, or what fits the market."""

    speed: Positive = Decimal(1)
    """How fast the market is played: 60 plays an hour in a minute."""

    balances: dict[AssetCode, NotNegative] = Field(default_factory=dict)
    """What the account holds at the start, such as {USDT: 15000}. Empty: 15000 of the market's quote asset."""

    fees: FeeSettings = FeeSettings()
    """What an execution costs."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port on this machine only. 0: any free one."""

    markets: list[str] | None = None
    """`gridtide sandbox` only: several markets, each as --market takes it. Left out: `market` or the usual three."""

    api_key: SecretStr | None = None
    """`gridtide sandbox` only: the key that opens its account. Left out: one is made and printed."""

    api_secret: SecretStr | None = None
    """Its secret. Keep it out of the file: use SANDBOX__API_SECRET, .env or a secrets folder."""

    accounts: dict[Name, SandboxAccount] = Field(default_factory=dict)
    """`gridtide sandbox` only: accounts by name, such as {main: {balances: {USDT: 1000}, keys: {K1: {secret_env:
    SECRET_1}}}}. A key has secret_env, secret_file or public_key_file, and if wanted trading: false, withdrawals: true,
    ip_restricted: false, addresses: [127.0.0.1]."""

    control_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """`gridtide sandbox` only: port of the control API. Left out: there is none. 0: any free one."""

    control_token: SecretStr | None = None
    """Who may use the control API. Left out: one is made, in the file control-token of the state folder."""

    faults: Path | None = None
    """`gridtide sandbox` only: a file of faults to inject."""

    fault_seed: Annotated[int, Field(ge=0)] | None = None
    """Seed of the faults that happen by chance. Left out: that of the file."""

    exchange_info: Path | None = None
    """`gridtide sandbox` only: a saved answer of exchangeInfo; its markets have these rules."""

    unlimited_orders: bool = False
    """`gridtide sandbox` only: no limits on orders, weights and requests, to measure speed."""

    choices: SandboxChoices = SandboxChoices()
