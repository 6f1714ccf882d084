"""The settings of a sandbox exchange that runs alone, from the command line above the config.

Nothing of a given secret is printed or kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from gridtide.cli.exchange_markets import market_settings, venue_settings
from gridtide.cli.exchange_options import Asked, read_balances, read_keys, usual_balances
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Asset, Market, Timestamp
from gridtide.domain.money import ONE, FeeRate
from gridtide.sandbox.clock import WallClock
from gridtide.sandbox.faults.plan import FaultPlan
from gridtide.sandbox.faults.scenario import read_scenario
from gridtide.sandbox.launch import ACCOUNT, STATE_FILE, Credentials
from gridtide.sandbox.settings import (
    AccountSettings,
    ApiKey,
    KeyPermissions,
    Limits,
    SandboxSettings,
    unlimited_orders,
)
from gridtide.sandbox.state_file import write_private
from gridtide.telemetry.redaction import SECRETS
from gridtide.venue.settings import AccountFees

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridtide.cli.exchange_markets import Rules
    from gridtide.config.fees import FeeSettings
    from gridtide.config.sandbox import SandboxSettings as SandboxConfig
    from gridtide.config.sandbox_account import SandboxAccount, SandboxKey
    from gridtide.sandbox.launch import MarketLaunch

KEPT_FILE = "exchange.json"
TOKEN_FILE = "control-token"  # noqa: S105  the name of a file
BNB_DISCOUNT = Decimal("0.75")


@dataclass(frozen=True, slots=True)
class Plan:
    """A sandbox ready to be served, and what there is to say about it."""

    settings: SandboxSettings
    folder: Path | None
    given_fees: AccountFees | None
    """Fees that hold from now on, whatever the saved state says."""
    is_new: bool
    shows_secret: bool
    token_file: Path | None
    notes: tuple[str, ...]


def _kept(folder: Path | None) -> tuple[Credentials, Timestamp]:
    """The made-up key and the beginning of the synthetic markets: those of the folder's first run."""
    fresh = Credentials.generate(), WallClock().now()
    if folder is None:
        return fresh
    path = folder / KEPT_FILE
    try:
        kept = orjson.loads(path.read_bytes())
        start = Timestamp(kept["market_start"]) if (folder / STATE_FILE).exists() else fresh[1]
        fresh = Credentials(kept["api_key"], kept["secret"]), start
    except FileNotFoundError:
        pass
    except (KeyError, TypeError, orjson.JSONDecodeError):
        raise InvalidInput(
            f"{path} is damaged; nothing was started and nothing changed: move {folder} away to start a new exchange"
        ) from None
    credentials, start = fresh
    values = {"api_key": credentials.api_key, "secret": credentials.secret, "market_start": start}
    write_private(path, orjson.dumps(values))
    return fresh


# --- the settings ------------------------------------------------------------------------------------


def make_plan(
    asked: Asked,
    config: SandboxConfig,
    launches: tuple[MarketLaunch, ...],
    rules: Rules,
    folder: Path | None,
    kind: str,
) -> Plan:
    """Everything a start needs. Raises `InvalidInput` with what is wrong."""
    made, market_start = _kept(folder)
    markets = tuple(market_settings(launch, market_start, rules) for launch in launches)
    listed = [entry.market for entry in markets]
    fees = _fees(asked, config.fees, listed)
    keys = _keys(asked, config)
    accounts = _accounts(asked, config, keys, made, fees, listed)
    is_new = folder is None or not (folder / STATE_FILE).exists()
    token, token_file = _control_token(asked, config, folder)
    limits = Limits(maker_fill_credit=config.choices.maker_fill_credit)
    settings = SandboxSettings(
        accounts=accounts,
        markets=markets,
        port=config.port if asked.port is None else asked.port,
        control_port=config.control_port if asked.control_port is None else asked.control_port,
        control_token=token,
        speed=_speed(config.speed if asked.speed is None else asked.speed),
        limits=unlimited_orders(limits) if asked.unlimited_orders or config.unlimited_orders else limits,
        seed=config.seed if asked.seed is None else asked.seed,
        venue=venue_settings(config.choices, rules, markets),
        strict_parameters=config.choices.strict_parameters,
        strict_websocket_parameters=config.choices.strict_websocket_parameters,
        faults=_faults(asked, config),
        state_file=None if folder is None else folder / STATE_FILE,
        kind=kind,
    )
    given_fees = fees if (asked.fee_maker, asked.fee_taker, asked.fee_asset) != (None, None, None) else None
    is_own_key = bool(keys or config.accounts)
    return Plan(
        settings,
        folder,
        given_fees,
        is_new,
        not is_own_key,
        token_file,
        _notes(asked, accounts, listed, is_new),
    )


def _speed(speed: Decimal) -> float:
    if speed <= 0:
        raise InvalidInput(f"--speed {speed} is not above zero; nothing was started")
    return float(speed)


def _faults(asked: Asked, config: SandboxConfig) -> FaultPlan:
    """The faults of a scenario file, with the seed given here above the file's own."""
    path = asked.faults or config.faults
    seed = config.fault_seed if asked.fault_seed is None else asked.fault_seed
    plan = FaultPlan() if path is None else read_scenario(path)
    return plan if seed is None else replace(plan, seed=seed)


def _fees(asked: Asked, config: FeeSettings, markets: Sequence[Market]) -> AccountFees:
    maker = config.maker if asked.fee_maker is None else asked.fee_maker
    taker = config.taker if asked.fee_taker is None else asked.fee_taker
    for name, rate in (("maker", maker), ("taker", taker)):
        if not -1 < rate < 1:
            raise InvalidInput(f"--fee-{name} {rate} is no fraction; nothing was started: 0.001 is 0.1 %")
    wanted = (asked.fee_asset or config.asset).upper()
    if wanted in (
        "RECEIVED",
        "QUOTE",
    ):  # an account has several quotes here: what is received is the exchange's way
        return AccountFees(FeeRate(maker), FeeRate(taker))
    if config.asset_price is None and wanted not in {market.base for market in markets}:
        raise InvalidInput(
            f"fees are to be paid in {wanted[:20]}, but no market here tells what it costs; nothing was started: add "
            f"--market {wanted[:20]}/USDT, or set sandbox.fees.asset_price"
        )
    discount = BNB_DISCOUNT if wanted == "BNB" else ONE
    return AccountFees(FeeRate(maker), FeeRate(taker), Asset(wanted), discount, config.asset_price)


def _keys(asked: Asked, config: SandboxConfig) -> tuple[ApiKey, ...]:
    """Keys of the main account as they were given; none where one is to be made up."""
    keys, given = list(asked.keys), list(asked.secrets)
    if not keys and config.api_key is not None:
        keys = [config.api_key.get_secret_value()]
    if len(keys) == 1 and not given and config.api_secret is not None:
        given = [config.api_secret.get_secret_value()]
    SECRETS.register(*given)
    return tuple(ApiKey(pair.key, pair.secret) for pair in read_keys(keys, given))


def _accounts(
    asked: Asked,
    config: SandboxConfig,
    keys: tuple[ApiKey, ...],
    made: Credentials,
    fees: AccountFees,
    markets: Sequence[Market],
) -> tuple[AccountSettings, ...]:
    balances: Mapping[Asset, Decimal] = read_balances(asked.balances) or {
        Asset(asset): amount for asset, amount in config.balances.items()
    }
    others = [_account(name, account, fees, markets) for name, account in config.accounts.items()]
    if others and not keys and not asked.balances:
        return tuple(others)
    if any(account.account_id == ACCOUNT for account in others):
        raise InvalidInput(
            f"sandbox.accounts has an account {ACCOUNT}, and --key or --balance speak of it too; nothing was started: "
            "use one or the other"
        )
    keys = keys or (ApiKey(made.api_key, made.secret),)
    main = AccountSettings(ACCOUNT, keys, balances or usual_balances(markets), fees)
    return (main, *others)


def _account(
    name: str, config: SandboxAccount, fees: AccountFees, markets: Sequence[Market]
) -> AccountSettings:
    own = fees if config.fees is None else _fees(Asked(), config.fees, markets)
    keys = tuple(_api_key(name, key, given) for key, given in config.keys.items())
    balances = {Asset(asset): amount for asset, amount in config.balances.items()}
    return AccountSettings(name, keys, balances, own)


def _api_key(account: str, key: str, config: SandboxKey) -> ApiKey:
    rights = KeyPermissions(
        config.reading,
        config.trading,
        config.withdrawals,
        config.transfers,
        config.ip_restricted,
        tuple(config.addresses),
    )
    try:
        secret, public_key = config.read()
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise InvalidInput(
            f"sandbox.accounts.{account}.keys: the secret of key {key[:8]} is not where the config says "
            f"({type(error).__name__}); nothing was started"
        ) from None
    SECRETS.register(*([secret] if secret else []))
    return ApiKey(key, secret, public_key, rights)


def _control_token(asked: Asked, config: SandboxConfig, folder: Path | None) -> tuple[str, Path | None]:
    """The token of the control API, and the file that holds it where it was made up."""
    if asked.control_port is None and config.control_port is None:
        return "", None
    if config.control_token is not None:
        return config.control_token.get_secret_value(), None
    if folder is None:
        raise InvalidInput(
            "the control API needs a token, and with --no-state there is no folder to keep one in; nothing was "
            "started: set SANDBOX__CONTROL_TOKEN"
        )
    token = secrets.token_urlsafe(32)
    write_private(folder / TOKEN_FILE, token.encode())
    SECRETS.register(token)
    return token, folder / TOKEN_FILE


def _notes(
    asked: Asked, accounts: Sequence[AccountSettings], markets: Sequence[Market], is_new: bool
) -> tuple[str, ...]:
    """What the person may not expect."""
    notes = []
    if not is_new:
        also = "; --balance is for a new one" if asked.balances else ""
        notes.append(
            f"It goes on from its saved state{also}. A new one: --no-state, or another --state-folder."
        )
    traded = {asset for market in markets for asset in (market.base, market.quote)}
    held = {asset for account in accounts for asset in account.balances}
    notes += [f"{asset} is in no market here: it can be held, not traded." for asset in sorted(held - traded)]
    return tuple(notes)
