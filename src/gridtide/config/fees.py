"""What a simulated exchange takes for an execution."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from gridtide.config.values import AssetCode, Fraction, Section


class FeeSettings(Section):
    """Fees of the sandbox or of a backtest; a real exchange tells its own."""

    maker: Fraction = Decimal("0.001")
    """Fee of an order that rested in the book: 0.001 is 0.1 %."""

    taker: Fraction = Decimal("0.001")
    """Fee of an order that took from the book."""

    asset: Literal["received", "quote"] | AssetCode = "received"
    """received: taken from what the order receives. quote: always in quote. An asset such as BNB: paid in it."""
