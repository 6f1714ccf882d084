"""What sets may vary of a config: every key of its strategy, its limits, its fees and of how a backtest is played.

Read from the settings' own types, so that a new key can be varied the day it is written, and is checked as in a file.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from gridtide.config.backtest import BacktestSettings
from gridtide.config.problems import describe_problems
from gridtide.config.risk import RiskSettings
from gridtide.config.schema import Setting, section_of
from gridtide.config.strategy import OtherStrategySettings
from gridtide.domain.errors import InvalidInput
from gridtide.optimize.parameters import Kind, Parameter, Parameters

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from gridtide.config.settings import AppSettings

_FIXED = {("strategy", "name"), ("backtest", "balance"), ("backtest", "candle_path"), ("backtest", "rules")}
"""What all sets of a sweep share: they are one strategy's, on one account, and on one path of the price."""


OFF = "off"
"""How a config switches a limit off."""
_NUMBERS = {
    frozenset({Decimal}): Kind.DECIMAL,
    frozenset({int}): Kind.INTEGER,
    frozenset({bool}): Kind.FLAG,
    frozenset({str}): Kind.WORD,
}


@dataclass(frozen=True, slots=True)
class Check:
    """The config's own check of one key of a section."""

    section: type[BaseModel]
    name: str
    key: str

    def __call__(self, value: Any) -> Any:
        """The value as the config holds it; raises `InvalidInput` with the key and what is allowed."""
        model = _alone(self.section, self.name)
        try:
            return getattr(model.model_validate({self.name: value}), self.name)
        except ValidationError as error:
            said = describe_problems(error, model, (), "").removeprefix(", ")
            raise InvalidInput(said.replace(self.name, self.key, 1)) from None


def parameters_of(settings: AppSettings) -> Parameters:
    """All that sets may vary of a config with one bot, with the config's own values."""
    bot = settings.bots[0]
    known = [
        *_of_section(type(bot.strategy), bot.strategy, ("strategy",), ""),
        *_of_section(RiskSettings, bot.risk, ("risk",), "risk."),
        *_of_section(BacktestSettings, settings.backtest, ("backtest",), "backtest."),
    ]
    if not isinstance(bot.strategy, OtherStrategySettings):
        return Parameters(known)
    own = [_free(key, value) for key, value in bot.strategy.own.items()]
    return Parameters([*known, *own], _free)


def _of_section(
    section: type[BaseModel], values: BaseModel | None, path: tuple[str, ...], above: str
) -> Iterator[Parameter]:
    for name, field in section.model_fields.items():
        here, value = (*path, name), getattr(values, name, None)
        inner = section_of(field.annotation)
        if here in _FIXED:
            continue
        if inner is not None:
            # Of `backtest.fees` the last part is what people write.
            prefix = "fees." if here == ("backtest", "fees") else f"{above}{name}."
            yield from _of_section(inner, value if isinstance(value, BaseModel) else None, here, prefix)
        else:
            key = f"{above}{name}"
            shown = value.value if isinstance(value, Enum) else value
            kind, off = _kind_of(name, field)
            yield Parameter(key, here, kind, shown, Check(section, name, key), off)


def _free(key: str, base: Any = None) -> Parameter:
    return Parameter(key, ("strategy", key), Kind.FREE, base, _anything)


def _anything(value: Any) -> Any:
    """What a strategy of somebody else takes, it checks itself."""
    return value


@cache
def _alone(section: type[BaseModel], name: str) -> type[BaseModel]:
    """A section with one key."""
    field = section.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    config = ConfigDict(hide_input_in_errors=True, use_enum_values=True)
    fields: dict[str, Any] = {name: (kind, ...)}
    found: type[BaseModel] = create_model(section.__name__, __config__=config, **fields)
    return found


def _kind_of(name: str, field: FieldInfo) -> tuple[Kind, str | None]:
    """The kind of its values, and the word for "none" that a number may be instead."""
    kinds = {member for member in _members(field.annotation) if member is not type(None)}
    words = Setting(name, field).choices
    if words == (OFF,) and len(kinds) == 2:
        return _NUMBERS.get(frozenset(kinds - {str}), Kind.FREE), OFF
    return _NUMBERS.get(frozenset(kinds), Kind.FREE), None


def _members(annotation: Any) -> Iterator[Any]:
    """The plain types an annotation may stand for."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    elif origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        yield str
    else:
        yield annotation
