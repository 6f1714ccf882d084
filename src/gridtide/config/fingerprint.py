"""What a config may show of itself: a view without secrets, and a hash of that view."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from gridtide.config.settings import AppSettings
from gridtide.domain.money import tidy

HIDDEN = "***"
_PASSWORD = re.compile(r"(?<=//)([^/@\s]*?):[^/\s]*@")


def redacted_view(settings: AppSettings) -> dict[str, Any]:
    """All settings as plain values; a secret shows as `***`, money as text."""
    view: dict[str, Any] = _plain(settings.model_dump())
    view["storage"]["url"] = without_password(settings.storage.url)
    if settings.data.database is not None:
        view["data"]["database"] = without_password(settings.data.database)
    return view


def config_hash(settings: AppSettings) -> str:
    """SHA-256 of what decides about a run: equal for equal settings, whatever the key or the way they were written."""
    view = redacted_view(settings)
    del view["exchange"]["api_key"], view["exchange"]["api_secret"]
    del view["data"]  # where data are kept decides nothing; what they were, their own checksum says
    text = json.dumps(view, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def secret_values(settings: AppSettings) -> list[str]:
    """The values no log may contain."""
    exchange, sandbox = settings.exchange, settings.sandbox
    secrets = (exchange.api_key, exchange.api_secret, sandbox.api_secret, sandbox.control_token)
    given = [secret.get_secret_value() for secret in secrets if secret]
    urls = (settings.storage.url, settings.data.database or "")
    given += [found[0].rpartition("@")[0].partition(":")[2] for found in map(_PASSWORD.search, urls) if found]
    return [value for value in given if value]


def without_password(url: str) -> str:
    """A database address that may be shown."""
    return _PASSWORD.sub(rf"\1:{HIDDEN}@", url)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case SecretStr():
            return HIDDEN if value.get_secret_value() else None
        case Decimal():
            return tidy(value)
        case bool() | int() | None:
            return value
        case _:
            return str(value)
