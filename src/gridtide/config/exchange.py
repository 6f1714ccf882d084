"""Where orders go and with which key. Keys are secrets: no repr, error or hash shows them."""

from __future__ import annotations

from pydantic import SecretStr

from gridtide.config.values import Section


class ExchangeSettings(Section):
    """The exchange and its key. The sandbox needs no key."""

    name: str = "binance"
    """The exchange, by its CCXT id."""

    api_key: SecretStr | None = None
    """The key. Keep it out of the file: use EXCHANGE__API_KEY, .env, a secrets folder or the OS keyring."""

    api_secret: SecretStr | None = None
    """The key's secret. Keep it out of the file: use EXCHANGE__API_SECRET, .env, a secrets folder or the OS keyring."""

    account: str | None = None
    """Your own name for the account behind the key: it is shown beside the exchange, and never sent."""

    allow_any_address: bool = False
    """Trade real money with a key that is not restricted to addresses. Restrict the key instead, at the exchange."""

    rest_url: str | None = None
    """Sandbox only: address of a sandbox that already runs. Left out, `run` starts its own."""

    stream_url: str | None = None
    """Sandbox only: address of that sandbox's streams."""

    @property
    def has_keys(self) -> bool:
        """Whether both halves of the key are there."""
        return bool(
            self.api_key
            and self.api_key.get_secret_value()
            and self.api_secret
            and self.api_secret.get_secret_value()
        )
