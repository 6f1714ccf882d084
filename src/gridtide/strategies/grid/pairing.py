"""Which order follows a settled one (grid-semantics 4): pure arithmetic on what was really received.

Amounts only go down to the lot; what is cut off becomes dust or stays as money, it is never lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final, Self, assert_never

from gridtide.domain.money import EXACT, ONE, ZERO, Amount, FeeRate, Price, cut_to_places
from gridtide.strategies.grid.config import ProfitMode

if TYPE_CHECKING:
    from gridtide.domain.market import FeeSchedule, Market, MarketRules
    from gridtide.strategies.grid.config import GridConfig

_RATIO: Final = Context(prec=60, rounding=ROUND_DOWN)


def floor_to_lot(rules: MarketRules, amount: Decimal) -> Amount:
    """`amount` down to the lot; to the base asset's own precision on a market without one."""
    if rules.lot_size:
        return rules.floor_amount(amount)
    return Amount(cut_to_places(amount, rules.base_precision))


def share_of(rules: MarketRules, amount: Decimal, part: Decimal, whole: Decimal) -> Amount:
    """`amount` · `part` / `whole`, down to the lot."""
    with localcontext(_RATIO):
        return floor_to_lot(rules, amount * part / whole)


@dataclass(frozen=True, slots=True)
class LotMoves:
    """Where base goes when a buy has settled: the first two make the sell."""

    bought_to_sell: Amount
    dust_to_sell: Amount
    bought_to_dust: Amount
    bought_to_kept: Amount

    @property
    def sell_amount(self) -> Amount:
        return Amount(self.bought_to_sell + self.dust_to_sell)


@dataclass(frozen=True, slots=True)
class Pairing:
    """The rules of pairing for one grid on one account."""

    mode: ProfitMode
    rules: MarketRules
    rate: FeeRate
    """Fee a side of the grid's orders."""
    quote_fee: FeeRate
    """What a buy costs beyond its price in quote: 0 unless fees are paid in quote, else the worse rate."""
    sell_fee_in_quote: bool

    @classmethod
    def of(cls, config: GridConfig, market: Market, fees: FeeSchedule) -> Self:
        return cls(
            mode=config.profit,
            rules=market.rules,
            rate=fees.maker if config.post_only else fees.taker,
            quote_fee=max(fees.maker, fees.taker) if fees.asset == market.quote else FeeRate(ZERO),
            sell_fee_in_quote=fees.asset in (None, market.quote),
        )

    def after_buy(
        self, received: Decimal, dust: Decimal, executed_quote: Decimal, sell_price: Price
    ) -> LotMoves:
        """The sell after a buy that `received` base net of fees, with the `dust` at hand.

        Everything received and the dust are sold, floored to the lot; `profit: base` sells only what returns
        the quote spent and keeps the rest (AT-18a, AT-18c).
        """
        sell = floor_to_lot(self.rules, received + dust)
        keeps = self.mode is ProfitMode.BASE
        if keeps:
            sell = min(sell, self.returning_amount(executed_quote, sell_price))
        from_buy = min(received, sell)
        rest = received - from_buy
        return LotMoves(
            bought_to_sell=Amount(from_buy),
            dust_to_sell=Amount(sell - from_buy),
            bought_to_dust=Amount(ZERO if keeps else rest),
            bought_to_kept=Amount(rest if keeps else ZERO),
        )

    def after_sell(
        self, sold: Decimal, left: Decimal, held_for: Decimal, received: Decimal, price: Price
    ) -> Amount:
        """Base to buy back at `price` after a sell that `received` quote net of fees.

        `profit: quote` buys the planned amount again, not the amount sold, or the grid would melt by the fee
        each cycle (AT-18d): `held_for` is the planned amount that the base now sold stood for, of which a
        part comes back while base is `left` to sell. The other modes spend what came in (AT-18b, AT-18c).
        """
        match self.mode:
            case ProfitMode.QUOTE:
                if not floor_to_lot(self.rules, left):
                    return Amount(held_for)
                return share_of(self.rules, held_for, sold, sold + left)
            case ProfitMode.BASE | ProfitMode.COMPOUND:
                return self.affordable(received, price)
            case _:
                assert_never(self.mode)

    def affordable(self, quote: Decimal, price: Price) -> Amount:
        """The most that `quote` buys at `price`, a fee in quote included."""
        if quote <= 0:
            return Amount(ZERO)
        return share_of(self.rules, quote, ONE, price * (ONE + self.quote_fee))

    def suffices(self, quote: Decimal, price: Price, amount: Amount) -> bool:
        """Whether `amount` is certainly no more than is `affordable`: whole lots that `quote` pays for."""
        with localcontext(EXACT):
            return price * amount * (ONE + self.quote_fee) <= quote

    def returning_amount(self, executed_quote: Decimal, sell_price: Price) -> Amount:
        """What has to be sold at `sell_price` to get back, net of fees in quote, what a buy spent."""
        kept = ONE - self.rate if self.sell_fee_in_quote else ONE
        return share_of(self.rules, executed_quote, ONE + self.quote_fee, sell_price * kept)
