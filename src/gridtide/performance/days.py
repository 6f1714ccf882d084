"""UTC days of a run: where daily figures are taken and daily baselines trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_MS = 86_400_000


def midnights(first_ms: int, last_ms: int) -> NDArray[np.int64]:
    """UTC midnights after `first_ms` and up to `last_ms`, in ms."""
    return np.arange((first_ms // DAY_MS + 1) * DAY_MS, last_ms + 1, DAY_MS, dtype=np.int64)
