"""Control over accounts: what they hold, what they pay, which keys open them.

Keys made here are kept with the state.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Asset
from gridtide.domain.money import FeeRate
from gridtide.sandbox.control import plain_values
from gridtide.sandbox.control_body import read_body
from gridtide.sandbox.settings import ApiKey, KeyPermissions
from gridtide.venue.settings import AccountFees

if TYPE_CHECKING:
    from aiohttp import web

    from gridtide.sandbox.authentication import KeyEntry
    from gridtide.sandbox.control import Operations
    from gridtide.sandbox.control_body import Body
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.wire import JsonObject

_ALPHANUMERIC = string.ascii_letters + string.digits
_NAME = frozenset(_ALPHANUMERIC + "-_")
_LONGEST_NAME = 32
_DEFAULT_RATE = Decimal("0.001")
_FEES = ("maker", "taker", "asset", "discount", "asset_price")
_RIGHTS = ("reading", "trading", "withdrawals", "transfers", "ip_restricted", "addresses")


def random_text(length: int = 64) -> str:
    """Letters and digits that nobody guesses: a key or a secret."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


class AccountControl:
    """Deposits, new accounts, fees and keys."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self._exchange = exchange

    def operations(self) -> Operations:
        return {
            ("POST", "/control/deposit"): self._deposit,
            ("POST", "/control/withdraw"): self._withdraw,
            ("GET", "/control/accounts"): self._accounts,
            ("POST", "/control/accounts"): self._open,
            ("POST", "/control/fees"): self._fees,
            ("GET", "/control/keys"): self._keys,
            ("POST", "/control/keys"): self._create_key,
            ("POST", "/control/permissions"): self._permissions,
            ("DELETE", "/control/keys"): self._revoke,
        }

    # --- money ---------------------------------------------------------------------------------------

    async def _deposit(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"account": …, "asset": …, "amount": "10"}``; a negative amount takes away."""
        body = await read_body(request, ["account", "asset", "amount"])
        return self._pay(body, body.decimal("amount"))

    async def _withdraw(self, request: web.BaseRequest) -> JsonObject:
        """Body as for a deposit; takes the amount away."""
        body = await read_body(request, ["account", "asset", "amount"])
        if body.decimal("amount") <= 0:
            raise InvalidInput("amount must be above zero; nothing was withdrawn")
        return self._pay(body, -body.decimal("amount"))

    def _pay(self, body: Body, amount: Decimal) -> JsonObject:
        account_id, asset = body.text("account"), _asset(body.text("asset"))
        self._exchange.deposit(account_id, asset, amount)
        return {"balance": plain_values(self._exchange.venue.balances(account_id)[asset])}

    async def _accounts(self, _request: web.BaseRequest) -> JsonObject:
        return {"accounts": [self._describe(account_id) for account_id in self._exchange.venue.accounts()]}

    async def _open(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"account": "second", "balances": {"USDT": "100"}, "maker": "0.001", …}``."""
        body = await read_body(request, ["account"], ["balances", *_FEES])
        account_id = body.text("account")
        if len(account_id) > _LONGEST_NAME or not set(account_id) <= _NAME:
            raise InvalidInput(f"an account's name is 1 to {_LONGEST_NAME} letters, digits, - or _")
        funds = body.decimals("balances") if "balances" in body else {}
        balances = {_asset(name): amount for name, amount in funds.items()}
        rate = FeeRate(_DEFAULT_RATE)
        self._exchange.venue.add_account(account_id, balances, read_fees(body, AccountFees(rate, rate)))
        return self._describe(account_id)

    async def _fees(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"account": …, "maker": "0.001", "taker": "0.001", "asset": "BNB", "discount": "0.75"}``; what is
        left out stays, an `asset` of "" takes fees from what is received."""
        body = await read_body(request, ["account"], _FEES)
        venue, account_id = self._exchange.venue, body.text("account")
        venue.set_fees(account_id, read_fees(body, venue.fees(account_id)))
        return self._describe(account_id)

    def _describe(self, account_id: str) -> JsonObject:
        venue = self._exchange.venue
        return {
            "account": account_id,
            "balances": {asset: plain_values(held) for asset, held in venue.balances(account_id).items()},
            "fees": plain_values(venue.fees(account_id)),
            "keys": [entry.api_key.key for entry in self._exchange.keys if entry.account_id == account_id],
        }

    # --- keys ----------------------------------------------------------------------------------------

    async def _keys(self, _request: web.BaseRequest) -> JsonObject:
        return {"keys": [_described_key(entry) for entry in self._exchange.keys]}

    async def _create_key(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"account": …}`` and any of key, secret, public_key (PEM) and the rights. The only answer that shows
        the secret."""
        body = await read_body(request, ["account"], ["key", "secret", "public_key", *_RIGHTS])
        account_id = body.text("account")
        self._exchange.venue.balances(account_id)  # refuses an unknown one
        public_key = body.given("public_key", body.text, "")
        secret = body.given("secret", body.text, "" if public_key else random_text())
        key = body.given("key", body.text, random_text())
        made = ApiKey(key, secret, public_key, read_permissions(body, KeyPermissions()))
        self._exchange.keys.add(account_id, made)
        return {"account": account_id, "key": key, "secret": secret}

    async def _permissions(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"key": …, "trading": false, "addresses": ["127.0.0.1"]}``; what is left out stays."""
        body = await read_body(request, ["key"], _RIGHTS)
        keys, key = self._exchange.keys, body.text("key")
        keys.set_permissions(key, read_permissions(body, keys.permissions(key)))
        return {"key": key, **_rights(keys.permissions(key))}

    async def _revoke(self, request: web.BaseRequest) -> JsonObject:
        """Body: ``{"key": …}``."""
        body = await read_body(request, ["key"])
        self._exchange.keys.revoke(body.text("key"))
        return {"revoked": body.text("key")}


def read_fees(body: Body, present: AccountFees) -> AccountFees:
    """`present` with what the body changes. Raises `InvalidInput`."""
    discount = body.given("discount", body.decimal, present.discount)
    if not 0 <= discount <= 1:
        raise InvalidInput("discount must be from 0 to 1: 0.75 is a quarter off")
    changed = replace(
        present,
        maker=FeeRate(body.given("maker", body.decimal, present.maker)),
        taker=FeeRate(body.given("taker", body.decimal, present.taker)),
        discount=discount,
    )
    if "asset" in body or "asset_price" in body:
        price = body.given("asset_price", body.decimal, None)
        asset = body.given("asset", lambda name: _optional_asset(body, name), present.asset)
        changed = replace(changed, asset=asset, asset_price=price if asset else None)
    return changed


def read_permissions(body: Body, present: KeyPermissions) -> KeyPermissions:
    """`present` with what the body changes. Raises `InvalidInput`."""
    return KeyPermissions(
        reading=body.given("reading", body.flag, present.reading),
        trading=body.given("trading", body.flag, present.trading),
        withdrawals=body.given("withdrawals", body.flag, present.withdrawals),
        transfers=body.given("transfers", body.flag, present.transfers),
        ip_restricted=body.given("ip_restricted", body.flag, present.ip_restricted),
        addresses=body.given("addresses", body.texts, present.addresses),
    )


def _optional_asset(body: Body, name: str) -> Asset | None:
    """An empty text takes the asset away."""
    return None if body.is_empty(name) else _asset(body.text(name))


def _asset(text: str) -> Asset:
    if not text.isascii() or not text.isalnum() or text != text.upper() or len(text) > 20:
        raise InvalidInput(f"{text[:24]!r} is no asset: write it in capitals, such as USDT")
    return Asset(text)


def _described_key(entry: KeyEntry) -> JsonObject:
    return {
        "key": entry.api_key.key,
        "account": entry.account_id,
        "kind": entry.kind.value,
        **_rights(entry.api_key.permissions),
    }


def _rights(permissions: KeyPermissions) -> JsonObject:
    return plain_values(permissions)


# --- with the state ----------------------------------------------------------------------------------


def save_keys(exchange: SandboxExchange) -> list[dict[str, Any]]:
    """The keys that the settings do not name, with their secrets."""
    named = {key.key for account in exchange.settings.accounts for key in account.keys}
    return [
        {
            "account": entry.account_id,
            "key": entry.api_key.key,
            "secret": entry.api_key.secret,
            "public_key": entry.api_key.public_key,
            "permissions": _rights(entry.api_key.permissions),
        }
        for entry in exchange.keys
        if entry.api_key.key not in named
    ]


def restore_keys(exchange: SandboxExchange, saved: list[dict[str, Any]]) -> None:
    """Let in what `save_keys` gave; a key that the settings name by now is theirs."""
    named = {entry.api_key.key for entry in exchange.keys}
    for row in saved:
        if row["key"] not in named:
            rights = {**row["permissions"], "addresses": tuple(row["permissions"]["addresses"])}
            key = ApiKey(row["key"], row["secret"], row["public_key"], KeyPermissions(**rights))
            exchange.keys.add(row["account"], key)
