"""Below the ports nothing reads a clock, draws at random, opens a file, logs or looks at the environment."""

import pytest

from tests.house.contracts import below_ports
from tests.house.files import PACKAGE, ROOT
from tests.house.impurity import impurities


@pytest.mark.parametrize("package", sorted(below_ports()))
def test_package_is_pure(package: str) -> None:
    """Same events, same effects, on every machine: nothing a replay cannot repeat is reached from here."""
    found = [
        f"{path.relative_to(ROOT)}:{finding}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        for finding in impurities(path.read_text(), may_name_generator=package == "venue")
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import monotonic as clock",
        "import logging.handlers",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from datetime import datetime\ndatetime.now()",
        "from datetime import datetime as moment\nclock = moment.now",
        "from datetime import date\ndate.today()",
        "import random",
        "from random import Random",
        "import numpy as np\nnp.random.default_rng()",
        "from numpy.random import default_rng",
        "from uuid import uuid4\nuuid4()",
        "import os\nos.environ['HOME']",
        "from os import environ",
        "def load():\n    return open('x')",
        "print('hello')",
        "def late():\n    import asyncio",
        "if TYPE_CHECKING:\n    import random",
        "from importlib import import_module\nimport_module('time')",
    ],
)
def test_impurity_is_found(source: str) -> None:
    """The reader of the syntax tree sees through aliases, nesting and bare references."""
    assert impurities(source)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime\nstart = datetime(2026, 1, 1, tzinfo=UTC)",
        "from datetime import datetime\nmoment = datetime.fromtimestamp(0)",
        "def step(now, book):\n    return book.open(now)",
        "from uuid import uuid5\nuuid5(space, 'slot')",
        "class Clock:\n    def now(self): ...\nClock().now()",
        "from gridtide.domain.time import Instant",
    ],
)
def test_purity_is_not_disturbed(source: str) -> None:
    """What only sounds alike is let through."""
    assert impurities(source) == []


def test_the_venue_may_name_the_type_of_its_generator() -> None:
    """It draws from a generator handed in, so annotations need the type; nothing else of random is allowed."""
    guard = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
    assert impurities(f"{guard}import random\ndef f(r: 'random.Random'): ...", may_name_generator=True) == []
    assert impurities(f"{guard}from random import Random\n", may_name_generator=True) == []
    assert impurities("import random\n", may_name_generator=True)
    assert impurities("from random import Random\n", may_name_generator=True)
    assert impurities(f"{guard}import random\nrandom.random()", may_name_generator=True)
    assert impurities(f"{guard}from random import choice\n", may_name_generator=True)


def test_a_finding_names_the_replacement() -> None:
    """Whoever meets the rule learns at once what to do."""
    (finding,) = impurities("from datetime import datetime\nx = datetime.now()")
    assert finding.startswith("2: uses datetime.datetime.now; time arrives with the event")
