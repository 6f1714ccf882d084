"""Limits that every order passes, whoever wished for it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from gridtide.config.values import Positive, Section


class RiskSettings(Section):
    """Limits of one bot. An empty section, `{}`, means these defaults."""

    enabled: bool = True
    """false (or `risk: off`): no limits. Refused by everything that places orders."""

    max_open_orders: Annotated[int, Field(ge=1)] = 200
    """At most this many orders at the exchange at once."""

    max_order_value: Positive | None = None
    """The largest single order, in quote. Left out: only the funds limit it."""

    @model_validator(mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        if value is False or value == "off":
            return {"enabled": False}
        return value
