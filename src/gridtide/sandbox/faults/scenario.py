"""Faults as people write them: a YAML or JSON file, a body of the control API, keywords in a test; checked alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from math import isfinite
from pathlib import Path

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.endpoints.table import ENDPOINTS
from gridtide.sandbox.faults.catalogue import KNOBS
from gridtide.sandbox.faults.knob import Kind, Knob, Option
from gridtide.sandbox.faults.plan import Fault, FaultPlan, Span, When, Where
from gridtide.sandbox.faults.profiles import PROFILES
from gridtide.sandbox.faults.subjects import endpoint_names, matches
from gridtide.venue.rounding import LARGEST

_WHERE = ("endpoint", "stream", "event", "account", "market")
_STRIKING = ("nth", "every", "probability", "count")
_TIMES = ("from_seconds", "until_seconds")
_MOMENTS = ("before", "after")
_CONNECTION_ENDPOINTS = (
    "userDataStream.subscribe userDataStream.subscribe.signature session.logon session.status"
)
_PLAN_KEYS = ("seed", "profiles", "rate", "faults")


def read_scenario(path: Path) -> FaultPlan:
    """The plan in a YAML or JSON file. Raises `InvalidInput` with one sentence."""
    try:
        return plan(_read(path))
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}; no fault was armed") from None


def _read(path: Path) -> Mapping[str, object]:
    import yaml  # here, because few sandboxes read a file

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"it cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark is not None else ""
        raise InvalidInput(f"{line}not readable as YAML: {error.problem or 'unclear structure'}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidInput("not readable as YAML") from None
    if not isinstance(data, dict):
        raise InvalidInput("a scenario is a list of keys and values, such as `seed: 7`")
    return data


def plan(data: Mapping[str, object]) -> FaultPlan:
    """A whole plan: ``{"seed": 7, "profiles": ["network"], "rate": 1, "faults": [{…}, …]}``, all optional."""
    _refuse_unknown("a scenario", data, _PLAN_KEYS)
    faults, names = data.get("faults", []), data.get("profiles", [])
    if not isinstance(faults, list):
        raise InvalidInput("faults must be a list")
    if not isinstance(names, list):
        raise InvalidInput("profiles must be a list of names")
    rate = _number("rate", data.get("rate", 1))
    if rate < 0:
        raise InvalidInput(f"rate must not be below 0, not {rate:g}")
    rows = [*faults, *(_at_rate(row, rate) for name in names for row in _profile(name))]
    return FaultPlan(_whole("seed", data.get("seed", 0)), tuple(map(from_row, rows)))


def fault(knob: str, **fields: object) -> Fault:
    """A checked fault from keywords: ``fault("answer.lost", endpoint="POST order", nth=1)``."""
    return from_row({"fault": knob, **fields})


def from_row(row: object) -> Fault:
    """A checked fault from ``{"fault": knob, …}`` with keys of where, when and the knob's own options."""
    if not isinstance(row, Mapping) or "fault" not in row:
        raise InvalidInput(f"a fault is a list of keys with fault among them, not {row!r}")
    name = str(row["fault"])
    knob = KNOBS.get(name)
    if knob is None:
        raise InvalidInput(f"there is no fault {name}; known are {', '.join(KNOBS)}")
    _refuse_unknown(name, row, tuple(keys_of(knob)))
    where = Where(**{key: _text(key, row[key]) for key in _WHERE if row.get(key) is not None})
    _check_endpoint(name, where)
    given = {each.name: row[each.name] for each in knob.options if row.get(each.name) is not None}
    options = {
        each.name: _option(name, each, given[each.name]) for each in knob.options if each.name in given
    }
    if knob.action is not None and where.endpoint:
        options["moment"] = _moment(name, row.get("moment", "after"))
    return Fault(name, where, _when(name, row), options, _text("name", row.get("name", "")))


def keys_of(knob: Knob) -> Iterator[str]:
    """What a fault of this knob may say."""
    yield from ("fault", "name", *_WHERE, *_TIMES)
    if knob.liveness is None:
        yield from _STRIKING
    if knob.action is not None:
        yield from ("repeat_seconds", "moment")
    yield from (option.name for option in knob.options)


def _profile(name: object) -> tuple[Mapping[str, object], ...]:
    if name not in PROFILES:
        raise InvalidInput(f"there is no profile {name}; known are {', '.join(PROFILES)}")
    return PROFILES[str(name)]


def _at_rate(row: Mapping[str, object], rate: float) -> Mapping[str, object]:
    usual = row.get("probability")
    return row if usual is None else {**row, "probability": min(1.0, _number("probability", usual) * rate)}


def _when(name: str, row: Mapping[str, object]) -> When:
    when = When(
        nth=_positive("nth", row.get("nth")),
        every=_positive("every", row.get("every")),
        probability=_number("probability", row.get("probability", 1)),
        count=_positive("count", row.get("count")),
        from_seconds=_number("from_seconds", row.get("from_seconds", 0)),
        until_seconds=_number_or_none("until_seconds", row.get("until_seconds")),
        repeat_seconds=_number_or_none("repeat_seconds", row.get("repeat_seconds")),
    )
    if not 0 <= when.probability <= 1:
        raise InvalidInput(f"{name}: probability must be from 0 to 1, not {when.probability:g}")
    if when.from_seconds < 0 or (when.until_seconds is not None and when.until_seconds <= when.from_seconds):
        raise InvalidInput(f"{name}: from_seconds must not be below 0, and until_seconds above it")
    if when.repeat_seconds is not None and when.repeat_seconds <= 0:
        raise InvalidInput(f"{name}: repeat_seconds must be above 0")
    return when


def _moment(name: str, value: object) -> object:
    if value not in _MOMENTS:
        raise InvalidInput(f"{name}: moment must be before or after, not {value}")
    return value


def _check_endpoint(name: str, where: Where) -> None:
    if not where.endpoint or matches(where.endpoint, *_CONNECTION_ENDPOINTS.split()):
        return
    if not any(matches(where.endpoint, *endpoint_names(each)) for each in ENDPOINTS):
        raise InvalidInput(f"{name}: no endpoint is called {where.endpoint}")


def _refuse_unknown(what: str, given: Mapping[str, object], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            raise InvalidInput(f"{what} does not know {key}; it knows {', '.join(known)}")


# --- values ------------------------------------------------------------------------------------------


def _option(knob: str, option: Option, value: object) -> object:
    label = f"{knob}: {option.name}"
    parsed = _parsed(label, option.kind, value)
    if option.choices and str(parsed) not in option.choices:
        raise InvalidInput(f"{label} must be one of {', '.join(option.choices)}, not {parsed}")
    return parsed


def _parsed(label: str, kind: Kind, value: object) -> object:
    match kind:
        case Kind.TEXT:
            return _text(label, value)
        case Kind.FLAG:
            return _flag(label, value)
        case Kind.DECIMAL:
            return _decimal(label, value)
        case Kind.WHOLE:
            return _span(label, value) if isinstance(value, list) else _whole(label, value)
        case Kind.NUMBER | Kind.SECONDS | Kind.SHARE:
            return _checked_number(label, kind, value)


def _checked_number(label: str, kind: Kind, value: object) -> object:
    parsed = _span(label, value) if isinstance(value, list) else _number(label, value)
    bounds = (parsed.low, parsed.high) if isinstance(parsed, Span) else (parsed, parsed)
    if kind is not Kind.NUMBER and bounds[0] < 0:
        raise InvalidInput(f"{label} must not be below 0")
    if kind is Kind.SHARE and bounds[1] > 1:
        raise InvalidInput(f"{label} must not be above 1")
    return parsed


def _span(label: str, value: list[object]) -> Span:
    if len(value) != 2:
        raise InvalidInput(f"{label} must be a number or [low, high]")
    low, high = (_number(label, each) for each in value)
    if low > high:
        raise InvalidInput(f"{label} must be [low, high], not [{low:g}, {high:g}]")
    return Span(low, high)


def _number(label: str, value: object) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        parsed = float(str(value))
    except ValueError:
        raise InvalidInput(f"{label} must be a number, not {value!r}") from None
    if not isfinite(parsed):
        raise InvalidInput(f"{label} must be a number, not {value!r}")
    return parsed


def _number_or_none(label: str, value: object) -> float | None:
    return None if value is None else _number(label, value)


def _whole(label: str, value: object) -> int:
    parsed = _number(label, value)
    if parsed != int(parsed):
        raise InvalidInput(f"{label} must be a whole number, not {value!r}")
    return int(parsed)


def _positive(label: str, value: object) -> int | None:
    if value is None:
        return None
    parsed = _whole(label, value)
    if parsed < 1:
        raise InvalidInput(f"{label} must be at least 1, not {parsed}")
    return parsed


def _decimal(label: str, value: object) -> Decimal:
    try:
        parsed = Decimal(str(value))
    except InvalidOperation:
        raise InvalidInput(f"{label} must be a decimal, not {value!r}") from None
    if not parsed.is_finite() or abs(parsed) >= LARGEST:
        raise InvalidInput(f"{label} must be a decimal of at most 15 digits before the point, not {value!r}")
    return parsed


def _flag(label: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidInput(f"{label} must be true or false, not {value!r}")


def _text(label: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{label} must be a text, not {value!r}")
    return value
