"""The verdict says what the figures say, never more than they say, and is kept as it was given."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.optimize.overfitting.choice_statistics import gain_over_fall, total_return
from gridtide.optimize.overfitting.evidence import Evidence, evidence_of_returns
from gridtide.optimize.overfitting.findings import Thresholds
from gridtide.optimize.overfitting.verdict import REQUIRED, RULES, WISHED, Verdict, judge
from gridtide.optimize.overfitting.wording import NAMES, Level, joined, percent

GOOD = Evidence(
    trials=5000,
    periods=365,
    profit=0.2,
    overfitting=0.02,
    splits=12_870,
    out_of_sample_loss=0.01,
    deflated=0.99,
    deflated_effective=0.97,
    effective_trials=150.0,
    luck=0.002,
    walk_forward_efficiency=0.8,
    profitable_windows=0.9,
    windows=8,
    plateau=0.8,
    break_even_fees=3.0,
    leaves_in_30_days=0.3,
)


def test_what_is_good_in_every_way_holds() -> None:
    found = judge(GOOD)
    assert found.level is Level.HOLDS
    assert found.sentence == (
        "Holds: choosing like this kept 80 % of the profit on the data that came after each choice, and luck explains "
        "the best of 5,000 tries, itself chosen on all data, with a chance of under 1 % only; the market may still "
        "change."
    )
    assert (found.reasons, found.missing) == ((), ())


@pytest.mark.parametrize(
    "change, level, words",
    [
        ({"overfitting": 0.5}, Level.OVERFITTED, "in 50 % of the splits"),
        ({"overfitting": 0.11}, Level.NOT_SHOWN, "in 11 % of the splits"),
        (
            {"deflated": 0.49},
            Level.OVERFITTED,
            "is 49 % with the true number of tries and 97 % against pure luck; 50 % is",
        ),
        ({"deflated": 0.94}, Level.NOT_SHOWN, "only 94 % sure"),
        ({"luck": 0.5}, Level.OVERFITTED, "in 50 % of redrawn pasts"),
        ({"luck": 0.06}, Level.NOT_SHOWN, "in 6 % of redrawn pasts"),
        ({"walk_forward_efficiency": -0.1}, Level.OVERFITTED, "nothing of the profit was left"),
        ({"walk_forward_efficiency": 0.3}, Level.NOT_SHOWN, "only 30 % of the profit"),
        ({"profit": -0.01}, Level.NOT_SHOWN, "even the best set earned nothing"),
        ({"plateau": 0.2}, Level.FRAGILE, "keep only 20 % of its lead"),
        ({"break_even_fees": 1.2}, Level.FRAGILE, "at 1.2 times the fees"),
        ({"profitable_windows": 0.4}, Level.FRAGILE, "only 40 % of the walk-forward windows"),
        ({"leaves_in_30_days": 0.9}, Level.FRAGILE, "within 30 days in 90 % of cases"),
    ],
)
def test_one_bad_figure_decides(change: dict[str, float], level: Level, words: str) -> None:
    found = judge(replace(GOOD, **change))  # type: ignore[arg-type]  # figures of either type
    assert found.level is level
    assert words in found.sentence
    assert len(found.reasons) == 1


def test_luck_by_the_formula_is_weighed_against_tests_of_the_sets_themselves() -> None:
    """With many alike sets a weak edge is below what the formula expects of luck. Where both cross-validation and
    reality check clear it, it is not shown; where one does not, or was not made, it is overfitted."""
    doubtful = replace(GOOD, deflated_effective=0.4)
    assert judge(doubtful).level is Level.NOT_SHOWN
    assert judge(replace(doubtful, luck=0.06)).level is Level.OVERFITTED
    assert judge(replace(doubtful, overfitting=0.2)).level is Level.OVERFITTED
    assert judge(replace(doubtful, luck=None)).level is Level.OVERFITTED


@pytest.mark.parametrize("name", REQUIRED)
def test_without_a_required_figure_nothing_good_is_said(name: str) -> None:
    found = judge(replace(GOOD, **{name: None}))
    assert found.level is Level.NOT_JUDGED
    assert found.sentence == f"Not judged: {NAMES[name]} is missing."
    assert found.missing == (NAMES[name],)


@pytest.mark.parametrize("name", WISHED)
def test_other_figures_may_be_missing_and_are_named(name: str) -> None:
    found = judge(replace(GOOD, **{name: None}))
    assert found.level is Level.HOLDS
    assert found.missing == (NAMES[name],)


def test_bad_news_needs_no_other_figure() -> None:
    found = judge(Evidence(overfitting=0.7))
    assert found.level is Level.OVERFITTED
    assert len(found.missing) == len(REQUIRED) + len(WISHED) - 1


def test_without_any_figure_all_that_is_missing_is_named() -> None:
    found = judge(Evidence())
    assert found.level is Level.NOT_JUDGED
    assert all(NAMES[name] in found.sentence for name in REQUIRED)
    assert found.sentence.endswith("are missing.")


def test_the_worst_reasons_come_first_and_two_are_in_the_sentence() -> None:
    found = judge(replace(GOOD, plateau=0.1, luck=0.6, overfitting=0.7, walk_forward_efficiency=-1))
    assert found.level is Level.OVERFITTED
    assert [reason in found.sentence for reason in found.reasons] == [True, True, False, False]
    assert found.sentence.count(".") == 1


def test_a_loss_is_not_called_a_profit() -> None:
    found = judge(replace(GOOD, luck=0.6, profit=-0.1))
    assert found.sentence.endswith("in 60 % of redrawn pasts, and even so it earned nothing.")


def test_thresholds_can_be_stated() -> None:
    strict = Thresholds(overfitting_good=0.01)
    found = judge(GOOD, strict)
    assert found.level is Level.NOT_SHOWN
    assert found.thresholds == strict


FIGURES = st.one_of(st.none(), st.floats(0, 1))


@given(
    st.builds(
        Evidence,
        trials=st.one_of(st.none(), st.integers(1, 10**7)),
        overfitting=FIGURES,
        deflated=FIGURES,
        deflated_effective=FIGURES,
        luck=FIGURES,
        walk_forward_efficiency=st.one_of(st.none(), st.floats(-5, 5)),
        plateau=FIGURES,
        break_even_fees=st.one_of(st.none(), st.floats(0, 5)),
        profitable_windows=FIGURES,
        leaves_in_30_days=FIGURES,
    )
)
def test_a_verdict_is_kept_word_for_word(evidence: Evidence) -> None:
    """Through JSON and back it is the same verdict, it is one sentence, and only a complete one may hold."""
    found = judge(evidence)
    assert Verdict.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.sentence.endswith(".")
    assert ". " not in found.sentence
    if found.level in {Level.HOLDS, Level.FRAGILE}:
        assert all(getattr(evidence, name) is not None for name in REQUIRED)


def test_a_kept_verdict_is_not_judged_anew() -> None:
    stored = judge(GOOD).to_json() | {"level": "overfitted", "sentence": "As it was said then."}
    assert Verdict.from_json(stored).sentence == "As it was said then."


@pytest.mark.parametrize(
    "change, words",
    [
        ({"rules": RULES + 1}, "newer version"),
        ({"level": "splendid"}, "splendid"),
        ({"evidence": {"charm": 1}}, "charm"),
        ({"thresholds": {"charm": 1}}, "no verdict"),
    ],
)
def test_what_is_no_verdict_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Verdict.from_json(judge(GOOD).to_json() | change)
    with pytest.raises(ValueError, match="no verdict"):
        Verdict.from_json({})


def test_figures_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="luck"):
        judge(replace(GOOD, luck=float("nan")))


@pytest.mark.parametrize(
    "share, text",
    [(0, "0 %"), (0.004, "under 1 %"), (0.996, "over 99 %"), (1, "100 %"), (-0.25, "−25 %"), (0.345, "34 %")],
)
def test_a_share_is_never_rounded_to_certainty(share: float, text: str) -> None:
    assert percent(share) == text


def test_parts_are_joined_like_words() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(["a", "b", "c"]) == "a, b and c"


def test_evidence_of_returns_gathers_what_they_tell() -> None:
    """A skilled set among 60: every figure that returns give is there, and none that they do not."""
    returns = np.random.default_rng(1).normal(0, 0.01, (200, 60))
    returns[:, 5] += 0.005 - returns[:, 5].mean()
    found = evidence_of_returns(returns, np.random.default_rng(2), trials=90, draws=200)
    assert (found.trials, found.periods, found.splits) == (90, 200, 12_870)
    assert found.profit == pytest.approx(np.prod(1 + returns[:, 5]) - 1)
    assert found.overfitting is not None
    assert found.overfitting < 0.01
    assert found.deflated is not None
    assert found.deflated > 0.95
    assert found.luck == pytest.approx(1 / 201)
    assert found.effective_trials == pytest.approx(90, rel=0.05)
    absent = {field.name for field in fields(Evidence) if getattr(found, field.name) is None}
    assert absent == {
        "walk_forward_efficiency", "profitable_windows", "windows", "plateau", "break_even_fees", "leaves_in_30_days",
    }  # fmt: skip


def test_a_search_that_never_traded_has_shown_nothing() -> None:
    found = evidence_of_returns(np.zeros((40, 3)), np.random.default_rng(2), draws=20)
    assert (found.deflated, found.deflated_effective, found.luck, found.overfitting) == (0, 0, 1, 1)
    assert judge(found).level is Level.OVERFITTED


@pytest.mark.parametrize("shape", [(19, 30), (200, 1), (200, 0)])
def test_too_little_to_tell_is_missing_not_an_error(shape: tuple[int, int]) -> None:
    """Nineteen days, one set, or a search in which every set was refused."""
    found = evidence_of_returns(np.full(shape, 0.01), np.random.default_rng(2), trials=50)
    assert (found.trials, found.periods, found.overfitting, found.luck) == (50, shape[0], None, None)
    assert judge(found).level is Level.NOT_JUDGED


def test_fewer_trials_than_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="2 trials"):
        evidence_of_returns(np.zeros((40, 3)), np.random.default_rng(2), trials=2)


def test_the_set_that_was_chosen_is_judged_not_the_best_of_another_measure() -> None:
    """One quiet skilled set among 200 that leap about without skill, and one of these was chosen, for its profit: the
    skill of the other does not speak for it, neither before luck nor in cross-validation by profit."""
    returns = np.random.default_rng(1).normal(0, 0.03, (200, 200))
    returns[:, 7] = np.random.default_rng(2).normal(0.001, 0.001, 200)
    chosen = int(total_return(returns).argmax())
    assert chosen != 7
    by_sharpe = evidence_of_returns(returns, np.random.default_rng(3), draws=200)
    found = evidence_of_returns(
        returns, np.random.default_rng(3), chosen=chosen, draws=200, statistic=total_return
    )
    assert by_sharpe.luck is not None
    assert by_sharpe.overfitting is not None
    assert max(by_sharpe.luck, by_sharpe.overfitting) < 0.01
    assert found.luck is not None
    assert found.overfitting is not None
    assert found.luck > 0.05
    assert found.overfitting > 0.2
    assert found.splits == 252


def test_returns_are_measured_as_the_objectives_measure_equity() -> None:
    """Down by a half and up to 1.2; a fall of a tenth; a rise without a fall."""
    returns = np.array([[-0.5, -0.1, 0.0], [1.4, 0.0, 0.21]])
    assert total_return(returns).tolist() == pytest.approx([0.2, -0.1, 0.21])
    assert gain_over_fall(returns).tolist() == pytest.approx([0.2 / 0.5, -0.1 * 0.1, 0.21 / 1e-4])


def test_the_best_of_many_is_not_held_against_a_lot_of_few() -> None:
    """The best of 10,000 sets without skill beats 200 of them by lot, and makes their cross-validation look better;
    held against all 10,000 it is luck."""
    returns = np.random.default_rng(4).normal(0, 0.01, (120, 10_000))
    best = int((returns.mean(0) / returns.std(0)).argmax())
    lot = np.column_stack((returns[:, best], np.delete(returns, best, axis=1)[:, :199]))
    few = evidence_of_returns(lot, np.random.default_rng(5), trials=10_000, chosen=0, draws=300)
    assert few.luck is not None
    assert few.overfitting is not None
    assert few.luck < 0.05
    found = evidence_of_returns(
        lot, np.random.default_rng(5), trials=10_000, chosen=0, draws=300, drawn_from=10_000
    )
    assert found.luck is not None
    assert found.overfitting is not None
    assert found.luck > 0.5
    assert found.overfitting > few.overfitting + 0.1
    assert (found.looked_at, found.trials) == (200, 10_000)
