"""What an execution means to the books: the price of its fee, and what it brought."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.order import Side

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.engine.state import EngineState


def fee_price(state: EngineState, fill: Fill) -> Decimal | None:
    """Quote price of a third fee asset; None where the fee is in base or quote."""
    asset = fill.fee.asset
    if asset in (state.market.base, state.market.quote):
        return None
    if asset not in state.third_prices and fill.fee.amount and asset not in state.unpriced:
        state.unpriced.add(asset)  # told once in a run, true for each fee until a price comes
        text = f"no price for {asset} is known; fees paid in it count as worth nothing, in profit and equity alike"
        state.notice("warning", "fee.unpriced", text)
    return state.third_prices.get(asset)


def received(state: EngineState, fill: Fill) -> Decimal:
    """What a fill brought, net of a fee in the same asset."""
    asset, gross = (
        (state.market.base, Decimal(fill.amount))
        if fill.side is Side.BUY
        else (state.market.quote, Decimal(fill.quote_amount))
    )
    return gross - fill.fee.amount if fill.fee.asset == asset else gross
