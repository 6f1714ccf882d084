"""What a user may say about a grid, checked without knowing the market.

Every refusal names the key and what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Self

from gridtide.domain.errors import InvalidConfig, InvalidValue
from gridtide.domain.money import ZERO, parse_decimal, plain, tidy

MAX_LEVELS: Final = 1000
"""A slot names its level with three digits."""


class GridSpacing(StrEnum):
    """How the distance from level to level grows: by equal amounts or by equal ratios."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


class VacantRule(StrEnum):
    """Which level next to the start price stays empty (grid-semantics 2)."""

    NEAREST = "nearest"
    ABOVE = "above"
    BELOW = "below"


class Sizing(StrEnum):
    """How money is shared over the levels (grid-semantics 3)."""

    EQUAL_BASE = "equal_base"
    EQUAL_QUOTE = "equal_quote"
    QUOTE_ONLY = "quote_only"
    """No purchase at the start: every interval begins as a buy."""
    BASE_AND_QUOTE = "base_and_quote"
    """`base_amount` makes the sells, `total_investment` the buys."""


class ProfitMode(StrEnum):
    """What becomes of the profit of a round trip (grid-semantics 4)."""

    QUOTE = "quote"
    BASE = "base"
    COMPOUND = "compound"


class PriceRounding(StrEnum):
    """Which way level prices go to the tick."""

    NEAREST = "nearest"
    DOWN = "down"


class StartOutside(StrEnum):
    """Whether the grid may start while the price is outside its range."""

    REFUSE = "refuse"
    ALLOW = "allow"


class Trailing(StrEnum):
    """Whether the range follows the price."""

    NONE = "none"
    UP = "up"
    DOWN = "down"
    BOTH = "both"


_CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "spacing": GridSpacing,
    "vacant": VacantRule,
    "sizing": Sizing,
    "profit": ProfitMode,
    "rounding": PriceRounding,
    "start_outside": StartOutside,
    "trailing": Trailing,
}
_DECIMALS: Final = (
    "lower_price",
    "upper_price",
    "total_investment",
    "reserve",
    "price_cap",
    "base_amount",
    "base_cost",
)
_OPTIONAL: Final = ("reserve", "base_cost")
_INTEGERS: Final = ("num_grids", "mirror_after_seconds")
_FLAGS: Final = ("post_only", "allow_below_break_even")


@dataclass(frozen=True, slots=True)
class GridConfig:
    """A grid as its owner wants it. Raises `InvalidConfig` for anything that cannot be meant.

    Numbers may also be given as text or integers and choices as text; they are stored as annotated.
    """

    symbol: str
    lower_price: Decimal
    upper_price: Decimal
    num_grids: int
    """Price levels, both bounds included: one more than what exchanges call grids."""
    total_investment: Decimal
    """Quote that the grid may use, beside the coins of `base_amount`."""
    spacing: GridSpacing = GridSpacing.ARITHMETIC
    vacant: VacantRule = VacantRule.NEAREST
    sizing: Sizing = Sizing.EQUAL_BASE
    profit: ProfitMode = ProfitMode.QUOTE
    rounding: PriceRounding = PriceRounding.NEAREST
    reserve: Decimal | None = None
    """Fraction of the investment kept back for fees and slippage; None: what they can cost at worst."""
    price_cap: Decimal = Decimal("0.002")
    """How far above the best ask the initial purchase may pay, as a fraction."""
    mirror_after_seconds: int = 600
    """How long the rest of a partly filled order may stay before it is cancelled and the part mirrored."""
    post_only: bool = True
    start_outside: StartOutside = StartOutside.REFUSE
    base_amount: Decimal = ZERO
    """Coins already held that the grid sells first, beside `total_investment`."""
    base_cost: Decimal | None = None
    """What `base_amount` cost altogether, in quote: the owner's statement, the basis of all profit made with it."""
    allow_below_break_even: bool = False
    trailing: Trailing = Trailing.NONE

    def __post_init__(self) -> None:
        for name in _DECIMALS:
            if not (name in _OPTIONAL and getattr(self, name) is None):
                object.__setattr__(self, name, _decimal(name, getattr(self, name)))
        for name, choices in _CHOICES.items():
            object.__setattr__(self, name, _choice(name, getattr(self, name), choices))
        for name in _INTEGERS:
            _check_type(name, getattr(self, name), int, "a whole number")
        for name in _FLAGS:
            _check_type(name, getattr(self, name), bool, "true or false")
        self._check_range()
        self._check_money()
        if self.trailing is not Trailing.NONE:
            raise InvalidConfig(f"trailing: {self.trailing} comes later; for now only none is possible")

    @property
    def intervals(self) -> int:
        """Steps between levels, each with one order."""
        return self.num_grids - 1

    def _check_range(self) -> None:
        if self.symbol.count("/") != 1:
            raise InvalidConfig(f"symbol: {self.symbol!r} is no market; write base/quote, such as BTC/USDT")
        if self.lower_price <= 0:
            raise InvalidConfig(f"lower_price: {plain(self.lower_price)} is not above zero")
        if self.lower_price >= self.upper_price:
            raise InvalidConfig(
                f"upper_price: {plain(self.upper_price)} is not above lower_price {plain(self.lower_price)}"
            )
        if not 2 <= self.num_grids <= MAX_LEVELS:
            raise InvalidConfig(
                f"num_grids: {self.num_grids} is outside 2 to {MAX_LEVELS} (price levels, both bounds included)"
            )
        if self.mirror_after_seconds < 1:
            raise InvalidConfig(f"mirror_after_seconds: {self.mirror_after_seconds} is below one second")

    def _check_money(self) -> None:
        for name in ("total_investment", "base_amount", "base_cost"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InvalidConfig(f"{name}: {plain(value)} is below zero")
        if not self.total_investment and not self.base_amount:
            raise InvalidConfig("total_investment: 0 leaves nothing to trade with; say how much quote to use")
        if self.base_amount and self.base_cost is None:
            raise InvalidConfig("base_cost: say what the coins of base_amount cost altogether, in quote")
        if self.base_cost and not self.base_amount:
            raise InvalidConfig("base_cost: there is no base_amount that could have cost it")
        if self.base_amount and self.sizing is Sizing.QUOTE_ONLY:
            raise InvalidConfig(
                "base_amount: quote_only sells nothing at the start; use sizing: base_and_quote or equal_base"
            )
        if self.reserve is not None and not 0 <= self.reserve < 1:
            raise InvalidConfig(f"reserve: {tidy(self.reserve)} is no fraction from 0 to below 1")
        if not 0 <= self.price_cap <= Decimal("0.1"):
            raise InvalidConfig(f"price_cap: {tidy(self.price_cap)} is outside 0 to 0.1 (10 %)")

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Self:
        """The grid of a settings file: keys are the field names; `intervals` may replace `num_grids`, and a
        key without a value counts as not given.

        Raises `InvalidConfig` for unknown, missing and wrong keys.
        """
        values = {key: value for key, value in settings.items() if value is not None}
        if "intervals" in values:
            if "num_grids" in values:
                raise InvalidConfig("num_grids and intervals say the same twice: keep one of them")
            _check_type("intervals", values["intervals"], int, "a whole number")
            values["num_grids"] = values.pop("intervals") + 1
        allowed = [field.name for field in fields(cls) if field.name != "symbol"]
        for key in values:
            if key not in allowed:
                raise InvalidConfig(f"{key}: the grid has no such setting; it knows {', '.join(allowed)}")
        for key in ("lower_price", "upper_price", "num_grids", "total_investment"):
            if key not in values:
                raise InvalidConfig(f"{key}: the grid cannot do without it")
        for key in _DECIMALS:
            # A file's number is the digits its author typed, and its text form gives exactly those back.
            if key in values and not isinstance(values[key], bool):
                values[key] = str(values[key])
        return cls(symbol=symbol, **values)

    def to_settings(self) -> dict[str, Any]:
        """The settings that `from_settings` turns into this config again: JSON-compatible, decimals as text."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "symbol"}
        return {
            name: plain(value) if isinstance(value, Decimal) else str(value) if name in _CHOICES else value
            for name, value in values.items()
        }


def _decimal(name: str, value: str | int | Decimal) -> Decimal:
    try:
        return parse_decimal(value)
    except InvalidValue as error:
        raise InvalidConfig(f"{name}: {error}") from None


def _choice(name: str, value: str, choices: type[StrEnum]) -> StrEnum:
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(choices)
        raise InvalidConfig(f"{name}: {value!r} is not one of {known}") from None


def _check_type(name: str, value: object, kind: type, wanted: str) -> None:
    if type(value) is not kind:
        raise InvalidConfig(f"{name}: {value!r} is not {wanted}")
