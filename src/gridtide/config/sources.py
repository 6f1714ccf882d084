"""Where settings come from beside the file: the environment, .env, secrets folders, the OS keyring.

Only names with a section are read (`EXCHANGE__API_KEY`), so a variable MODE of some other program cannot switch a bot
to real money. A misspelt key under one of our sections is refused, not ignored. Values stay text.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from gridtide.domain.errors import InvalidConfig

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend
    from pydantic.fields import FieldInfo

    from gridtide.config.yaml_file import KeyPath, YamlDocument

SEPARATOR = "__"
KEYRING_SERVICE = "gridtide"
KEYRING_NAMES = {"api_key": "EXCHANGE__API_KEY", "api_secret": "EXCHANGE__API_SECRET"}
MAX_SECRET_BYTES = 100_000


class Source(PydanticBaseSettingsSource):
    """A source that answers for all sections at once and can say where a key's value stands."""

    def __init__(self, settings_cls: type[BaseSettings], data: Mapping[str, Any]) -> None:
        super().__init__(settings_cls)
        self.data = data

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.data.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(self.data)

    def has(self, key: KeyPath) -> bool:
        """Whether this source gave the value of `key`."""
        value: Any = self.data
        for part in key:
            if not isinstance(value, Mapping | list):
                return False
            try:
                value = value[part]  # type: ignore[index]  # a part that does not fit raises, as it should
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def place(self, key: KeyPath) -> str:
        """Where the value of `key` stands, for an error."""
        return ", ".join(str(part) for part in key)


class YamlSource(Source):
    """The config file."""

    def __init__(self, settings_cls: type[BaseSettings], document: YamlDocument) -> None:
        super().__init__(settings_cls, document.data)
        self.document = document

    def place(self, key: KeyPath) -> str:
        line = self.document.line_of(key)
        return f"line {line}" if line is not None else str(self.document.path)


class VariablesSource(Source):
    """Names with a section and their values: from the environment, from .env, or one file a name."""

    def __init__(
        self, settings_cls: type[BaseSettings], origin: str, variables: Mapping[str, str | None]
    ) -> None:
        super().__init__(settings_cls, _nested(variables, set(settings_cls.model_fields)))
        self.origin = origin

    def place(self, key: KeyPath) -> str:
        return f"{self.origin} {SEPARATOR.join(str(part) for part in key).upper()}"


class KeyringSource(Source):
    """The OS keyring, asked only for keys that nothing before it gave. No keyring is no error."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, {})

    def __call__(self) -> dict[str, Any]:
        known = self.current_state.get("exchange") or {}
        missing = {field: name for field, name in KEYRING_NAMES.items() if not known.get(field)}
        found = read_keyring(missing) if missing else {}
        self.data = {"exchange": found} if found else {}
        return dict(self.data)

    def place(self, key: KeyPath) -> str:
        return f"OS keyring {SEPARATOR.join(str(part) for part in key).upper()}"


def ambient_sources(
    settings_cls: type[BaseSettings],
    env_file: Path | None = Path(".env"),
    secrets_folders: Iterable[Path] | None = None,
) -> list[VariablesSource]:
    """Environment, .env and secrets folders, the strongest first."""
    folders = default_secrets_folders() if secrets_folders is None else secrets_folders
    return [
        VariablesSource(settings_cls, "environment variable", os.environ),
        VariablesSource(settings_cls, f"{env_file},", read_env_file(env_file)),
        *(VariablesSource(settings_cls, f"{folder},", read_secrets_folder(folder)) for folder in folders),
    ]


def default_secrets_folders() -> list[Path]:
    """systemd's credentials, Docker's secrets, and a folder `secrets` beside us."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return [*([Path(credentials)] if credentials else []), Path("/run/secrets"), Path("secrets")]


def read_env_file(path: Path | None) -> Mapping[str, str | None]:
    """Names and values of a .env file; nothing where there is none. Values are taken as they are, `$` included."""
    if path is None or not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"{path} cannot be read: {_reason(error)}") from None


def read_secrets_folder(folder: Path) -> Mapping[str, str | None]:
    """File name and content of each file whose name has a section; a folder that is not there holds nothing."""
    try:
        files = [path for path in sorted(folder.iterdir()) if SEPARATOR in path.name and path.is_file()]
    except OSError:
        return {}
    return {path.name: _read_secret(path) for path in files}


def _read_secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SECRET_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"the secret {path} cannot be read: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Why a file cannot be read; never its content, which an error on decoding holds."""
    return (error.strerror or "unknown reason") if isinstance(error, OSError) else "it is not text in UTF-8"


def _nested(variables: Mapping[str, str | None], sections: set[str]) -> dict[str, Any]:
    """`{"EXCHANGE__NAME": "x"}` as `{"exchange": {"name": "x"}}`, for our sections only; empty values are left out."""
    result: dict[str, Any] = {}
    for variable, value in variables.items():
        section, *keys = variable.lower().split(SEPARATOR)
        if not value or not keys or section not in sections:
            continue
        inner = result.setdefault(section, {})
        for key in keys[:-1]:
            inner = inner.setdefault(key, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner[keys[-1]] = _structured(value)
    return result


def _structured(value: str) -> Any:
    """The value itself, or what it says where it is a JSON list or object; numbers stay text."""
    if value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value, parse_float=str, parse_int=str)
    except ValueError:
        return value


def read_keyring(wanted: Mapping[str, str]) -> dict[str, str]:
    """Passwords of our service, by field; nothing where there is no keyring, or it stays locked."""
    backend = keyring_backend()
    if backend is None:
        return {}
    try:
        found = {field: backend.get_password(KEYRING_SERVICE, name) for field, name in wanted.items()}
    except Exception:  # each platform's keyring fails in its own way; none may stop a bot
        return {}
    return {field: value for field, value in found.items() if value}


def keyring_backend() -> KeyringBackend | None:
    """The platform's own keyring. Chosen here, because keyring's own choice may be a plain file or a prompt."""
    if sys.platform == "linux" and not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return None  # no session, no Secret Service: a server or a container
    try:
        if sys.platform == "darwin":
            from keyring.backends.macOS import Keyring as Backend
        elif sys.platform == "win32":
            from keyring.backends.Windows import WinVaultKeyring as Backend
        else:
            from keyring.backends.SecretService import Keyring as Backend
        return Backend() if Backend.viable else None  # type: ignore[no-untyped-call]  # keyring leaves it untyped
    except Exception:  # the platform's keyring is not usable, which is no error
        return None
