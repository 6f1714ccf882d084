"""Walks the settings' types by key: for errors that suggest a key, and for the reference of all settings."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gridtide.domain.money import plain

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from gridtide.config.yaml_file import KeyPath

Model = type[BaseModel]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key a config may have."""

    key: str
    """`bots[].strategy.spacing`; `[]` stands for each item of a list."""
    field: FieldInfo

    @property
    def default(self) -> str:
        """The default as a person writes it in the file; empty where there is none."""
        value = self.field.get_default(call_default_factory=True)
        if value is PydanticUndefined or value is None:
            return ""
        return _written(value)

    @property
    def is_needed(self) -> bool:
        return self.field.is_required()

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed words, where only some are."""
        return tuple(_choices(self.field.annotation))

    @property
    def meaning(self) -> str:
        return " ".join((self.field.description or "").split())

    @property
    def explained(self) -> str:
        """The meaning, with the allowed words where the meaning does not name them all."""
        missing = [choice for choice in self.choices if choice not in self.meaning]
        return self.meaning + (f" Allowed: {', '.join(self.choices)}." if missing else "")


def settings_of(model: Model, above: str = "") -> Iterator[Setting]:
    """Every key below `model` that holds a value, in the order of the code."""
    for name, field in model.model_fields.items():
        key = f"{above}{name}"
        section = section_of(field.annotation)
        if section is None:
            yield Setting(key, field)
        else:
            is_list = get_origin(field.annotation) is list
            yield from settings_of(section, f"{key}[]." if is_list else f"{key}.")


def model_at(model: Model, key: KeyPath) -> Model | None:
    """The section at `key`."""
    here: Any = model
    for part in key:
        here = annotation_at(here, part)
    return next((member for member in _members(here) if _is_model(member)), None)


def annotation_at(annotation: Any, part: str | int) -> Any:
    """The type of `part` of a section, list or mapping; None where it has no such part."""
    for member in _members(annotation):
        if _is_model(member):
            field = member.model_fields.get(str(part))
            return field.annotation if field else None
        if get_origin(member) is list and isinstance(part, int):
            return get_args(member)[0]
        if get_origin(member) is dict and isinstance(part, str):
            return get_args(member)[1]
    return None


def section_of(annotation: Any) -> Model | None:
    """The section a field is, or is a list of."""
    for member in _members(annotation):
        inner = get_args(member)[0] if get_origin(member) is list else member
        if _is_model(inner):
            found: Model = inner
            return found
    return None


def _members(annotation: Any) -> list[Any]:
    """The types an annotation may stand for, without Annotated and Optional."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [member for part in get_args(annotation) for member in _members(part)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _choices(annotation: Any) -> Iterator[str]:
    for member in _members(annotation):
        if get_origin(member) is Literal:
            yield from (str(choice) for choice in get_args(member))
        elif isinstance(member, type) and issubclass(member, Enum):
            yield from (str(choice.value) for choice in member)


def _written(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case dict():
            return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
        case _:
            return plain(value) if hasattr(value, "as_tuple") else str(value)
