"""A winner on high ground scores high, one on a spike low, whatever the units, the scales and the way sets were
chosen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridtide.optimize.overfitting.plateau import Plateau, plateau

Floats = NDArray[np.float64]


def scored(parameters: dict[str, Any], objective: Any, winner: int | None = None) -> Plateau:
    found = plateau(parameters, objective, winner)
    assert found is not None
    return found


def full_grid() -> tuple[dict[str, Floats], Floats, Floats]:
    """Eleven lower prices by nine counts, and their distances from the middle in steps."""
    lower, count = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e4, 9e4, 11), np.arange(5.0, 50, 5)))
    return {"lower_price": lower, "num_grids": count}, np.log(lower / 3e4) / np.log(9) * 10, (count - 25) / 5


def test_neighbours_of_a_full_grid_are_one_step_away_along_each_parameter() -> None:
    """Around the middle of 11 × 9 sets: two on each side of each axis are nearest, one step along it, whose
    objectives are 9 and 8 here while the winner has 10 and the median set less."""
    parameters, across, along = full_grid()
    objective = 10 - np.abs(across) - 2 * np.abs(along)
    found = scored(parameters, objective)
    assert found.neighbours == 4
    assert found.neighbour_median == pytest.approx(8.5)
    assert found.winner == pytest.approx(10)
    assert found.score == pytest.approx((8.5 - found.field_median) / (10 - found.field_median))
    assert found.reach == pytest.approx((1 / 10 + 1 / 8) / 4)  # one step on one of two axes
    assert found.edges == ()


def test_a_spike_keeps_nothing() -> None:
    parameters, across, along = full_grid()
    objective = -across - along
    objective[49] = 100
    found = scored(parameters, objective)
    assert found.winner == 100
    assert found.score < 0.05
    assert found.rank == pytest.approx(0.5, abs=0.1)


def random_sample(seed: int, sets: int = 1500) -> dict[str, Floats]:
    generator = np.random.default_rng(seed)
    return {
        "lower_price": generator.uniform(1e4, 3e4, sets),
        "upper_price": 10 ** generator.uniform(4.6, 5, sets),
        "num_grids": generator.integers(5, 100, sets).astype(float),
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_random_sample_shows_hills_and_luck(seed: int) -> None:
    """A smooth hill over the ranks keeps most of its top; figures drawn by lot keep next to nothing of their best."""
    parameters = random_sample(seed)
    ranks = np.array([column.argsort().argsort() / 1500 for column in parameters.values()])
    hill = -np.square(ranks - 0.4).sum(axis=0)
    lot = np.random.default_rng(seed + 9).normal(size=1500)
    assert scored(parameters, hill).score > 0.8
    assert scored(parameters, hill).rank > 0.9
    assert scored(parameters, lot).score < 0.3


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.sampled_from([1e-6, 3.0, 1e9]), order=st.randoms())
def test_units_scales_and_order_play_no_part(seed: int, scale: float, order: Any) -> None:
    """Any rising change of a parameter's unit, and any order of the sets, gives the same plateau."""
    parameters = random_sample(seed, 60)
    objective = np.random.default_rng(seed).permutation(60).astype(float)
    turned = list(range(60))
    order.shuffle(turned)
    changed = {name: np.log(column[turned]) * scale for name, column in parameters.items()}
    first, second = scored(parameters, objective), scored(changed, objective[turned])
    assert first.neighbours == second.neighbours
    assert first.score == pytest.approx(second.score)
    assert first.rank == pytest.approx(second.rank)


def test_coarse_parameters_are_looked_along_too() -> None:
    """Three spacings' widths and forty counts: a winner that falls off a cliff at the next width is found out
    although forty sets are nearer along the counts."""
    width, count = (axis.ravel() for axis in np.meshgrid([0.1, 0.2, 0.3], np.arange(40.0)))
    objective = np.where(width == 0.2, 10 - np.abs(count - 20) / 100, 0)
    found = scored({"width": width, "count": count}, objective)
    assert found.neighbours == 4
    assert found.positive == 0.5


def test_categories_and_decimals_are_parameters() -> None:
    """Another category is as far away as the other end of a range: neighbours are of the winner's own."""
    prices = [Decimal(price) for price in range(100, 140)]
    spacing = ["geometric"] * 40 + ["arithmetic"] * 40
    objective = np.concatenate((10 - np.abs(np.arange(40.0) - 20), np.full(40, -5.0)))
    found = scored({"price": prices * 2, "spacing": spacing, "same": [1] * 80}, objective)
    assert found.neighbour_median == 9
    alone = scored({"spacing": ["a", "b", "b", "a"]}, [3.0, 1, 1, 2])
    assert (alone.neighbours, alone.neighbour_median, alone.reach) == (1, 2, 0)


def test_a_winner_at_the_edge_says_so() -> None:
    found = scored({"price": np.arange(100.0), "count": np.arange(100.0) % 7}, np.arange(100.0))
    assert found.edges == ("price",)


def test_refused_neighbours_are_a_cliff() -> None:
    found = scored({"price": np.arange(9.0)}, [1, 1, 1, np.nan, 9, np.nan, 1, 1, 1])
    assert found.score == 0
    assert found.neighbour_median == -np.inf
    assert found.positive == 0


def test_equal_figures_are_flat_ground() -> None:
    assert scored({"price": np.arange(9.0)}, np.ones(9)).score == 1


def test_nothing_to_look_at_is_none() -> None:
    assert plateau({"price": [1, 2]}, [1.0, 2.0]) is None
    assert plateau({"price": [5, 5, 5]}, [1.0, 2.0, 3.0]) is None


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="one value for each"):
        plateau({"price": [1, 2]}, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="every set was refused"):
        plateau({"price": [1, 2, 3]}, [np.nan] * 3)
