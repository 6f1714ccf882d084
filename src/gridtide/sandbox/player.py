"""Plays the markets: takes points from their sources and moves the venue at their wall moments.

The event loop comes first: a few moves, then everybody else's turn. What falls behind more than a moment is not
made up for by racing; the market just took longer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.domain.order import Side
from gridtide.price_path.point import PathPoint
from gridtide.sandbox.wire import JsonObject, number
from gridtide.venue.messages import PriceMoved

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol
    from gridtide.market_data.source import MarketSource
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.settings import MarketSettings

_LOG = logging.getLogger(__name__)

MOVES_AT_ONCE = 4
"""Moves played before the event loop gets its turn."""

_LARGEST_LAG_SECONDS = 0.5


class Track:
    """One market on its way through its source. Its clock starts with the first point."""

    def __init__(self, symbol: Symbol, source: MarketSource, start: Timestamp | None) -> None:
        self.symbol = symbol
        self._source = source
        self.played = 0
        self.next: PathPoint | None = next(source, None)
        while start is not None and self.next is not None and self.next.market_time < start:
            self.next = next(source, None)
        self._origin = self.next.market_time if self.next is not None else 0

    @property
    def due(self) -> int | None:
        """Market milliseconds from the start of the play to the next point; None at the end."""
        return None if self.next is None else self.next.market_time - self._origin

    def advance(self) -> PathPoint:
        """The next point; the one after it is fetched."""
        point = self.next
        assert point is not None
        self.next = next(self._source, None)
        self.played += 1
        return point

    def state(self) -> dict[str, Any]:
        """Where the source stands, and the point already taken from it."""
        return {
            "position": self._source.position(),
            "next": None if self.next is None else _encode(self.next),
            "origin": self._origin,
            "played": self.played,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._source.seek(state["position"])
        self.next = None if state["next"] is None else _decode(state["next"])
        self._origin, self.played = state["origin"], state["played"]


class Player:
    """Plays all markets that have a source, `speed` market seconds a wall second."""

    def __init__(
        self, exchange: SandboxExchange, markets: Iterable[MarketSettings], *, speed: float, hold: bool
    ) -> None:
        if not speed > 0:
            raise InvalidInput(f"speed {speed} is not above zero")
        self._exchange = exchange
        self._tracks = {
            entry.market.symbol: Track(entry.market.symbol, entry.source, entry.start)
            for entry in markets
            if entry.source is not None
        }
        self.speed = speed
        self.is_held = hold
        self._elapsed = 0.0
        """Market milliseconds played when the clock was last set."""
        self._set_at = self._monotonic()
        self._wake = asyncio.Event()

    @property
    def is_finished(self) -> bool:
        """Whether every source has come to its end."""
        return bool(self._tracks) and self._next_track() is None

    def hold(self) -> None:
        """Stop the market; takes effect before this returns."""
        self._set_clock()
        self.is_held = True

    def resume(self) -> None:
        """Let the market go on."""
        if self.is_finished:
            return
        self._set_clock()
        self.is_held = False
        self._wake.set()

    def open_markets(self) -> None:
        """Play the first point of every market at once, so that each has a price."""
        for track in self._tracks.values():
            if track.played == 0 and track.next is not None:
                self._play(track)

    async def run(self) -> None:
        """Play until cancelled."""
        moves = 0
        while True:
            if self.is_held:
                await self._sleep(None)
                continue
            track = self._next_track()
            if track is None:
                self._finish()
                continue
            wait = self._seconds_until(track)
            if wait > 0:
                moves = 0
                await self._sleep(wait)
                continue
            self._play(track)
            moves += 1
            if moves % MOVES_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _next_track(self) -> Track | None:
        waiting = [track for track in self._tracks.values() if track.due is not None]
        return min(waiting, key=lambda track: track.due or 0, default=None)

    def _play(self, track: Track) -> None:
        point = track.advance()
        move = PriceMoved(point.price, point.volume, point.market_time, point.taker)
        self._exchange.move_market(track.symbol, move)

    def _finish(self) -> None:
        self.hold()
        if self._tracks:
            _LOG.info("sandbox.market_finished")

    # --- the clock of the play -----------------------------------------------------------------------

    def _monotonic(self) -> float:
        return self._exchange.clock.monotonic()

    def _position(self) -> float:
        """Market milliseconds since the start of the play."""
        if self.is_held:
            return self._elapsed
        return self._elapsed + (self._monotonic() - self._set_at) * 1000 * self.speed

    def _set_clock(self) -> None:
        self._elapsed = self._position()
        self._set_at = self._monotonic()

    def _seconds_until(self, track: Track) -> float:
        """Wall seconds until the track's next point; a large lag is forgiven by setting the clock back."""
        assert track.due is not None
        wait = (track.due - self._position()) / 1000 / self.speed
        if wait < -_LARGEST_LAG_SECONDS:
            self._elapsed, self._set_at = float(track.due), self._monotonic()
        return wait

    async def _sleep(self, seconds: float | None) -> None:
        """Wait until `resume` or for `seconds`. Plain timers, because this happens hundreds of times a second."""
        self._wake.clear()
        timer = None
        if seconds is not None:
            timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        if timer is not None:
            timer.cancel()

    # --- telling -------------------------------------------------------------------------------------

    def status(self) -> JsonObject:
        """Where the play stands."""
        return {
            "held": self.is_held,
            "finished": self.is_finished,
            "speed": self.speed,
            "markets": {
                str(listing.symbol): {
                    "market_time": listing.record.market_time,
                    "price": number(listing.best().last),
                    "points": self._tracks[listing.symbol].played if listing.symbol in self._tracks else 0,
                }
                for listing in self._exchange.listings.values()
            },
        }

    def state(self) -> dict[str, Any]:
        """Everything, JSON-compatible."""
        return {
            "elapsed": self._position(),
            "tracks": {symbol: track.state() for symbol, track in self._tracks.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        if state["tracks"].keys() != self._tracks.keys():
            raise InvalidInput("the saved state of the sandbox is of other markets: use another state file")
        self._elapsed, self._set_at = float(state["elapsed"]), self._monotonic()
        for symbol, track in self._tracks.items():
            track.restore(state["tracks"][symbol])


def _encode(point: PathPoint) -> list[Any]:
    return [point.market_time, str(point.price), str(point.volume), point.taker]


def _decode(values: list[Any]) -> PathPoint:
    market_time, price, volume, taker = values
    side = None if taker is None else Side(taker)
    return PathPoint(Timestamp(market_time), Decimal(price), Decimal(volume), side)
