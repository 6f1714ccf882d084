"""What a config says, and which of several sources is heard."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridtide.config import AppSettings, Mode, load_settings
from gridtide.config.sources import keyring_backend, read_keyring
from gridtide.domain.commands import StopPolicy
from gridtide.domain.errors import InvalidConfig
from gridtide.domain.money import plain
from tests.config.conftest import GOOD, Write

DESIGN_EXAMPLE = """\
mode: sandbox                 # sandbox | paper | testnet | live
exchange:
  name: binance
bots:
  - name: btc-grid
    market: BTC/USDT
    strategy:
      name: grid
      lower_price: 50000
      upper_price: 70000
      num_grids: 41           # price levels, both bounds included
      total_investment: 10000 # quote
      spacing: geometric      # arithmetic | geometric
    risk: {}
backtest:
  balance: {USDT: 15000}
  fees: {maker: 0.001, taker: 0.001, asset: received}
  candle_path: nearer_extreme_first
  fill_model: touch
storage: {url: sqlite:///gridtide.db}
"""


def test_the_example_of_the_design_loads(write: Write) -> None:
    settings = load_settings(write(DESIGN_EXAMPLE))
    (bot,) = settings.bots
    assert (settings.mode, bot.market, bot.grid.num_grids) == (Mode.SANDBOX, "BTC/USDT", 41)
    assert bot.strategy.total_investment == 10000
    assert bot.on_stop is StopPolicy.KEEP
    assert settings.backtest.fees.maker == Decimal("0.001")


def test_without_a_file_there_are_defaults() -> None:
    assert load_settings() == AppSettings()
    assert load_settings().mode is Mode.SANDBOX


def test_an_empty_file_and_empty_sections_are_defaults(write: Write) -> None:
    """Somebody comments out all keys of a section and leaves its name."""
    assert load_settings(write("")) == load_settings()
    assert load_settings(write("storage:\nlogging:\nsandbox:\n  fees:\n")) == load_settings()


@given(price=st.decimals(min_value="0.000000000000000001", max_value="1e9", allow_nan=False, places=18))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_price_keeps_every_digit(price: Decimal, tmp_path: Path) -> None:
    """No number of the file passes through a float."""
    path = tmp_path / "price.yaml"
    path.write_text(GOOD.replace("50000", plain(price)).replace("70000", plain(price * 2)), encoding="utf-8")
    assert load_settings(path).bots[0].grid.lower_price == price


def test_a_float_from_code_is_refused() -> None:
    with pytest.raises(
        InvalidConfig, match=r"sandbox\.speed: 0\.1 is not a decimal: give a text or an integer"
    ):
        load_settings(overrides={"sandbox": {"speed": 0.1}})


def test_json_in_the_environment_keeps_every_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX__BALANCES", '{"usdt": 0.1000000000000000055511151231257827}')
    assert load_settings().sandbox.balances == {"USDT": Decimal("0.1000000000000000055511151231257827")}


def test_intervals_count_steps_and_num_grids_counts_levels(write: Write) -> None:
    levels = load_settings(write(GOOD)).bots[0].grid.levels
    assert (
        levels
        == load_settings(write(GOOD.replace("num_grids: 41", "intervals: 40"))).bots[0].grid.levels
        == 41
    )


def test_risk_off_is_a_word_not_a_yaml_boolean(write: Write) -> None:
    assert not load_settings(write(GOOD + "    risk: off\n")).bots[0].risk.enabled
    assert load_settings(write(GOOD + "    risk: {}\n")).bots[0].risk.enabled


def test_the_order_of_sources(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caller, environment, .env, secrets folder, file: taking the strongest away, the next one is heard."""
    path = write(GOOD + "exchange: {name: from-file}\n")
    secrets = tmp_path / "secrets"
    secrets.mkdir()

    def heard(**overrides: str) -> str:
        return load_settings(path, overrides={"exchange": overrides} if overrides else None).exchange.name

    assert heard() == "from-file"
    (secrets / "exchange__name").write_text("from-secrets\n")
    assert heard() == "from-secrets"
    (tmp_path / ".env").write_text("EXCHANGE__NAME=from-env-file\n")
    assert heard() == "from-env-file"
    monkeypatch.setenv("EXCHANGE__NAME", "from-environment")
    assert heard() == "from-environment"
    assert heard(name="from-caller") == "from-caller"


def test_sources_complete_each_other_within_a_section(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE__API_KEY", "key-of-test")
    settings = load_settings(write(GOOD + "exchange: {name: kraken}\n"))
    assert settings.exchange.name == "kraken"
    assert settings.exchange.api_key is not None
    assert settings.exchange.api_key.get_secret_value() == "key-of-test"
    assert not settings.exchange.has_keys


def test_systemd_credentials_are_a_secrets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "EXCHANGE__API_KEY").write_text("key-of-test")
    (tmp_path / "EXCHANGE__API_SECRET").write_text("secret-of-test")
    assert load_settings().exchange.has_keys


def test_env_values_are_taken_as_they_are(tmp_path: Path) -> None:
    """A secret with a dollar sign is not a reference to a variable."""
    (tmp_path / ".env").write_text("EXCHANGE__API_KEY='a${HOME}b'\nUNRELATED=1\n")
    key = load_settings().exchange.api_key
    assert key is not None
    assert key.get_secret_value() == "a${HOME}b"


def test_the_environment_cannot_switch_to_real_money(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable MODE belongs to some other program: only the file says whose money is traded."""
    monkeypatch.setenv("MODE", "live")
    monkeypatch.setenv("BOTS", "[]")
    settings = load_settings(write(GOOD))
    assert settings.mode is Mode.SANDBOX
    assert len(settings.bots) == 1


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE__NAME", "")
    assert load_settings().exchange.name == "binance"


def test_no_keyring_is_no_error(write: Write) -> None:
    """A server without a session has no keyring; the keys are then simply not there."""
    assert read_keyring({"api_key": "EXCHANGE__API_KEY"}) == {}
    assert not load_settings(write(GOOD.replace("sandbox", "live"))).exchange.has_keys


def test_a_keyring_that_breaks_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that points nowhere: whatever the platform's keyring raises is taken as no keyring."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    assert read_keyring({"api_key": "EXCHANGE__API_KEY"}) == {}
    assert keyring_backend() is None


def test_the_keyring_is_heard_before_the_file_and_after_the_rest(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only in a mode that needs keys: the sandbox never opens anybody's keyring."""
    passwords = {"EXCHANGE__API_KEY": "key-of-ring", "EXCHANGE__API_SECRET": "secret-of-ring"}
    asked: list[str] = []

    class Ring:
        def get_password(self, service: str, name: str) -> str | None:
            assert service == "gridtide"
            asked.append(name)
            return passwords.get(name)

    monkeypatch.setattr("gridtide.config.sources.keyring_backend", Ring)
    keys = "exchange: {api_key: key-of-file, api_secret: secret-of-file}\n"
    load_settings(write(GOOD + keys))
    assert not asked
    monkeypatch.setenv("EXCHANGE__API_SECRET", "secret-of-environment")
    exchange = load_settings(write(GOOD.replace("sandbox", "testnet") + keys)).exchange
    assert asked == ["EXCHANGE__API_KEY"]
    assert exchange.api_key is not None
    assert exchange.api_key.get_secret_value() == "key-of-ring"
    assert exchange.api_secret is not None
    assert exchange.api_secret.get_secret_value() == "secret-of-environment"


def test_without_a_balance_a_backtest_has_what_its_bots_use() -> None:
    """Money that nobody was given would make returns look small. What is set stands."""
    grid = {"name": "grid", "lower_price": 90, "upper_price": 110, "num_grids": 5, "total_investment": 1000}
    bots = [
        {"name": "a", "market": "ABC/USDT", "strategy": grid},
        {"name": "b", "market": "XYZ/USDT", "strategy": {**grid, "base_amount": 2, "base_cost": 200}},
    ]
    assert load_settings(overrides={"bots": bots}).backtest.balance == {"USDT": 2000, "XYZ": 2}
    stated = load_settings(overrides={"bots": bots, "backtest": {"balance": {"USDT": 5000}}})
    assert stated.backtest.balance == {"USDT": 5000}
    other = load_settings(overrides={"bots": [{**bots[0], "market": "ABC/BTC"}]}).bots
    assert load_settings(overrides={"bots": bots}).with_bots(other).backtest.balance == {"BTC": 1000}
    assert stated.with_bots(other).backtest.balance == {"USDT": 5000}
