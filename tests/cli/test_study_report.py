"""`gridtide report` of a study: what the folder says, as text, as a page, and what it refuses."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from gridtide.bootstrap.study_view import study_view
from gridtide.cli import main
from gridtide.domain.errors import DataUnusable, InvalidInput
from tests.cli.conftest import CONFIG, Command

HOUR = 3_600_000
START = 1_640_995_200_000
SPACE = """\
lower_price: {from: 40000, to: 46000, step: 1000}
num_grids: {from: 5, to: 40}
spacing: [arithmetic, geometric]
"""


def candles() -> Iterator[str]:
    """Forty days of hours that swing around 50,000."""
    yield "timestamp,open,high,low,close,volume"
    prices = [50_000 + 3_000 * math.sin(hour / 9) + 900 * math.sin(hour / 2.3) for hour in range(40 * 24 + 1)]
    for hour, (opened, closed) in enumerate(pairwise(prices)):
        low, high = min(opened, closed) - 80, max(opened, closed) + 80
        yield f"{START + hour * HOUR},{opened:.2f},{high:.2f},{low:.2f},{closed:.2f},10"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 24 trials over two windows; to be read, not to be changed."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "grid.yaml").write_text(CONFIG)
    (folder / "space.yaml").write_text(SPACE)
    (folder / "hours.csv").write_text("\n".join(candles()))
    arguments = ["optimize", str(folder / "grid.yaml"), "--data", str(folder / "hours.csv"), "--windows", "2"]
    wish = [
        "--space",
        str(folder / "space.yaml"),
        "--trials",
        "24",
        "--save",
        str(folder / "found"),
        "--json",
    ]
    assert main([*arguments, *wish]) == 0
    return folder / "found"


def test_the_view_says_what_the_folder_says(study: Path) -> None:
    """Trials, windows, verdict and the front's rows are those of study.json."""
    told, view = orjson.loads((study / "study.json").read_bytes()), study_view(study)
    assert view.verdict == told["verdict"]["sentence"]
    assert view.verdict_level == told["verdict"]["level"]
    assert set(view.parameters) == {"lower_price", "num_grids", "spacing"}
    assert len(view.figures["sharpe"]) == told["trials"]["whole"]
    assert [window.trials for window in view.windows] == [24, 24]
    assert (len(view.times), view.equity[0]) == (len(view.equity), told["walk_forward"]["first_equity"])
    for row, each in zip(view.front, told["front"], strict=True):
        assert view.figures["final_equity"][row] == each["in_sample"]["final_equity"]
    assert len(view.statistics) == 9
    assert view.hold is not None
    assert view.hold[0] == view.equity[0]
    assert len(view.hold) == len(view.times)


def test_report_prints_the_verdict_and_writes_the_page(study: Path, command: Command, folder: Path) -> None:
    """The verdict comes first; the page holds it too."""
    shown = command("report", str(study), "--html", "study.html")
    assert shown.code == 0, shown.err
    sentence = study_view(study).verdict
    assert shown.out.splitlines()[1] == sentence
    assert (folder / "study.html").read_text().count("<section>") >= 8
    assert command("report", str(study), "--json").json["verdict"]["sentence"] == sentence


def test_what_a_report_of_a_study_refuses(study: Path, command: Command, folder: Path) -> None:
    """Several at once, and files it does not make: a sentence, nothing written."""
    for arguments in ([str(study), str(study)], [str(study), "--png", "x.png"]):
        refused = command("report", *arguments)
        assert refused.code == 2
        assert "a study is shown by itself" in refused.err
    assert not (folder / "x.png").exists()


def test_a_study_that_stopped_says_how_to_go_on(study: Path, tmp_path: Path) -> None:
    """And a damaged file is named, and left."""
    begun = orjson.loads((study / "study.json").read_bytes()) | {"state": "begun"}
    (tmp_path / "study.json").write_bytes(orjson.dumps(begun))
    with pytest.raises(InvalidInput, match="run its command again"):
        study_view(tmp_path)
    (tmp_path / "study.json").write_bytes((study / "study.json").read_bytes())
    (tmp_path / "trials.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(DataUnusable, match="run the search again"):
        study_view(tmp_path)
