"""Lines with fewer points that look the same: of each stretch the lowest and the highest point stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POINTS = 5_000
"""Points of a line that a phone draws without being asked to wait."""


def thinned(values: NDArray[Any], most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Rows of `values` to draw, in order; `most` is at least 4. First, last, lowest and highest are among them."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    bounds = np.linspace(0, count, (most - 2) // 2 + 1).astype(np.int64)
    kept = {0, count - 1}
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        stretch = values[start:stop]
        kept.add(start + int(stretch.argmin()))
        kept.add(start + int(stretch.argmax()))
    return np.array(sorted(kept), np.int64)
