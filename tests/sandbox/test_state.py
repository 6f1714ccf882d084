"""The state file: what is saved comes back exactly, and nothing else is taken for it."""

import json
import stat
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.domain.errors import DataUnusable, InvalidInput
from gridtide.domain.market import Asset, MarketStatus
from gridtide.sandbox import state_file
from gridtide.sandbox.settings import ApiKey, MarketSettings
from gridtide.testing.sandbox_exchange import (
    ACCOUNT,
    BTC_USDT,
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from gridtide.venue.state_history import History
from gridtide.venue.state_history import whole as whole_state
from tests.sandbox.conftest import GENEROUS
from tests.sandbox.rest_client import RestClient
from tests.sandbox.sources import ListSource, points

PATH = points([str(50_000 + 37 * (number * 7 % 11)) for number in range(400)], 250)


def settings(folder: Path, **changes: Any) -> Any:
    return sandbox_settings(
        **{
            "markets": (MarketSettings(BTC_USDT, ListSource(PATH)),),
            "state_file": folder / "state.json",
            "limits": GENEROUS,
            "speed": 100.0,
            "kind": "a list",
            **changes,
        }
    )


def whole(sandbox: RunningSandbox) -> Any:
    """Everything a client could see, as JSON."""
    rest = RestClient(sandbox)
    paths = ("depth", "trades", "klines?interval=1s", "klines?interval=1m", "klines?interval=1d", "avgPrice")
    public = [
        rest.raw("GET", f"/api/v3/{path}{'&' if '?' in path else '?'}symbol=BTCUSDT").body for path in paths
    ]
    day = rest.get("/api/v3/ticker/24hr", symbol="BTCUSDT").body
    del day["openTime"], day["closeTime"]
    return public, day, sandbox.truth()


def test_a_restart_in_the_middle_of_a_market(tmp_path: Path) -> None:
    """Orders, fills, balances, book, candles and the place in the source are as they were; ids go on."""
    with running_sandbox(settings(tmp_path)) as sandbox:
        rest = RestClient(sandbox)
        placed = [rest.order("BUY", "0.001", f"{49_000 + number * 100}").body for number in range(15)]
        time.sleep(0.1)
        sandbox.hold()
        before = whole(sandbox)
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "state.json"]
    with running_sandbox(settings(tmp_path, hold=True)) as sandbox:
        assert whole(sandbox) == before
        assert RestClient(sandbox).order("BUY", "0.001", "40000").body["orderId"] == placed[-1]["orderId"] + 1
        sandbox.resume()
        while not sandbox.call(lambda running: running.player.is_finished):
            time.sleep(0.01)
        assert (
            sandbox.call(lambda running: running.exchange.venue.last_price(BTC_USDT.symbol)) == PATH[-1].price
        )
        status: Any = sandbox.call(lambda running: running.describe())
        assert status["markets"]["BTC/USDT"]["points"] == len(PATH)


def test_it_is_saved_while_it_runs(tmp_path: Path) -> None:
    """Every two seconds (here: sooner) if something changed, without being asked."""
    with running_sandbox(settings(tmp_path, hold=True, save_interval_seconds=0.02)) as sandbox:
        RestClient(sandbox).order("BUY", "0.001", "40000", newClientOrderId="kept")
        deadline = time.monotonic() + 5
        while b"kept" not in saved(tmp_path):
            assert time.monotonic() < deadline, "never saved"
            time.sleep(0.01)
        time.sleep(0.1)
        first = (tmp_path / "state.json").stat().st_mtime_ns
        time.sleep(0.1)
        assert (tmp_path / "state.json").stat().st_mtime_ns == first, "nothing changed, nothing to save"


def saved(folder: Path) -> bytes:
    path = folder / "state.json"
    return path.read_bytes() if path.exists() else b""


def test_new_accounts_join_and_old_ones_keep_what_they_have(tmp_path: Path) -> None:
    with running_sandbox(settings(tmp_path, hold=True)):
        pass
    accounts = (
        account_settings({"USDT": "1"}),
        account_settings({"USDT": "7"}, account_id="second", key="k2"),
    )
    with running_sandbox(settings(tmp_path, hold=True, accounts=accounts)) as sandbox:
        assert sandbox.truth()["balances"]["USDT"]["free"] == "100000"
        assert sandbox.truth("second")["balances"]["USDT"]["free"] == "7"


def test_the_state_of_another_market_is_refused_and_left_alone(tmp_path: Path) -> None:
    """One sentence that says whose state it is."""
    with running_sandbox(settings(tmp_path, hold=True)):
        pass
    before = saved(tmp_path)
    with (
        pytest.raises(InvalidInput, match=r"made of another market \(a list\)"),
        running_sandbox(settings(tmp_path, kind="a file")),
    ):
        pass
    assert saved(tmp_path) == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 99}', b'{"version": 2}']
)
def test_a_broken_state_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    with (
        pytest.raises(DataUnusable, match=r"state file .* it was left as it is: move it away"),
        running_sandbox(settings(tmp_path, kind="")),
    ):
        pass
    assert saved(tmp_path) == content


def test_a_failed_write_leaves_the_old_state(tmp_path: Path) -> None:
    """The new file replaces the old one as a whole or not at all."""
    path = tmp_path / "state.json"
    state_file.save(path, {"a": 1})
    with pytest.raises(TypeError):
        state_file.save(path, {"a": object()})
    assert json.loads(path.read_bytes()) == {"version": 2, "a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("rows", [0, 1, 64, 65, 200])
def test_histories_are_written_in_their_places(tmp_path: Path, rows: int) -> None:
    """Row by row, as if the whole had been written at once."""
    one = History(range(rows), lambda number: {"number": number, "text": "\0[]"})
    state = {"a": [one, {"b": one}], "c": "\0"}
    state_file.save(tmp_path / "state.json", state)
    assert state_file.load(tmp_path / "state.json") == {"version": 2, **whole_state(state)}


def test_what_a_fault_changed_is_not_saved(tmp_path: Path) -> None:
    """A killed sandbox starts again with the market it was given; while it lives the fault goes on."""
    state = tmp_path / "state.json"
    with running_sandbox(settings(tmp_path, hold=True)) as sandbox:
        sandbox.call(lambda running: running.exchange.keys.add(ACCOUNT, ApiKey("added", "secret")))
        sandbox.faults.add("market.status", status="HALT")
        sandbox.faults.add("market.filters", tick_size="10")
        sandbox.faults.add("account.key_rights")
        sandbox.call(lambda running: running.exchange.deposit(ACCOUNT, Asset("BTC"), Decimal(1)))
        sandbox.wait_for(sandbox.sandbox.save())
        killed = state.read_bytes()
        market = sandbox.call(lambda running: running.exchange.venue.market(BTC_USDT.symbol))
        assert (market.status, market.rules.tick_size) == (MarketStatus.HALT, Decimal(10))
        assert not sandbox.call(lambda running: running.exchange.keys.permissions("added")).trading
    state.write_bytes(killed)
    with running_sandbox(settings(tmp_path, hold=True)) as sandbox:
        assert sandbox.call(lambda running: running.exchange.venue.market(BTC_USDT.symbol)) == BTC_USDT
        assert sandbox.call(lambda running: running.exchange.keys.permissions("added")).trading
        assert sandbox.truth()["balances"]["BTC"]["free"] == "2"
