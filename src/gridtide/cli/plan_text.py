"""A grid's plan as a person reads it, and as an object for machines."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.cli import wording
from gridtide.domain.money import ONE, ZERO, notional, plain, round_half_up, tidy
from gridtide.risk.stress_card import stress_card, worst_inventory
from gridtide.strategies.grid.plan import LevelRole

if TYPE_CHECKING:
    from gridtide.bootstrap import Preview
    from gridtide.domain.market import FeeSchedule
    from gridtide.strategies.grid.plan import PlannedLevel


def percent(fraction: Decimal) -> str:
    """0.002003 as `0.2003 %`."""
    return f"{tidy(round_half_up(fraction * 100, 4))} %"


def plan_rows(preview: Preview) -> list[tuple[str, str]]:
    """What would be placed, what it costs, what it brings, and what can go wrong."""
    plan, market = preview.plan, preview.market
    quote = market.quote
    low, high = (wording.price_text(market, price) for price in (plan.prices[0], plan.prices[-1]))
    rows = [
        ("market", f"{market.symbol}, price {wording.price_text(market, plan.start_price)}"),
        ("range", f"{low} to {high}, {len(plan.levels)} levels, {preview.bot.grid.spacing}"),
        ("first", _first_text(preview)),
        ("then", f"{len(plan.buys)} buys and {len(plan.sells)} sells; level {plan.vacant} stays vacant"),
        ("uses", f"{_money(plan.total_investment)} {quote}, of which {_money(plan.buys_cost)} in buy orders"),
        ("account", _account_text(preview)),
        ("fees", fees_text(preview.fees)),
        ("break-even", _break_even_text(preview)),
        (
            "profit",
            f"{_span(percent(plan.profit_low), percent(plan.profit_high))} of each round trip, after fees",
        ),
        ("costs at worst", f"{_money(plan.worst_cost)} {quote} to place everything, fees included"),
        ("if it falls", _fall_text(preview)),
    ]
    return rows + [("warning", warning) for warning in plan.warnings]


def level_lines(preview: Preview) -> Iterator[str]:
    """The levels, highest first, under a heading."""
    market = preview.market
    yield f"{'level':>5}  {'price':>14}  {'order':<6}  {'amount':>14}  {'value':>14}"
    for level in reversed(preview.plan.levels):
        price, order, amount, value = _level_cells(preview, level)
        yield f"{level.index:>5}  {price:>14}  {order:<6}  {amount:>14}  {value:>14}".rstrip()
    yield f"{'':>5}  {market.quote:>14}  {'':<6}  {market.base:>14}  {market.quote:>14}"


def plan_json(preview: Preview) -> dict[str, Any]:
    """The plan as plain values: money as text, ratios as fractions."""
    plan = preview.plan
    return {
        "bot": preview.bot.name,
        "market": plan.symbol,
        "start_price": plain(plan.start_price),
        "vacant": plan.vacant,
        "levels": [
            {
                "index": level.index,
                "price": plain(level.price),
                "role": level.role.value,
                "amount": plain(level.amount),
            }
            for level in plan.levels
        ],
        "purchase_amount": plain(plan.purchase_amount),
        "purchase_limit": plain(plan.purchase_limit),
        "total_investment": plain(plan.total_investment),
        "worst_cost": plain(plan.worst_cost),
        "maker_fee_rate": plain(preview.fees.maker),
        "taker_fee_rate": plain(preview.fees.taker),
        "break_even_ratio": plain(plan.break_even_ratio),
        "tightest_ratio": plain(plan.tightest_ratio),
        "profit_low": plain(plan.profit_low),
        "profit_high": plain(plan.profit_high),
        "minimum_investment": plain(plan.minimum_investment),
        "stress": _stress_json(preview),
        "warnings": list(plan.warnings),
    }


def fees_text(fees: FeeSchedule) -> str:
    """What the account pays."""
    source = "taken from what is received" if fees.asset is None else f"paid in {fees.asset}"
    return f"maker {percent(fees.maker)}, taker {percent(fees.taker)}, {source}"


def _first_text(preview: Preview) -> str:
    plan = preview.plan
    if not plan.purchase_amount:
        return "nothing is bought at the start"
    limit = wording.price_text(preview.market, plan.purchase_limit)
    return f"buy {tidy(plan.purchase_amount)} {plan.base} at up to {limit} {plan.quote}, for the sell orders"


def _account_text(preview: Preview) -> str:
    market, balances = preview.market, preview.balances
    quote, base = (
        balances[asset].free if asset in balances else ZERO for asset in (market.quote, market.base)
    )
    text = f"{_money(quote)} {market.quote} and {tidy(base)} {market.base} free"
    if quote > 0:
        text += (
            f"; the grid uses {percent(round_half_up(preview.plan.total_investment / quote, 4))} of the quote"
        )
    return text


def _break_even_text(preview: Preview) -> str:
    plan = preview.plan
    return (
        f"a step must be {percent(plan.break_even_ratio - ONE)} to pay its fees; "
        f"the tightest is {percent(plan.tightest_ratio - ONE)} (levels {plan.tightest_interval} and "
        f"{plan.tightest_interval + 1})"
    )


def _fall_text(preview: Preview) -> str:
    """What the grid would hold and have lost with the price at its lowest level."""
    worst, market = worst_inventory(preview.inventory()), preview.market
    return (
        f"at {wording.price_text(market, worst.price)} it would hold {tidy(worst.held)} {market.base} that cost "
        f"{_money(worst.cost)} {market.quote}, a loss of {_money(worst.loss)} on paper; below that it keeps them and "
        "loses more"
    )


def stress_lines(preview: Preview) -> Iterator[str]:
    """The stress card: one line a fall, under a heading; no stop acts in it."""
    market, share = preview.market, preview.plan.total_investment
    yield (
        f"{'falls by':>8}  {'price':>14}  {'holds':>14}  {'cost':>14}  {'loss':>14}  {'of all':>7}  {'even at':>14}  "
        f"{'round trips':>11}"
    )
    for row in stress_card(preview.inventory()):
        yield (
            f"{tidy(row.fall * 100):>6} %  {wording.price_text(market, row.price):>14}  {tidy(row.held):>14}  "
            f"{_money(row.cost):>14}  {_money(row.loss):>14}  {tidy(round_half_up(row.loss / share * 100, 1)):>5} %  "
            f"{wording.price_text(market, row.break_even_price) if row.held else '-':>14}  "
            f"{row.round_trips if row.round_trips >= 0 else 'never':>11}"
        )
    yield f"{'':>8}  {market.quote:>14}  {market.base:>14}  {market.quote:>14}  {market.quote:>14}".rstrip()


def _stress_json(preview: Preview) -> list[dict[str, Any]]:
    return [
        {
            "fall": plain(row.fall),
            "price": plain(row.price),
            "held": plain(row.held),
            "cost": plain(row.cost),
            "loss": plain(row.loss),
            "break_even_price": plain(row.break_even_price),
            "round_trips_to_recover": row.round_trips if row.round_trips >= 0 else None,
        }
        for row in stress_card(preview.inventory())
    ]


def _level_cells(preview: Preview, level: PlannedLevel) -> tuple[str, str, str, str]:
    price = wording.price_text(preview.market, level.price)
    if level.role is LevelRole.VACANT:
        return price, "vacant", "", ""
    value = _money(notional(level.price, level.amount))
    return price, level.role.value, tidy(level.amount), value


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _money(value: Decimal) -> str:
    return wording.number(value, 2)
