"""Search spaces: what a file may say, which sets it means, and what a person reads who wrote something else."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.config.yaml_file import read_yaml
from gridtide.domain.errors import InvalidInput
from gridtide.optimize.drawing import Drawing, drawing, shuffled
from gridtide.optimize.space import Choices, Range, Steps, parse_space, resolved
from tests.house.files import ROOT


def space(**values: Any) -> Any:
    return parse_space(values, "space.yaml")


def test_each_way_to_write_a_parameter_gives_exactly_its_values() -> None:
    found = space(
        num_grids=["20", "50"],
        spacing=["arithmetic", "geometric"],
        vacant="nearest",
        post_only=[True, False],
        lower_price={"from": "0.1", "to": "0.3", "step": "0.1"},
        upper_price={"from": "10", "to": "12"},
    ).domains
    assert found["num_grids"] == Choices((20, 50))
    assert found["spacing"].values == ("arithmetic", "geometric")
    assert found["vacant"].values == ("nearest",)
    assert found["post_only"].values == (True, False)
    steps = found["lower_price"]
    assert [steps.value(k) for k in range(steps.count)] == [Decimal("0.1"), Decimal("0.2"), Decimal("0.3")]
    assert found["upper_price"] == Steps(Decimal(10), Decimal(1), 3)


def test_ranges_without_steps_are_drawn_within_their_bounds() -> None:
    found = space(a={"from": "1.0", "to": "2.0"}, b={"from": "10", "to": "1000", "log": True})
    assert found.size is None
    rng = random.Random(3)
    for _ in range(200):
        drawn = found.drawn(rng)
        assert 1 <= drawn["a"] <= 2
        assert isinstance(drawn["b"], int)
        assert 10 <= drawn["b"] <= 1000


def test_the_example_of_the_docs_is_a_space(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "optimizing.md").read_text(encoding="utf-8")
    (tmp_path / "space.yaml").write_text(text.split("```yml\n")[1].split("```")[0])
    found = parse_space(read_yaml(tmp_path / "space.yaml").data, "space.yaml")
    assert list(found.domains)[-1] == "fees.maker"
    assert found.endless == ("total_investment",)
    assert found.refusal({"lower_price": 100, "upper_price": 110}, {}) is not None


def test_a_log_range_gives_each_doubling_the_same_chance() -> None:
    domain = Range(Decimal(1), Decimal(10000), is_log=True)
    assert float(str(domain.drawn(0.5))) == pytest.approx(100, rel=1e-5)
    assert (domain.drawn(0), domain.drawn(1)) == (1, 10000)


def test_percentages_become_prices_around_the_start_price() -> None:
    found = space(lower_price={"from": "-30%", "to": "-10%", "step": "10%"}, num_grids=["5"])
    assert [found.set_at(k)["lower_price"] for k in range(3)] == ["-30%", "-20%", "-10%"]
    assert resolved(found.set_at(0), Decimal("50000.00"), 2) == {"lower_price": 35000, "num_grids": 5}
    assert resolved({"p": "+12.5%"}, Decimal("0.5"), 4) == {"p": Decimal("0.5625")}


def test_sets_are_numbered_without_a_gap() -> None:
    found = space(a=["1", "2", "3"], b=["x", "y"])
    assert found.size == 6
    assert {tuple(found.set_at(k).items()) for k in range(6)} == {
        (("a", a), ("b", b)) for a in (1, 2, 3) for b in ("x", "y")
    }


def test_conditions_refuse_a_set_with_their_own_words() -> None:
    found = space(
        lower_price=["1", "2"],
        upper_price=["2"],
        conditions=["lower_price * 1.5 < upper_price", "a.b == 'x'"],
    )
    assert found.refusal({"lower_price": 1, "upper_price": 2}, {"a.b": "x"}) is None
    assert found.refusal({"lower_price": 2, "upper_price": 2}, {"a.b": "x"}) == (
        "not lower_price * 1.5 < upper_price"
    )
    assert found.refusal({"lower_price": 1, "upper_price": 2}, {"a.b": "y"}) == "not a.b == 'x'"
    assert found.refusal({"lower_price": "word", "upper_price": 2}, {"a.b": "x"}) is not None


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({}, "names no parameter"),
        ({"a": []}, "no value to try"),
        ({"a": ["1", "1"]}, "listed twice"),
        ({"a": {"from": "1"}}, "needs from and to"),
        ({"a": {"from": "2", "to": "1"}}, "above to"),
        ({"a": {"from": "1", "too": "2"}}, "did you mean to?"),
        ({"a": {"from": "1", "to": "2", "step": "0"}}, "not above zero"),
        ({"a": {"from": "-10%", "to": "2"}}, "both in percent"),
        ({"a": {"from": "0", "to": "2", "log": True}}, "above zero"),
        ({"a": {"from": "x", "to": "2"}}, "not a number"),
        ({"a": ["1"], "conditions": "a < 2"}, "give a list"),
        ({"a": ["1"], "conditions": ["__import__('os')"]}, "not understood"),
        ({"a": ["1"], "conditions": ["a < print(1)"]}, "not understood"),
        ({"a": ["1"], "conditions": ["a.__class__ <"]}, "not understood"),
        ({name: {"from": "1", "to": "1000"} for name in "abcdefgh"}, "fewer values"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence.replace("?", r"\?")) as told:
        parse_space(values, "space.yaml")
    assert "\n" not in str(told.value)


def test_an_unknown_parameter_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInput, match="no parameter num_grid; did you mean num_grids"):
        space(num_grid=["2"]).check_names(["num_grids", "lower_price"])
    with pytest.raises(InvalidInput, match="no parameter lower; did you mean lower_price"):
        space(num_grids=["2"], conditions=["lower < 5"]).check_names(["num_grids", "lower_price"])


@given(size=st.integers(1, 700), seed=st.integers(0, 5))
def test_a_shuffle_visits_every_number_once(size: int, seed: int) -> None:
    assert sorted(shuffled(k, size, seed) for k in range(size)) == list(range(size))


def test_a_drawing_is_the_same_wherever_it_is_begun_and_another_with_another_seed() -> None:
    counted, endless = space(a={"from": "1", "to": "500"}), space(a={"from": "1.0", "to": "5.0"})
    for each in (counted, endless):
        first = [Drawing(each, 1)[k] for k in range(50)]
        assert first[30:] == [Drawing(each, 1)[k] for k in range(30, 50)]
        assert first != [Drawing(each, 2)[k] for k in range(50)]
        assert len({str(one) for one in first}) == 50


def test_exhaustive_names_the_parameter_that_never_ends() -> None:
    with pytest.raises(InvalidInput, match="needs steps, and a has none"):
        drawing(space(a={"from": "1.0", "to": "2.0"}), "exhaustive", 1)
