"""Settings, one file a section, read from a file, .env, the environment, a secrets folder or the keyring."""

from gridtide.config.backtest import BacktestSettings
from gridtide.config.bot import BotSettings
from gridtide.config.data import DataSettings
from gridtide.config.exchange import ExchangeSettings
from gridtide.config.fees import FeeSettings
from gridtide.config.fingerprint import config_hash, redacted_view, secret_values, without_password
from gridtide.config.load import load_settings
from gridtide.config.logging import LoggingSettings
from gridtide.config.risk import RiskSettings
from gridtide.config.sandbox import SandboxSettings
from gridtide.config.settings import AppSettings, Mode
from gridtide.config.storage import StorageSettings
from gridtide.config.strategy import GridSettings, OtherStrategySettings

__all__ = [
    "AppSettings",
    "BacktestSettings",
    "BotSettings",
    "DataSettings",
    "ExchangeSettings",
    "FeeSettings",
    "GridSettings",
    "LoggingSettings",
    "Mode",
    "OtherStrategySettings",
    "RiskSettings",
    "SandboxSettings",
    "StorageSettings",
    "config_hash",
    "load_settings",
    "redacted_view",
    "secret_values",
    "without_password",
]
