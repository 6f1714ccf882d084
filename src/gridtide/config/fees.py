"""What a simulated exchange takes for an execution."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import model_validator

from gridtide.config.values import AssetCode, Fraction, Positive, Section


class FeeSettings(Section):
    """Fees of the sandbox or of a backtest; a real exchange tells its own."""

    maker: Fraction = Decimal("0.001")
    """Fee of an order that rested in the book: 0.001 is 0.1 %."""

    taker: Fraction = Decimal("0.001")
    """Fee of an order that took from the book."""

    asset: Literal["received", "quote"] | AssetCode = "received"
    """received: taken from what the order receives. quote: always in quote. An asset such as BNB: paid in it."""

    asset_price: Positive | None = None
    """What one unit of that asset costs in quote. Needed with an asset whose own market is not played."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.asset_price is not None and self.asset in ("received", "quote"):
            raise ValueError("asset_price is for fees paid in an asset by name")
        return self
