"""From settings to an exchange connection: the one place where a secret leaves its wrapper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.config.settings import Mode
from gridtide.domain.errors import InvalidConfig
from gridtide.exchanges.connection import ExchangeConnection

if TYPE_CHECKING:
    from gridtide.config.settings import AppSettings


def connection_for(
    settings: AppSettings, *, rest_url: str = "", api_key: str = "", secret: str = ""
) -> ExchangeConnection:
    """How to reach the exchange of `settings`; address and key of an embedded sandbox stand above them."""
    exchange = settings.exchange
    if settings.mode is Mode.PAPER:
        raise InvalidConfig(
            "mode: paper is not there yet; use sandbox (play money on your own machine) or testnet"
        )
    if settings.mode is Mode.SANDBOX:
        rest_url = rest_url or exchange.rest_url or ""
        if not rest_url:
            raise InvalidConfig(
                "exchange.rest_url: mode sandbox needs the address of a sandbox (`gridtide sandbox`)"
            )
    if not api_key and exchange.api_key is not None and exchange.api_secret is not None:
        api_key = exchange.api_key.get_secret_value()
        secret = exchange.api_secret.get_secret_value()
    if not (api_key and secret):
        raise InvalidConfig(
            f"mode {settings.mode} needs exchange.api_key and exchange.api_secret; nothing was started; "
            "set EXCHANGE__API_KEY and EXCHANGE__API_SECRET in the environment or in .env"
            + (" to what `gridtide sandbox` printed" if settings.mode is Mode.SANDBOX else "")
        )
    return ExchangeConnection(
        name=exchange.name,
        mode=settings.mode.value,  # type: ignore[arg-type]  # the same four words
        api_key=api_key,
        secret=secret,
        rest_url=rest_url,
        stream_url=(exchange.stream_url or "") if settings.mode is Mode.SANDBOX else "",
    )
