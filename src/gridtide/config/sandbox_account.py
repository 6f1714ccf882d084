"""One account of the sandbox when it runs alone, and the keys that open it. Secrets stand elsewhere."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from gridtide.config.fees import FeeSettings
from gridtide.config.values import AssetCode, NotNegative, Section


class SandboxKey(Section):
    """A key of the sandbox: where its secret or public key stands, and what it may do."""

    secret_env: str | None = None
    """The environment variable that holds the HMAC secret."""

    secret_file: Path | None = None
    """The file that holds the HMAC secret."""

    public_key_file: Path | None = None
    """The PEM file of the RSA or Ed25519 public key."""

    reading: bool = True
    trading: bool = True
    withdrawals: bool = False
    transfers: bool = False
    ip_restricted: bool = True
    """Withdrawals, transfers and this are only shown."""

    addresses: list[str] = Field(default_factory=list)
    """If any: the key is refused from all others."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(part is not None for part in (self.secret_env, self.secret_file, self.public_key_file)) != 1:
            raise ValueError("a key needs one of secret_env, secret_file and public_key_file")
        return self

    def read(self) -> tuple[str, str]:
        """The secret and the public key, one of them empty. Raises `OSError`, `UnicodeDecodeError` or `KeyError`."""
        if self.public_key_file is not None:
            return "", self.public_key_file.read_text(encoding="utf-8")
        if self.secret_file is not None:
            return self.secret_file.read_text(encoding="utf-8").strip(), ""
        return os.environ[self.secret_env or ""], ""


class SandboxAccount(Section):
    """What an account starts with, what it pays, and its keys by their text."""

    balances: dict[AssetCode, NotNegative] = Field(default_factory=dict[str, Decimal])
    fees: FeeSettings | None = None
    """Left out: those of the sandbox."""

    keys: dict[str, SandboxKey] = Field(default_factory=dict)
