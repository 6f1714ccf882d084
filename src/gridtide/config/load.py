"""Reads a config with everything that stands around it. The order, strongest first: what the caller gives, the
environment, .env, secrets folders, the OS keyring, the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import InitSettingsSource, PydanticBaseSettingsSource

from gridtide.config.problems import describe_problems
from gridtide.config.settings import AppSettings, Mode
from gridtide.config.sources import KeyringSource, Source, YamlSource, ambient_sources
from gridtide.config.yaml_file import YamlDocument, read_yaml
from gridtide.domain.errors import InvalidConfig


def load_settings(
    path: Path | str | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    env_file: Path | None = Path(".env"),
    secrets_folders: Iterable[Path] | None = None,
) -> AppSettings:
    """The settings of the config at `path` (none: defaults), with `overrides` (nested, by section) above all else.

    Raises `InvalidConfig` with a text that names file, key, place and what is allowed, and never a secret.
    """
    given = dict(overrides or {})
    document = read_yaml(Path(path)) if path is not None else YamlDocument(Path("config"))
    sources: list[Source] = list(ambient_sources(AppSettings, env_file, secrets_folders))
    if _needs_keys(given.get("mode", document.data.get("mode"))):
        sources.append(KeyringSource(AppSettings))
    sources.append(YamlSource(AppSettings, document))
    all_sources: tuple[PydanticBaseSettingsSource, ...] = (InitSettingsSource(AppSettings, given), *sources)
    try:
        return AppSettings(_build_sources=(all_sources, given))
    except ValidationError as error:
        subject = str(path) if path is not None else "the settings"
        raise InvalidConfig(describe_problems(error, AppSettings, sources, subject)) from None


def _needs_keys(mode: Any) -> bool:
    try:
        return Mode(mode).needs_keys
    except ValueError:
        return False
