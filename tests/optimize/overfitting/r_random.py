"""R's generator of random normal numbers, so that examples published in R can be run on the very same numbers."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_BIG = 134_217_728
_STEP = 2.3283064365386963e-10


def rnorm(seed: int, count: int) -> NDArray[np.float64]:
    """`set.seed(seed); rnorm(count)`: Mersenne Twister with R's scrambled seed, normal numbers by inversion.

    `set.seed(42); rnorm(3)` prints 1.3709584, -0.5646982, 0.3631284 in every version of R since 1.7.
    """
    for _ in range(50):
        seed = (69069 * seed + 1) % 2**32
    words = []
    for _ in range(625):
        seed = (69069 * seed + 1) % 2**32
        words.append(seed)
    state = np.random.RandomState()
    state.set_state(("MT19937", np.array(words[1:], np.uint32), 624, 0, 0.0))
    uniform = state.randint(0, 2**32, size=2 * count, dtype=np.uint64) * _STEP
    inverse = NormalDist().inv_cdf
    return np.array([inverse(value) for value in (np.floor(_BIG * uniform[::2]) + uniform[1::2]) / _BIG])
