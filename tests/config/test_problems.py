"""What a person reads when a config is wrong: key, place, what is allowed, and never a secret (F72)."""

import traceback
from pathlib import Path

import pytest

from gridtide.config import load_settings
from gridtide.domain.errors import InvalidConfig
from tests.config.conftest import GOOD, Write

CANARY = "CANARY-4f9d2c"


def problem(path: Path | None) -> str:
    with pytest.raises(InvalidConfig) as caught:
        load_settings(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "wrong, expected",
    [
        (
            ("num_grids", "num_grid"),
            "line 9, bots[0].strategy.num_grid: unknown setting; did you mean num_grids?",
        ),
        (
            ("geometric", "geometrc"),
            'line 11, bots[0].strategy.spacing: "geometrc" is not allowed; allowed: arithmetic, geometric',
        ),
        (
            ("mode: sandbox", "mode: demo"),
            'line 1, mode: "demo" is not allowed; allowed: sandbox, paper, testnet, live',
        ),
        (("41", "1"), 'line 9, bots[0].strategy.num_grids: "1" is not allowed; it must be at least 2'),
        (("41", "many"), "line 9, bots[0].strategy.num_grids: must be a whole number"),
        (
            ("10000", "-5"),
            'line 10, bots[0].strategy.total_investment: "-5" is not allowed; it must be at least 0',
        ),
        (("10000", "10,000"), "line 10, bots[0].strategy.total_investment: '10,000' is not a number"),
        (("10000", ".inf"), "line 10, bots[0].strategy.total_investment: '.inf' is not a number"),
        (("      lower_price: 50000\n", ""), "line 5, bots[0].strategy.lower_price: is needed"),
        (("70000", "50000"), "line 5, bots[0].strategy: upper_price must be above lower_price"),
        (
            ("num_grids: 41", "num_grids: 41\n      intervals: 40"),
            "line 5, bots[0].strategy: give num_grids or intervals, not both",
        ),
        (
            ("BTC/USDT", "BTC/USDT:USDT"),
            "line 4, bots[0].market: write base and quote of a spot market in capitals",
        ),
        (("btc-grid", "../btc"), "line 3, bots[0].name: up to 32 small letters, digits and hyphens"),
        (("mode: sandbox", "storage: sqlite"), "line 1, storage: must be a section with keys of its own"),
        (("mode: sandbox", "mode: sandbox\nmode: live"), "line 2: mode is given twice"),
        (("mode: sandbox", "mode: &a sandbox"), "line 1: not readable as YAML: anchors and aliases"),
        (("mode: sandbox", "mode: [sandbox"), "not readable as YAML"),
    ],
)
def test_it_names_place_key_and_what_is_allowed(write: Write, wrong: tuple[str, str], expected: str) -> None:
    path = write(GOOD.replace(*wrong))
    text = problem(path)
    assert text.startswith(str(path))
    assert expected in text
    assert "\n" not in text, "one problem is one line"


def test_several_problems_are_one_block(write: Write) -> None:
    path = write(GOOD.replace("41", "1").replace("geometric", "round"))
    first, *rest = problem(path).splitlines()
    assert first == f"{path} has 2 problems:"
    assert len(rest) == 2


def test_a_wrong_variable_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE__API_KYE", CANARY)
    text = problem(None)
    assert "environment variable EXCHANGE__API_KYE" in text
    assert "did you mean api_key?" in text
    monkeypatch.delenv("EXCHANGE__API_KYE")
    (tmp_path / ".env").write_text("SANDBOX__PORT=seven\n")
    assert ".env, SANDBOX__PORT, sandbox.port: must be a whole number" in problem(None)


@pytest.mark.parametrize(
    "section",
    [
        f"exchange: {{api_kye: {CANARY}}}",
        f"exchange: {{api_key: [{CANARY}]}}",
        f"exchange: {{api_key: {{nested: {CANARY}}}}}",
        f"exchange: {CANARY}",
        f"exchange: [{CANARY}]",
        f"exchange: {{name: [{CANARY}], api_secret: {CANARY}}}",
        f"storage: {{url: [postgresql://user:{CANARY}@host/db]}}",
        f"storage: {{urll: postgresql://user:{CANARY}@host/db}}",
        f"api_secret: {CANARY}",
        f"exchange: !!python/object/apply:os.system ['touch {CANARY}']",
        f"exchange: {{api_key: '{CANARY}",
        f"exchange:\n  api_key: {CANARY}\n :bad",
        f"exchange: {{api_key: {CANARY}}}\nbots: nonsense",
    ],
)
def test_f72_no_secret_in_any_error(write: Write, section: str, tmp_path: Path) -> None:
    """Neither the text nor the traceback of the error repeats the value of a secret, wherever it was written."""
    with pytest.raises(InvalidConfig) as caught:
        load_settings(write(section + "\n"))
    assert CANARY not in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert not (tmp_path / CANARY).exists()


def test_f72_a_secret_under_a_wrong_name_in_a_secrets_folder_is_not_shown(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "exchange__api_secrt").write_text(CANARY)
    text = problem(None)
    assert "EXCHANGE__API_SECRT" in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "attack",
    [
        "!!python/object/apply:os.system ['touch owned']",
        "!!python/object/new:os.system ['touch owned']",
        "!!python/name:os.system",
        "mode: !!python/object/apply:subprocess.check_output [[touch, owned]]",
        "mode: !custom x",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
        "[" * 50_000,
        "x: " + "{a: " * 30 + "1" + "}" * 30,
    ],
)
def test_f73_a_malicious_file_is_refused_without_effect(write: Write, attack: str, tmp_path: Path) -> None:
    problem(write(attack))
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    assert "does not exist" in problem(tmp_path / "none.yaml")
    assert "is a folder" in problem(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "is not a text file in UTF-8" in problem(tmp_path / "binary.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * 1_100_000)
    assert "larger than" in problem(tmp_path / "huge.yaml")


def test_two_bots_of_one_name_are_refused(write: Write) -> None:
    one_more = GOOD[GOOD.index("  - name") :]
    assert "two bots are named btc-grid" in problem(write(GOOD + one_more))


def test_sandbox_addresses_never_reach_another_mode(write: Write) -> None:
    """A live bot must not be sent to an address somebody left in the file."""
    path = write(GOOD.replace("sandbox", "live") + "exchange: {rest_url: 'http://127.0.0.1:1'}\n")
    assert "for mode sandbox only" in problem(path)
