"""What the preflight asks of the account: the key's rights, what rests and lies there already, and who else trades.

A key that could move money away is refused (F77): whoever steals it from this machine could then only trade.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from gridtide.cli.check_outcome import Check, Outcome
from gridtide.domain.errors import GridtideError, InvalidInput
from gridtide.domain.money import ZERO, notional, tidy
from gridtide.engine import order_ids

if TYPE_CHECKING:
    from pathlib import Path

    from gridtide.domain.market import Market
    from gridtide.domain.order import OrderUpdate
    from gridtide.ports.exchange import Exchange, ExchangeAccount


async def check_keys(
    exchange: Exchange, *, needs_keys: bool, allow_any_address: bool = False
) -> AsyncIterator[Check]:
    """What the key may do: trade, and nothing else. With `needs_keys` the key is a real one, and its rights count."""
    try:
        account = await exchange.account()
    except GridtideError as error:
        yield Check("key", Outcome.FAILED, str(error))
        return
    yield _trading_check(account)
    if needs_keys:
        for check in _rights_checks(account):
            yield check
        if account.ip_restricted is False:
            yield _address_check(allow_any_address=allow_any_address)


async def check_account(exchange: Exchange, market: Market, *, has_run: bool) -> AsyncIterator[Check]:
    """What rests on the market already, and base that is too little to be sold."""
    orders = await exchange.open_orders(market.symbol)
    yield _orders_check(orders, market, has_run=has_run)
    balances, book = await exchange.balances(), await exchange.top_of_book(market.symbol)
    base, price = balances[market.base].total if market.base in balances else ZERO, book.mid()
    if base and price is not None and notional(price, base) < market.rules.min_notional:
        text = f"{tidy(base)} {market.base} lie on the account: less than the least order, the grid leaves them alone"
        yield Check("dust", Outcome.PASSED, text)


def check_instance(state_folder: Path) -> Check:
    """Whether a bot runs in this state folder already; the lease keeps out those of other folders and machines."""
    from gridtide.cli.control_client import no_bot_runs

    try:
        no_bot_runs(state_folder)
    except InvalidInput:
        text = f"a bot runs in {state_folder} already: a second start there is refused"
        return Check("instance", Outcome.WARNING, text)
    return Check("instance", Outcome.PASSED, f"no bot runs in {state_folder}")


def _trading_check(account: ExchangeAccount) -> Check:
    if account.can_trade is False:
        return Check("key", Outcome.FAILED, "the key may not trade: give it the right to trade on spot")
    return Check("key", Outcome.PASSED, f"account {account.account_id or '(not told)'}, the key may trade")


def _rights_checks(account: ExchangeAccount) -> Iterator[Check]:
    rights = {"withdraw": account.can_withdraw, "transfer": account.can_transfer}
    for right, is_given in rights.items():
        if is_given:
            text = f"the key may {right}: take that right away at the exchange, then try again"
            yield Check("key", Outcome.FAILED, text)
    untold = [right for right, is_given in rights.items() if is_given is None]
    if untold:
        text = f"the exchange does not tell whether the key may {' or '.join(untold)}: look there that it may not"
        yield Check("key", Outcome.WARNING, text)


def _address_check(*, allow_any_address: bool) -> Check:
    if allow_any_address:
        text = (
            "THE KEY WORKS FROM ANY ADDRESS, as exchange.allow_any_address says: whoever gets hold of it can trade "
            "your account empty"
        )
        return Check("key", Outcome.WARNING, text)
    text = (
        "the key works from any address: restrict it to this machine's at the exchange, or set "
        "exchange.allow_any_address: true if you accept that whoever gets hold of it can trade"
    )
    return Check("key", Outcome.FAILED, text)


def _orders_check(orders: tuple[OrderUpdate, ...], market: Market, *, has_run: bool) -> Check:
    strangers = [order for order in orders if order_ids.decode(order.client_order_id) is None]
    others = 0 if has_run else len(orders) - len(strangers)
    if strangers:
        text = f"{len(strangers)} open orders on {market.symbol} are not a bot's: they lock money, and stay as they are"
        return Check("orders", Outcome.WARNING, text)
    if others:
        text = f"{others} open orders on {market.symbol} are a bot's whose books are not here: see `gridtide rebuild`"
        return Check("orders", Outcome.WARNING, text)
    return Check("orders", Outcome.PASSED, f"no open order on {market.symbol} that is not this bot's")
