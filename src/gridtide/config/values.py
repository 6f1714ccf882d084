"""The kinds of values settings are made of. A decimal is exact: a float is refused, a text or an integer is not."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gridtide.domain.money import parse_decimal

_MARKET = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}")
_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


class Section(BaseModel):
    """A section of the settings: unknown keys are refused, and no error repeats a value."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        """A section whose keys are all commented out is the section at its defaults."""
        return {} if value is None else value


def market_named(text: str) -> str:
    """`BTC/USDT`, in capitals. Raises `ValueError` with what to write."""
    text = text.upper()
    if _MARKET.fullmatch(text) is None:
        raise ValueError("write base and quote of a spot market in capitals, such as BTC/USDT")
    return text


def _asset(text: str) -> str:
    text = text.upper()  # the name of an environment variable has lost its case
    if _ASSET.fullmatch(text) is None:
        raise ValueError("write an asset in capitals, such as USDT")
    return text


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("up to 32 small letters, digits and hyphens, such as btc-grid")
    return text


def _exact(value: Any) -> Decimal:
    return parse_decimal(value)


ExactDecimal = Annotated[Decimal, BeforeValidator(_exact)]
Positive = Annotated[ExactDecimal, Field(gt=0)]
NotNegative = Annotated[ExactDecimal, Field(ge=0)]
Fraction = Annotated[ExactDecimal, Field(ge=0, lt=1)]
"""0.002 is 0.2 %."""

MarketName = Annotated[str, AfterValidator(market_named)]
AssetCode = Annotated[str, AfterValidator(_asset)]
Name = Annotated[str, AfterValidator(_name)]
"""A name, never a path: it stands in file names and in order ids (F74)."""
