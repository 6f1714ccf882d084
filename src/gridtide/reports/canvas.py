"""A picture to draw on, with smooth lines and letters, and its PNG; nothing but NumPy and zlib.

Coordinates are pixels from the upper left. What lies outside is cut off.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gridtide.reports.letters import dots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Shape = NDArray[np.bool_]

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""
_FINE = 3
"""Each pixel is looked at in as many places each way."""
_EDGE = 0.42
"""Where a letter's edge is between two dots; below a half, so that dots which touch at a corner hold together."""


class Canvas:
    """`width` by `height` pixels of one colour."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self._pixels = np.empty((height, width, 3), np.float32)
        self._pixels[:] = colour

    def rectangle(self, box: Box, colour: Colour) -> None:
        left, top, right, bottom = box
        self._pixels[max(0, top) : bottom, max(0, left) : right] = colour

    def line(self, box: Box, points: Floats, colour: Colour, width: float) -> None:
        """A line through `points` (rows of x and y), cut off at `box`."""
        self._stamp(box, _between(points * _FINE), _disk(width * _FINE / 2), colour)

    def marks(self, box: Box, points: Floats, colour: Colour, size: int, *, up: bool) -> None:
        """A triangle at each of `points`."""
        self._stamp(box, points * _FINE, _triangle(size * _FINE, up=up), colour)

    def text(self, x: float, y: float, text: str, colour: Colour, size: float, *, align: float = 0.0) -> None:
        """`text` with its top at `y`, `size` pixels a dot; `align` 0.5 centres it at `x`, 1 ends it there."""
        cover = _smooth(dots(text), size)
        left, top = round(x - align * text_width(text, size) - size), round(y - size)
        self._blend(left, top, cover, colour)

    def png(self) -> bytes:
        """The picture as a PNG file: eight bits a colour, no transparency."""
        height, width, _ = self._pixels.shape
        rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
        rows[:, 1:] = np.rint(self._pixels).astype(np.uint8).reshape(height, -1)
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)

    def _stamp(self, box: Box, points: Floats, shape: Shape, colour: Colour) -> None:
        """`shape` around each of `points`, both in fine pixels."""
        left, top, right, bottom = box
        fine = np.zeros(((bottom - top) * _FINE, (right - left) * _FINE), np.bool_)
        centres = np.rint(points).astype(np.int64) - (left * _FINE, top * _FINE)
        middle = np.array(shape.shape) // 2
        for row, column in np.argwhere(shape) - middle:
            xs, ys = centres[:, 0] + column, centres[:, 1] + row
            inside = (xs >= 0) & (xs < fine.shape[1]) & (ys >= 0) & (ys < fine.shape[0])
            fine[ys[inside], xs[inside]] = True
        blocks = fine.reshape(bottom - top, _FINE, right - left, _FINE)
        self._blend(left, top, blocks.mean(axis=(1, 3), dtype=np.float32), colour)

    def _blend(self, left: int, top: int, cover: NDArray[np.float32], colour: Colour) -> None:
        height, width, _ = self._pixels.shape
        cover = cover[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
        left, top = max(0, left), max(0, top)
        part = self._pixels[top : top + cover.shape[0], left : left + cover.shape[1]]
        part += (np.array(colour, np.float32) - part) * cover[..., None]


def text_width(text: str, size: float) -> float:
    """Pixels from the first dot to the last."""
    return float(dots(text).shape[1] * size)


def _between(points: Floats) -> Floats:
    """Points on the way from each to the next, close enough to leave no hole."""
    if len(points) < 2:
        return points
    steps = np.diff(points, axis=0)
    counts = np.ceil(np.abs(steps).max(axis=1)).astype(np.int64) + 1
    firsts = np.cumsum(counts) - counts
    part = (np.arange(counts.sum()) - np.repeat(firsts, counts)) / np.repeat(counts, counts)
    on_the_way = np.repeat(points[:-1], counts, axis=0) + np.repeat(steps, counts, axis=0) * part[:, None]
    return np.concatenate((on_the_way, points[-1:]))


def _disk(radius: float) -> Shape:
    reach = int(radius)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk: Shape = rows**2 + columns**2 <= radius**2
    return disk


def _triangle(size: int, *, up: bool) -> Shape:
    rows, columns = np.mgrid[0:size, 0:size]
    triangle: Shape = np.abs(columns - (size - 1) / 2) <= (rows + 1) / 2
    return triangle if up else triangle[::-1]


def _smooth(shape: NDArray[Any], size: float) -> NDArray[np.float32]:
    """How far each pixel is covered by dots of `size` pixels, corners rounded; a dot wider on each side."""
    padded = np.pad(shape.astype(np.float64), 2)
    rows, columns = (np.arange(round((length + 2) * size)) for length in shape.shape)
    value = _sampled(_sampled(padded, (rows + 0.5) / size + 0.5, 0), (columns + 0.5) / size + 0.5, 1)
    return np.clip((value - _EDGE) * size + 0.5, 0, 1).astype(np.float32)


def _sampled(values: Floats, places: Floats, axis: int) -> Floats:
    """`values` along `axis` at fractional places, linearly between two."""
    low = np.floor(places).astype(np.int64)
    part = np.expand_dims(places - low, 1 - axis)
    return np.take(values, low, axis) * (1 - part) + np.take(values, low + 1, axis) * part


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
