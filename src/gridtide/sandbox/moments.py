"""Moments of a market as JSON-compatible values and back, and as what they do to the venue."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, assert_never

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.market import Symbol, Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.price_path.point import PathPoint
from gridtide.venue.messages import PriceMoved

if TYPE_CHECKING:
    from gridtide.market_data.source import MarketMoment
    from gridtide.venue.messages import MarketMove

Levels = tuple[tuple[Decimal, Decimal], ...]


def move_of(moment: MarketMoment) -> MarketMove:
    """What the venue is told."""
    if isinstance(moment, PathPoint):
        return PriceMoved(moment.price, moment.volume, moment.market_time, moment.taker)
    return moment


class RecordedSoFar:
    """The recorded book that moments add up to, for those who come later."""

    def __init__(self) -> None:
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}
        self._update_id = 0

    @property
    def has_book(self) -> bool:
        return self._update_id > 0

    def follow(self, moment: MarketMoment) -> None:
        if not isinstance(moment, DepthUpdate):
            return
        for side, levels in ((self._bids, moment.bids), (self._asks, moment.asks)):
            if moment.is_snapshot:
                side.clear()
            side.update(levels)
        self._update_id = moment.last_update_id

    def snapshot(self, at: Timestamp) -> DepthUpdate:
        """Everything at once."""
        bids, asks = (
            tuple((price, amount) for price, amount in sorted(side.items()) if amount)
            for side in (self._bids, self._asks)
        )
        return DepthUpdate(self._update_id, self._update_id, bids[::-1], asks, at, is_snapshot=True)


def save_moment(moment: MarketMoment) -> list[Any]:
    match moment:
        case PathPoint():
            return ["point", moment.market_time, str(moment.price), str(moment.volume), moment.taker]
        case MarketTrade():
            amounts = (str(moment.price), str(moment.amount))
            return ["trade", moment.symbol, moment.timestamp, *amounts, moment.side, moment.trade_id]
        case DepthUpdate():
            ids = (moment.first_update_id, moment.last_update_id)
            levels = (_save_levels(moment.bids), _save_levels(moment.asks))
            return ["depth", *ids, *levels, moment.market_time, moment.is_snapshot]
        case _:
            assert_never(moment)


def load_moment(saved: list[Any]) -> MarketMoment:
    match saved:
        case ["point", time, price, volume, taker]:
            side = None if taker is None else Side(taker)
            return PathPoint(Timestamp(time), Decimal(price), Decimal(volume), side)
        case ["trade", symbol, time, price, amount, side, trade_id]:
            paid, traded = Price(Decimal(price)), Amount(Decimal(amount))
            return MarketTrade(Symbol(symbol), Timestamp(time), paid, traded, Side(side), trade_id)
        case ["depth", first, last, bids, asks, time, is_snapshot]:
            return DepthUpdate(
                first, last, _load_levels(bids), _load_levels(asks), Timestamp(time), is_snapshot=is_snapshot
            )
        case _:
            raise ValueError(f"{saved[:1]} is no moment of a market")


def _save_levels(levels: Levels) -> list[list[str]]:
    return [[str(price), str(amount)] for price, amount in levels]


def _load_levels(rows: list[list[str]]) -> Levels:
    return tuple((Decimal(price), Decimal(amount)) for price, amount in rows)
