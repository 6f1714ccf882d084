"""What a config shows of itself, and what it never shows (F71, F72)."""

import pickle

import pytest

from gridtide.config import AppSettings, config_hash, load_settings, redacted_view, secret_values
from tests.config.conftest import GOOD, Write

SECRETS = ["CANARY-key", "CANARY-secret", "CANARY-password"]
WITH_SECRETS = (
    GOOD + "exchange: {api_key: CANARY-key, api_secret: CANARY-secret}\n"
    "storage: {url: 'postgresql+psycopg://bot:CANARY-password@db/gridtide'}\n"
)


@pytest.fixture
def secretive(write: Write) -> AppSettings:
    return load_settings(write(WITH_SECRETS))


def test_f72_no_view_of_the_settings_shows_a_secret(secretive: AppSettings) -> None:
    shown = [repr(secretive), str(secretive), str(redacted_view(secretive)), config_hash(secretive)]
    assert not [secret for secret in SECRETS for text in shown if secret in text]


def test_f72_a_password_is_hidden_wherever_an_address_has_it(write: Write) -> None:
    """Written as it is, with a slash and an @ in it; among the options; in the address of an exchange."""
    hidden = ["CANARY/p@ss", "CANARY-option", "CANARY-rest", "CANARY-stream"]
    settings = load_settings(
        write(
            GOOD
            + f"exchange: {{rest_url: 'http://u:{hidden[2]}@h:1', stream_url: 'ws://u:{hidden[3]}@h:2/x'}}\n"
            f"storage: {{url: 'postgresql+psycopg://bot:{hidden[0]}@db/gridtide?sslmode=require&password={hidden[1]}'}}\n"
        )
    )
    assert "CANARY" not in str(redacted_view(settings))
    assert sorted(secret_values(settings)) == sorted(hidden)
    shown = redacted_view(settings)["storage"]["url"]
    assert shown == "postgresql+psycopg://bot:***@db/gridtide?sslmode=require&password=***"


def test_all_secrets_are_told_to_who_must_hide_them(secretive: AppSettings) -> None:
    assert secret_values(secretive) == SECRETS


def test_the_view_says_that_a_key_is_there_and_where_the_books_are(secretive: AppSettings) -> None:
    view = redacted_view(secretive)
    assert view["exchange"]["api_key"] == "***"
    assert view["storage"]["url"] == "postgresql+psycopg://bot:***@db/gridtide"
    assert redacted_view(AppSettings())["exchange"]["api_key"] is None


def test_the_hash_ignores_the_key_and_the_way_of_writing(write: Write) -> None:
    plain = config_hash(load_settings(write(GOOD)))
    assert plain == config_hash(
        load_settings(write(GOOD + "exchange: {api_key: other, api_secret: other}\n"))
    )
    assert plain == config_hash(load_settings(write(GOOD.replace("10000", "10000.00"))))


def test_the_hash_sees_every_change_that_matters(write: Write) -> None:
    changes = [("41", "42"), ("geometric", "arithmetic"), ("BTC/", "ETH/"), ("50000", "50000.01")]
    hashes = {config_hash(load_settings(write(GOOD.replace(*change)))) for change in changes}
    assert len(hashes | {config_hash(load_settings(write(GOOD)))}) == len(changes) + 1


def test_settings_cannot_be_changed_once_read(secretive: AppSettings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        secretive.mode = "live"  # type: ignore[assignment,misc]  # that it is refused is the point
    assert pickle.loads(pickle.dumps(secretive)) == secretive
