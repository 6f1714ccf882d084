"""The section `data`: where the past of markets is kept decides nothing about a run, and shows no password."""

from __future__ import annotations

from gridtide.config import AppSettings, config_hash, load_settings, redacted_view, secret_values
from tests.config.conftest import GOOD, Write

ELSEWHERE = (
    GOOD + "data: {folder: elsewhere, database: 'postgresql://me:CANARY-password@db/candles', memory_mb: 8}\n"
)


def test_f72_the_password_of_the_database_is_shown_nowhere_and_told_to_who_must_hide_it(write: Write) -> None:
    settings = load_settings(write(ELSEWHERE))
    assert redacted_view(settings)["data"]["database"] == "postgresql://me:***@db/candles"
    assert "CANARY" not in repr(settings)
    assert "CANARY-password" in secret_values(settings)
    assert redacted_view(AppSettings())["data"]["database"] is None


def test_the_hash_of_a_config_does_not_depend_on_where_data_are_kept(write: Write) -> None:
    there = config_hash(load_settings(write(ELSEWHERE)))
    assert there == config_hash(load_settings(write(GOOD)))
