"""The compiled heart of a sweep: one grid on one compression, every execution as the engine trades it.

Money, amounts and prices are whole numbers wherever they decide something; floats only value what is held. All compiled
functions that call each other stand in this one file, or the copies on disk would be renewed by halves.

How a grid is kept: intervals below `VACANT` wait to buy at their lower level, those from it on to sell at their upper
one. What breaks that pattern is said by two more facts: intervals from `PENDING` on were never opened, because their buy
would have taken (a grid without purchase starts so), and `parked` ones wait for money.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.price_path.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

UNIT = 10**8
_FULL = 2.0**62
OK, REFUSED, NO_MONEY, NEEDS_ENGINE, TOO_LARGE = range(5)
RECEIVED, QUOTE, THIRD = range(3)
BY_QUOTE, BY_BASE, COMPOUND = range(3)
QUOTE_ONLY = 2
RETRY_MS = 1_000
MAX_TRIES = 5

# Whole numbers that change while a set is played.
(
    VACANT,
    PENDING,
    PARKED,
    CASH,
    RESERVED,
    BASE,
    DUST,
    THIRDS,
    FILLS,
    TRIPS,
    STATUS,
    LOGGED,
    DUST_FIRST,
    DUST_LAST,
    YOUNG,
    YOUNG_FROM,
    LOOKS,
    LEG_FROM,
    LEG_TO,
    TRACED,
) = range(20)
STATE_SIZE = 20

# Floats that change.
PROFIT, FEES, KEPT_COST, HELD_CASH, HELD_BASE, LEG_TOP, LEG_START, FLOOR, BEST = range(9)
FLOATS_SIZE = 9

# What a set's money is counted in. Cash is in units of 1e-8 / CASH_SCALE, so that what an order reserves is whole too.
(
    LOT,
    VALUE_UP,
    VALUE_DOWN,
    NEED,
    CASH_SCALE,
    MAKER,
    TAKER,
    FEE_IN,
    THIRD_UP,
    THIRD_DOWN,
    PROFIT_MODE,
    BACK_UP,
    BACK_DOWN,
    SPEND_UP,
    SPEND_DOWN,
    LEAST_VALUE,
    LEAST_AMOUNT,
    MOST_AMOUNT,
    MOST_VALUE,
    TOP,
    RATE_DOWN,
    RULE_MOST_VALUE,
    THIRD_TAKER,
    MOST_CASH,
) = range(24)
TERMS_SIZE = 24
TICK_VALUE, THIRD_PRICE, FREE_CASH, FREE_BASE, CASH_UNIT = range(5)


@compiled
def _greatest_divisor(left: int, right: int) -> int:
    while right:
        left, right = right, left % right
    return max(left, 1)


@compiled
def _read_terms(row: Any, rules: Any, terms: Integers, scales: Floats) -> int:
    """What a set's arithmetic needs, as reduced fractions; OK or too large."""
    product = rules.tick * rules.lot
    divisor = _greatest_divisor(product, UNIT)
    value_up, value_down = product // divisor, UNIT // divisor
    worst = max(row.maker, row.taker) if row.fee_asset == QUOTE else 0
    divisor = _greatest_divisor(UNIT + worst, UNIT)
    fee_up, fee_down = (UNIT + worst) // divisor, UNIT // divisor
    terms[LOT], terms[VALUE_UP], terms[VALUE_DOWN] = rules.lot, value_up, value_down
    terms[NEED], terms[CASH_SCALE] = value_up * fee_up, value_down * fee_down
    divisor = _greatest_divisor(_greatest_divisor(row.maker, row.taker), UNIT)
    terms[MAKER], terms[TAKER], terms[RATE_DOWN] = row.maker // divisor, row.taker // divisor, UNIT // divisor
    terms[FEE_IN], terms[PROFIT_MODE] = row.fee_asset, row.profit
    # A fee in a third asset: quote · rate / price.
    divisor = _greatest_divisor(_greatest_divisor(row.maker, row.taker), row.fee_asset_price)
    terms[THIRD_UP], terms[THIRD_TAKER] = row.maker // divisor, row.taker // divisor
    terms[THIRD_DOWN] = max(row.fee_asset_price // divisor, 1)
    # Lots to sell that bring back what was spent: spent · (1 + fee in quote) / (price · what is kept of it).
    rate = row.maker if row.post_only else row.taker
    kept = UNIT if row.fee_asset == THIRD else UNIT - rate
    divisor = _greatest_divisor(UNIT + worst, kept)
    back_up, back_down = (UNIT + worst) // divisor * value_down, kept // divisor * value_up
    divisor = _greatest_divisor(back_up, back_down)
    terms[BACK_UP], terms[BACK_DOWN] = back_up // divisor, back_down // divisor
    # Lots that a sum of quote buys: quote / (price · (1 + fee in quote)).
    spend_up, spend_down = fee_down * value_down, fee_up * value_up
    divisor = _greatest_divisor(spend_up, spend_down)
    terms[SPEND_UP], terms[SPEND_DOWN] = spend_up // divisor, spend_down // divisor
    terms[LEAST_AMOUNT], terms[MOST_AMOUNT] = rules.min_amount, rules.max_amount
    terms[LEAST_VALUE], terms[RULE_MOST_VALUE] = rules.min_notional, rules.max_notional
    terms[MOST_VALUE] = row.max_order_value
    terms[TOP] = row.num_grids - 1
    scales[TICK_VALUE] = rules.tick * 1e-16
    scales[THIRD_PRICE] = row.fee_asset_price * 1e-16
    scales[FREE_CASH] = (row.balance_quote - row.total_investment) * 1e-8
    scales[FREE_BASE] = float(row.balance_base - row.base_amount)
    scales[CASH_UNIT] = 1e8 * terms[CASH_SCALE]
    return _check_size(row, rules, terms)


@compiled
def _check_size(row: Any, rules: Any, terms: Integers) -> int:
    """Whether 64 bits hold every product that can come up until the money has grown fourfold; beyond that the set ends
    as too large."""
    money = 4.0 * (row.total_investment + float(row.base_amount) * row.upper_price / UNIT) + 1e8
    terms[MOST_CASH] = int(min(money * terms[CASH_SCALE], _FULL))
    rates = float(max(terms[MAKER], terms[TAKER]))
    largest = max(rates, float(max(terms[THIRD_UP], terms[THIRD_TAKER])), float(terms[CASH_SCALE]))
    highest = float(row.upper_price) / rules.tick + 1
    fits = money * largest < _FULL and money / row.lower_price * UNIT * rates < _FULL
    if row.profit == BY_BASE:
        fits = fits and max(money * terms[BACK_UP], highest * terms[BACK_DOWN]) < _FULL
    if row.profit != BY_QUOTE:
        fits = fits and max(money * terms[SPEND_UP], highest * terms[SPEND_DOWN]) < _FULL
    return OK if fits else TOO_LARGE


# --- arithmetic --------------------------------------------------------------------------------------


@compiled
def _value(terms: Integers, price: int, lots: int) -> int:
    """Price times amount in units of 1e-8, cut."""
    value = price * lots * terms[VALUE_UP]
    return value if terms[VALUE_DOWN] == 1 else value // terms[VALUE_DOWN]


@compiled
def _part(amount: int, up: int, down: int) -> int:
    """Amount times up / down, cut; without the slow division of whole numbers."""
    product = amount * up
    found = int(float(product) / down)
    rest = product - found * down
    while rest < 0:
        found -= 1
        rest += down
    while rest >= down:
        found += 1
        rest -= down
    return found


@compiled
def _is_tradable(terms: Integers, price: int, lots: int) -> bool:
    """`MarketRules.is_tradable`."""
    least = terms[LEAST_VALUE] * terms[VALUE_DOWN]
    return lots > 0 and lots >= terms[LEAST_AMOUNT] and price * lots * terms[VALUE_UP] >= least


@compiled
def _is_allowed(terms: Integers, price: int, lots: int) -> bool:
    """Whether the gate lets an order of this size pass, money aside."""
    value = price * lots * terms[VALUE_UP]
    scale = terms[VALUE_DOWN]
    if terms[MOST_AMOUNT] and lots > terms[MOST_AMOUNT]:
        return False
    if terms[MOST_VALUE] and value > terms[MOST_VALUE] * scale:
        return False
    return not (terms[RULE_MOST_VALUE] and value > terms[RULE_MOST_VALUE] * scale)


@compiled
def _note_holdings(state: Integers, floats: Floats, scales: Floats) -> None:
    """What the account holds, as equity = HELD_CASH + HELD_BASE · price in ticks."""
    floats[HELD_CASH] = (
        scales[FREE_CASH] + state[CASH] / scales[CASH_UNIT] + state[THIRDS] * scales[THIRD_PRICE]
    )
    floats[HELD_BASE] = (state[BASE] + scales[FREE_BASE]) * scales[TICK_VALUE]


# --- fills -------------------------------------------------------------------------------------------


@compiled
def _pay_fee(
    state: Integers, floats: Floats, terms: Integers, scales: Floats, quote: int, is_maker: bool
) -> tuple[float, bool]:
    """Value of a fee that is not taken from what was received, and whether it was paid so."""
    if terms[FEE_IN] == QUOTE:
        fee = _part(quote, terms[MAKER if is_maker else TAKER], terms[RATE_DOWN])
        state[CASH] -= fee * terms[CASH_SCALE]
        floats[FEES] += fee * 1e-8
        return fee * 1e-8, True
    if terms[FEE_IN] == THIRD:
        fee = _part(quote, terms[THIRD_UP if is_maker else THIRD_TAKER], terms[THIRD_DOWN])
        if fee <= state[THIRDS]:
            state[THIRDS] -= fee
            value = fee * scales[THIRD_PRICE]
            floats[FEES] += value
            return value, True
    return 0.0, False


@compiled
def _execute_buy(
    state: Integers, floats: Floats, terms: Integers, scales: Floats, price: int, lots: int, is_maker: bool
) -> tuple[int, float]:
    """Book a buy: base received (units of 1e-8) and its cost."""
    quote, base = _value(terms, price, lots), lots * terms[LOT]
    state[CASH] -= quote * terms[CASH_SCALE]
    extra, is_paid = _pay_fee(state, floats, terms, scales, quote, is_maker)
    if not is_paid:
        fee = _part(base, terms[MAKER if is_maker else TAKER], terms[RATE_DOWN])
        floats[FEES] += fee * (price * scales[TICK_VALUE])
        base -= fee
    state[BASE] += base
    state[FILLS] += 1
    return base, quote * 1e-8 + extra


@compiled
def _buy(
    k: int,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    levels: Integers,
    lots: Integers,
    costs: Floats,
    dust: Floats,
) -> None:
    """The buy of interval k fills, and its sell is placed; as `Intervals.bought`."""
    amount = lots[k]
    state[RESERVED] -= levels[k] * amount * terms[NEED]
    received, cost = _execute_buy(state, floats, terms, scales, levels[k], amount, True)
    lot = terms[LOT]
    sell = (received + state[DUST]) // lot
    if terms[PROFIT_MODE] == BY_BASE:
        back = _value(terms, levels[k], amount) * terms[BACK_UP] // (levels[k + 1] * terms[BACK_DOWN])
        sell = min(sell, back)
    if not _is_tradable(terms, levels[k + 1], sell) or not _is_allowed(terms, levels[k + 1], sell):
        state[STATUS] = NEEDS_ENGINE
        return
    from_buy = min(received, sell * lot)
    rest, more = received - from_buy, sell * lot - from_buy
    carried = cost
    if rest:
        carried = cost * (from_buy / received)
        if terms[PROFIT_MODE] == BY_BASE:
            floats[KEPT_COST] += cost - carried
        else:
            place = state[DUST_LAST]
            dust[2 * place], dust[2 * place + 1] = rest, cost - carried
            state[DUST_LAST] = place + 1
            state[DUST] += rest
    if more:
        carried += _take_dust(state, dust, more)
    costs[k] = carried
    lots[k] = sell


@compiled
def _take_dust(state: Integers, dust: Floats, amount: int) -> float:
    """The cost of `amount` of dust, the oldest first."""
    state[DUST] -= amount
    cost = 0.0
    while amount > 0:
        place = 2 * state[DUST_FIRST]
        held = int(dust[place])
        if held > amount:
            part = dust[place + 1] * (amount / held)
            dust[place] -= amount
            dust[place + 1] -= part
            return cost + part
        cost += dust[place + 1]
        amount -= held
        state[DUST_FIRST] += 1
    return cost


@compiled
def _sell(
    k: int,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    levels: Integers,
    lots: Integers,
    plan: Integers,
    costs: Floats,
    parked: Flags,
) -> None:
    """The sell of interval k fills, and its buy is placed or parked; as `Intervals.sold`."""
    amount, price = lots[k], levels[k + 1]
    quote = _value(terms, price, amount)
    state[CASH] += quote * terms[CASH_SCALE]
    extra, is_paid = _pay_fee(state, floats, terms, scales, quote, True)
    proceeds, received = quote * 1e-8 - extra, quote
    if terms[FEE_IN] == QUOTE:
        received -= _part(quote, terms[MAKER], terms[RATE_DOWN])
    elif not is_paid:
        fee = _part(quote, terms[MAKER], terms[RATE_DOWN])
        state[CASH] -= fee * terms[CASH_SCALE]
        floats[FEES] += fee * 1e-8
        received -= fee
        proceeds = received * 1e-8
    state[BASE] -= amount * terms[LOT]
    floats[PROFIT] += proceeds - costs[k]
    state[FILLS] += 1
    state[TRIPS] += 1
    if state[CASH] > terms[MOST_CASH]:
        state[STATUS] = TOO_LARGE
        return
    again = plan[k]
    if terms[PROFIT_MODE] != BY_QUOTE:
        again = received * terms[SPEND_UP] // (levels[k] * terms[SPEND_DOWN])
    _place_buy(k, again, state, terms, levels, lots, parked)
    if state[PARKED]:
        _retry_parked(k, state, terms, levels, lots, parked)


@compiled
def _place_buy(
    k: int, amount: int, state: Integers, terms: Integers, levels: Integers, lots: Integers, parked: Flags
) -> None:
    """As `Intervals._buy` and the gate: all of it, what money allows, or parked until there is enough."""
    price = levels[k]
    if not _is_tradable(terms, price, amount) or not _is_allowed(terms, price, amount):
        state[STATUS] = NEEDS_ENGINE
        return
    need, available = price * amount * terms[NEED], state[CASH] - state[RESERVED]
    if need > available:
        affordable = max(available, 0) // (price * terms[NEED])
        if not _is_tradable(terms, price, affordable):
            lots[k] = amount
            parked[k] = True
            state[PARKED] += 1
            return
        amount = affordable
        need = price * amount * terms[NEED]
    lots[k] = amount
    state[RESERVED] += need


@compiled
def _retry_parked(
    below: int, state: Integers, terms: Integers, levels: Integers, lots: Integers, parked: Flags
) -> None:
    """Open parked buys for which there is money now, the highest first. One that is not below interval `below` may be on
    the wrong side of the price: the engine has to tell."""
    for k in range(terms[TOP] - 1, -1, -1):
        if parked[k]:
            need = levels[k] * lots[k] * terms[NEED]
            if need <= state[CASH] - state[RESERVED]:
                if k >= below:
                    state[STATUS] = NEEDS_ENGINE
                    return
                parked[k] = False
                state[PARKED] -= 1
                state[RESERVED] += need


# --- the walk ----------------------------------------------------------------------------------------


@compiled
def _log(
    state: Integers, floats: Floats, price: float, place: int, log: Floats
) -> None:
    """What is held once `price` is touched, or from a raw point on, for those who look into a leg."""
    row = state[LOGGED]
    log[row, 0], log[row, 1] = floats[HELD_CASH], floats[HELD_BASE]
    log[row, 2], log[row, 3] = price, place
    state[LOGGED] = row + 1


@compiled
def _fall(
    target: float,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    swing: Floats,
    levels: Integers,
    lots: Integers,
    costs: Floats,
    dust: Floats,
    parked: Flags,
    log: Floats,
    trace: Integers,
) -> None:
    """The price falls to `target` and fills the buys on its way."""
    while state[VACANT] > 0 and target <= levels[state[VACANT] - 1]:
        k = state[VACANT] - 1
        if not parked[k]:
            if trace.size:
                _trace(state, trace, k, 0, levels[k], lots[k])
            _buy(k, state, floats, terms, scales, levels, lots, costs, dust)
            _note_holdings(state, floats, scales)
            if state[PARKED]:
                _retry_parked(0, state, terms, levels, lots, parked)
            if state[STATUS]:
                return
            # How high the price may come again before the next fill.
            again = min(floats[LEG_START], levels[k] * (1.0 + swing[1]) + swing[0])
            floats[LEG_TOP] = max(floats[LEG_TOP], floats[HELD_CASH] + floats[HELD_BASE] * again)
        state[VACANT] = k
        _log(state, floats, levels[k], -1, log)


@compiled
def _rise(
    target: float,
    stop: int,
    prices: Any,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    swing: Floats,
    levels: Integers,
    lots: Integers,
    plan: Integers,
    costs: Floats,
    dust: Floats,
    parked: Flags,
    log: Floats,
    trace: Integers,
) -> None:
    """The price rises to `target`, which it reaches at raw point `stop`, and fills the sells on its way."""
    top = terms[TOP]
    if state[YOUNG] >= 0:
        _watch_young(stop, prices, state, floats, terms, scales, levels, lots, costs, dust, log, trace)
    while state[STATUS] == OK:
        k = state[VACANT]
        if k < state[PENDING]:
            if target < levels[k + 1]:
                return
            if not parked[k]:
                if trace.size:
                    _trace(state, trace, k + 1, 1, levels[k + 1], lots[k])
                before = floats[HELD_CASH] + floats[HELD_BASE] * levels[k + 1]
                floats[LEG_TOP] = max(floats[LEG_TOP], before)
                _sell(k, state, floats, terms, scales, levels, lots, plan, costs, parked)
                _note_holdings(state, floats, scales)
                # How low the price may come again before the next fill: does it count for the drawdown?
                again = max(floats[LEG_START], (levels[k + 1] - swing[0]) / (1.0 + swing[1]))
                least = floats[FLOOR] * max(floats[LEG_TOP], floats[BEST])
                if floats[HELD_CASH] + floats[HELD_BASE] * again < least:
                    state[LOOKS] = 1
            state[VACANT] = k + 1
            _log(state, floats, levels[k + 1], -1, log)
        elif k < top:
            if target < levels[k]:
                return
            _open_pending(k, stop, prices, state, floats, terms, scales, levels, lots, costs, dust, log, trace)
        else:
            return


@compiled
def _open_pending(
    k: int,
    stop: int,
    prices: Any,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    levels: Integers,
    lots: Integers,
    costs: Floats,
    dust: Floats,
    log: Floats,
    trace: Integers,
) -> None:
    """The price has come up to a level whose buy would have taken until now. It rests right below the price from here on,
    so that any step back may fill it: only the raw path tells."""
    need = levels[k] * lots[k] * terms[NEED]
    if need > state[CASH] - state[RESERVED]:
        state[STATUS] = NEEDS_ENGINE
        return
    state[RESERVED] += need
    state[LOOKS] = 1
    point = state[LEG_FROM]
    while prices[point] < levels[k]:
        point += 1
    state[VACANT] = state[PENDING] = k + 1
    state[YOUNG], state[YOUNG_FROM] = k, point + 1
    _watch_young(stop, prices, state, floats, terms, scales, levels, lots, costs, dust, log, trace)


@compiled
def _watch_young(
    stop: int,
    prices: Any,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    levels: Integers,
    lots: Integers,
    costs: Floats,
    dust: Floats,
    log: Floats,
    trace: Integers,
) -> None:
    """Fill the buy that was opened last, if the price steps back to it before it has passed the next level."""
    k = state[YOUNG]
    for point in range(state[YOUNG_FROM], stop + 1):
        if prices[point] <= levels[k]:
            if trace.size:
                _trace(state, trace, k, 0, levels[k], lots[k])
                trace[state[TRACED] - 1, 0] = point
            _buy(k, state, floats, terms, scales, levels, lots, costs, dust)
            _note_holdings(state, floats, scales)
            state[VACANT] = k
            state[YOUNG] = -1
            _log(state, floats, levels[k], point, log)
            return
        if prices[point] >= levels[k + 1]:
            state[YOUNG] = -1
            return
    state[YOUNG_FROM] = stop + 1


@compiled
def _trace(state: Integers, trace: Integers, level: int, side: int, price: int, lots: int) -> None:
    row = state[TRACED]
    if row < trace.shape[0]:
        trace[row, 0], trace[row, 1], trace[row, 2] = -1, level, side
        trace[row, 3], trace[row, 4] = price, lots
        state[TRACED] = row + 1


@compiled
def _place_trace(prices: Any, trace: Integers, first: int, last: int, start: int, stop: int) -> None:
    """The raw points at which the fills of a leg happened."""
    point = start
    for row in range(first, last):
        if trace[row, 0] < 0:
            bound, side = trace[row, 3], trace[row, 2]
            while point < stop and (prices[point] > bound if side == 0 else prices[point] < bound):
                point += 1
            trace[row, 0] = point
        else:
            point = trace[row, 0]


# --- the start ---------------------------------------------------------------------------------------


@compiled
def _start(
    row: Any,
    rules: Any,
    price: int,
    pause: int,
    plan_vacant: int,
    purchase: int,
    limit: int,
    sells: Integers,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    levels: Integers,
    plan: Integers,
    lots: Integers,
    costs: Floats,
    dust: Floats,
    parked: Flags,
    trace: Integers,
) -> None:
    """The initial purchase and the first orders; as `GridTradingStrategy` and `purchase.distribute`. `pause`: ms until
    the second point."""
    top = terms[TOP]
    state[:] = 0
    floats[:] = 0.0
    parked[: top + 1] = False
    state[YOUNG] = -1
    state[PENDING] = top
    state[CASH] = row.total_investment * terms[CASH_SCALE]
    state[BASE] = row.base_amount
    state[THIRDS] = row.balance_third
    if top > min(row.max_open_orders, rules.max_open_orders or row.max_open_orders):
        state[STATUS] = NEEDS_ENGINE
        return
    bought, cost = _purchase(price, pause, purchase, limit, state, floats, terms, scales, trace)
    cost += row.base_cost * 1e-8
    _share_out(row, plan_vacant, purchase, bought, cost, sells, state, floats, terms, levels, lots, costs, dust)
    state[VACANT] = plan_vacant
    for k in range(plan_vacant - 1, -1, -1):
        if state[STATUS] == OK:
            _place_buy(k, plan[k], state, terms, levels, lots, parked)
    if state[STATUS] == OK and row.sizing == QUOTE_ONLY:
        _hold_back(price, state, terms, levels, lots)
    _note_holdings(state, floats, scales)


@compiled
def _purchase(
    price: int,
    pause: int,
    purchase: int,
    limit: int,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    trace: Integers,
) -> tuple[int, float]:
    """Lots bought at the ask, one tick above the price, and what they cost."""
    bought, total = 0, 0.0
    for attempt in range(MAX_TRIES):
        if bought >= purchase:
            break
        amount = min(purchase - bought, state[CASH] // (limit * terms[NEED]))
        if not _is_tradable(terms, limit, amount):
            break
        too_large = not _is_allowed(terms, limit, purchase)
        if too_large or (attempt and pause <= attempt * RETRY_MS):
            state[STATUS] = NEEDS_ENGINE
            break
        if trace.size:
            _trace(state, trace, -1, 0, price + 1, amount)
            trace[state[TRACED] - 1, 0] = 0
        received, cost = _execute_buy(state, floats, terms, scales, price + 1, amount, False)
        bought += amount
        total += cost
    return bought, total


@compiled
def _share_out(
    row: Any,
    plan_vacant: int,
    purchase: int,
    bought: int,
    cost: float,
    sells: Integers,
    state: Integers,
    floats: Floats,
    terms: Integers,
    levels: Integers,
    lots: Integers,
    costs: Floats,
    dust: Floats,
) -> None:
    """The base at hand over the first sells, the lowest first; the engine has to play a grid in which it does not reach
    for all of them."""
    top, lot, held = terms[TOP], terms[LOT], state[BASE]
    planned = 0
    for level in range(plan_vacant + 1, top + 1):
        planned += sells[level]
    from_held = min(row.base_amount, planned * lot)
    surplus = min(max(row.base_amount - from_held, 0), held)
    on_hand, executed = held - surplus, from_held + bought * lot
    left = on_hand
    for level in range(plan_vacant + 1, top + 1):
        wanted = sells[level]
        if executed:
            wanted = min(wanted, _share(wanted, on_hand, executed))
        if left < wanted * lot:
            state[STATUS] = NEEDS_ENGINE
            return
        if not _is_tradable(terms, levels[level], wanted) or not _is_allowed(terms, levels[level], wanted):
            state[STATUS] = NEEDS_ENGINE
            return
        left -= wanted * lot
        lots[level - 1] = wanted
        costs[level - 1] = cost * (wanted * lot / held)
    if surplus:
        floats[KEPT_COST] += cost * (surplus / held)
    if left:
        dust[0], dust[1] = left, cost * (left / held)
        state[DUST], state[DUST_LAST] = left, 1


@compiled
def _share(lots: int, part: int, whole: int) -> int:
    """Lots times part / whole, cut, where the product may not fit: part is a little below whole."""
    if part == whole:
        return lots
    if float(lots) * part < _FULL:
        return lots * part // whole
    return -1


@compiled
def _hold_back(price: int, state: Integers, terms: Integers, levels: Integers, lots: Integers) -> None:
    """Without a purchase every interval begins as a buy; those above the price would take and wait for it to rise."""
    if state[PARKED]:
        state[STATUS] = NEEDS_ENGINE
        return
    first = terms[TOP]
    while first > 0 and levels[first - 1] > price:
        first -= 1
    for k in range(first, terms[TOP]):
        state[RESERVED] -= levels[k] * lots[k] * terms[NEED]
    state[VACANT] = state[PENDING] = first


# --- drawdown ----------------------------------------------------------------------------------------


@compiled
def _look(
    prices: Any,
    start: int,
    stop: int,
    log: Floats,
    first: int,
    last: int,
    rises: bool,
    peak: float,
    floor: float,
) -> tuple[float, float]:
    """Peak and least fraction of it after the raw points (start, stop], whose holdings the log tells: row `first` what is
    held at the start, the others up to `last` what follows."""
    cash, base = log[first, 0], log[first, 1]
    row = first + 1
    for point in range(start + 1, stop + 1):
        price = prices[point]
        while row < last:
            place = log[row, 3]
            if place >= 0:
                if point < place:
                    break
            elif (price < log[row, 2]) if rises else (price > log[row, 2]):
                break
            cash, base = log[row, 0], log[row, 1]
            row += 1
        equity = cash + base * price
        if equity > peak:
            peak = equity
        elif equity < floor * peak:
            floor = equity / peak
    return peak, floor


@compiled
def _sharpe(opening: float, daily: Floats, count: int) -> float:
    """As `performance.statistics.sharpe` over `returns_of`."""
    if count < 2:
        return math.nan
    before, total, least, most = opening, 0.0, math.inf, -math.inf
    for day in range(count):
        change = (daily[day] - before) / before if before > 0 else 0.0
        before = daily[day]
        total += change
        least, most = min(least, change), max(most, change)
    if most - least <= 1e-14 * max(1.0, abs(least), abs(most)):
        return math.nan
    mean, squares, before = total / count, 0.0, opening
    for day in range(count):
        change = (daily[day] - before) / before if before > 0 else 0.0
        before = daily[day]
        squares += (change - mean) ** 2
    return mean / math.sqrt(squares / (count - 1)) * math.sqrt(365)


# --- one set -----------------------------------------------------------------------------------------


@compiled
def _room(size: int, needed: int) -> int:
    while size < needed:
        size *= 2
    return size


@compiled
def _grown(array: Any, needed: int) -> Any:
    larger = np.empty((_room(array.shape[0], needed), array.shape[1]), array.dtype)
    larger[: array.shape[0]] = array
    return larger


@compiled
def _settled_dust(state: Integers, dust: Floats, needed: int) -> Floats:
    """Dust at the front of its array, with room for more."""
    first, count = state[DUST_FIRST], state[DUST_LAST] - state[DUST_FIRST]
    size = _room(dust.size, 4 * (count + needed))
    moved = dust if size == dust.size else np.empty(size)
    for place in range(2 * count):
        moved[place] = dust[2 * first + place]
    state[DUST_FIRST], state[DUST_LAST] = 0, count
    return moved


@compiled
def _play_one(
    row: Any,
    rules: Any,
    prices: Any,
    pause: int,
    kept: Floats,
    places: Integers,
    day_legs: Integers,
    day_extremes: Floats,
    day_places: Integers,
    day_prices: Floats,
    swing: Floats,
    plan_vacant: int,
    purchase: int,
    limit: int,
    levels: Integers,
    plan: Integers,
    sells: Integers,
    daily: Floats,
    state: Integers,
    floats: Floats,
    terms: Integers,
    scales: Floats,
    lots: Integers,
    costs: Floats,
    parked: Flags,
    log: Floats,
    dust: Floats,
    pending: Integers,
    trace: Integers,
) -> tuple[int, float, float, Floats, Floats, Integers]:
    """One set from its start to the end of the path: status, opening equity, drawdown, and the arrays that grew."""
    status = _read_terms(row, rules, terms, scales)
    if status != OK:
        return status, 0.0, 0.0, log, dust, pending
    top = terms[TOP]
    opening = (
        (row.balance_quote * 1e-8 + row.balance_third * scales[THIRD_PRICE])
        + float(row.balance_base) * scales[TICK_VALUE] * kept[0]
    )
    _start(
        row, rules, int(kept[0]), pause, plan_vacant, purchase, limit, sells, state, floats, terms, scales,
        levels, plan, lots, costs, dust, parked, trace,
    )  # fmt: skip
    if state[STATUS] != OK:
        return state[STATUS], opening, 0.0, log, dust, pending
    count, days = kept.size, day_legs.size
    cash, base = floats[HELD_CASH], floats[HELD_BASE]
    # `peak` is the highest equity that is certain, `best` the highest that is possible until somebody looks at the
    # `pending` legs; `floor` is the least certain fraction of a peak.
    peak, best, floor = opening, opening, 1.0
    equity = cash + base * kept[0]
    peak = best = max(peak, equity)
    floor = min(1.0, equity / peak)
    waiting = 0
    day = 0
    while day < days and day_legs[day] == 0:
        daily[day] = cash + base * day_prices[day]
        day += 1
    state[LOGGED] = 0
    # A buy at the very price of the start rests there, as those do that open later.
    first_rises = count > 1 and kept[1] >= kept[0]
    if row.sizing == QUOTE_ONLY and first_rises and state[VACANT] > 0:
        k = state[VACANT] - 1
        if levels[k] == int(kept[0]):
            state[RESERVED] -= levels[k] * lots[k] * terms[NEED]
            state[VACANT] = state[PENDING] = k
    below, above = _bounds(state, levels, top)
    before = kept[0]
    for leg in range(1, count):
        price = kept[leg]
        rises = price >= before
        if (price >= above) if rises else (price <= below):
            crosses = True
        else:
            crosses = False
            while day < days and day_legs[day] == leg:
                daily[day] = cash + base * day_prices[day]
                day += 1
        start_log = -1
        if crosses:
            if state[LOGGED] + 2 * top + 8 > log.shape[0]:
                log = _grown(log, state[LOGGED] + 2 * top + 8)
            if 2 * (state[DUST_LAST] + 2 * top + 4) > dust.size:
                dust = _settled_dust(state, dust, 2 * top + 4)
            floats[LEG_TOP], floats[LEG_START] = 0.0, before
            floats[FLOOR], floats[BEST] = floor, best
            state[LOOKS] = 0
            state[LEG_FROM], state[LEG_TO] = places[leg - 1], places[leg]
            if not waiting:
                state[LOGGED] = 0
            start_log, start_trace = state[LOGGED], state[TRACED]
            _log(state, floats, before, -1, log)
            while state[STATUS] == OK:
                ends_day = day < days and day_legs[day] == leg
                target = day_extremes[day] if ends_day else price
                if not rises:
                    _fall(
                        target, state, floats, terms, scales, swing, levels, lots, costs, dust, parked, log, trace
                    )
                else:
                    stop = day_places[day] if ends_day else state[LEG_TO]
                    _rise(
                        target, stop, prices, state, floats, terms, scales, swing, levels, lots, plan, costs,
                        dust, parked, log, trace,
                    )  # fmt: skip
                if not ends_day:
                    break
                daily[day] = floats[HELD_CASH] + floats[HELD_BASE] * day_prices[day]
                day += 1
            if state[STATUS] != OK:
                return state[STATUS], opening, 0.0, log, dust, pending
            state[YOUNG] = -1
            if trace.size:
                _place_trace(
                    prices, trace, start_trace, state[TRACED], state[LEG_FROM] + 1, state[LEG_TO]
                )
            base_before = base
            cash, base = floats[HELD_CASH], floats[HELD_BASE]
            below, above = _bounds(state, levels, top)
            leg_top, looks = floats[LEG_TOP], state[LOOKS] == 1
        else:
            base_before, leg_top, looks = base, 0.0, False
        equity = cash + base * price
        if rises:
            highest = max(equity, leg_top)
            if highest > peak and base_before * (swing[0] + swing[1] * price) > (1.0 - floor) * peak:
                looks = True
            if looks:
                if not crosses:
                    if state[LOGGED] + 2 * top + 8 > log.shape[0]:
                        log = _grown(log, state[LOGGED] + 2 * top + 8)
                    start_log = state[LOGGED]
                    _log(state, floats, before, -1, log)
                if best > peak:
                    peak = _settle(prices, kept, places, pending, waiting, log, peak)
                peak, floor = _look(
                    prices, places[leg - 1], places[leg], log, start_log, state[LOGGED], True, peak, floor
                )
                best, waiting = peak, 0
            else:
                if equity > peak:
                    peak = equity
                    if peak >= best:
                        best, waiting = peak, 0
                if leg_top > peak:
                    if waiting == pending.shape[0]:
                        pending = _grown(pending, waiting + 1)
                    pending[waiting, 0], pending[waiting, 1], pending[waiting, 2] = leg, start_log, state[LOGGED]
                    waiting += 1
                    best = max(best, leg_top)
        else:
            if leg_top > peak:
                if waiting == pending.shape[0]:
                    pending = _grown(pending, waiting + 1)
                pending[waiting, 0], pending[waiting, 1], pending[waiting, 2] = leg, start_log, state[LOGGED]
                waiting += 1
                best = max(best, leg_top)
            if equity < floor * best:
                if waiting:
                    peak = _settle(prices, kept, places, pending, waiting, log, peak)
                    best, waiting = peak, 0
                if equity < floor * peak:
                    floor = equity / peak
        before = price
    return OK, opening, 1.0 - floor, log, dust, pending


@compiled
def _settle(
    prices: Any, kept: Floats, places: Integers, pending: Integers, waiting: int, log: Floats, peak: float
) -> float:
    """The certain peak, after a look into the legs that may hold a higher one."""
    for number in range(waiting):
        leg = pending[number, 0]
        rises = kept[leg] >= kept[leg - 1]
        peak, _ = _look(
            prices, places[leg - 1], places[leg], log, pending[number, 1], pending[number, 2], rises, peak, -1.0
        )
    return peak


@compiled
def _bounds(state: Integers, levels: Integers, top: int) -> tuple[float, float]:
    """Until the price is at or below the first, or at or above the second, nothing happens."""
    k = state[VACANT]
    below = float(levels[k - 1]) if k > 0 else -math.inf
    if k < state[PENDING]:
        return below, float(levels[k + 1])
    return below, float(levels[k]) if k < top else math.inf


# --- many sets ---------------------------------------------------------------------------------------

(
    FINAL,
    INITIAL,
    PROFITS,
    FLOATING,
    FEES_PAID,
    DRAWDOWN,
    SHARPE,
    FILLS_COUNT,
    TRIPS_COUNT,
) = range(9)
FOUND_SIZE = 9


@compiled
def play_rows(
    rows: Any,
    chosen: Integers,
    rules: Any,
    prices: Any,
    pause: int,
    kept: Floats,
    places: Integers,
    day_legs: Integers,
    day_extremes: Floats,
    day_places: Integers,
    day_prices: Floats,
    swing: Floats,
    vacant: Integers,
    purchase: Integers,
    limit: Integers,
    levels: Integers,
    amounts: Integers,
    sells: Integers,
    status: Integers,
    found: Floats,
    daily: Floats,
    trace: Integers,
) -> int:
    """Play the `chosen` rows, all of which this compression is fine enough for; into `status` and `found`, and into
    `daily` if it has a row for each set. Returns how many fills were written to `trace`."""
    widest, days = levels.shape[1] + 1, day_legs.size
    state, floats = np.zeros(STATE_SIZE, np.int64), np.zeros(FLOATS_SIZE)
    terms, scales = np.zeros(TERMS_SIZE, np.int64), np.zeros(5)
    lots, costs, parked = np.zeros(widest, np.int64), np.zeros(widest), np.zeros(widest, np.bool_)
    log, dust, pending = np.empty((1024, 4)), np.empty(1024), np.empty((64, 3), np.int64)
    own_days = np.empty(days)
    traced = 0
    for number in chosen:
        row = rows[number]
        ends = daily[number] if daily.shape[0] else own_days
        status[number], opening, drawdown, log, dust, pending = _play_one(
            row, rules, prices, pause, kept, places, day_legs, day_extremes, day_places, day_prices, swing,
            vacant[number], purchase[number], limit[number], levels[number], amounts[number], sells[number],
            ends, state, floats, terms, scales, lots, costs, parked, log, dust, pending, trace,
        )  # fmt: skip
        traced = state[TRACED]
        if status[number] != OK:
            continue
        result = found[number]
        last = kept[kept.size - 1]
        result[FINAL] = floats[HELD_CASH] + floats[HELD_BASE] * last
        result[INITIAL] = opening
        result[PROFITS] = floats[PROFIT]
        cost = floats[KEPT_COST]
        for k in range(state[VACANT], state[PENDING]):
            if not parked[k]:
                cost += costs[k]
        for place in range(state[DUST_FIRST], state[DUST_LAST]):
            cost += dust[2 * place + 1]
        result[FLOATING] = state[BASE] * scales[TICK_VALUE] * last - cost
        result[FEES_PAID] = floats[FEES]
        result[DRAWDOWN] = drawdown
        result[SHARPE] = _sharpe(opening, ends, days)
        result[FILLS_COUNT], result[TRIPS_COUNT] = state[FILLS], state[TRIPS]
    return traced
