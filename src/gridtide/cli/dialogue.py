"""The questions of `gridtide init`, each with what the answer means, and the file they lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from gridtide.cli.exchange_options import START_PRICES
from gridtide.cli.output import print_json, say
from gridtide.cli.questions import ask
from gridtide.config import AppSettings, Mode, load_settings
from gridtide.config.init_template import Answers, config_text
from gridtide.domain.errors import GridtideError, InvalidConfig, InvalidInput
from gridtide.domain.money import parse_decimal, tidy
from gridtide.sandbox.state_file import write_private

Value = TypeVar("Value")

DEFAULT_RANGE = Decimal("0.1")
"""Half the width of the proposed range, as a fraction of the price at which the sandbox's invented market begins."""
DEFAULT_INVESTMENT = Decimal(10000)


@dataclass(frozen=True, slots=True)
class Given:
    """Answers that came as options; None has to be asked."""

    mode: str | None
    market: str | None
    lower_price: Decimal | None
    upper_price: Decimal | None
    num_grids: int | None
    total_investment: Decimal | None


def write_config(file: Path, given: Given, *, force: bool, yes: bool, as_json: bool) -> None:
    """Ask what is missing, write the file, and say what comes next. Nothing is written that would not load."""
    if file.exists() and not force:
        raise InvalidInput(f"{file} is there already: nothing was written; give another name, or --force")
    answers = _answers(given, yes=yes)
    text = config_text(answers)
    _write_checked(file, text)
    if as_json:
        print_json({"file": str(file), "mode": answers.mode.value, "market": answers.market})
        return
    say(f"Written: {file}")
    if answers.mode.needs_keys:
        say("Put your key into .env (chmod 600 .env), as EXCHANGE__API_KEY and EXCHANGE__API_SECRET.")
    say(
        f"Next: `gridtide plan {file}` shows the grid, `gridtide check {file}` checks it, `gridtide run {file}` "
        f"trades, `gridtide backtest {file} --data FILE` plays it over the past."
    )


def _answers(given: Given, *, yes: bool) -> Answers:
    def answer(value: Value | None, question: str, default: Value, read: Callable[[str], Value]) -> Value:
        if value is not None:
            return value
        if yes:
            return default
        return _ask_until_right(
            question, str(default) if not isinstance(default, Decimal) else tidy(default), read
        )

    mode = answer(
        None if given.mode is None else Mode(given.mode),
        "Which money? sandbox (an exchange on this machine, play money), testnet (play money), live (your money)",
        Mode.SANDBOX,
        Mode,
    )
    market = answer(given.market, "Which spot market", "BTC/USDT", str)
    say_prices = f"in {market.upper().partition('/')[2] or 'quote'}"
    if yes and market.upper() not in START_PRICES and None in (given.lower_price, given.upper_price):
        raise InvalidInput(
            f"nothing was written: no price of {market} is known here; give --lower-price and --upper-price"
        )
    middle = Decimal(START_PRICES.get(market.upper(), "1"))
    lower = answer(
        given.lower_price,
        f"Lowest price of the grid, {say_prices}",
        middle * (1 - DEFAULT_RANGE),
        parse_decimal,
    )
    upper = answer(
        given.upper_price,
        f"Highest price of the grid, {say_prices}",
        middle * (1 + DEFAULT_RANGE),
        parse_decimal,
    )
    levels = answer(
        given.num_grids, "How many price levels, both included (more: smaller profits, more often)", 41, int
    )
    investment = answer(
        given.total_investment,
        f"How much may the grid use, {say_prices} (75 % of what you have there is advised)",
        DEFAULT_INVESTMENT,
        parse_decimal,
    )
    return Answers(lower, upper, investment, mode=mode, market=market.upper(), num_grids=levels)


def _ask_until_right(question: str, default: str, read: Callable[[str], Value]) -> Value:
    while True:
        text = ask(question, default)
        try:
            return read(text)
        except (GridtideError, ValueError):
            say(f'"{text}" cannot be read; try again, or press Enter for {default}.')


def written_config(file: Path, answers: Answers) -> AppSettings:
    """Write the config of `answers` and give it as it is read back. Raises `InvalidInput` for what would not load."""
    _write_checked(file, config_text(answers))
    return load_settings(file)


def _write_checked(file: Path, text: str) -> None:
    """Write the file if it loads; a config that would be refused later is refused now."""
    trial = file.with_name(f".{file.name}.new")
    write_private(trial, text.encode())
    try:
        load_settings(trial)
    except InvalidConfig as error:
        raise InvalidInput(
            f"nothing was written: {str(error).replace(str(trial), 'these answers')}"
        ) from None
    else:
        trial.replace(file)
    finally:
        trial.unlink(missing_ok=True)
