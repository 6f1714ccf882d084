"""Plays the markets: takes moments from their sources and moves the venue when they are due; live ones as they come.

The event loop comes first: a few moves, then everybody else's turn. What falls behind more than a moment is not
made up for by racing; the market just took longer.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput
from gridtide.market_data.source import LiveSource, time_of
from gridtide.sandbox.moments import RecordedSoFar, load_moment, move_of, save_moment
from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol, Timestamp
    from gridtide.market_data.source import MarketMoment, MarketSource
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.sandbox.settings import MarketSettings

_LOG = logging.getLogger(__name__)

MOVES_AT_ONCE = 4
"""Moves played before the event loop gets its turn."""

_LARGEST_LAG_SECONDS = 0.5

_ONE_CLOCK_MS = 86_400_000
"""Markets whose data begin within a day of each other were recorded together: they keep their distance in time. Any
other begins when the play begins."""


class Track:
    """One market on its way through its source. Its clock starts with the first moment, or as `share_clock` says."""

    def __init__(self, symbol: Symbol, source: MarketSource, start: Timestamp | None) -> None:
        self.symbol = symbol
        self._source = source
        self.played = 0
        self._taken: deque[MarketMoment] = deque(islice(source, 1))
        """What has been taken from the source and not been played: the next moment, and seldom one more."""
        self._skip_to(start)
        self.origin = 0 if self.next is None else int(time_of(self.next))

    @property
    def next(self) -> MarketMoment | None:
        """What is played next; None at the end."""
        return self._taken[0] if self._taken else None

    def _skip_to(self, start: Timestamp | None) -> None:
        """Pass over what came before `start`; a recorded book begins with what it had become by then."""
        skipped = RecordedSoFar()
        while start is not None and self.next is not None and time_of(self.next) < start:
            skipped.follow(self._taken.popleft())
            self._taken.extend(islice(self._source, 1))
        if self.next is not None and skipped.has_book:
            self._taken.appendleft(skipped.snapshot(time_of(self.next)))

    @property
    def due(self) -> int | None:
        """Market milliseconds from the start of the play to the next moment; None at the end."""
        return None if self.next is None else time_of(self.next) - self.origin

    def advance(self) -> MarketMoment:
        """The next moment; the one after it is fetched."""
        moment = self._taken.popleft()
        if not self._taken:
            self._taken.extend(islice(self._source, 1))
        self.played += 1
        return moment

    def state(self) -> dict[str, Any]:
        """Where the source stands, and the moments already taken from it."""
        return {
            "position": self._source.position(),
            "taken": [save_moment(moment) for moment in self._taken],
            "origin": self.origin,
            "played": self.played,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._source.seek(state["position"])
        self._taken = deque(load_moment(saved) for saved in state["taken"])
        self.origin, self.played = state["origin"], state["played"]


def share_clocks(tracks: Iterable[Track]) -> None:
    """Give one clock to markets that were recorded together, so that they play in their true order."""
    earliest: int | None = None
    for track in sorted(
        (track for track in tracks if track.next is not None), key=lambda track: track.origin
    ):
        if earliest is None or track.origin - earliest >= _ONE_CLOCK_MS:
            earliest = track.origin
        track.origin = earliest


class LiveTrack:
    """One market as it happens: played as it comes, at no other speed."""

    def __init__(self, symbol: Symbol, source: LiveSource) -> None:
        self.symbol = symbol
        self.source = source
        self.played = 0


class Player:
    """Plays all markets that have a source, `speed` market seconds a wall second."""

    def __init__(
        self, exchange: SandboxExchange, markets: Iterable[MarketSettings], *, speed: float, hold: bool
    ) -> None:
        if not 0 < speed < math.inf:
            raise InvalidInput(f"speed {speed} is not above zero")
        self._exchange = exchange
        self._tracks: dict[Symbol, Track] = {}
        self._live: dict[Symbol, LiveTrack] = {}
        for entry in markets:
            symbol = entry.market.symbol
            if isinstance(entry.source, LiveSource):
                self._live[symbol] = LiveTrack(symbol, entry.source)
            elif entry.source is not None:
                self._tracks[symbol] = Track(symbol, entry.source, entry.start)
        share_clocks(self._tracks.values())
        self.speed = speed
        self.is_held = hold
        self._elapsed = 0.0
        """Market milliseconds played when the clock was last set."""
        self._set_at = self._monotonic()
        self._wake = asyncio.Event()
        self._goes_on = asyncio.Event()
        """Set while the market is not held."""
        if not hold:
            self._goes_on.set()

    @property
    def is_finished(self) -> bool:
        """Whether every source has come to its end; a live one never does."""
        return bool(self._tracks) and not self._live and self._next_track() is None

    def hold(self) -> None:
        """Stop the market; takes effect before this returns."""
        self._set_clock()
        self.is_held = True
        self._goes_on.clear()

    def resume(self) -> None:
        """Let the market go on."""
        if self.is_finished:
            return
        self._set_clock()
        self.is_held = False
        self._goes_on.set()
        self._wake.set()

    def set_speed(self, speed: float) -> None:
        """Play `speed` market seconds a wall second from now on."""
        if not 0 < speed < math.inf:
            raise InvalidInput(f"speed {speed} is not above zero")
        self._set_clock()
        self.speed = speed
        self._wake.set()

    def step(self, points: int) -> int:
        """Play the next points of all markets at once, held or not; gives how many there were."""
        for played in range(points):
            track = self._next_track()
            if track is None or track.due is None:
                return played
            self._elapsed, self._set_at = float(track.due), self._monotonic()
            self._play(track)
        return points

    def open_markets(self) -> None:
        """Play the first point of every market at once, so that each has a price."""
        for track in self._tracks.values():
            if track.played == 0 and track.next is not None:
                self._play(track)

    async def run(self) -> None:
        """Play until cancelled. The failure of any source ends all and is raised as it is."""
        plays = [asyncio.create_task(self._play_recorded())]
        plays += [asyncio.create_task(self._play_live(track)) for track in self._live.values()]
        try:
            await asyncio.gather(*plays)
        finally:
            for play in plays:
                play.cancel()
            await asyncio.gather(*plays, return_exceptions=True)

    async def _play_live(self, track: LiveTrack) -> None:
        """While held the moments wait in the source, which keeps as many as it can."""
        try:
            async for moment in track.source:
                await self._goes_on.wait()
                self._exchange.move_market(track.symbol, move_of(moment))
                track.played += 1
                await asyncio.sleep(0)
        finally:
            await track.source.close()

    async def _play_recorded(self) -> None:
        moves = 0
        while True:
            if self.is_held:
                await self._sleep(None)
                continue
            track = self._next_track()
            if track is None:
                if self._live:
                    await self._sleep(None)
                else:
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
        self._exchange.move_market(track.symbol, move_of(track.advance()))

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
                    "points": self._played(listing.symbol),
                }
                for listing in self._exchange.listings.values()
            },
        }

    def steps(self) -> dict[Symbol, int]:
        """How many each market has taken from its source."""
        return {listing.symbol: self._played(listing.symbol) for listing in self._exchange.listings.values()}

    def _played(self, symbol: Symbol) -> int:
        track = self._tracks.get(symbol) or self._live.get(symbol)
        return 0 if track is None else track.played

    def state(self) -> dict[str, Any]:
        """Everything, JSON-compatible. Of a live market there is nothing to go on with: it starts from now."""
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
