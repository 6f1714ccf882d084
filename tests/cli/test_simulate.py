"""`gridtide simulate` as a person uses it: what it refuses, and what it still says after Ctrl-C."""

import pytest

from gridtide.simulation import campaign
from gridtide.simulation.campaign import Campaign
from tests.cli.conftest import Command


@pytest.mark.parametrize(
    "options", [("--seeds", "0"), ("--seeds", "-1"), ("--workers", "0"), ("--first", "-1"), ("--seeds", "x")]
)
def test_a_slip_runs_nothing(command: Command, options: tuple[str, ...]) -> None:
    found = command("simulate", *options)
    assert (found.code, found.out) == (2, "")
    assert f"for {options[0]}" in found.err


def test_after_ctrl_c_it_says_what_was_run(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_seeds: object, _workers: int, on_progress: object) -> Campaign:
        assert callable(on_progress)
        on_progress(Campaign(seeds=7))
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign, "run_campaign", interrupted)
    found = command("simulate", "--seeds", "20")
    assert found.code == 130
    assert "Interrupted after 7 of 20 seeds." in found.out
