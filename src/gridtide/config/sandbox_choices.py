"""What the sandbox does where the real exchange is silent or nobody can know: each a switch.

The words are those of the venue; a test compares them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from gridtide.config.values import Fraction, NotNegative, Section


class SandboxChoices(Section):
    """`gridtide sandbox` only: what it does where the real exchange is silent."""

    fill_model: Literal["touch", "trade_through", "queue"] | None = None
    """When a resting order fills. touch: the price reaches it. trade_through: it goes one step beyond. queue: its
    turn comes, where a recorded book is played. Left out: queue for recorded and live books, else touch."""

    queue_cancellations: Literal["behind", "proportional"] = "behind"
    """Who left where a recorded level shrank by more than was traded. behind: those behind us. proportional: both."""

    volume_cap: Annotated[Fraction, Field(gt=0)] | None = None
    """The part of a move's volume that resting orders may take together. Left out: no cap."""

    slippage: Fraction = Decimal(0)
    """By how much takers trade worse than the invented book says; never beyond their limit."""

    commission_rounding: Literal["truncate", "round_half_up", "round_up"] = "truncate"
    """What becomes of a commission's digits beyond the eighth: truncate, round_half_up or round_up."""

    stop_notional: Literal["stop_price", "average", "none"] = "stop_price"
    """What NOTIONAL values stop orders at market by: stop_price, average or none."""

    stop_lock_margin: NotNegative = Decimal(0)
    """What waiting buys without a price lock beyond their stop price: 0.01 is 1 %."""

    self_trade_prevention: Literal[
        "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"
    ] = "EXPIRE_MAKER"
    """The mode of orders that name none."""

    maker_fill_credit: Annotated[int, Field(ge=0)] = 5
    """How much a first fill as maker takes off the count of unfilled orders."""

    strict_parameters: bool = True
    """Whether REST refuses unknown parameters with -1104."""

    strict_websocket_parameters: bool = False
    """Whether the WebSocket API refuses them."""
