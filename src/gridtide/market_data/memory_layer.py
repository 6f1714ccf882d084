"""The first layer: blocks that were used last, up to a number of bytes. It keeps nothing that is not on disk."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from gridtide.market_data.block import Block

Key = TypeVar("Key")


class MemoryLayer(Generic[Key]):
    """Blocks by what they were read from; the one used longest ago goes first. Safe for several threads."""

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity = capacity_bytes
        self._blocks: OrderedDict[Key, Block] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes it holds now."""
        return self._size

    def get(self, key: Key) -> Block | None:
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
            return block

    def put(self, key: Key, block: Block) -> None:
        """Keep a block; one larger than everything is not kept."""
        with self._lock:
            former = self._blocks.pop(key, None)
            self._size -= former.size if former is not None else 0
            if block.size > self._capacity:
                return
            self._blocks[key] = block
            self._size += block.size
            while self._size > self._capacity:
                _, oldest = self._blocks.popitem(last=False)
                self._size -= oldest.size
