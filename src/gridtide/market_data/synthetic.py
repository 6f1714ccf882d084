"""An invented market: a price that ranges, trends and crashes around where it began, and the trades that move it.

Everything follows from the seed. It is livelier than a real market on purpose, most of all in its first minutes: a
grid should have something to do at once.
"""

from __future__ import annotations

import math
import random
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import Timestamp
from gridtide.domain.order import Side
from gridtide.price_path.point import PathPoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gridtide.domain.market import Market

_TRADES_PER_SECOND = 6.0
_LONGEST_PAUSE_SECONDS = 2.0
_VOLATILITY = 0.0019
"""Standard deviation of the log price over one second of a range."""
_CLUSTER_SECONDS = 45.0
_CLUSTER_SPREAD = 0.3
"""The logarithm of volatility wanders with this standard deviation and forgets over `_CLUSTER_SECONDS`."""
_HOME_SECONDS = 1800.0
"""Over this time the anchor comes most of the way home to where the market began."""
_TYPICAL_TRADES = 80.0
"""Median value of a trade, in minimum notionals."""
_TRADE_SPREAD = 1.2
_FALLBACK_NOTIONAL = 5.0


@dataclass(frozen=True, slots=True)
class Regime:
    """A way to behave for a while (`seconds`: shortest and longest).

    The price is drawn to an anchor, most of the way in `pull_seconds`; the anchor's logarithm drifts by `drift` a
    second, up or down where `turns` is set; `volatility` multiplies the usual one.
    """

    seconds: tuple[float, float]
    drift: float
    volatility: float
    pull_seconds: float
    followers: tuple[str, ...]
    """What comes next, each as likely as it is often named."""
    turns: bool = False


REGIMES = {
    "opening": Regime((150, 200), 0.0, 1.75, 40, ("range", "trend")),
    "range": Regime((60, 240), 0.0, 1.0, 40, ("trend",) * 7 + ("range",) * 2 + ("crash",)),
    "trend": Regime((45, 150), 0.0003, 0.9, 25, ("range",) * 9 + ("crash",), turns=True),
    "crash": Regime((8, 18), -0.003, 1.8, 6, ("range", "range", "trend")),
}


@dataclass(slots=True)
class _Weather:
    """Where the market stands; logarithms are relative to the start price, times in seconds."""

    elapsed: float = 0.0
    price: float = 0.0
    anchor: float = 0.0
    cluster: float = 0.0
    regime: str = "opening"
    remaining: float = 0.0
    drift: float = 0.0


class SyntheticMarket:
    """An endless source over `market`, starting at `start_price` and `start_time` (ms)."""

    def __init__(self, market: Market, start_price: Decimal, seed: int, start_time: Timestamp) -> None:
        rules = market.rules
        if not (rules.tick_size and rules.lot_size) or start_price < 1000 * rules.tick_size:
            raise InvalidInput(
                f"a synthetic {market.symbol} must begin at {1000 * rules.tick_size:f}, a thousand price steps, or "
                f"above, not at {start_price:f}; nothing was started: set sandbox.start_price, or play a file"
            )
        self.market = market
        self._start_price = start_price
        self._start_time = start_time
        self._seed = seed
        self._dice = random.Random(seed)  # noqa: S311 - a market to play with, nothing secret
        self._weather = _Weather()
        self._enter("opening")

    @property
    def regime(self) -> str:
        """The name of the present regime."""
        return self._weather.regime

    def __iter__(self) -> Iterator[PathPoint]:
        return self

    def __next__(self) -> PathPoint:
        before = self._weather.price
        self._advance(self._pause())
        return PathPoint(self._time(), self._price(), self._amount(), self._taker(before))

    # --- the price -------------------------------------------------------------------------------

    def _pause(self) -> float:
        """Trades come faster when the market is nervous."""
        pace = _TRADES_PER_SECOND * math.exp(self._weather.cluster)
        return min(self._dice.expovariate(pace), _LONGEST_PAUSE_SECONDS)

    def _advance(self, seconds: float) -> None:
        """An Ornstein-Uhlenbeck step of volatility, anchor and price."""
        weather, regime = self._weather, REGIMES[self._weather.regime]
        weather.elapsed += seconds
        weather.remaining -= seconds
        shake = _CLUSTER_SPREAD * math.sqrt(2 * seconds / _CLUSTER_SECONDS) * self._dice.gauss(0, 1)
        weather.cluster += shake - weather.cluster * seconds / _CLUSTER_SECONDS
        weather.anchor += weather.drift * seconds - weather.anchor * seconds / _HOME_SECONDS
        volatility = _VOLATILITY * regime.volatility * math.exp(weather.cluster)
        weather.price += (weather.anchor - weather.price) * min(1.0, seconds / regime.pull_seconds)
        weather.price += volatility * math.sqrt(seconds) * self._dice.gauss(0, 1)
        if weather.remaining <= 0:
            self._enter(self._dice.choice(regime.followers))

    def _enter(self, name: str) -> None:
        weather, regime = self._weather, REGIMES[name]
        weather.regime = name
        weather.remaining = self._dice.uniform(*regime.seconds)
        weather.drift = regime.drift
        if regime.turns and self._dice.random() < self._chance_to_fall():
            weather.drift = -regime.drift

    def _chance_to_fall(self) -> float:
        """A trend leads back home more often than further away."""
        return 1 / (1 + math.exp(-40 * self._weather.anchor))

    # --- the trade -------------------------------------------------------------------------------

    def _time(self) -> Timestamp:
        return Timestamp(self._start_time + int(self._weather.elapsed * 1000))

    def _price(self) -> Decimal:
        tick = self.market.rules.tick_size
        ticks = round(float(self._start_price / tick) * math.exp(self._weather.price))
        return tick * max(ticks, 1)

    def _amount(self) -> Decimal:
        """Many small trades and a few large ones."""
        rules = self.market.rules
        value = float(rules.min_notional or _FALLBACK_NOTIONAL) * _TYPICAL_TRADES
        value *= math.exp(_TRADE_SPREAD * self._dice.gauss(0, 1))
        return rules.lot_size * max(1, int(value / float(self._price() * rules.lot_size)))

    def _taker(self, before: float) -> Side:
        """Who takes moves the price."""
        return Side.BUY if self._weather.price > before else Side.SELL

    # --- leaving and coming back -----------------------------------------------------------------

    def _identity(self) -> dict[str, Any]:
        return {
            "source": "synthetic",
            "symbol": self.market.symbol,
            "start_price": format(self._start_price, "f"),
            "start_time": self._start_time,
            "seed": self._seed,
        }

    def position(self) -> dict[str, Any]:
        version, numbers, gauss = self._dice.getstate()
        return {
            **self._identity(),
            "weather": asdict(self._weather),
            "dice": [version, list(numbers), gauss],
        }

    def seek(self, position: Mapping[str, Any]) -> None:
        for key, own in self._identity().items():
            if position.get(key) != own:
                raise InvalidInput(
                    f"the saved position belongs to another market ({key} {position.get(key)}, not {own}): "
                    "start anew, or play that one"
                )
        version, numbers, gauss = position["dice"]
        self._dice.setstate((version, tuple(numbers), gauss))
        self._weather = _Weather(**position["weather"])
