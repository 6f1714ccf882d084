"""What the options of `gridtide sandbox` mean: balances, keys and markets from their texts, each slip one sentence."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.domain.market import Asset
from gridtide.domain.money import parse_decimal, plain
from gridtide.market_data.capture import captures_in, is_capture
from gridtide.market_data.known_markets import known_symbols, symbol_of_name
from gridtide.sandbox.launch import DEFAULT_SYMBOL, MarketLaunch

if TYPE_CHECKING:
    from gridtide.cli.exchange_snippets import Client
    from gridtide.domain.market import Market

USUAL_MARKETS = ("BTC/USDT", "ETH/USDT", "BNB/USDT")
"""BNB is there so that fees paid in it have a price."""
START_PRICES = {
    "BTC/USDT": "50000",
    "ETH/USDT": "3000",
    "BNB/USDT": "600",
    "SOL/USDT": "150",
    "LTC/USDT": "90",
    "ETH/BTC": "0.05",
}
"""Round prices for markets whose lots would be too large at a price of 1."""
USUAL_BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10), "BNB": Decimal(10)}
_USUAL_BALANCE = Decimal(100_000)
_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; None and empty leave it to the config."""

    config: Path | None = None
    port: int | None = None
    keys: Sequence[str] = ()
    secrets: Sequence[str] = ()
    balances: Sequence[str] = ()
    markets: Sequence[str] = ()
    speed: Decimal | None = None
    seed: int | None = None
    state_folder: Path = Path(".gridtide")
    keeps_state: bool = True
    control_port: int | None = None
    faults: Path | None = None
    fault_seed: int | None = None
    fee_maker: Decimal | None = None
    fee_taker: Decimal | None = None
    fee_asset: str | None = None
    unlimited_orders: bool = False
    exchange_info: Path | None = None
    live: str | None = None
    show: Client | None = None


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key and its secret as they were given."""

    key: str
    secret: str


def read_balances(texts: Iterable[str]) -> dict[Asset, Decimal]:
    """``["USDT=100000", "BTC=1"]`` as amounts by asset."""
    balances: dict[Asset, Decimal] = {}
    for text in texts:
        name, equals, amount = text.partition("=")
        asset = name.strip().upper()
        if not equals or _ASSET.fullmatch(asset) is None:
            raise InvalidInput(
                f"--balance {text[:40]} is no balance; nothing was started: write asset=amount, such as USDT=100000"
            )
        if asset in balances:
            raise InvalidInput(f"--balance {asset} is given twice; nothing was started: name each asset once")
        balances[Asset(asset)] = _balance(asset, amount.strip())
    return balances


def _balance(asset: str, text: str) -> Decimal:
    try:
        amount = parse_decimal(text)
    except InvalidInput:
        raise InvalidInput(
            f"--balance {asset}={text[:40]}: {text[:40] or 'nothing'} is not a number; nothing was started: write "
            f"{asset}=100, with a point for decimals"
        ) from None
    if amount < 0:
        raise InvalidInput(f"--balance {asset}={text}: a balance cannot be below zero; nothing was started")
    if amount >= _MOST or amount != round(amount, 8):
        raise InvalidInput(
            f"--balance {asset}={text[:40]} has more digits than an exchange keeps (15 before the point, 8 behind); "
            "nothing was started"
        )
    return amount


def usual_balances(markets: Iterable[Market]) -> dict[Asset, Decimal]:
    """Enough of everything the markets trade, and of every quote."""
    balances: dict[Asset, Decimal] = {}
    for market in markets:
        balances[market.quote] = USUAL_BALANCES.get(market.quote, _USUAL_BALANCE)
    for market in markets:
        if market.base in USUAL_BALANCES:
            balances[market.base] = USUAL_BALANCES[market.base]
    return balances


def read_keys(keys: Sequence[str], secrets: Sequence[str]) -> tuple[GivenKey, ...]:
    """Keys and secrets paired in the order given."""
    if len(keys) > len(secrets):
        raise InvalidInput(
            f"--key is given {_times(keys)} and --secret {_times(secrets)}; nothing was started: each key needs its "
            "secret, in the same order (or in SANDBOX__API_SECRET, where there is one key)"
        )
    if len(secrets) > len(keys):
        raise InvalidInput(
            f"--secret is given {_times(secrets)} and --key {_times(keys)}; nothing was started: each secret needs "
            "its key, in the same order"
        )
    for key, secret in zip(keys, secrets, strict=True):
        if _KEY.fullmatch(key) is None:
            raise InvalidInput(
                f"--key {key[:24]} is no key; nothing was started: use 1 to 128 letters, digits, - or _"
            )
        if not secret:
            raise InvalidInput(f"the secret of key {key[:8]} is empty; nothing was started")
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise InvalidInput(f"--key {twice[:24]} is given twice; nothing was started: each key has one secret")
    return tuple(GivenKey(key, secret) for key, secret in zip(keys, secrets, strict=True))


def _times(values: Sequence[str]) -> str:
    return {0: "not at all", 1: "once"}.get(len(values), f"{len(values)} times")


# --- markets -----------------------------------------------------------------------------------------


def read_markets(
    texts: Sequence[str], seed: int, *, listed: Collection[str] = (), exchange: str | None = None
) -> tuple[MarketLaunch, ...]:
    """What to play: ``BTC/USDT``, ``BTC/USDT=60000`` (where it begins), a file, or ``BTC/USDT=FILE``.

    With `listed`, the markets of an exchangeInfo file, only those are invented. With `exchange` the markets are its
    live ones. Raises `InvalidInput`.
    """
    if exchange is None:
        usual = [symbol for symbol in USUAL_MARKETS if symbol in (listed or USUAL_MARKETS)]
        launches = [_market(text, seed, listed) for text in texts or usual]
        if not launches:
            raise InvalidInput(
                "none of the usual markets is in --exchange-info: nothing was started; name one with --market"
            )
    else:
        launches = [_live(text, exchange) for text in texts or USUAL_MARKETS[:1]]
    names = [launch.symbol for launch in launches]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"{twice} is to be played twice; nothing was started: name each market once")
    return tuple(launches)


def _live(text: str, exchange: str) -> MarketLaunch:
    if _SYMBOL.fullmatch(text.upper()) is None:
        raise InvalidInput(
            f"--live follows markets of {exchange}, and {text[:80]} is none; nothing was started: write base and "
            "quote, as in BTC/USDT"
        )
    return MarketLaunch(text.upper(), exchange=exchange)


def _market(text: str, seed: int, listed: Collection[str]) -> MarketLaunch:
    if _is_data(text):
        return MarketLaunch(_symbol_of_file(text), str(Path(text).absolute()))
    name, equals, value = text.partition("=")
    symbol = name.strip().upper()
    if _SYMBOL.fullmatch(symbol) is None:
        raise InvalidInput(
            f"there is no market file {text[:80]}; nothing was started: give a file of candles, market trades or a "
            f"recorded book, or a market with a slash, such as {_with_slash(symbol)}"
        )
    if not equals:
        return _invented(symbol, None, seed, listed)
    if _is_data(value):
        return MarketLaunch(symbol, str(Path(value).absolute()))
    return _invented(symbol, _start_price(symbol, value), seed, listed)


def _with_slash(name: str) -> str:
    """``BTC/USDT`` for ``BTCUSDT``; an example where it is nothing like that."""
    try:
        return symbol_of_name(name) if re.fullmatch("[A-Z0-9]+[-_]?[A-Z0-9]+", name) else "ETH/USDT"
    except DataUnusable:
        return "ETH/USDT"


def _is_data(text: str) -> bool:
    """Whether it names a file, or a folder of recorded books."""
    path = Path(text)
    return path.is_file() or (path.is_dir() and any(map(is_capture, path.iterdir())))


def _symbol_of_file(text: str) -> str:
    path = Path(text)
    name = captures_in(path)[0].name if path.is_dir() else path.name
    try:
        return symbol_of_name(name)
    except DataUnusable:
        raise InvalidInput(
            f"the name of {text} does not tell its market; nothing was started: say --market BTC/USDT={text}"
        ) from None


def _start_price(symbol: str, text: str) -> Decimal:
    try:
        price = parse_decimal(text)
    except InvalidInput:
        raise InvalidInput(
            f"--market {symbol}={text[:80]}: there is no such file, and it is no price; nothing was started"
        ) from None
    if not Decimal("0.00001") <= price <= Decimal(1_000_000):
        raise InvalidInput(
            f"--market {symbol}={text[:40]}: a market begins between 0.00001 and 1000000; nothing was started"
        )
    return price


def _invented(symbol: str, price: Decimal | None, seed: int, listed: Collection[str]) -> MarketLaunch:
    if listed and symbol not in listed:
        raise InvalidInput(
            f"--exchange-info has no market {symbol}; nothing was started: leave it out or add it"
        )
    if price is None and symbol not in known_symbols():
        raise unknown_market(symbol, also=f"; or say where it begins, as in --market {symbol}=1.5")
    start = START_PRICES.get(symbol, "1") if price is None else plain(price)
    return MarketLaunch(symbol, None, seed_of(symbol, seed), start)


def seed_of(symbol: str, seed: int) -> int:
    """The seed of one market: markets move apart from each other, and BTC/USDT as it does alone."""
    return seed + (zlib.crc32(symbol.encode()) ^ zlib.crc32(DEFAULT_SYMBOL.encode()))


def unknown_market(symbol: str, also: str = "") -> InvalidInput:
    """Says which markets can be invented, and which of them may be meant."""
    near = get_close_matches(symbol, known_symbols(), n=1)
    return InvalidInput(
        f"{symbol} is no market the sandbox knows, so nothing was started"
        + (f": did you mean {near[0]}?" if near else ".")
        + f" It invents {', '.join(known_symbols())}; for any other, play a file with --market"
        + also
    )
