"""The config that `gridtide init` writes is complete, explained, and loads."""

import re
from decimal import Decimal

import yaml

from gridtide.config import AppSettings, Mode, load_settings
from gridtide.config.init_template import Answers, config_text
from gridtide.config.schema import settings_of
from tests.config.conftest import Write

ANSWERS = Answers(Decimal("0.000045"), Decimal("0.00007"), Decimal("1234.5"), market="PEPE/USDT", num_grids=7)


def uncommented(text: str) -> str:
    """The template with every default taken out of its comment."""
    return re.sub(r"(?m)^( *)#(?=\w)", r"\1", text)


def keys(value: object, above: str = "") -> set[str]:
    """All keys of a document that hold a value, as `settings_of` writes them."""
    if isinstance(value, dict) and value:
        return set().union(
            *(keys(item, f"{above}.{key}" if above else str(key)) for key, item in value.items())
        )
    if isinstance(value, list):
        return set().union(*(keys(item, f"{above}[]") for item in value))
    return {above}


def test_it_loads_back_with_the_answers(write: Write) -> None:
    settings = load_settings(write(config_text(ANSWERS)))
    (bot,) = settings.bots
    assert (bot.market, bot.grid.levels) == ("PEPE/USDT", 7)
    assert bot.grid.lower_price == ANSWERS.lower_price
    assert bot.strategy.total_investment == ANSWERS.total_investment
    assert settings.mode is Mode.SANDBOX


def test_every_setting_stands_in_it_once() -> None:
    listed = keys(yaml.safe_load(uncommented(config_text(ANSWERS))))
    mappings = {"sandbox.balances", "backtest.balance"}
    listed = {next((name for name in mappings if key.startswith(name)), key) for key in listed}
    assert listed == {setting.key for setting in settings_of(AppSettings)}


def test_every_default_in_it_is_the_default(write: Write) -> None:
    """Taking all defaults out of their comments changes nothing."""
    text = config_text(ANSWERS)
    assert load_settings(write(uncommented(text))) == load_settings(write(text))


def test_every_setting_is_explained() -> None:
    """Above each key stands a comment of its own."""
    lines = config_text(ANSWERS).splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r" *#?\w+:", line)]
    assert len(settings) > 40
    unexplained = [lines[number] for number in settings if not re.match(r" *# \S", lines[number - 1])]
    assert unexplained == []


def test_lines_fit_a_screen() -> None:
    assert max(map(len, config_text(ANSWERS).splitlines())) <= 120
