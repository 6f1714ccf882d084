"""The compiled heart of a sweep: one grid on one compression, every execution as the engine trades it.

Money, amounts and prices are whole numbers wherever they decide something; floats only value what is held. All compiled
functions that call each other stand in this one file, or the copies on disk would be renewed by halves.

How a grid is kept: intervals below `VACANT` wait to buy at their lower level, those from it on to sell at their upper
one. What breaks that pattern is said by two more facts: intervals from `PENDING` on were never opened, because their
buy would have taken (a grid without purchase starts so), and those that `WAITS` wait for money.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.price_path.compiled import bare, compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

UNIT = 10**8
_FULL = 2.0**62
OK, REFUSED, NO_MONEY, NEEDS_ENGINE, TOO_LARGE = range(5)
NO_ROOM = -1
"""On the way only: a set wants larger working arrays and begins anew."""
RECEIVED, QUOTE, THIRD = range(3)
BY_QUOTE, BY_BASE, COMPOUND = range(3)
QUOTE_ONLY = 2
RETRY_MS = 1_000
MAX_TRIES = 5

# Whole numbers of one set, in `ints`: first what changes while it is played …
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
    TRACED,
) = range(19)
STATE_SIZE = 19
# … then what its money is counted in. Cash is in units of 1e-8 / CASH_SCALE, so that what an order reserves is whole.
(
    LOT,
    VALUE_UP,
    VALUE_DOWN,
    NEED,
    CASH_SCALE,
    MAKER,
    TAKER,
    RATE_DOWN,
    FEE_IN,
    THIRD_UP,
    THIRD_TAKER,
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
    MOST_CASH,
    TOP,
) = range(STATE_SIZE, 42)
INTS_SIZE = 42

# Floats of one set, in `floats`.
(
    PROFIT,
    FEES,
    KEPT_COST,
    HELD_CASH,
    HELD_BASE,
    LEG_TOP,
    LEG_START,
    FLOOR,
    BEST,
    SWING,
    SWING_SHARE,
    TICK_VALUE,
    THIRD_PRICE,
    FREE_CASH,
    FREE_BASE,
    CASH_UNIT,
    MAKER_SHARE,
) = range(17)
FLOATS_SIZE = 17
CHANGING_FLOATS = 9

# Of each interval, in `cells`: its two levels, what it buys in each round trip, the order it has, and what that order
# is worth, kept because most orders of an interval are the same again and again.
(
    LOWER,
    UPPER,
    PLAN,
    LOTS,
    WAITS,
    BUY_LOTS,
    BUY_QUOTE,
    BUY_FEE,
    BUY_RECEIVED,
    BUY_SELL,
    BUY_REST,
    SELL_LOTS,
    SELL_QUOTE,
    SELL_FEE,
) = range(14)
CELL_SIZE = 16
# The same, in `values`.
COST, BUY_COST, REST_COST, BUY_FEE_VALUE, PROCEEDS, SELL_FEE_VALUE = range(6)
VALUE_SIZE = 8


@compiled
def _greatest_divisor(left: int, right: int) -> int:
    while right:
        left, right = right, left % right
    return max(left, 1)


@compiled
def _read_terms(row: Any, rules: Any, ints: Integers, floats: Floats) -> int:
    """What a set's arithmetic needs, as reduced fractions; OK or too large."""
    product = rules.tick * rules.lot
    divisor = _greatest_divisor(product, UNIT)
    value_up, value_down = product // divisor, UNIT // divisor
    worst = max(row.maker, row.taker) if row.fee_asset == QUOTE else 0
    divisor = _greatest_divisor(UNIT + worst, UNIT)
    fee_up, fee_down = (UNIT + worst) // divisor, UNIT // divisor
    ints[LOT], ints[VALUE_UP], ints[VALUE_DOWN] = rules.lot, value_up, value_down
    ints[NEED], ints[CASH_SCALE] = value_up * fee_up, value_down * fee_down
    divisor = _greatest_divisor(_greatest_divisor(row.maker, row.taker), UNIT)
    ints[MAKER], ints[TAKER], ints[RATE_DOWN] = row.maker // divisor, row.taker // divisor, UNIT // divisor
    ints[FEE_IN], ints[PROFIT_MODE] = row.fee_asset, row.profit
    # A fee in a third asset: quote · rate / price.
    divisor = _greatest_divisor(_greatest_divisor(row.maker, row.taker), row.fee_asset_price)
    ints[THIRD_UP], ints[THIRD_TAKER] = row.maker // divisor, row.taker // divisor
    ints[THIRD_DOWN] = max(row.fee_asset_price // divisor, 1)
    # Lots to sell that bring back what was spent: spent · (1 + fee in quote) / (price · what is kept of it).
    rate = row.maker if row.post_only else row.taker
    kept = UNIT if row.fee_asset == THIRD else UNIT - rate
    divisor = _greatest_divisor(UNIT + worst, kept)
    back_up, back_down = (UNIT + worst) // divisor * value_down, kept // divisor * value_up
    divisor = _greatest_divisor(back_up, back_down)
    ints[BACK_UP], ints[BACK_DOWN] = back_up // divisor, back_down // divisor
    # Lots that a sum of quote buys: quote / (price · (1 + fee in quote)).
    spend_up, spend_down = fee_down * value_down, fee_up * value_up
    divisor = _greatest_divisor(spend_up, spend_down)
    ints[SPEND_UP], ints[SPEND_DOWN] = spend_up // divisor, spend_down // divisor
    ints[LEAST_AMOUNT], ints[LEAST_VALUE] = rules.min_amount, rules.min_notional
    ints[MOST_AMOUNT] = rules.max_amount
    ints[MOST_VALUE] = row.max_order_value
    if rules.max_notional and (not row.max_order_value or rules.max_notional < row.max_order_value):
        ints[MOST_VALUE] = rules.max_notional
    ints[TOP] = row.num_grids - 1
    floats[TICK_VALUE] = rules.tick * 1e-16
    floats[THIRD_PRICE] = row.fee_asset_price * 1e-16
    floats[FREE_CASH] = (row.balance_quote - row.total_investment) * 1e-8
    floats[FREE_BASE] = float(row.balance_base - row.base_amount)
    floats[MAKER_SHARE] = ints[MAKER] / ints[RATE_DOWN]
    floats[CASH_UNIT] = 1e-8 / ints[CASH_SCALE]
    return _check_size(row, rules, ints)


@compiled
def _check_size(row: Any, rules: Any, ints: Integers) -> int:
    """Whether 64 bits hold every product that can come up until the money has grown fourfold; beyond that the set ends
    as too large."""
    money = 4.0 * (row.total_investment + float(row.base_amount) * row.upper_price / UNIT) + 1e8
    ints[MOST_CASH] = int(min(money * ints[CASH_SCALE], _FULL))
    rates = float(max(ints[MAKER], ints[TAKER]))
    largest = max(rates, float(max(ints[THIRD_UP], ints[THIRD_TAKER])), float(ints[CASH_SCALE]))
    highest = float(row.upper_price) / rules.tick + 1
    fits = money * largest < _FULL and money / row.lower_price * UNIT * rates < _FULL
    if row.profit == BY_BASE:
        fits = fits and max(money * ints[BACK_UP], highest * ints[BACK_DOWN]) < _FULL
    if row.profit != BY_QUOTE:
        fits = fits and max(money * ints[SPEND_UP], highest * ints[SPEND_DOWN]) < _FULL
    return OK if fits else TOO_LARGE


# --- arithmetic --------------------------------------------------------------------------------------


@inlined
def _value(ints: Integers, price: int, lots: int) -> int:
    """Price times amount in units of 1e-8, cut."""
    value: int = price * lots * ints[VALUE_UP]
    return value if ints[VALUE_DOWN] == 1 else value // ints[VALUE_DOWN]


@inlined
def _part(amount: int, up: int, down: int, share: float) -> int:
    """Amount times up / down, cut; `share` is the quotient as a float, which is off by one at most and saves the slow
    division."""
    found = int(amount * share)
    rest = amount * up - found * down
    if rest < 0:
        return found - 1
    return found + 1 if rest >= down else found


@inlined
def _may_place(ints: Integers, price: int, lots: int) -> bool:
    """`MarketRules.is_tradable`, and the gate's limits on an order's size."""
    value = price * lots * ints[VALUE_UP]
    if lots < ints[LEAST_AMOUNT] or lots <= 0 or value < ints[LEAST_VALUE] * ints[VALUE_DOWN]:
        return False
    if ints[MOST_AMOUNT] and lots > ints[MOST_AMOUNT]:
        return False
    return not (ints[MOST_VALUE] and value > ints[MOST_VALUE] * ints[VALUE_DOWN])


@inlined
def _is_tradable(ints: Integers, price: int, lots: int) -> bool:
    """`MarketRules.is_tradable`."""
    least = ints[LEAST_VALUE] * ints[VALUE_DOWN]
    return lots > 0 and lots >= ints[LEAST_AMOUNT] and price * lots * ints[VALUE_UP] >= least


@inlined
def _note_holdings(ints: Integers, floats: Floats) -> None:
    """What the account holds, as equity = HELD_CASH + HELD_BASE · price in ticks."""
    floats[HELD_CASH] = (
        floats[FREE_CASH] + ints[CASH] * floats[CASH_UNIT] + ints[THIRDS] * floats[THIRD_PRICE]
    )
    floats[HELD_BASE] = (ints[BASE] + floats[FREE_BASE]) * floats[TICK_VALUE]


# --- fills -------------------------------------------------------------------------------------------


@compiled
def _measure_buy(
    price: int, lots: int, fee_in: int, is_maker: bool, ints: Integers, floats: Floats
) -> tuple[int, int, int, float, float]:
    """What a buy comes to: quote paid, fee (both in units of 1e-8), base received, its cost and the fee's value."""
    quote, received = _value(ints, price, lots), lots * ints[LOT]
    rate = ints[MAKER if is_maker else TAKER]
    cost = quote * 1e-8
    if fee_in == RECEIVED:
        fee = _part(received, rate, ints[RATE_DOWN], rate / ints[RATE_DOWN])
        return quote, fee, received - fee, cost, fee * (price * floats[TICK_VALUE])
    if fee_in == QUOTE:
        fee = _part(quote, rate, ints[RATE_DOWN], rate / ints[RATE_DOWN])
        return quote, fee, received, cost + fee * 1e-8, fee * 1e-8
    rate = ints[THIRD_UP if is_maker else THIRD_TAKER]
    fee = _part(quote, rate, ints[THIRD_DOWN], rate / ints[THIRD_DOWN])
    value = fee * floats[THIRD_PRICE]
    return quote, fee, received, cost + value, value


@compiled
def _keep_buy(k: int, fee_in: int, ints: Integers, floats: Floats, cells: Integers, values: Floats) -> None:
    """Keep what the buy of interval k comes to, and what it leaves to sell when there is no dust."""
    quote, fee, received, cost, fee_value = _measure_buy(
        cells[k, LOWER], cells[k, LOTS], fee_in, True, ints, floats
    )
    sell = received // ints[LOT]
    rest = received - sell * ints[LOT]
    cells[k, BUY_LOTS], cells[k, BUY_QUOTE], cells[k, BUY_FEE], cells[k, BUY_RECEIVED] = (
        cells[k, LOTS],
        quote,
        fee,
        received,
    )
    cells[k, BUY_SELL], cells[k, BUY_REST] = sell, rest
    values[k, BUY_COST], values[k, BUY_FEE_VALUE] = cost, fee_value
    values[k, REST_COST] = cost * (rest / received) if received else 0.0


@inlined
def _buy(k: int, ints: Integers, floats: Floats, cells: Integers, values: Floats, dust: Floats) -> None:
    """The buy of interval k fills, and its sell is placed; as `Intervals.bought`."""
    fee_in = ints[FEE_IN]
    if cells[k, BUY_LOTS] != cells[k, LOTS]:
        _keep_buy(k, fee_in, ints, floats, cells, values)
    if fee_in == THIRD and cells[k, BUY_FEE] > ints[THIRDS]:
        fee_in = RECEIVED
        _keep_buy(k, fee_in, ints, floats, cells, values)
        cells[k, BUY_LOTS] = -1
    ints[RESERVED] -= cells[k, LOWER] * cells[k, LOTS] * ints[NEED]
    ints[CASH] -= cells[k, BUY_QUOTE] * ints[CASH_SCALE]
    if fee_in == QUOTE:
        ints[CASH] -= cells[k, BUY_FEE] * ints[CASH_SCALE]
    elif fee_in == THIRD:
        ints[THIRDS] -= cells[k, BUY_FEE]
    ints[BASE] += cells[k, BUY_RECEIVED]
    ints[FILLS] += 1
    floats[FEES] += values[k, BUY_FEE_VALUE]
    if ints[PROFIT_MODE] == BY_BASE:
        _keep_base(k, ints, floats, cells, values, dust)
    elif cells[k, BUY_REST] + ints[DUST] < ints[LOT]:
        if cells[k, BUY_REST]:
            place = ints[DUST_LAST]
            dust[2 * place], dust[2 * place + 1] = cells[k, BUY_REST], values[k, REST_COST]
            ints[DUST_LAST] = place + 1
            ints[DUST] += cells[k, BUY_REST]
        values[k, COST] = values[k, BUY_COST] - values[k, REST_COST]
        cells[k, LOTS] = cells[k, BUY_SELL]
    else:
        cells[k, LOTS] = (cells[k, BUY_RECEIVED] + ints[DUST]) // ints[LOT]
        values[k, COST] = values[k, BUY_COST] + _take_dust(
            ints, dust, cells[k, LOTS] * ints[LOT] - cells[k, BUY_RECEIVED]
        )
    if not _may_place(ints, cells[k, UPPER], cells[k, LOTS]):
        ints[STATUS] = NEEDS_ENGINE


@compiled
def _keep_base(k: int, ints: Integers, floats: Floats, cells: Integers, values: Floats, dust: Floats) -> None:
    """Sell only what brings back the quote spent; what the rest cost stays with it."""
    received = cells[k, BUY_RECEIVED]
    back = cells[k, BUY_QUOTE] * ints[BACK_UP] // (cells[k, UPPER] * ints[BACK_DOWN])
    sell = min((received + ints[DUST]) // ints[LOT], back)
    from_buy = min(received, sell * ints[LOT])
    cost = values[k, BUY_COST]
    if from_buy < received:
        cost *= from_buy / received
        floats[KEPT_COST] += values[k, BUY_COST] - cost
    if sell * ints[LOT] > from_buy:
        cost += _take_dust(ints, dust, sell * ints[LOT] - from_buy)
    values[k, COST], cells[k, LOTS] = cost, sell


@compiled
def _take_dust(ints: Integers, dust: Floats, amount: int) -> float:
    """The cost of `amount` of dust, the oldest first."""
    ints[DUST] -= amount
    cost = 0.0
    while amount > 0:
        place = 2 * ints[DUST_FIRST]
        held = int(dust[place])
        if held > amount:
            part = dust[place + 1] * (amount / held)
            dust[place] -= amount
            dust[place + 1] -= part
            return float(cost + part)
        cost += dust[place + 1]
        amount -= held
        ints[DUST_FIRST] += 1
    return cost


@compiled
def _keep_sell(k: int, fee_in: int, ints: Integers, floats: Floats, cells: Integers, values: Floats) -> None:
    """Keep what the sell of interval k comes to."""
    quote = _value(ints, cells[k, UPPER], cells[k, LOTS])
    if fee_in == THIRD:
        fee = _part(quote, ints[THIRD_UP], ints[THIRD_DOWN], ints[THIRD_UP] / ints[THIRD_DOWN])
        values[k, SELL_FEE_VALUE] = fee * floats[THIRD_PRICE]
    else:
        fee = _part(quote, ints[MAKER], ints[RATE_DOWN], floats[MAKER_SHARE])
        quote -= fee
        values[k, SELL_FEE_VALUE] = fee * 1e-8
    cells[k, SELL_LOTS], cells[k, SELL_QUOTE], cells[k, SELL_FEE] = cells[k, LOTS], quote, fee
    values[k, PROCEEDS] = quote * 1e-8 - (values[k, SELL_FEE_VALUE] if fee_in == THIRD else 0.0)


@inlined
def _sell(k: int, ints: Integers, floats: Floats, cells: Integers, values: Floats) -> None:
    """The sell of interval k fills, and its buy is placed or parked; as `Intervals.sold`."""
    fee_in = ints[FEE_IN]
    if cells[k, SELL_LOTS] != cells[k, LOTS]:
        _keep_sell(k, fee_in, ints, floats, cells, values)
    if fee_in == THIRD:
        if cells[k, SELL_FEE] > ints[THIRDS]:
            _keep_sell(k, RECEIVED, ints, floats, cells, values)
            cells[k, SELL_LOTS] = -1
        else:
            ints[THIRDS] -= cells[k, SELL_FEE]
    ints[CASH] += cells[k, SELL_QUOTE] * ints[CASH_SCALE]
    ints[BASE] -= cells[k, LOTS] * ints[LOT]
    floats[PROFIT] += values[k, PROCEEDS] - values[k, COST]
    floats[FEES] += values[k, SELL_FEE_VALUE]
    ints[FILLS] += 1
    ints[TRIPS] += 1
    if ints[CASH] > ints[MOST_CASH]:
        ints[STATUS] = TOO_LARGE
        return
    again = cells[k, PLAN]
    if ints[PROFIT_MODE] != BY_QUOTE:
        again = cells[k, SELL_QUOTE] * ints[SPEND_UP] // (cells[k, LOWER] * ints[SPEND_DOWN])
        if again and not _is_tradable(ints, cells[k, LOWER], again):
            again = cells[k, PLAN]  # `Intervals._revive`: too little to trade, so the planned amount again
    _place_buy(k, again, ints, cells)
    if ints[PARKED]:
        _retry_parked(k, ints, cells)


@inlined
def _place_buy(k: int, amount: int, ints: Integers, cells: Integers) -> None:
    """As `Intervals._buy` and the gate: all of it, what money allows, or parked until there is enough."""
    price = cells[k, LOWER]
    if not _may_place(ints, price, amount):
        ints[STATUS] = NEEDS_ENGINE
        return
    need, available = price * amount * ints[NEED], ints[CASH] - ints[RESERVED]
    cells[k, LOTS] = amount
    if need > available:
        affordable = max(available, 0) // (price * ints[NEED])
        if not _is_tradable(ints, price, affordable):
            cells[k, WAITS] = 1
            ints[PARKED] += 1
            return
        cells[k, LOTS] = affordable
        need = price * affordable * ints[NEED]
    ints[RESERVED] += need


@compiled
def _retry_parked(below: int, ints: Integers, cells: Integers) -> None:
    """Open parked buys for which there is money now, the highest first. One that is not below interval `below` may be
    on the wrong side of the price: the engine has to tell."""
    for k in range(ints[TOP] - 1, -1, -1):
        if cells[k, WAITS]:
            need = cells[k, LOWER] * cells[k, LOTS] * ints[NEED]
            if need <= ints[CASH] - ints[RESERVED]:
                if k >= below:
                    ints[STATUS] = NEEDS_ENGINE
                    return
                cells[k, WAITS] = 0
                ints[PARKED] -= 1
                ints[RESERVED] += need


# --- the walk ----------------------------------------------------------------------------------------


@inlined
def _log(ints: Integers, floats: Floats, price: float, place: int, log: Floats) -> None:
    """What is held once `price` is touched, or from a raw point on, for those who look into a leg."""
    row = ints[LOGGED]
    log[row, 0], log[row, 1] = floats[HELD_CASH], floats[HELD_BASE]
    log[row, 2], log[row, 3] = price, place
    ints[LOGGED] = row + 1


@inlined
def _fall(
    target: float,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
    log: Floats,
    trace: Integers,
) -> None:
    """The price falls to `target` and fills the buys on its way."""
    while ints[VACANT] > 0 and target <= cells[ints[VACANT] - 1, LOWER]:
        k = ints[VACANT] - 1
        level = cells[k, LOWER]
        if not cells[k, WAITS]:
            if trace.size:
                _trace(ints, trace, k, 0, level, cells[k, LOTS])
            _buy(k, ints, floats, cells, values, dust)
            _note_holdings(ints, floats)
            if ints[PARKED]:
                _retry_parked(0, ints, cells)
            if ints[STATUS]:
                return
            # How high the price may come again before the next fill.
            again = min(floats[LEG_START], level * (1.0 + floats[SWING_SHARE]) + floats[SWING])
            floats[LEG_TOP] = max(floats[LEG_TOP], floats[HELD_CASH] + floats[HELD_BASE] * again)
        ints[VACANT] = k
        _log(ints, floats, level, -1, log)


@inlined
def _rise(
    target: float,
    stop: int,
    prices: Any,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
    log: Floats,
    trace: Integers,
) -> None:
    """The price rises to `target` and fills the sells on its way; `stop` is the raw point up to which it is watched."""
    if ints[YOUNG] >= 0:
        _watch_young(stop, prices, ints, floats, cells, values, dust, log, trace)
    while ints[STATUS] == OK:
        k = ints[VACANT]
        if k < ints[PENDING]:
            level = cells[k, UPPER]
            if target < level:
                return
            if not cells[k, WAITS]:
                if trace.size:
                    _trace(ints, trace, k + 1, 1, level, cells[k, LOTS])
                before = floats[HELD_CASH] + floats[HELD_BASE] * level
                floats[LEG_TOP] = max(floats[LEG_TOP], before)
                _sell(k, ints, floats, cells, values)
                _note_holdings(ints, floats)
                # How low the price may come again before the next fill: does it count for the drawdown?
                again = max(floats[LEG_START], level * (1.0 - floats[SWING_SHARE]) - floats[SWING])
                least = floats[FLOOR] * max(floats[LEG_TOP], floats[BEST])
                if floats[HELD_CASH] + floats[HELD_BASE] * again < least:
                    ints[LOOKS] = 1
            ints[VACANT] = k + 1
            _log(ints, floats, level, -1, log)
        elif k < ints[TOP]:
            if target < cells[k, LOWER]:
                return
            _open_pending(k, stop, prices, ints, floats, cells, values, dust, log, trace)
        else:
            return


@compiled
def _open_pending(
    k: int,
    stop: int,
    prices: Any,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
    log: Floats,
    trace: Integers,
) -> None:
    """The price has come up to a level whose buy would have taken until now. It rests right below the price from here
    on, so that any step back may fill it: only the raw path tells."""
    level = cells[k, LOWER]
    need = level * cells[k, LOTS] * ints[NEED]
    if need > ints[CASH] - ints[RESERVED]:
        ints[STATUS] = NEEDS_ENGINE
        return
    ints[RESERVED] += need
    ints[LOOKS] = 1
    point = ints[LEG_FROM]
    while prices[point] < level:
        point += 1
    ints[VACANT] = ints[PENDING] = k + 1
    ints[YOUNG], ints[YOUNG_FROM] = k, point + 1
    _watch_young(stop, prices, ints, floats, cells, values, dust, log, trace)


@compiled
def _watch_young(
    stop: int,
    prices: Any,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
    log: Floats,
    trace: Integers,
) -> None:
    """Fill the buy that was opened last, if the price steps back to it before it has passed the next level."""
    k = ints[YOUNG]
    for point in range(ints[YOUNG_FROM], stop + 1):
        if prices[point] <= cells[k, LOWER]:
            if trace.size:
                _trace(ints, trace, k, 0, cells[k, LOWER], cells[k, LOTS])
                trace[ints[TRACED] - 1, 0] = point
            _buy(k, ints, floats, cells, values, dust)
            _note_holdings(ints, floats)
            ints[VACANT] = k
            ints[YOUNG] = -1
            _log(ints, floats, cells[k, LOWER], point, log)
            return
        if prices[point] >= cells[k, UPPER]:
            ints[YOUNG] = -1
            return
    ints[YOUNG_FROM] = stop + 1


@inlined
def _trace(ints: Integers, trace: Integers, level: int, side: int, price: int, lots: int) -> None:
    row = ints[TRACED]
    if row < trace.shape[0]:
        trace[row, 0], trace[row, 1], trace[row, 2] = -1, level, side
        trace[row, 3], trace[row, 4] = price, lots
        ints[TRACED] = row + 1


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
    plan: Integers,
    levels: Integers,
    amounts: Integers,
    sells: Integers,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
    trace: Integers,
) -> None:
    """The initial purchase and the first orders; as `GridTradingStrategy` and `purchase.distribute`. `pause`: ms until
    the second point."""
    top, vacant = ints[TOP], plan[0]
    ints[:STATE_SIZE] = 0
    floats[:CHANGING_FLOATS] = 0.0
    for k in range(top):
        cells[k, LOWER], cells[k, UPPER], cells[k, PLAN] = levels[k], levels[k + 1], amounts[k]
        cells[k, LOTS] = cells[k, WAITS] = 0
        cells[k, BUY_LOTS] = cells[k, SELL_LOTS] = -1
    ints[YOUNG] = -1
    ints[PENDING] = top
    ints[CASH] = row.total_investment * ints[CASH_SCALE]
    ints[BASE] = row.base_amount
    ints[THIRDS] = row.balance_third
    if top > min(row.max_open_orders, rules.max_open_orders or row.max_open_orders):
        ints[STATUS] = NEEDS_ENGINE
        return
    bought, cost = _purchase(price, pause, plan[1], plan[2], ints, floats, trace)
    _share_out(row, vacant, bought, cost + row.base_cost * 1e-8, sells, ints, floats, cells, values, dust)
    ints[VACANT] = vacant
    for k in range(vacant - 1, -1, -1):
        if ints[STATUS] == OK:
            _place_buy(k, amounts[k], ints, cells)
    if ints[STATUS] == OK and row.sizing == QUOTE_ONLY:
        _hold_back(price, ints, cells)
    _note_holdings(ints, floats)


@compiled
def _purchase(
    price: int, pause: int, purchase: int, limit: int, ints: Integers, floats: Floats, trace: Integers
) -> tuple[int, float]:
    """Lots bought at the ask, one tick above the price, and what they cost."""
    bought, total = 0, 0.0
    for attempt in range(MAX_TRIES):
        if bought >= purchase:
            break
        amount = min(purchase - bought, ints[CASH] // (limit * ints[NEED]))
        if not _is_tradable(ints, limit, amount):
            break
        if not _may_place(ints, limit, purchase) or (attempt and pause <= attempt * RETRY_MS):
            ints[STATUS] = NEEDS_ENGINE
            break
        if trace.size:
            _trace(ints, trace, -1, 0, price + 1, amount)
            trace[ints[TRACED] - 1, 0] = 0
        fee_in = ints[FEE_IN]
        quote, fee, received, cost, fee_value = _measure_buy(price + 1, amount, fee_in, False, ints, floats)
        if fee_in == THIRD and fee > ints[THIRDS]:
            fee_in = RECEIVED
            quote, fee, received, cost, fee_value = _measure_buy(
                price + 1, amount, fee_in, False, ints, floats
            )
        ints[CASH] -= (quote + (fee if fee_in == QUOTE else 0)) * ints[CASH_SCALE]
        ints[THIRDS] -= fee if fee_in == THIRD else 0
        ints[BASE] += received
        ints[FILLS] += 1
        floats[FEES] += fee_value
        bought += amount
        total += cost
    return bought, total


@compiled
def _share_out(
    row: Any,
    vacant: int,
    bought: int,
    cost: float,
    sells: Integers,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
) -> None:
    """The base at hand over the first sells, the lowest first; the engine has to play a grid in which it does not reach
    for all of them."""
    top, lot, held = ints[TOP], ints[LOT], ints[BASE]
    planned = 0
    for level in range(vacant + 1, top + 1):
        planned += sells[level]
    from_held = min(row.base_amount, planned * lot)
    surplus = min(max(row.base_amount - from_held, 0), held)
    on_hand, executed = held - surplus, from_held + bought * lot
    left = on_hand
    for level in range(vacant + 1, top + 1):
        wanted = sells[level]
        if executed:
            wanted = min(wanted, _share(wanted, on_hand, executed))
        if left < wanted * lot or not _may_place(ints, cells[level - 1, UPPER], wanted):
            ints[STATUS] = NEEDS_ENGINE
            return
        left -= wanted * lot
        cells[level - 1, LOTS] = wanted
        values[level - 1, COST] = cost * (wanted * lot / held)
    if surplus:
        floats[KEPT_COST] += cost * (surplus / held)
    if left:
        dust[0], dust[1] = left, cost * (left / held)
        ints[DUST], ints[DUST_LAST] = left, 1


@compiled
def _share(lots: int, part: int, whole: int) -> int:
    """Lots times part / whole, cut; -1 where 64 bits do not hold it."""
    if part == whole:
        return lots
    return lots * part // whole if float(lots) * part < _FULL else -1


@compiled
def _hold_back(price: int, ints: Integers, cells: Integers) -> None:
    """Without a purchase every interval begins as a buy; those above the price would take and wait for it to rise."""
    if ints[PARKED]:
        ints[STATUS] = NEEDS_ENGINE
        return
    first = ints[TOP]
    while first > 0 and cells[first - 1, LOWER] > price:
        first -= 1
    for k in range(first, ints[TOP]):
        ints[RESERVED] -= cells[k, LOWER] * cells[k, LOTS] * ints[NEED]
    ints[VACANT] = ints[PENDING] = first


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
    """Peak and least fraction of it after the raw points (start, stop], whose holdings the log tells: row `first` what
    is held at the start, the others up to `last` what follows."""
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
def _settle_dust(ints: Integers, dust: Floats) -> None:
    """Move the dust to the front of its array."""
    first, count = ints[DUST_FIRST], ints[DUST_LAST] - ints[DUST_FIRST]
    for place in range(2 * count):
        dust[place] = dust[2 * first + place]
    ints[DUST_FIRST], ints[DUST_LAST] = 0, count


@inlined
def _has_room(ints: Integers, dust: Floats, log: Floats) -> bool:
    """Whether all that one leg can add has a place."""
    needed = 2 * ints[TOP] + 8
    if 2 * (ints[DUST_LAST] + needed) > dust.size:
        _settle_dust(ints, dust)
        # Half empty, or dust would be moved all the time.
        if 4 * (ints[DUST_LAST] + needed) > dust.size:
            return False
    return bool(ints[LOGGED] + needed <= log.shape[0])


@inlined
def _bounds(ints: Integers, cells: Integers) -> tuple[float, float]:
    """Until the price is at or below the first, or at or above the second, nothing happens."""
    k = ints[VACANT]
    below = float(cells[k - 1, LOWER]) if k > 0 else -math.inf
    if k < ints[PENDING]:
        return below, float(cells[k, UPPER])
    return below, float(cells[k, LOWER]) if k < ints[TOP] else math.inf


@compiled
def _settle(
    prices: Any, kept: Floats, places: Integers, pending: Integers, waiting: int, log: Floats, peak: float
) -> float:
    """The certain peak, after a look into the legs that may hold a higher one."""
    for number in range(waiting):
        leg = pending[number, 0]
        rises = kept[leg] >= kept[leg - 1]
        peak, _ = _look(
            prices,
            places[leg - 1],
            places[leg],
            log,
            pending[number, 1],
            pending[number, 2],
            rises,
            peak,
            -1.0,
        )
    return peak


@compiled
def _walk(  # noqa: PLR0915  the innermost loop, whose parts share all they know
    prices: Any,
    kept: Floats,
    places: Integers,
    day_legs: Integers,
    day_extremes: Floats,
    day_places: Integers,
    day_prices: Floats,
    daily: Floats,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    log: Floats,
    dust: Floats,
    pending: Integers,
    trace: Integers,
    opening: float,
) -> float:
    """From the first leg to the last: the drawdown.

    `peak` is the highest equity that is certain, `best` the highest that is possible until somebody looks into the
    `waiting` legs; `floor` is the least certain fraction of a peak. At the turning points everything is certain.
    Between two of them the price turns back by less than the threshold, which bounds what equity can be there: only
    where such a bound could change the drawdown is the raw path looked at.
    """
    count, days = kept.size, day_legs.size
    cash, base = floats[HELD_CASH], floats[HELD_BASE]
    equity = cash + base * kept[0]
    peak = best = max(opening, equity)
    floor = min(1.0, equity / peak)
    swing, swing_share = floats[SWING], floats[SWING_SHARE]
    waiting, day = 0, 0
    while day < days and day_legs[day] == 0:
        daily[day] = cash + base * day_prices[day]
        day += 1
    next_day = day_legs[day] if day < days else count
    below, above = _bounds(ints, cells)
    before = kept[0]
    for leg in range(1, count):
        price = kept[leg]
        rises = price >= before
        crosses = price >= above if rises else price <= below
        base_before, leg_top, looks, start_log = base, 0.0, False, 0
        if crosses:
            if not waiting:
                ints[LOGGED] = 0
            if not _has_room(ints, dust, log):
                ints[STATUS] = NO_ROOM
                return 0.0
            floats[LEG_TOP], floats[LEG_START] = 0.0, before
            floats[FLOOR], floats[BEST] = floor, best
            ints[LOOKS], ints[LEG_FROM] = 0, places[leg - 1]
            start_log, start_trace = ints[LOGGED], ints[TRACED]
            _log(ints, floats, before, -1, log)
            while True:
                ends_day = next_day == leg
                target = day_extremes[day] if ends_day else price
                if rises:
                    stop = day_places[day] if ends_day else places[leg]
                    _rise(target, stop, prices, ints, floats, cells, values, dust, log, trace)
                else:
                    _fall(target, ints, floats, cells, values, dust, log, trace)
                if not ends_day or ints[STATUS]:
                    break
                daily[day] = floats[HELD_CASH] + floats[HELD_BASE] * day_prices[day]
                day += 1
                next_day = day_legs[day] if day < days else count
            if ints[STATUS]:
                return 0.0
            ints[YOUNG] = -1
            if trace.size:
                _place_trace(prices, trace, start_trace, ints[TRACED], places[leg - 1] + 1, places[leg])
            cash, base = floats[HELD_CASH], floats[HELD_BASE]
            leg_top, looks = floats[LEG_TOP], ints[LOOKS] == 1
            below, above = _bounds(ints, cells)
        else:
            while next_day == leg:
                daily[day] = cash + base * day_prices[day]
                day += 1
                next_day = day_legs[day] if day < days else count
        equity = cash + base * price
        if rises:
            if max(equity, leg_top) > peak:
                # A new peak, and in the same leg a step back that may be the deepest fall so far?
                looks = looks or base_before * (swing + swing_share * price) > (1.0 - floor) * peak
            if looks:
                if not crosses:
                    if not _has_room(ints, dust, log):
                        ints[STATUS] = NO_ROOM
                        return 0.0
                    start_log = ints[LOGGED]
                    _log(ints, floats, before, -1, log)
                peak = _settle(prices, kept, places, pending, waiting, log, peak)
                peak, floor = _look(
                    prices, places[leg - 1], places[leg], log, start_log, ints[LOGGED], True, peak, floor
                )
                best, waiting = peak, 0
            elif equity > peak:
                peak = equity
                if peak >= best:
                    best, waiting = peak, 0
        if leg_top > peak and not looks:
            if waiting == pending.shape[0]:
                ints[STATUS] = NO_ROOM
                return 0.0
            pending[waiting, 0], pending[waiting, 1], pending[waiting, 2] = leg, start_log, ints[LOGGED]
            waiting += 1
            best = max(best, leg_top)
        if equity < floor * best and not rises:
            peak = _settle(prices, kept, places, pending, waiting, log, peak)
            best, waiting = peak, 0
            floor = min(floor, equity / peak)
        before = price
    return float(1.0 - floor)


# --- many sets ---------------------------------------------------------------------------------------

FINAL, INITIAL, PROFITS, FLOATING, FEES_PAID, DRAWDOWN, SHARPE, FILLS_COUNT, TRIPS_COUNT = range(9)
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
    plans: Integers,
    levels: Integers,
    amounts: Integers,
    sells: Integers,
    status: Integers,
    found: Floats,
    daily: Floats,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    log: Floats,
    dust: Floats,
    pending: Integers,
    trace: Integers,
    first: int,
) -> int:
    """Play the `chosen` rows from the `first` on, for all of which this compression is fine enough; into `status`,
    `found` and `daily`, which has one row or one for each set. Returns where it stopped: before the end only where
    `log`, `dust` or `pending` are too small. `ints[TRACED]` is the number of fills in `trace`.

    `plans`: vacant level, lots to buy at the start, and their limit in ticks. `swing`: threshold of the compression."""
    for place in range(first, chosen.size):
        number = chosen[place]
        _play_row(
            rows[number], rules, prices, pause, kept, places, day_legs, day_extremes, day_places, day_prices,
            swing, plans[number], levels[number], amounts[number], sells[number], found[number],
            daily[number] if daily.shape[0] > 1 else daily[0], ints, floats, cells, values, log, dust, pending,
            trace,
        )  # fmt: skip
        if ints[STATUS] == NO_ROOM:
            return place
        status[number] = ints[STATUS]
    return chosen.size


@compiled
def _play_row(
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
    plan: Integers,
    levels: Integers,
    amounts: Integers,
    sells: Integers,
    found: Floats,
    ends: Floats,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    log: Floats,
    dust: Floats,
    pending: Integers,
    trace: Integers,
) -> None:
    floats[SWING], floats[SWING_SHARE] = swing
    ints[STATUS] = _read_terms(row, rules, ints, floats)
    if ints[STATUS] != OK:
        return
    in_third = row.balance_third * floats[THIRD_PRICE]
    in_base = float(row.balance_base) * floats[TICK_VALUE] * kept[0]
    opening = row.balance_quote * 1e-8 + in_third + in_base
    _start(
        row,
        rules,
        int(kept[0]),
        pause,
        plan,
        levels,
        amounts,
        sells,
        ints,
        floats,
        cells,
        values,
        dust,
        trace,
    )
    if row.sizing == QUOTE_ONLY and kept.size > 1 and kept[1] >= kept[0]:
        _hold_back_at_price(int(kept[0]), ints, cells)
    if ints[STATUS] != OK:
        return
    drawdown = _walk(
        bare(prices), bare(kept), bare(places), bare(day_legs), bare(day_extremes), bare(day_places),
        bare(day_prices), bare(ends), bare(ints), bare(floats), bare(cells), bare(values), bare(log), bare(dust),
        bare(pending), bare(trace), opening,
    )  # fmt: skip
    if ints[STATUS] == OK:
        last = kept[kept.size - 1]
        _write_result(found, last, opening, drawdown, ends, ints, floats, cells, values, dust)


@compiled
def _hold_back_at_price(price: int, ints: Integers, cells: Integers) -> None:
    """A buy at the very price of the start rests there, as those do that open later: a path that rises first may step
    back to it at once."""
    k = ints[VACANT] - 1
    if ints[STATUS] == OK and k >= 0 and cells[k, LOWER] == price:
        ints[RESERVED] -= price * cells[k, LOTS] * ints[NEED]
        ints[VACANT] = ints[PENDING] = k


@compiled
def _write_result(
    found: Floats,
    last: float,
    opening: float,
    drawdown: float,
    ends: Floats,
    ints: Integers,
    floats: Floats,
    cells: Integers,
    values: Floats,
    dust: Floats,
) -> None:
    cost = floats[KEPT_COST]
    for k in range(ints[VACANT], ints[PENDING]):
        if not cells[k, WAITS]:
            cost += values[k, COST]
    for place in range(ints[DUST_FIRST], ints[DUST_LAST]):
        cost += dust[2 * place + 1]
    found[FINAL] = floats[HELD_CASH] + floats[HELD_BASE] * last
    found[INITIAL] = opening
    found[PROFITS] = floats[PROFIT]
    found[FLOATING] = ints[BASE] * floats[TICK_VALUE] * last - cost
    found[FEES_PAID] = floats[FEES]
    found[DRAWDOWN] = drawdown
    found[SHARPE] = _sharpe(opening, ends, ends.size)
    found[FILLS_COUNT], found[TRIPS_COUNT] = ints[FILLS], ints[TRIPS]
