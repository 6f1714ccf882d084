"""Which adapter serves which exchange: its own where there is one, the common one for every other CCXT id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.exchanges.binance import BinanceExchange
from gridtide.exchanges.ccxt_exchange import CcxtExchange

if TYPE_CHECKING:
    from gridtide.exchanges.connection import ExchangeConnection
    from gridtide.ports.exchange import RecordedExchange

_OWN_ADAPTERS: dict[str, type[CcxtExchange]] = {"binance": BinanceExchange}


def make_exchange(settings: ExchangeConnection) -> RecordedExchange:
    """The adapter for `settings.name`, not connected yet; a wrong name or address is told by `connect`."""
    return _OWN_ADAPTERS.get(settings.name, CcxtExchange)(settings)
