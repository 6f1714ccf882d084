"""The config that `gridtide init` writes: every setting, explained, at its default unless answered.

It is made from the settings themselves, so it cannot forget one. A setting at its default is commented out as
`#key: value`, without a blank; prose is commented as `# text`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, get_origin

from gridtide.config.schema import Setting, section_of
from gridtide.config.settings import AppSettings, Mode
from gridtide.domain.money import tidy

if TYPE_CHECKING:
    from gridtide.config.schema import Model

WIDTH = 100
HEAD = """\
# The settings of gridtide. `gridtide check FILE` says whether they can be traded, `gridtide plan FILE` shows what would
# be placed, `gridtide run FILE` trades. A line such as `#key: value` shows a default: take the # away to change it.
# Keys and secrets do not belong in this file; see the section exchange.

"""
SECTIONS = {
    "exchange": "Where orders go.",
    "bots": "What trades. A bot keeps its own books.",
    "storage": "Where the books are kept.",
    "logging": "What is written to the log file.",
    "sandbox": "The exchange on your own machine; read in mode sandbox only.",
    "choices": "Where the real exchange is silent; read by `gridtide sandbox` only.",
    "data": "Where the past of markets is kept and fetched from.",
    "backtest": "How `gridtide backtest` plays the past; nothing that trades reads it.",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What `gridtide init` asks for. Prices and money are in the quote asset."""

    lower_price: Decimal
    upper_price: Decimal
    total_investment: Decimal
    mode: Mode = Mode.SANDBOX
    exchange: str = "binance"
    bot_name: str = "my-grid"
    market: str = "BTC/USDT"
    num_grids: int = 41
    spacing: str = "geometric"
    start_price: Decimal | None = None
    """Where the sandbox's invented market begins; None: at its own price."""

    def by_key(self) -> dict[str, str]:
        """The answers as they are written, by key."""
        strategy = "bots[].strategy."
        start = {} if self.start_price is None else {"sandbox.start_price": tidy(self.start_price)}
        return {
            **start,
            "mode": self.mode.value,
            "exchange.name": self.exchange,
            "bots[].name": self.bot_name,
            "bots[].market": self.market,
            strategy + "name": "grid",
            strategy + "lower_price": tidy(self.lower_price),
            strategy + "upper_price": tidy(self.upper_price),
            strategy + "num_grids": str(self.num_grids),
            strategy + "total_investment": tidy(self.total_investment),
            strategy + "spacing": self.spacing,
        }


def config_text(answers: Answers) -> str:
    """The YAML file for `answers`."""
    return HEAD + "\n".join(_lines(AppSettings, "", answers.by_key(), 0)) + "\n"


def _lines(model: Model, above: str, answers: dict[str, str], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in model.model_fields.items():
        key = f"{above}{name}"
        section = section_of(field.annotation)
        if section is None:
            yield from _setting(Setting(key, field), name, answers.get(key), indent)
            continue
        yield from ["", *_prose(SECTIONS.get(name) or field.description or "", indent), f"{indent}{name}:"]
        if get_origin(field.annotation) is list:
            yield from _item(list(_lines(section, f"{key}[].", answers, depth + 2)), indent + "  ")
        else:
            yield from _lines(section, f"{key}.", answers, depth + 1)


def _item(lines: list[str], indent: str) -> Iterator[str]:
    """The lines as one item of a list: its hyphen stands alone, so that any line may be commented out."""
    yield f"{indent}-"
    yield from lines


def _setting(setting: Setting, name: str, answer: str | None, indent: str) -> Iterator[str]:
    yield from _prose(setting.explained, indent)
    if answer is not None:
        yield f"{indent}{name}: {answer}"
    else:
        yield f"{indent}#{name}: {setting.default}".rstrip()


def _prose(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ", break_on_hyphens=False
    )
