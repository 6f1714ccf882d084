"""The stationary bootstrap draws what its authors describe, and blocks are as long as published code makes them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gridtide.optimize.overfitting.block_length import automatic_block_length
from gridtide.optimize.overfitting.stationary_bootstrap import resampled_places


def test_block_length_of_published_code() -> None:
    """K. Sheppard's arch, test_block_length: 13.635665 for this series, which remembers 0.3 of its last value."""
    series = np.random.RandomState(0).standard_normal(10_100)
    for place in range(1, len(series)):
        series[place] += 0.3 * series[place - 1]
    assert automatic_block_length(series[100:]) == pytest.approx(13.635665, rel=1e-6)


def test_more_memory_makes_longer_blocks() -> None:
    noise = np.random.default_rng(4).standard_normal(3000)
    found = []
    for memory in (0.0, 0.5, 0.9):
        series = noise.copy()
        for place in range(1, len(series)):
            series[place] += memory * series[place - 1]
        found.append(automatic_block_length(series))
    assert 1 <= found[0] < 6 < found[1] < found[2]


def test_a_block_is_never_longer_than_the_series_bears() -> None:
    """A wave cancels out in the long run, which asks for endless blocks; the longest is min(3√n, n/3), as in Patton's
    program."""
    wave = np.sin(np.arange(400) * 2 * np.pi / 5)
    assert automatic_block_length(wave) == 60
    assert automatic_block_length(wave[:30]) == 10


def test_a_series_that_never_moves_has_no_memory() -> None:
    assert automatic_block_length(np.full(50, 0.1)) == 1


def test_blocks_have_the_length_asked_for_and_begin_anywhere() -> None:
    """Of 400,000 places one in twelve begins a block, and every value is drawn as often as any other, within five
    standard errors."""
    places = resampled_places(50, 2000, 200, 12, np.random.default_rng(8))
    follows = (places[:, 1:] - places[:, :-1]) % 50 == 1
    begins = 1 - (follows.mean() - 1 / 50 / 12)  # a new block may by chance begin at the next value
    assert begins == pytest.approx(1 / 12, abs=5 * math.sqrt(1 / 12 / 400_000))
    counts = np.bincount(places.ravel(), minlength=50) / places.size
    assert counts == pytest.approx(1 / 50, abs=5 * math.sqrt(2 * 12 / 50 / 400_000))


def test_blocks_of_one_are_plain_draws() -> None:
    places = resampled_places(1000, 500, 20, 1, np.random.default_rng(1))
    assert ((places[:, 1:] - places[:, :-1]) % 1000 == 1).mean() < 0.01


def test_blocks_longer_than_all_are_the_series_turned_round() -> None:
    """It goes on at its beginning when it passes its end."""
    places = resampled_places(7, 20, 3, 1e12, np.random.default_rng(1))
    assert (places == (places[:, :1] + np.arange(20)) % 7).all()


def test_a_seed_gives_the_same_draws() -> None:
    first, second = (resampled_places(30, 40, 5, 4, np.random.default_rng(2)) for _ in range(2))
    assert (first == second).all()


def test_what_cannot_be_drawn_is_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least one value"):
        resampled_places(0, 5, 5, 2, generator)
    with pytest.raises(ValueError, match="at least 1"):
        resampled_places(5, 5, 5, 0.5, generator)
    with pytest.raises(ValueError, match="at least 10 values"):
        automatic_block_length(np.arange(9.0))
