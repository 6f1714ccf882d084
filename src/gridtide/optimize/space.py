"""The search space: for each parameter the values it may take, and conditions between them.

Every value is exact (`Decimal`, whole number, text) and every finite domain counts its values, so that a set of
parameters is one number and a search can be cut, shared and continued anywhere.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gridtide.domain.errors import InvalidInput, InvalidValue
from gridtide.domain.money import ONE, parse_decimal, tidy
from gridtide.optimize.conditions import Condition, Value, parse_condition
from gridtide.optimize.near_names import unknown

CONDITIONS = "conditions"
"""The one key of a space that names no parameter."""
MOST_VALUES = 10**15
_DIGITS = 6
"""Significant digits of a value drawn from a range without steps."""
_HUNDRED = Decimal(100)
_KEYS = ("from", "to", "step", "log")

ParameterSet = Mapping[str, Value]
"""Parameter to value. A text that ends in % is relative to the price at the start of a window; see `resolved`."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Values as they were listed."""

    values: tuple[Value, ...]

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def is_ordered(self) -> bool:
        """Whether nearby values are alike: numbers, in rising order."""
        numbers = [_number(value) for value in self.values]
        known = [number for number in numbers if number is not None]
        return len(known) == len(numbers) and known == sorted(known)

    def value(self, position: int) -> Value:
        return self.values[position]


@dataclass(frozen=True, slots=True)
class Steps:
    """`first`, `first` + `step`, …: `count` of them."""

    first: Decimal
    step: Decimal
    count: int
    unit: str = ""
    """``%`` for values relative to the start price."""

    @property
    def is_ordered(self) -> bool:
        return True

    def value(self, position: int) -> Value:
        return _written(self.first + position * self.step, self.unit)


@dataclass(frozen=True, slots=True)
class Range:
    """Anything from `low` to `high`, both included; with `is_log` each doubling is as likely as any other."""

    low: Decimal
    high: Decimal
    is_log: bool = False
    is_whole: bool = False
    unit: str = ""

    def value(self, number: float) -> Value:
        """The nearest value of the range to a float."""
        if self.is_whole:
            return min(max(round(number), int(self.low)), int(self.high))
        rounded = Decimal(f"{number:.{_DIGITS}g}")
        return _written(min(max(rounded, self.low), self.high), self.unit)

    def drawn(self, share: float) -> Value:
        """The value at a share from 0 to 1 of the range."""
        low, high = float(self.low), float(self.high)
        if self.is_log:
            return self.value(low * math.exp(share * math.log(high / low)))
        return self.value(low + share * (high - low))


Domain = Choices | Steps | Range


@dataclass(frozen=True, slots=True)
class Space:
    """Domains by parameter, in the order they were written, and the conditions that a set must meet."""

    domains: Mapping[str, Domain]
    conditions: tuple[Condition, ...] = ()

    @property
    def size(self) -> int | None:
        """How many sets there are, before conditions; None where a range has no steps."""
        counts = [domain.count for domain in self.domains.values() if not isinstance(domain, Range)]
        return math.prod(counts) if len(counts) == len(self.domains) else None

    @property
    def endless(self) -> tuple[str, ...]:
        """The parameters whose values cannot be counted."""
        return tuple(name for name, domain in self.domains.items() if isinstance(domain, Range))

    def set_at(self, number: int) -> dict[str, Value]:
        """The set of a number below `size`; the last parameter changes first."""
        found: dict[str, Value] = {}
        for name, domain in reversed(list(self.domains.items())):
            assert not isinstance(domain, Range)
            number, position = divmod(number, domain.count)
            found[name] = domain.value(position)
        return {name: found[name] for name in self.domains}

    def drawn(self, rng: random.Random) -> dict[str, Value]:
        """A set at random: each parameter by itself, each of its values as likely as any other."""
        return {
            name: domain.drawn(rng.random())
            if isinstance(domain, Range)
            else domain.value(rng.randrange(domain.count))
            for name, domain in self.domains.items()
        }

    def refusal(self, resolved_set: ParameterSet, base: ParameterSet) -> str | None:
        """Why a set is none of this space: the first condition that it breaks. `base`: what the config says."""
        values = {**base, **resolved_set}
        return next((f"not {each.text}" for each in self.conditions if not each.holds(values)), None)

    def check_names(self, known: Iterable[str]) -> None:
        """Raises `InvalidInput` for a parameter, in a domain or a condition, that the strategy does not have."""
        names = set(known)
        for name in self.domains:
            if name not in names:
                raise InvalidInput(unknown("parameter", name, names) + "; nothing was started")
        for condition in self.conditions:
            for name in sorted(condition.names):
                if name not in names:
                    raise InvalidInput(
                        f"condition {condition.text}: {unknown('parameter', name, names)}; nothing was started"
                    )


def resolved(parameters: ParameterSet, price: Decimal, places: int) -> dict[str, Value]:
    """The set with its percentages as prices around `price`, to `places` decimals: -10% of 200 is 180."""
    return {name: _resolved(value, price, places) for name, value in parameters.items()}


def _resolved(value: Value, price: Decimal, places: int) -> Value:
    if not is_relative(value):
        return value
    exact = price * (ONE + Decimal(str(value)[:-1]) / _HUNDRED)
    return _written(exact.quantize(ONE.scaleb(-places)), "")


def is_relative(value: Value) -> bool:
    """Whether it is relative to the start price: ``-10%``."""
    return isinstance(value, str) and value.endswith("%")


# --- reading -----------------------------------------------------------------------------------------


def parse_space(values: Mapping[str, Any], name: str) -> Space:
    """The space that a file says; numbers are the texts that were written. `name` stands in errors.

    A parameter is a list of values, one value, or a range ``{from: , to: , step: }`` (``step`` may be left out, or
    ``log: true`` stand for it). A range written in whole numbers holds whole numbers. Raises `InvalidInput`.
    """
    domains = {key: _domain(f"{name}, {key}", value) for key, value in values.items() if key != CONDITIONS}
    if not domains:
        raise InvalidInput(
            f"{name} names no parameter: write one a line, such as num_grids: [20, 40, 80], or "
            "lower_price: {from: -30%, to: -5%, step: 5%}"
        )
    written = values.get(CONDITIONS) or []
    if not isinstance(written, list) or not all(isinstance(each, str) for each in written):
        raise InvalidInput(f"{name}, conditions: give a list, such as [lower_price < upper_price]")
    space = Space(domains, tuple(parse_condition(each) for each in written))
    if space.size is not None and space.size > MOST_VALUES:
        raise InvalidInput(f"{name} has {space.size:.0e} sets: fewer values, or wider steps")
    return space


def _domain(where: str, value: Any) -> Domain:
    match value:
        case Mapping():
            return _range(where, value)
        case list() if value:
            choices = tuple(_value(where, each) for each in value)
            if len(set(map(str, choices))) < len(choices):
                raise InvalidInput(f"{where}: a value is listed twice")
            return Choices(choices)
        case list() | None:
            raise InvalidInput(f"{where}: there is no value to try")
        case _:
            return Choices((_value(where, value),))


def _value(where: str, value: Any) -> Value:
    """Numbers as numbers, percentages and words as they are."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str | int | Decimal):
        raise InvalidInput(f"{where}: {value!r} is no single value")
    text = str(value).strip()
    if text.endswith("%"):
        return _written(_parsed(where, text[:-1]), "%")
    try:
        return _written(parse_decimal(text), "")
    except InvalidValue:
        return text


def _range(where: str, given: Mapping[str, Any]) -> Domain:
    for key in given:
        if key not in _KEYS:
            raise InvalidInput(f"{where}: {unknown('key', key, _KEYS)}")
    if given.get("from") is None or given.get("to") is None:
        raise InvalidInput(f"{where}: a range needs from and to, such as {{from: 20, to: 80, step: 10}}")
    texts = [str(given[key]).strip() for key in ("from", "to")]
    unit = "%" if texts[0].endswith("%") else ""
    if any(text.endswith("%") != bool(unit) for text in texts):
        raise InvalidInput(
            f"{where}: give from and to both in percent of the start price, or both as they are"
        )
    low, high = (_parsed(where, text.removesuffix("%")) for text in texts)
    if low > high:
        raise InvalidInput(f"{where}: from {texts[0]} is above to {texts[1]}")
    is_log, step = given.get("log") or False, given.get("step")
    if not isinstance(is_log, bool) or (is_log and step is not None):
        raise InvalidInput(f"{where}: log is true or false, and stands alone without a step")
    if is_log and low <= 0:
        raise InvalidInput(f"{where}: a range with log needs from above zero")
    is_whole = not unit and all(map(_is_whole, texts))
    if is_log or (step is None and not is_whole):
        return Range(low, high, is_log, is_whole, unit)
    width = ONE if step is None else _parsed(where, str(step).strip().removesuffix("%"))
    if width <= 0:
        raise InvalidInput(f"{where}: step {step} is not above zero")
    return Steps(low, width, int((high - low) / width) + 1, unit)


def _parsed(where: str, text: str) -> Decimal:
    try:
        return parse_decimal(text.strip())
    except InvalidValue as error:
        raise InvalidInput(f"{where}: {error}") from None


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def _written(number: Decimal, unit: str) -> Value:
    """As a set holds it: a whole number as one, a percentage as text with its sign."""
    if unit:
        return f"{Decimal(tidy(number)):+f}%"
    return int(number) if number == number.to_integral_value() else Decimal(tidy(number))


def _number(value: Value) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if is_relative(value):
        return Decimal(str(value)[:-1])
    return None if isinstance(value, str) else Decimal(value)
