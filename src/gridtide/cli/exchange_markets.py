"""Which markets a sandbox exchange that runs alone has, and how they behave: options above the config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from gridtide.cli.embedded import middle_of
from gridtide.cli.exchange_options import read_markets
from gridtide.config import AppSettings, Mode, load_settings, secret_values
from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Market
from gridtide.domain.money import plain
from gridtide.market_data.capture import CaptureFile
from gridtide.market_data.source import LiveSource
from gridtide.sandbox.exchange_info_file import market_from_exchange_info
from gridtide.sandbox.launch import DEFAULT_SYMBOL, open_source
from gridtide.sandbox.settings import MarketSettings
from gridtide.telemetry.redaction import SECRETS
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.settings import (
    CommissionRounding,
    FillModel,
    QueueCancellations,
    SelfTradePrevention,
    StopNotional,
    VenueSettings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gridtide.cli.exchange_options import Asked
    from gridtide.config.sandbox import SandboxSettings as SandboxConfig
    from gridtide.config.sandbox_choices import SandboxChoices
    from gridtide.domain.market import Timestamp
    from gridtide.sandbox.launch import MarketLaunch

Rules = Mapping[str, tuple[Market, MarketFilters]]
"""What an exchangeInfo file says about a market, by symbol."""


def read_config(path: Path | None) -> SandboxConfig:
    """The section `sandbox` of a config, or its defaults. Raises `InvalidInput`."""
    settings = load_settings(path)
    SECRETS.register(*secret_values(settings))
    if settings.mode is not Mode.SANDBOX:
        raise InvalidInput(
            f"the config says mode: {settings.mode}, and this is the sandbox; nothing was started"
        )
    return settings.sandbox.model_copy(update={"markets": _markets_meant(settings)})


def _markets_meant(settings: AppSettings) -> list[str]:
    """What the config wants played, as --market takes it: its markets or file, or those its bots trade."""
    sandbox = settings.sandbox
    if sandbox.markets is not None:
        return sandbox.markets
    if sandbox.market is not None:
        return [str(sandbox.market)]
    starts = {bot.market: sandbox.start_price or middle_of(bot) for bot in settings.bots}
    if sandbox.start_price is not None and not starts:
        starts = {DEFAULT_SYMBOL: sandbox.start_price}
    return [f"{market}={plain(price)}" for market, price in starts.items()]


def markets_to_play(asked: Asked, config: SandboxConfig) -> tuple[tuple[MarketLaunch, ...], Rules]:
    """What to play, and the rules of markets that a file tells. Raises `InvalidInput`."""
    seed = config.seed if asked.seed is None else asked.seed
    path = asked.exchange_info or config.exchange_info
    entries = {} if path is None else _entries(path)
    launches = read_markets(asked.markets or config.markets or [], seed, listed=entries, exchange=asked.live)
    rules = {
        symbol: market_from_exchange_info(entry)
        for symbol, entry in entries.items()
        if symbol in {launch.symbol for launch in launches}
    }
    return launches, rules


def _entries(path: Path) -> dict[str, Any]:
    """The entries of an exchangeInfo answer, by symbol."""
    try:
        info = orjson.loads(path.read_bytes())
        return {f"{entry['baseAsset']}/{entry['quoteAsset']}": entry for entry in info["symbols"]}
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no file {path}; nothing was started: save an answer of exchangeInfo there"
        ) from None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise InvalidInput(f"{path} is no answer of exchangeInfo; nothing was started") from None


def market_settings(launch: MarketLaunch, start: Timestamp, rules: Rules) -> MarketSettings:
    """The market with what plays it. Raises `InvalidInput` where that cannot be opened."""
    ruled, _ = rules.get(launch.symbol or "", (None, None))
    source = open_source(launch, start, ruled)
    return MarketSettings(ruled or source.market, source)


def venue_settings(choices: SandboxChoices, rules: Rules, markets: Sequence[MarketSettings]) -> VenueSettings:
    """The venue as the choices have it; where a book was recorded, orders wait for their turn in it."""
    recorded = any(isinstance(entry.source, CaptureFile | LiveSource) for entry in markets)
    return VenueSettings(
        fill_model=FillModel(choices.fill_model or ("queue" if recorded else "touch")),
        queue_cancellations=QueueCancellations(choices.queue_cancellations),
        volume_cap=choices.volume_cap,
        slippage=choices.slippage,
        commission_rounding=CommissionRounding(choices.commission_rounding),
        stop_notional=StopNotional(choices.stop_notional),
        stop_lock_margin=choices.stop_lock_margin,
        self_trade_prevention=SelfTradePrevention(choices.self_trade_prevention),
        filters={market.symbol: filters for market, filters in rules.values()},
    )
