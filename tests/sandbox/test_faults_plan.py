"""Scenarios, seeds and the control API: what is written is checked, what is drawn is the same every time."""

import json
import re
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.faults.catalogue import KNOBS
from gridtide.sandbox.faults.plan import Fault, FaultPlan, Span, When, Where
from gridtide.sandbox.faults.profiles import PROFILES
from gridtide.sandbox.faults.scenario import fault, plan, read_scenario
from gridtide.sandbox.faults.schedule import Armed
from gridtide.testing.sandbox_exchange import RunningSandbox, running_sandbox, sandbox_settings
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.faulty import PLACE, Case, fresh_case
from tests.sandbox.rest_client import Reply, RestClient

PAGE = Path(__file__).parents[2] / "docs" / "sandbox-faults.md"
TOKEN = "a-token-for-this-test"


# --- what is written ---------------------------------------------------------------------------------


def test_the_scenario_of_the_docs_loads(tmp_path: Path) -> None:
    """As YAML and as JSON, with its profile's faults behind its own."""
    text = re.search(r'^```yaml title="faults.yaml"\n(.*?)^```', PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert text is not None
    path = tmp_path / "faults.yaml"
    path.write_text(text[1])
    scenario = read_scenario(path)
    assert scenario.seed == 7
    assert [each.knob for each in scenario.faults[:5]] == [
        "answer.lost",
        "reads.lag",
        "account.cancel",
        "market.status",
        "stream.drop",
    ]
    assert scenario.faults[0] == Fault("answer.lost", Where(endpoint="POST order"), When(nth=3))
    assert scenario.faults[1].options == {"seconds": Span(0, 120)}
    assert [each.knob for each in scenario.faults[5:]] == [row["fault"] for row in PROFILES["network"]]
    assert scenario.faults[5].when.probability == pytest.approx(0.005)
    whole = {"seed": 3, "faults": [{"fault": "answer.cut", "byte": 5, "probability": 0.25}]}
    path.write_text(json.dumps(whole))
    assert read_scenario(path) == plan(whole)


@pytest.mark.parametrize(
    "written, said",
    [
        ({"fault": "answer.nosuch"}, "there is no fault answer.nosuch"),
        ({"fault": "answer.lost", "seconds": 1}, "does not know seconds"),
        ({"fault": "answer.lost", "how": "loudly"}, "must be one of drop, reset, silence"),
        ({"fault": "answer.lost", "endpoint": "POST oder"}, "no endpoint is called POST oder"),
        ({"fault": "answer.lost", "probability": 2}, "from 0 to 1"),
        ({"fault": "answer.lost", "nth": 0}, "at least 1"),
        ({"fault": "answer.delayed", "seconds": -1}, "not be below 0"),
        ({"fault": "answer.delayed", "seconds": "soon"}, "must be a number"),
        ({"fault": "answer.delayed", "seconds": [3, 1]}, "low, high"),
        ({"fault": "answer.delayed", "seconds": "nan"}, "must be a number"),
        ({"fault": "answer.cut", "byte": 1.5}, "whole number"),
        ({"fault": "answer.status", "executed": "maybe"}, "true or false"),
        ({"fault": "account.deposit", "amount": "much"}, "must be a decimal"),
        ({"fault": "account.order", "amount": "1e70"}, "at most 15 digits before the point"),
        ({"fault": "account.cancel", "endpoint": PLACE, "moment": "during"}, "before or after"),
        ({"fault": "engine.cancel_race", "share": 1.5}, "not be above 1"),
        ({"fault": "engine.unknown", "code": -1}, "must be one of -1006"),
        ({"fault": "market.status", "from_seconds": 3, "until_seconds": 2}, "until_seconds above it"),
        ({"fault": "stream.no_ping", "nth": 1}, "does not know nth"),
        ("answer.lost", "a fault is a list of keys"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(written: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)) as caught:
        plan({"faults": [written]})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "written, said",
    [
        ({"fault": []}, "does not know fault"),
        ({"faults": {}}, "must be a list"),
        ({"profiles": ["nosuch"]}, "known are network"),
        ({"profiles": "network"}, "list of names"),
        ({"rate": -1}, "not be below 0"),
        ({"seed": "x"}, "must be a number"),
    ],
)
def test_what_is_wrong_with_a_whole_scenario(written: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        plan(written)


@pytest.mark.parametrize(
    "text, said",
    [
        ("faults: [{fault: nothing}]", "there is no fault nothing"),
        ("seed: 1\nfaults: [", "line 2: not readable as YAML"),
        ("- seed", "a list of keys and values"),
        ("", "a list of keys and values"),
        ("faults: [{fault: !!python/name:os.system }]", "not readable as YAML"),
        (None, "cannot be read"),
    ],
)
def test_a_file_is_named_in_its_error(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput, match=rf"wrong.yaml: .*{re.escape(said)}.*no fault was armed"):
        read_scenario(path)


def test_only_their_own_profile_breaks_the_assumptions_of_the_protocol() -> None:
    """Requests that arrive twice and queues slower than QUEUE are drawn only when asked for."""
    breaking = {"request.twice", "engine.queue"}
    found = {name: breaking & {str(row["fault"]) for row in rows} for name, rows in PROFILES.items()}
    assert found.pop("beyond") == breaking
    assert set().union(*found.values()) == set()
    for name in PROFILES:
        assert len(plan({"profiles": [name]}).faults) == len(PROFILES[name])


def test_every_knob_of_the_catalogue_has_an_effect() -> None:
    """And every fault of part 3 of order-safety.md but those of the host has a knob."""
    for knob in KNOBS.values():
        effects = (knob.on_request, knob.on_event, knob.action, knob.liveness)
        assert any(effect is not None for effect in effects), knob.name
        assert fault(knob.name).knob == knob.name
    assert len(KNOBS) >= 50


# --- what is drawn -----------------------------------------------------------------------------------


def armed(seed: int, name: str = "a", **fields: Any) -> Armed:
    made = fault("answer.delayed", **fields)
    return Armed(name, made, KNOBS[made.knob], made.where, seed, 0.0)


def strikes(one: Armed, count: int) -> list[int]:
    return [number for number in range(1, count + 1) if one.strike(1.0) is not None]


@pytest.mark.parametrize(
    "fields, struck",
    [
        ({"nth": 3}, [3]),
        ({"every": 4}, [4, 8]),
        ({"nth": 2, "every": 3}, [2, 5, 8]),
        ({"count": 2}, [1, 2]),
        ({"nth": 3, "probability": 0}, []),
        ({"from_seconds": 2}, []),
        ({"until_seconds": 1}, []),
        ({"until_seconds": 1.5, "every": 5}, [5, 10]),
    ],
)
def test_when_a_fault_strikes(fields: dict[str, Any], struck: list[int]) -> None:
    assert strikes(armed(0, **fields), 10) == struck


def test_draws_depend_on_seed_name_and_number_only() -> None:
    """About as many as the probability says, the same each time, others for another seed or name."""
    first = strikes(armed(1, probability=0.3), 1000)
    assert strikes(armed(1, probability=0.3), 1000) == first
    assert strikes(armed(2, probability=0.3), 1000) != first
    assert strikes(armed(1, "b", probability=0.3), 1000) != first
    assert 240 < len(first) < 360
    late = armed(1, probability=0.3, seconds=[1, 2])
    options = [late.strike(1.0) for _ in range(1000)]
    assert [number for number, drawn in enumerate(options, 1) if drawn] == first
    assert all(1 <= drawn["seconds"] <= 2 for drawn in options if drawn)


def test_whole_numbers_are_drawn_whole() -> None:
    made = fault("answer.cut", byte=[0, 3])
    one = Armed("a", made, KNOBS[made.knob], made.where, 0, 0.0)
    drawn = {options["byte"] for _ in range(100) if (options := one.strike(1.0))}
    assert drawn == {0, 1, 2, 3}


SCENARIO = {
    "seed": 11,
    "faults": [
        {"fault": "engine.unknown", "probability": 0.3, "executed": True},
        {"fault": "answer.status", "probability": 0.3, "executed": False, "code": -1001},
        {"fault": "answer.wrong_client_id", "every": 7},
        {"fault": "reads.half_page", "probability": 0.5},
    ],
}


def _run(seed: int) -> tuple[list[tuple[str, str]], list[int | None]]:
    settings = sandbox_settings(limits=GENEROUS, faults=plan({**SCENARIO, "seed": seed}))
    with running_sandbox(settings) as sandbox:
        sandbox.move("50000")
        rest = RestClient(sandbox)
        codes = [rest.order("BUY", "0.001", "40000").code for _ in range(25)]
        codes += [rest.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT").code for _ in range(5)]
        log = [(entry.subject, entry.fault) for entry in sandbox.faults.log() if entry.kind == "fault"]
        return log, codes


def test_the_same_seed_and_requests_give_the_same_faults() -> None:
    """Over real sockets, from settings; another seed gives others."""
    first, again, other = _run(11), _run(11), _run(12)
    assert first == again
    assert first != other
    assert {-1006, -1001, None} <= set(first[1])


def test_settings_have_no_faults_unless_told() -> None:
    assert sandbox_settings().faults == FaultPlan()


# --- the control API ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(sandbox_settings(limits=GENEROUS, control_token=TOKEN)) as running:
        yield running


@pytest.fixture
def case(sandbox: RunningSandbox) -> Iterator[Case]:
    with fresh_case(sandbox) as fresh:
        yield fresh


class Control(RestClient):
    """Asks the control port."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        super().__init__(sandbox)
        self._host = f"127.0.0.1:{sandbox.call(lambda running: running.control_port)}"

    def ask(self, method: str, operation: str, body: Any = None) -> Reply:
        content = b"" if body is None else json.dumps(body).encode()
        return self.raw(method, f"/control/{operation}", content, {"Authorization": f"Bearer {TOKEN}"})


def test_faults_are_armed_and_removed_at_run_time(case: Case) -> None:
    control = Control(case.sandbox)
    body = {"fault": "answer.status", "endpoint": PLACE, "code": -1000, "name": "mine", "count": 1}
    assert control.ask("POST", "faults", body).body == {"armed": ["mine"]}
    assert case.rest.order("BUY", "0.001", "40000").code == -1000
    shown = control.ask("GET", "faults").body["faults"]
    assert shown == [
        {
            "name": "mine",
            "fault": "answer.status",
            "endpoint": PLACE,
            "probability": 1.0,
            "count": 1,
            "from_seconds": 0.0,
            "code": -1000,
            "matches": 1,
            "strikes": 1,
        }
    ]
    assert control.ask("DELETE", "faults?name=mine").body == {"faults": []}
    assert control.ask("DELETE", "faults?name=mine").status == 400
    assert case.rest.order("BUY", "0.001", "40000").status == 200


def test_a_list_is_armed_whole_or_not_at_all(case: Case) -> None:
    control = Control(case.sandbox)
    right, wrong = {"fault": "answer.list", "endpoint": PLACE}, {"fault": "answer.nosuch"}
    assert control.ask("POST", "faults", [right, wrong]).status == 400
    assert control.ask("GET", "faults").body == {"faults": []}
    assert len(control.ask("POST", "faults", [right, right]).body["armed"]) == 2
    whole = {"seed": 5, "profiles": ["beyond"], "rate": 0}
    assert len(control.ask("POST", "faults", whole).body["armed"]) == 2
    control.ask("DELETE", "faults")
    assert control.raw("POST", "/control/faults", b"{", {"Authorization": f"Bearer {TOKEN}"}).status == 400
    assert control.raw("GET", "/control/faults").status == 401


def test_the_log_tells_what_was_asked_done_and_sent(case: Case) -> None:
    """Who, what, when, and which fault; keys and signatures never."""
    control = Control(case.sandbox)
    control.ask("POST", "faults", {"fault": "answer.lost", "endpoint": PLACE, "name": "lost", "count": 1})
    last = control.ask("GET", "faults/log").body["log"][-1]["number"]
    with pytest.raises(ConnectionError):
        case.rest.order("BUY", "0.001", "40000", newClientOrderId="secretless")
    log = control.ask("GET", f"faults/log?after={last}").body["log"]
    order_id = case.orders()[0]["order_id"]
    assert [(row["kind"], row["fault"], row["detail"]) for row in log] == [
        ("request", "", "secretless"),
        ("acted", "", f"secretless 200 order {order_id}"),
        ("fault", "lost", "secretless how=drop"),
        ("answer", "", "none: drop"),
    ]
    assert {row["account"] for row in log} == {"main"}
    text = json.dumps(control.ask("GET", "faults/log").body)
    assert case.sandbox.api_key not in text
    assert "signature" not in text
    only = control.ask("GET", "faults/log?fault=lost").body["log"]
    assert {row["fault"] for row in only} == {"lost"}
    assert control.ask("GET", "faults/log?after=x").status == 400


def test_among_many_faults_the_log_and_the_truth_agree(case: Case) -> None:
    """200 placements among random faults of every layer: an order for each act that the log calls accepted."""
    rows = [
        {"fault": "request.lost", "probability": 0.1},
        {"fault": "request.reset", "probability": 0.1, "moment": "after"},
        {"fault": "request.twice", "probability": 0.1},
        {"fault": "answer.lost", "probability": 0.1, "how": "reset"},
        {"fault": "answer.cut", "probability": 0.1, "byte": [0, 50]},
        {"fault": "answer.html", "probability": 0.1},
        {"fault": "engine.unknown", "probability": 0.1, "executed": False},
        {"fault": "engine.fill", "probability": 0.1},
        {"fault": "account.cancel", "probability": 0.1, "endpoint": PLACE, "which": "oldest"},
    ]
    case.faults.begin({"seed": 4, "faults": [{"endpoint": PLACE, **row} for row in rows]})
    answered, begun = 0, case.faults.log()[-1].number
    for _ in range(200):
        try:
            answered += case.rest.order("BUY", "0.001", "40000").status == 200
        except (HTTPException, OSError):
            continue
    acted = [entry.detail for entry in case.faults.log() if entry.kind == "acted" and entry.number > begun]
    accepted = [detail.removeprefix("200 order ") for detail in acted if detail.startswith("200 ")]
    orders = case.orders()
    assert accepted == [str(order["order_id"]) for order in orders]
    assert 0 < answered < len(orders)
    assert {"FILLED", "CANCELED", "NEW"} == set(case.statuses())
