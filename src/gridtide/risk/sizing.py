"""How much to put at stake: pure functions from what is known to a share or an amount.

Each rounds down and answers 0 where the facts do not carry a position; none ever asks for more than there is.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidValue
from gridtide.domain.money import (
    EXACT,
    ONE,
    ZERO,
    Amount,
    Money,
    cut_to_places,
    divide_down,
    floor_to_step,
    parse_decimal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

HALF_KELLY = Decimal("0.5")
GRID_SHARE = Decimal("0.75")
"""70 to 80 % of an account's capital is what grids are advised to get; the rest is its reserve (grid-semantics 8)."""

_PLACES = 12
_Number = str | int | Decimal


def kelly_fraction(
    win_rate: _Number, average_win: _Number, average_loss: _Number, fraction: _Number = HALF_KELLY
) -> Decimal:
    """The share of capital to put at stake, from 0 to 1: ``fraction * (p - (1 - p) / (win / loss))``.

    `win_rate` p is from 0 to 1; `average_win` and `average_loss` are positive amounts of one unit (`average_loss` is a
    size, not a negative number). `fraction` is half by default, a quarter is careful, more than one is refused: at the
    full share a fall to half of the capital is already as likely as not.

    0 where nothing may be put at stake: the edge is negative or none, there are no wins, or **no losses yet**
    (`average_loss` 0): a record without a loss does not say how large one is.

    Source: J. L. Kelly, "A New Interpretation of Information Rate", Bell System Technical Journal 35(4), 1956; in this
    form E. O. Thorp, "The Kelly Criterion in Blackjack, Sports Betting, and the Stock Market", 1997.
    Raises `InvalidValue` for anything outside these bounds.
    """
    rate, share = _within(win_rate, "win_rate", ONE), _within(fraction, "fraction", ONE)
    win, loss = _not_negative(average_win, "average_win"), _not_negative(average_loss, "average_loss")
    if not win or not loss:
        return ZERO
    # p - (1 - p) * loss / win over one denominator, so that one division rounds.
    edge = EXACT.subtract(EXACT.multiply(rate, win), EXACT.multiply(EXACT.subtract(ONE, rate), loss))
    return divide_down(EXACT.multiply(share, edge), win, _PLACES) if edge > 0 else ZERO


def kelly_fraction_of(profits: Sequence[Decimal], fraction: _Number = HALF_KELLY) -> Decimal:
    """`kelly_fraction` from the profits of round trips, in quote; those of exactly zero say nothing.

    0 for a record without a win or without a loss.
    """
    wins, losses = [each for each in profits if each > 0], [-each for each in profits if each < 0]
    if not wins or not losses:
        return ZERO
    rate = divide_down(Decimal(len(wins)), Decimal(len(wins) + len(losses)), _PLACES)
    return kelly_fraction(rate, _mean(wins), _mean(losses), fraction)


def fixed_fractional_size(
    equity: _Number,
    risk_fraction: _Number,
    entry_price: _Number,
    stop_price: _Number,
    lot_size: _Number = 0,
) -> Amount:
    """The amount of base that loses ``risk_fraction * equity`` between entry and stop, rounded down to `lot_size`.

    `equity` is in quote, `risk_fraction` from 0 to 1, prices in quote per base. Never more than `equity` buys at the
    entry: a spot market lends nothing. 0 for **zero price risk** (a stop at the entry or above it) and without equity.
    Raises `InvalidValue` for negative values and an entry price of zero.

    Source: R. Vince, "Portfolio Management Formulas", 1990 (fixed fractional trading).
    """
    money, share = _not_negative(equity, "equity"), _within(risk_fraction, "risk_fraction", ONE)
    entry, stop = _not_negative(entry_price, "entry_price"), _not_negative(stop_price, "stop_price")
    if not entry:
        raise InvalidValue("entry_price is 0: nothing can be bought at it")
    if stop >= entry:
        return Amount(ZERO)
    at_risk = divide_down(EXACT.multiply(money, share), EXACT.subtract(entry, stop), _PLACES)
    affordable = divide_down(money, entry, _PLACES)
    return Amount(floor_to_step(min(at_risk, affordable), _not_negative(lot_size, "lot_size")))


def volatility_target_share(target: _Number, volatility: _Number) -> Decimal:
    """The share of capital, from 0 to 1, at which a position moves by `target` where its market moves by `volatility`.

    Both are annualised standard deviations of returns (0.2 is 20 %). 0 for a market without measured volatility.

    Source: A. Moreira and T. Muir, "Volatility-Managed Portfolios", Journal of Finance 72(4), 2017; without leverage.
    """
    wanted, measured = _not_negative(target, "target"), _not_negative(volatility, "volatility")
    return min(ONE, divide_down(wanted, measured, _PLACES)) if measured else ZERO


def grid_capital(equity: _Number, share: _Number = GRID_SHARE, already: _Number = 0) -> Money:
    """Quote that grids may still get: `share` of `equity` less what they have `already`; never negative."""
    whole = EXACT.multiply(_not_negative(equity, "equity"), _within(share, "share", ONE))
    return Money(max(ZERO, cut_to_places(EXACT.subtract(whole, _not_negative(already, "already")), _PLACES)))


def _mean(values: Sequence[Decimal]) -> Decimal:
    total = ZERO
    for each in values:
        total = EXACT.add(total, each)
    return divide_down(total, Decimal(len(values)), _PLACES)


def _not_negative(value: _Number, name: str) -> Decimal:
    number = parse_decimal(value)
    if number < 0:
        raise InvalidValue(f"{name} is {number}: it cannot be negative")
    return number


def _within(value: _Number, name: str, most: Decimal) -> Decimal:
    number = _not_negative(value, name)
    if number > most:
        raise InvalidValue(f"{name} is {number}: it is a share, from 0 to {most}")
    return number
