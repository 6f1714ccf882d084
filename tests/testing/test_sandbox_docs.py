"""docs/sandbox.md tells the truth: its code runs, its snippets are those of the program, no operation is missing."""

import re
from typing import Any

import pytest

from gridtide.cli.exchange_snippets import Client, snippet
from gridtide.config.sandbox_choices import SandboxChoices
from gridtide.testing import running_sandbox, sandbox_settings
from tests.house.files import ROOT
from tests.sandbox.test_control import TOKEN, Control

PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_the_example_of_a_python_test_runs() -> None:
    section = PAGE.split("## In a Python test")[1]
    first, settings, over_network = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[
        :3
    ]
    names: dict[str, Any] = {}
    exec(compile(first, "docs/sandbox.md", "exec"), names)
    assert names["answer"]
    exec(compile(settings, "docs/sandbox.md", "exec"), names)
    assert names["exchange"].truth()["balances"]["USDT"]["free"] == "500"
    compile(over_network, "docs/sandbox.md", "exec")


@pytest.mark.parametrize("client", Client)
def test_the_snippets_are_those_of_the_program(client: Client) -> None:
    assert snippet(client, "127.0.0.1:9100", "K", "S") in PAGE


def test_every_control_operation_is_in_the_table() -> None:
    with running_sandbox(sandbox_settings(control_token=TOKEN)) as sandbox:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        names = Control(sandbox).raw("GET", "/control", headers=headers).body["operations"]
    assert [name for name in names if f"`{name}" not in PAGE] == []
    assert len(names) > 20


@pytest.mark.parametrize("name", SandboxChoices.model_fields)
def test_every_choice_is_told(name: str) -> None:
    assert f"`{name}`" in PAGE
