"""The parameters that describe an order: the same in every request, under names that differ by a prefix.

A request for one order says ``price``; one for a list says ``abovePrice``, ``workingPrice``, ``pendingBelowPrice`` …
(rest-api.md, "New order" and "Order lists").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gridtide.domain.order import Side, TimeInForce
from gridtide.sandbox import parameters
from gridtide.sandbox.errors import ApiError, not_supported
from gridtide.sandbox.parameters import Parameter
from gridtide.venue.market_filters import ORDER_TYPES
from gridtide.venue.messages import NewOrder

if TYPE_CHECKING:
    from decimal import Decimal

    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange

_LEAST_STRATEGY_TYPE = 1_000_000


class AnswerType(StrEnum):
    """How much the answer to a placement tells."""

    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


SYMBOL = parameters.symbol()
SIDE = parameters.choice("side", Side, ApiError(-1117, "Invalid side."))
QUANTITY = parameters.decimal("quantity")
QUOTE_QUANTITY = parameters.decimal("quoteOrderQty")
NEW_CLIENT_ID = parameters.client_id("newClientOrderId")
ANSWER_TYPE = parameters.choice(
    "newOrderRespType",
    AnswerType,
    ApiError(-1130, "Data sent for parameter 'newOrderRespType' is not valid."),
)
PREVENTION = parameters.text("selfTradePreventionMode")


@dataclass(frozen=True, slots=True)
class OrderParameters:
    """The parameters of one order of a request, each under its name there."""

    side: Parameter[Side]
    type: Parameter[str]
    amount: Parameter[Decimal]
    price: Parameter[Decimal]
    stop_price: Parameter[Decimal]
    trailing_delta: Parameter[int]
    time_in_force: Parameter[TimeInForce]
    iceberg_amount: Parameter[Decimal]
    client_id: Parameter[str]
    strategy_id: Parameter[int]
    strategy_type: Parameter[int]
    pegs: tuple[Parameter[str], ...] = ()

    @property
    def options(self) -> tuple[Parameter[Any], ...]:
        """All that a request may leave out, whatever it is for."""
        return (
            self.price, self.stop_price, self.trailing_delta, self.time_in_force, self.iceberg_amount,
            self.client_id, self.strategy_id, self.strategy_type, *self.pegs,
        )  # fmt: skip


def order_parameters(
    prefix: str, *, side: str = "", amount: str = "", client_id: str = "", pegs: bool = True
) -> OrderParameters:
    """Names with a prefix; `side`, `amount` and `client_id` where theirs are others."""

    def named(name: str) -> str:
        return f"{prefix}{name[0].upper()}{name[1:]}" if prefix else name

    peg_names = ("pegPriceType", "pegOffsetType", "pegOffsetValue") if pegs else ()
    return OrderParameters(
        side=parameters.choice(side or named("side"), Side, ApiError(-1117, "Invalid side.")),
        type=parameters.word(named("type"), ORDER_TYPES, ApiError(-1116, "Invalid orderType.")),
        amount=parameters.decimal(amount or named("quantity")),
        price=parameters.decimal(named("price")),
        stop_price=parameters.decimal(named("stopPrice")),
        trailing_delta=parameters.integer(named("trailingDelta")),
        time_in_force=time_in_force(named("timeInForce")),
        iceberg_amount=parameters.decimal(named("icebergQty")),
        client_id=parameters.client_id(client_id or named("clientOrderId")),
        strategy_id=parameters.integer(named("strategyId")),
        strategy_type=strategy_type(named("strategyType")),
        pegs=tuple(parameters.text(named(name)) for name in peg_names),
    )


def time_in_force(name: str) -> Parameter[TimeInForce]:
    """How long an order may rest; -1115 for another word."""
    return parameters.choice(name, TimeInForce, ApiError(-1115, "Invalid timeInForce."))


def strategy_type(name: str) -> Parameter[int]:
    """The number of a strategy's kind; -1134 for the reserved ones."""
    number = parameters.integer(name)

    def decode(name: str, text: str) -> int:
        value = number.decode(name, text)
        if value < _LEAST_STRATEGY_TYPE:
            raise ApiError(-1134, f"`strategyType` was less than {_LEAST_STRATEGY_TYPE}.")
        return value

    return Parameter(name, decode)


ORDER = order_parameters("", client_id="newClientOrderId")
"""One order by itself."""

NEW_ORDER = (SYMBOL, ORDER.side, ORDER.type)
NEW_ORDER_OPTIONS: tuple[Parameter[Any], ...] = (
    ORDER.amount, QUOTE_QUANTITY, *ORDER.options, ANSWER_TYPE, PREVENTION,
)  # fmt: skip


def single_order(exchange: SandboxExchange, call: Call) -> NewOrder:
    """The one order a request asks for."""
    return new_order(exchange, call, ORDER, call.need(ORDER.type), quote_amount=call.get(QUOTE_QUANTITY))


def new_order(
    exchange: SandboxExchange,
    call: Call,
    names: OrderParameters,
    order_type: str,
    quote_amount: Decimal | None = None,
) -> NewOrder:
    """The order that the parameters with these names describe. Raises -1020 for a pegged one."""
    for peg in names.pegs:
        if call.get(peg) is not None:
            raise not_supported(f"pegged orders ({peg.name})")
    return NewOrder(
        account_id=call.account_id,
        symbol=exchange.listing(call.need(SYMBOL)).symbol,
        side=call.need(names.side),
        type=order_type,
        amount=call.get(names.amount),
        quote_amount=quote_amount,
        price=call.get(names.price),
        time_in_force=call.get(names.time_in_force),
        client_order_id=call.get(names.client_id) or "",
        self_trade_prevention=call.get(PREVENTION) or "",
        stop_price=call.get(names.stop_price),
        trailing_delta=call.get(names.trailing_delta),
        iceberg_amount=call.get(names.iceberg_amount),
        strategy_id=call.get(names.strategy_id),
        strategy_type=call.get(names.strategy_type),
    )
