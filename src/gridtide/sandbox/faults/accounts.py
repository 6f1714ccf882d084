"""What happens to an account by another hand than the client's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.domain.market import Asset
from gridtide.domain.order import Side, TimeInForce
from gridtide.sandbox.faults.connections import terminate
from gridtide.sandbox.faults.knob import Knob, Options, Undo, decimal, word
from gridtide.venue.messages import NewOrder
from gridtide.venue.rounding import largest_multiple

if TYPE_CHECKING:
    from gridtide.sandbox.authentication import KeyEntry
    from gridtide.sandbox.faults.plan import Where
    from gridtide.sandbox.faults.world import World
    from gridtide.venue.messages import VenueOrder

_BNB = Asset("BNB")
_SIDES = tuple(side.value for side in Side)


def cancel(world: World, where: Where, options: Options) -> None:
    """Someone cancels open orders of the account; nothing where there are none."""
    account = world.account(where)
    symbol = world.symbol(where) if where.market else None
    for order in _chosen(world.exchange.venue.open_orders(account, symbol), options["which"]):
        world.exchange.cancel_order(
            account, order.symbol, order_id=order.order_id, client_order_id=None, new_client_order_id=""
        )


def _chosen(orders: tuple[VenueOrder, ...], which: str) -> Iterable[VenueOrder]:
    match which:
        case "all":
            return orders
        case "oldest":
            return orders[:1]
        case _:
            return orders[-1:]


def trade(world: World, where: Where, options: Options) -> None:
    """Someone trades at market on the account."""
    _place(world, where, options, kind="MARKET", price=None)


def order(world: World, where: Where, options: Options) -> None:
    """Someone places a limit order on the account: at a price, or a share of the price away from it."""
    listing = world.listing(where)
    price = options["price"]
    if price is None:
        last = world.exchange.venue.last_price(listing.symbol) or Decimal(1)
        away = 1 - options["away"] if options["side"] == "BUY" else 1 + options["away"]
        price = largest_multiple(last * away, listing.market.rules.tick_size or Decimal("0.01"))
    _place(world, where, options, kind="LIMIT", price=price)


def _place(world: World, where: Where, options: Options, *, kind: str, price: Decimal | None) -> None:
    request = NewOrder(
        account_id=world.account(where),
        symbol=world.symbol(where),
        side=Side(options["side"]),
        type=kind,
        amount=options["amount"],
        price=price,
        time_in_force=None if price is None else TimeInForce.GTC,
        client_order_id=options["client_order_id"],
    )
    world.exchange.place_order(request)


def deposit(world: World, where: Where, options: Options) -> None:
    world.exchange.deposit(world.account(where), Asset(options["asset"]), options["amount"])


def withdraw(world: World, where: Where, options: Options) -> None:
    """Take an amount, or all that is free."""
    asset = Asset(options["asset"])
    amount = options["amount"]
    _take(world, where, asset, _free(world, where, asset) if amount is None else amount)


def convert_dust(world: World, where: Where, options: Options) -> None:
    """Small free balances become BNB, as the conversion of dust does."""
    account, largest = world.account(where), options["below"]
    for asset, balance in sorted(world.exchange.venue.balances(account).items()):
        if asset != _BNB and 0 < balance.free <= largest:
            world.exchange.deposit(account, asset, -balance.free)
            world.exchange.deposit(account, _BNB, options["amount"])


def take_all_bnb(world: World, where: Where, _options: Options) -> None:
    _take(world, where, _BNB, _free(world, where, _BNB))


def lose_rights(world: World, where: Where, options: Options) -> Undo:
    """Keys of the account may no longer trade, or not even read."""
    former = [(entry, entry.api_key) for entry in _keys(world, where)]
    for entry, api_key in former:
        rights = replace(api_key.permissions, trading=False)
        if options["right"] == "reading":
            rights = replace(rights, reading=False)
        entry.api_key = replace(api_key, permissions=rights)

    def give_back() -> None:
        for entry, api_key in former:
            entry.api_key = api_key

    return give_back


def revoke(world: World, where: Where, _options: Options) -> Undo:
    """Keys of the account are deleted and their subscriptions end."""
    keys = _keys(world, where)
    for entry in keys:
        entry.is_revoked = True
    terminate(world, where, {})

    def give_back() -> None:
        for entry in keys:
            entry.is_revoked = False

    return give_back


def _keys(world: World, where: Where) -> list[KeyEntry]:
    account = world.account(where)
    return [entry for entry in world.exchange.keys if entry.account_id == account]


def _take(world: World, where: Where, asset: Asset, amount: Decimal) -> None:
    if amount:
        world.exchange.deposit(world.account(where), asset, -amount)


def _free(world: World, where: Where, asset: Asset) -> Decimal:
    balance = world.exchange.venue.balances(world.account(where)).get(asset)
    return Decimal(0) if balance is None else balance.free


_AMOUNT = decimal("amount", Decimal("0.001"), "how much, in base")
_SIDE = word("side", "BUY", "which", *_SIDES)
_CLIENT_ID = word("client_order_id", "", "what the order is called; without one the exchange names it")
KNOBS = (
    Knob(
        "account.cancel",
        "The user cancels open orders by hand.",
        (word("which", "newest", "which", "newest", "oldest", "all"),),
        action=cancel,
    ),
    Knob(
        "account.trade",
        "The user trades at market by hand.",
        (_SIDE, _AMOUNT, _CLIENT_ID),
        action=trade,
    ),
    Knob(
        "account.order",
        "A second bot places a limit order on the account.",
        (
            _SIDE,
            _AMOUNT,
            decimal("price", None, "the price"),
            decimal("away", Decimal("0.1"), "without a price: the share of the last price it is away"),
            _CLIENT_ID,
        ),
        action=order,
    ),
    Knob(
        "account.deposit",
        "A deposit arrives.",
        (word("asset", "USDT", "what"), decimal("amount", Decimal(100), "how much")),
        action=deposit,
    ),
    Knob(
        "account.withdrawal",
        "Free funds are withdrawn.",
        (word("asset", "USDT", "what"), decimal("amount", None, "how much; without it all that is free")),
        action=withdraw,
    ),
    Knob(
        "account.airdrop",
        "An asset nobody asked for arrives.",
        (word("asset", "AIRDROP", "what"), decimal("amount", Decimal(1), "how much")),
        action=deposit,
    ),
    Knob(
        "account.dust",
        "Small free balances are converted to BNB.",
        (
            decimal("below", Decimal("0.001"), "balances up to this are dust"),
            decimal("amount", Decimal("0.0001"), "the BNB that each gives"),
        ),
        action=convert_dust,
    ),
    Knob("account.no_bnb", "BNB runs out.", action=take_all_bnb),
    Knob(
        "account.key_rights",
        "The account's keys lose rights (-2015) while it lasts.",
        (word("right", "trading", "to trade, or to read too", "trading", "reading"),),
        action=lose_rights,
        changes_saved=True,
    ),
    Knob("account.key_revoked", "The account's keys are rejected (-2015) while it lasts.", action=revoke),
)
