"""What the README and the docs say is true: every command, option and setting is there, every example works."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

from gridtide.cli.app import COMMANDS, make_app
from gridtide.config import AppSettings, load_settings
from gridtide.config.schema import settings_of
from gridtide.domain.lifecycle import TRANSITIONS, IntentState
from gridtide.sandbox.faults.scenario import read_scenario
from tests.house.files import ROOT
from tools import state_figure, write_reference

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PAGES}


def overlaps(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_the_figure_of_an_orders_life_shows_every_row_of_its_table() -> None:
    """One arrow for each pair of states the table joins, with the ids of its rows; nothing stands on anything else.
    It needs no script, so that the page shows it without asking anybody."""
    lines = state_figure.lines()
    drawn = {(line.before, line.after): set(line.ids.split(", ")) for line in lines if line.before}
    wanted: dict[tuple[str, str], set[str]] = {}
    for (before, _), (after, name) in TRANSITIONS.items():
        wanted.setdefault((before.value, after.value), set()).add(name)
    assert drawn == wanted
    assert {(line.after, line.ids) for line in lines if not line.before} == {
        ("PLANNED", "T1"),
        ("ZOMBIE", "T22"),
    }
    figure, table = state_figure.figure(), state_figure.table()
    assert all(f">{state.value}</text>" in figure for state in IntentState)
    assert figure.count("<path d=") == len(lines) + 1
    assert all(
        f"| {before} | {event.replace('_', ' ')} | {after} | {name} |" in table
        for (before, event), (after, name) in TRANSITIONS.items()
    )
    boxes: list[Box] = [
        (
            x - state_figure.HALF_WIDTH,
            y - state_figure.HALF_HEIGHT,
            x + state_figure.HALF_WIDTH,
            y + state_figure.HALF_HEIGHT,
        )
        for x, y in state_figure.PLACES.values()
    ]
    boxes += [
        (at.x - 4 * len(line.ids), at.y - 7, at.x + 4 * len(line.ids), at.y + 7)
        for line in lines
        for at in [line.label]
    ]
    assert [pair for pair in itertools.combinations(boxes, 2) if overlaps(*pair)] == []
    assert all(
        box[0] >= 0 and box[1] >= 0 and box[2] <= state_figure.WIDTH and box[3] <= state_figure.HEIGHT
        for box in boxes
    )
    assert not re.search("<script|href|src=|mermaid", figure)
    assert not any("```mermaid" in text for text in TEXTS.values()), (
        "its program would be fetched from elsewhere"
    )


def blocks(language: str) -> list[tuple[str, str]]:
    """Page and content of every code block of a language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(name, block) for name, text in TEXTS.items() for block in pattern.findall(text)]


def commands() -> list[str]:
    """Every `gridtide …` that a page tells somebody to type."""
    typed = [line for _, block in blocks("console") for line in block.splitlines()]
    lines = [line.removeprefix("$ ").split(" #")[0] for line in typed]
    return sorted({line for line in lines if line.startswith("gridtide ")})


@pytest.mark.parametrize(
    "name",
    [
        "docs/configuration.md",
        "docs/commands.md",
        "docs/sandbox-protocol.md",
        "docs/sandbox-faults.md",
        "docs/order-safety.md",
    ],
)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    """To write it anew: .venv/bin/python -m tools.write_reference"""
    page = (ROOT / name).read_text(encoding="utf-8")
    assert write_reference.with_reference(page, write_reference.GENERATED[name]()) == page


def test_every_setting_is_in_the_docs() -> None:
    missing = [
        setting.key
        for setting in settings_of(AppSettings)
        if f"`{setting.key}`" not in TEXTS["configuration.md"]
    ]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_help_is_in_the_docs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_app()([name, "--help"], result_action="return_value")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", capsys.readouterr().out))
    section = TEXTS["commands.md"].split(f"## gridtide {name}\n")[1].split("\n## ")[0]
    general = TEXTS["commands.md"].split("<!--")[0]
    assert {option for option in options if option not in section + general} == set()
    assert options


def test_there_are_examples_to_check() -> None:
    assert len(commands()) > 15
    assert len(blocks("yaml")) >= 3


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_docs_can_be_typed(line: str) -> None:
    """It parses, with every option and value; it is not run."""
    tokens = shlex.split(line)[1:]
    command, _, _ = make_app().parse_args(tokens, print_error=False, exit_on_error=False)
    assert command in COMMANDS.values() or "--help" in tokens


@pytest.mark.parametrize("page, text", blocks("yaml"))
def test_every_config_in_the_docs_loads(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "example.yaml").write_text(text, encoding="utf-8")
    if re.search("^faults:", text, re.MULTILINE):
        assert read_scenario(tmp_path / "example.yaml").faults, page
        return
    settings = load_settings(tmp_path / "example.yaml", env_file=None, secrets_folders=[])
    assert settings.bots or settings.sandbox.accounts, page


def test_the_example_of_an_env_file_loads(tmp_path: Path) -> None:
    """With its lines taken out of their comments and filled in."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") for line in text.splitlines() if re.match(r"# [A-Z]+__", line)]
    assert len(lines) >= 3
    filled = [line if not line.endswith("=") else f"{line}value" for line in lines]
    (tmp_path / ".env").write_text("\n".join(filled))
    assert load_settings(env_file=tmp_path / ".env", secrets_folders=[]).exchange.has_keys


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    missing = [
        path.name for path in PAGES if path.parent.name == "docs" and f": {path.name}" not in navigation
    ]
    assert missing == []


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_promised(name: str) -> None:
    """The pages speak of what there is."""
    promises = (
        r"(?i)dashboard|telegram|\balerts?\b|coming soon|\broadmap\b|not yet|planned for|future version"
    )
    assert re.findall(promises, TEXTS[name]) == []


def test_a_newcomer_finds_the_two_commands_first() -> None:
    top = TEXTS["README.md"].split("What it looks like")[0]
    assert "make run" in top
    assert "make test" in top
    for wanted in ("What is real and what is simulated", "risks, in plain words", "Security checklist"):
        assert wanted in TEXTS["README.md"]
