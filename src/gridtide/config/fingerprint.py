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
_ADDRESSES = (
    ("storage", "url"),
    ("data", "database"),
    ("data", "archive"),
    ("exchange", "rest_url"),
    ("exchange", "stream_url"),
)
"""Settings in which a password may stand."""
_PASSWORD = re.compile(r"(?<=//)([^/@\s:]*):([^\s?]*)@")
"""Up to the last @, because people write passwords as they are, with a slash or an @ in them."""
_OPTION = re.compile(r"([?&][^=&\s]*(?:pass|secret|token|key)[^=&\s]*)=([^&\s]+)", re.IGNORECASE)
"""A password among the options of an address, which database drivers take as well."""


def redacted_view(settings: AppSettings) -> dict[str, Any]:
    """All settings as plain values; a secret shows as `***`, money as text."""
    view: dict[str, Any] = _plain(settings.model_dump())
    for section, name in _ADDRESSES:
        if (address := view[section][name]) is not None:
            view[section][name] = without_password(address)
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
    addresses = [getattr(getattr(settings, section), name) or "" for section, name in _ADDRESSES]
    given += [
        found[2] for pattern in (_PASSWORD, _OPTION) for url in addresses for found in pattern.finditer(url)
    ]
    return [value for value in given if value]


def without_password(url: str) -> str:
    """An address that may be shown."""
    return _OPTION.sub(rf"\1={HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", url))


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
