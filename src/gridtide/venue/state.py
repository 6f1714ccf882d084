"""The whole venue as JSON-compatible values and back, so that a killed sandbox goes on where it stood.

A restored venue answers every later request exactly as the saved one would have.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import plain
from gridtide.venue.settings import (
    CommissionRounding,
    FillModel,
    QueueCancellations,
    SelfTradePrevention,
    StopNotional,
    VenueSettings,
)
from gridtide.venue.state_of_account import Json, load_optional, save_optional
from gridtide.venue.state_of_rules import load_exchange_filters, load_filters_by_market, save_all_filters

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

STATE_VERSION = 2


def check_version(saved: Mapping[str, Any]) -> None:
    """Refuse a state this version cannot read."""
    if saved.get("version") != STATE_VERSION:
        raise InvalidInput(
            f"the saved venue has the format {saved.get('version')!r}, this version reads {STATE_VERSION}: "
            "start a new venue or use the version that saved it"
        )


def save_settings(settings: VenueSettings) -> Json:
    return {
        "fill_model": settings.fill_model.value,
        "volume_cap": save_optional(settings.volume_cap),
        "slippage": plain(settings.slippage),
        "depth_levels": settings.depth_levels,
        "depth_quote": save_optional(settings.depth_quote),
        "self_trade_prevention": settings.self_trade_prevention.value,
        "average_minutes": settings.average_minutes,
        "kept_trades": settings.kept_trades,
        "publishes": settings.publishes,
        "tells_balances": settings.tells_balances,
        "commission_rounding": settings.commission_rounding.value,
        "stop_notional": settings.stop_notional.value,
        "stop_lock_margin": plain(settings.stop_lock_margin),
        **save_all_filters(settings),
        "queue_cancellations": settings.queue_cancellations.value,
        "queue_probability": plain(settings.queue_probability),
        "volume_slippage": plain(settings.volume_slippage),
    }


def load_settings(saved: Json) -> VenueSettings:
    return VenueSettings(
        fill_model=FillModel(saved["fill_model"]),
        volume_cap=load_optional(saved["volume_cap"]),
        slippage=Decimal(saved["slippage"]),
        depth_levels=saved["depth_levels"],
        depth_quote=load_optional(saved["depth_quote"]),
        self_trade_prevention=SelfTradePrevention(saved["self_trade_prevention"]),
        average_minutes=saved["average_minutes"],
        kept_trades=saved["kept_trades"],
        publishes=saved["publishes"],
        tells_balances=saved.get("tells_balances", True),
        commission_rounding=CommissionRounding(saved.get("commission_rounding", "truncate")),
        stop_lock_margin=Decimal(saved["stop_lock_margin"]),
        stop_notional=StopNotional(saved.get("stop_notional", "stop_price")),
        filters=load_filters_by_market(saved),
        exchange_filters=load_exchange_filters(saved),
        queue_probability=Decimal(saved.get("queue_probability", 0)),
        volume_slippage=Decimal(saved.get("volume_slippage", 0)),
        queue_cancellations=QueueCancellations(saved.get("queue_cancellations", QueueCancellations.BEHIND)),
    )


def save_generator(rng: random.Random) -> list[Any]:
    version, numbers, gauss = rng.getstate()
    return [version, list(numbers), gauss]


def load_generator(rng: random.Random, saved: list[Any]) -> None:
    version, numbers, gauss = saved
    rng.setstate((version, tuple(numbers), gauss))
