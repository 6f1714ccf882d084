"""A market source from a list, for tests."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from gridtide.domain.market import Market, Timestamp
from gridtide.price_path.point import PathPoint
from gridtide.testing.sandbox_exchange import BTC_USDT

START = 1_609_459_200_000  # 2021-01-01


def points(prices: list[str], step_ms: int = 1000, start: int = START) -> list[PathPoint]:
    """One point every `step_ms`, each with a volume of 1."""
    return [
        PathPoint(Timestamp(start + number * step_ms), Decimal(price), Decimal(1))
        for number, price in enumerate(prices)
    ]


class ListSource:
    """Plays the points of a list."""

    def __init__(self, path: list[PathPoint], market: Market = BTC_USDT) -> None:
        self.market = market
        self._path = path
        self._index = 0

    def __iter__(self) -> Iterator[PathPoint]:
        return self

    def __next__(self) -> PathPoint:
        if self._index == len(self._path):
            raise StopIteration
        self._index += 1
        return self._path[self._index - 1]

    def position(self) -> dict[str, Any]:
        return {"index": self._index}

    def seek(self, position: Mapping[str, Any]) -> None:
        self._index = int(position["index"])
