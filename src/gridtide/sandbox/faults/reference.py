"""The table of all knobs and profiles, for the documentation."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gridtide.sandbox.faults.catalogue import KNOBS
from gridtide.sandbox.faults.plan import Span
from gridtide.sandbox.faults.profiles import PROFILES
from gridtide.sandbox.faults.scenario import from_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridtide.sandbox.faults.knob import Knob, Option
    from gridtide.sandbox.faults.plan import Fault, Where


def reference() -> str:
    """Every knob with its options and what it applies to, and every profile with its faults, as Markdown."""
    return "\n".join([*_knobs(), *_profiles()]) + "\n"


def _knobs() -> Iterator[str]:
    yield "## Knobs"
    for group, knobs in groupby(KNOBS.values(), key=lambda knob: knob.group):
        yield from ("", f"### {group}", "", "| Knob | What happens | Applies to | Options |")
        yield "| --- | --- | --- | --- |"
        for knob in knobs:
            yield f"| `{knob.name}` | {knob.text} | {_where(knob)} | {_options(knob)} |"


def _where(knob: Knob) -> str:
    named = {"endpoint": knob.where.endpoint, "stream": knob.where.stream, "event": knob.where.event}
    said = [f"{key} {_code(value)}" for key, value in named.items() if value]
    if said:
        return ", ".join(said)
    if knob.action is not None:
        return "happens by itself, or at a request"
    return "connections" if knob.liveness is not None else "all events" if knob.on_event else "all requests"


def _options(knob: Knob) -> str:
    return "; ".join(map(_option, knob.options))


def _option(option: Option) -> str:
    default = "" if option.default in (None, "") else f" (`{_plain(option.default)}`)"
    choices = f": {', '.join(option.choices)}" if option.choices else ""
    return f"`{option.name}` {option.text}{choices}{default}"


def _profiles() -> Iterator[str]:
    yield from ("", "## Profiles", "", "| Profile | Fault | Applies to | Probability | Options |")
    yield "| --- | --- | --- | --- | --- |"
    for name, rows in PROFILES.items():
        if name == "everyday":
            yield "| `everyday` | all of network, exchange and streams | | | |"
            continue
        for row in rows:
            made = from_row(row)
            yield (
                f"| `{name}` | `{made.knob}` | {_narrowed(made.where)} | {made.when.probability:g} | {_given(made)} |"
            )


def _narrowed(where: Where) -> str:
    return _code(where.endpoint) if where.endpoint else ""


def _given(fault: Fault) -> str:
    return ", ".join(f"`{name}` {_plain(value)}" for name, value in fault.options.items())


def _code(text: str) -> str:
    return "`" + text.replace("|", r"\|") + "`"


def _plain(value: object) -> str:
    if isinstance(value, Span):
        return f"{value.low:g} to {value.high:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
