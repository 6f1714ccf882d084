"""All settings of one config. Read them with `load_settings`; `AppSettings()` alone reads everything but the file."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gridtide.config.backtest import BacktestSettings
from gridtide.config.bot import BotSettings
from gridtide.config.data import DataSettings
from gridtide.config.exchange import ExchangeSettings
from gridtide.config.logging import LoggingSettings
from gridtide.config.sandbox import SandboxSettings
from gridtide.config.sources import ambient_sources
from gridtide.config.storage import StorageSettings
from gridtide.domain.money import ZERO


class Mode(StrEnum):
    """Whose money is traded. Only the file says so: the environment cannot switch to real money."""

    SANDBOX = "sandbox"
    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"

    @property
    def needs_keys(self) -> bool:
        return self in (Mode.TESTNET, Mode.LIVE)


class AppSettings(BaseSettings):
    """Everything a config can say."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        env_nested_delimiter="__",
        env_ignore_empty=True,
    )

    mode: Mode = Mode.SANDBOX
    """sandbox: an exchange on your own machine, play money. testnet: the exchange's test site, play money.
    live: the real exchange, your money. paper: not tradable in this version."""

    exchange: ExchangeSettings = ExchangeSettings()
    bots: list[BotSettings] = Field(default_factory=list)
    storage: StorageSettings = StorageSettings()
    logging: LoggingSettings = LoggingSettings()
    sandbox: SandboxSettings = SandboxSettings()
    backtest: BacktestSettings = BacktestSettings()
    data: DataSettings = DataSettings()

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [bot.name for bot in self.bots]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two bots are named {twice[0]}")
        if self.mode is not Mode.SANDBOX and (self.exchange.rest_url or self.exchange.stream_url):
            raise ValueError("exchange.rest_url and exchange.stream_url are for mode sandbox only")
        if not self.backtest.balance:
            self.__dict__["backtest"] = self.backtest.model_copy(update={"balance": _given_to(self.bots)})
        return self

    def with_bots(self, bots: list[BotSettings]) -> Self:
        """The same with other bots; an account of a backtest that held what the old ones use holds what these do."""
        changes: dict[str, object] = {"bots": bots}
        if self.backtest.balance == _given_to(self.bots):
            changes["backtest"] = self.backtest.model_copy(update={"balance": _given_to(bots)})
        return self.model_copy(update=changes)

    def bot(self, name: str) -> BotSettings:
        """The bot of that name; raises `KeyError`."""
        return next(bot for bot in self.bots if bot.name == name)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del env_settings, dotenv_settings, file_secret_settings  # ours read names with a section only
        return (init_settings, *ambient_sources(settings_cls))


def _given_to(bots: list[BotSettings]) -> dict[str, Decimal]:
    """What all bots together are to use, by asset."""
    given: dict[str, Decimal] = {}
    for bot in bots:
        base, _, quote = bot.market.partition("/")
        for asset, amount in ((quote, bot.strategy.total_investment), (base, bot.strategy.base_amount)):
            if amount:
                given[asset] = given.get(asset, ZERO) + amount
    return given
