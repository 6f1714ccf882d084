"""Turns what pydantic found wrong into sentences: the key, its place, what is allowed, and what was probably meant.

A value is shown only where it is short and its section holds no secrets; the value of an unknown key never is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.config.schema import annotation_at, model_at

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from gridtide.config.schema import Model
    from gridtide.config.sources import Source
    from gridtide.config.yaml_file import KeyPath

SECRET_SECTIONS = ("exchange", "storage")
_SHOWABLE = re.compile(r"[\w.,+/ -]{1,24}")
_EXPECTED = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a section with keys of its own",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": "must be a list: begin each item with a hyphen",
    "model_attributes_type": "must be a section with keys of its own",
    "model_type": "must be a section with keys of its own",
    "path_type": "must be a file name",
    "string_type": "must be a text",
}


def describe_problems(error: ValidationError, model: Model, sources: Sequence[Source], subject: str) -> str:
    """One line for one problem, a block for several."""
    found = [_describe(details, model, sources) for details in error.errors(include_url=False)]
    problems = list(dict.fromkeys(found))
    if len(problems) == 1:
        return f"{subject}, {problems[0]}"
    return f"{subject} has {len(problems)} problems:" + "".join(f"\n  {problem}" for problem in problems)


def key_text(key: KeyPath) -> str:
    """`bots[0].strategy.spacing`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _describe(details: ErrorDetails, model: Model, sources: Sequence[Source]) -> str:
    key = _key(details, model)
    subject = ", ".join(part for part in (_place(key, details["type"], sources), key_text(key)) if part)
    return f"{subject or 'the settings'}: {_what(details, key, model)}"


def _key(details: ErrorDetails, model: Model) -> KeyPath:
    """Where the problem is, without the names of union members, which pydantic adds and no file contains."""
    key: list[str | int] = []
    here: Any = model
    for part in details["loc"]:
        below = annotation_at(here, part)
        if below is None and details["type"] != "extra_forbidden":
            break
        key.append(part)
        here = below
    return tuple(key)


def _place(key: KeyPath, kind: str, sources: Iterable[Source]) -> str:
    """Where the value stands; for a missing key, where its section stands."""
    looked_for = key[:-1] if kind == "missing" else key
    return next((source.place(looked_for) for source in sources if looked_for and source.has(looked_for)), "")


def _what(details: ErrorDetails, key: KeyPath, model: Model) -> str:
    context: dict[str, Any] = details.get("ctx") or {}
    given = _given(details["input"], key)
    match details["type"]:
        case "extra_forbidden":
            return "unknown setting" + _suggestion(key, model)
        case "missing":
            return "is needed"
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return f"{given} is not allowed; allowed: {_choices(context['expected'])}"
        case "greater_than":
            return f"{given} is not allowed; it must be above {context['gt']}"
        case "greater_than_equal":
            return f"{given} is not allowed; it must be at least {context['ge']}"
        case "less_than":
            return f"{given} is not allowed; it must be below {context['lt']}"
        case "less_than_equal":
            return f"{given} is not allowed; it must be at most {context['le']}"
        case kind:
            return _EXPECTED.get(kind, details["msg"])


def _given(value: Any, key: KeyPath) -> str:
    text = str(value)
    is_open = not key or key[0] not in SECRET_SECTIONS
    if is_open and isinstance(value, str | int | Decimal) and _SHOWABLE.fullmatch(text):
        return f'"{text}"'
    return "the value"


def _choices(expected: str) -> str:
    """`'a', 'b' or 'c'` as `a, b, c`."""
    return ", ".join(re.findall(r"'([^']*)'", expected))


def _suggestion(key: KeyPath, model: Model) -> str:
    section = model_at(model, key[:-1])
    if section is None:
        return ""
    known = list(section.model_fields)
    near = difflib.get_close_matches(str(key[-1]), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; allowed here: {', '.join(known)}"
