"""One order, placed once: what `gridtide order buy|sell` runs. It is finished when the order is settled."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from gridtide.domain.errors import InvalidConfig, InvalidValue, PlanRefused
from gridtide.domain.money import Amount, Price, parse_decimal, plain, tidy
from gridtide.domain.order import OrderType, Side, Slot, TimeInForce
from gridtide.strategies.protocol import Ending, SettledOrder

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.strategies.protocol import ExecutionContext, StrategyState

SLOT_NAME: Final = "MAN"
_KEYS: Final = ("side", "amount", "limit", "time_in_force")


class SingleOrderStrategy:
    """Buys or sells `amount` base at `limit`, or at the market's price without one.

    Amounts go down to the lot, a buy's limit down and a sell's up to the tick (F15), so the order never asks
    for more or pays worse than said. Raises `PlanRefused` at the start where a rule of the market forbids it.
    """

    name: Final = "single_order"

    def __init__(
        self,
        symbol: str,
        side: Side,
        amount: Decimal,
        limit: Decimal | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> None:
        if amount <= 0:
            raise InvalidConfig(f"amount: {plain(amount)} is not above zero")
        if limit is not None and limit <= 0:
            raise InvalidConfig(f"limit: {plain(limit)} is not above zero")
        self.symbol = symbol
        self.slot = Slot(SLOT_NAME, side)
        self.amount = amount
        self.limit = limit
        self.time_in_force = time_in_force
        self.outcome: SettledOrder | None = None
        """How it ended; None while it is under way."""

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Self:
        """The order of `side`, `amount`, and optionally `limit` and `time_in_force`; raises `InvalidConfig`."""
        for key in settings:
            if key not in _KEYS:
                raise InvalidConfig(f"{key}: a single order has no such setting; it knows {', '.join(_KEYS)}")
        try:
            limit = settings.get("limit")
            return cls(
                symbol,
                Side(str(settings["side"]).upper()),
                parse_decimal(settings["amount"]),
                None if limit is None else parse_decimal(limit),
                TimeInForce(settings.get("time_in_force", TimeInForce.GTC)),
            )
        except KeyError as missing:
            raise InvalidConfig(f"{missing.args[0]}: a single order cannot do without it") from None
        except (InvalidValue, ValueError) as error:
            raise InvalidConfig(f"single order: {error}") from None

    @property
    def is_finished(self) -> bool:
        return self.outcome is not None

    def on_start(self, context: ExecutionContext) -> None:
        rules, side = context.market.rules, self.slot.side
        order_type = OrderType.MARKET if self.limit is None else OrderType.LIMIT
        price: Price | None = None
        if self.limit is not None:
            price = rules.floor_price(self.limit) if side is Side.BUY else rules.ceil_price(self.limit)
        amount = rules.floor_amount(self.amount)
        found = rules.violation(side, order_type, price, amount, context.current_price())
        if found is not None:
            raise PlanRefused(
                f"{side} {tidy(amount)} {context.market.base}: {found.detail} (rule {found.rule} of "
                f"{context.market.symbol}); nothing was placed"
            )
        context.place_order(self.slot, price, amount, order_type, self.time_in_force)

    def on_fill(self, fill: Fill, context: ExecutionContext) -> None:
        """Nothing to decide: the order goes on by itself."""

    def on_order_settled(self, order: SettledOrder, context: ExecutionContext) -> None:
        if order.slot == self.slot:
            self.outcome = order

    def get_state(self) -> StrategyState:
        return {
            "version": 1,
            "symbol": self.symbol,
            "side": self.slot.side.value,
            "amount": plain(self.amount),
            "limit": None if self.limit is None else plain(self.limit),
            "time_in_force": self.time_in_force.value,
            "outcome": None if self.outcome is None else _outcome_to_json(self.outcome),
        }

    @classmethod
    def from_state(cls, state: StrategyState) -> Self:
        strategy = cls.from_settings(state["symbol"], {key: state[key] for key in _KEYS})
        if state["outcome"] is not None:
            strategy.outcome = _outcome_from_json(strategy.slot, state["outcome"])
        return strategy


def _outcome_to_json(order: SettledOrder) -> dict[str, Any]:
    return {
        "price": None if order.price is None else plain(order.price),
        "amount": plain(order.amount),
        "executed_amount": plain(order.executed_amount),
        "executed_quote": plain(order.executed_quote),
        "received": plain(order.received),
        "ending": order.ending.value,
    }


def _outcome_from_json(slot: Slot, stored: Mapping[str, Any]) -> SettledOrder:
    price = stored["price"]
    return SettledOrder(
        slot,
        None if price is None else Price(parse_decimal(price)),
        Amount(parse_decimal(stored["amount"])),
        Amount(parse_decimal(stored["executed_amount"])),
        parse_decimal(stored["executed_quote"]),
        parse_decimal(stored["received"]),
        Ending(stored["ending"]),
    )
