"""The commands that trade, on a real sandbox exchange in a process of its own."""

import json
import socket
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.control_client import ask
from gridtide.cli.world import LAST_RUN
from tests.cli.conftest import CONFIG, Command

DOCUMENTED = {
    "fills", "open_orders", "grid_profit", "floating_profit", "fees", "equity", "books_balanced", "exchange_agrees",
    "mode", "run_id", "seconds", "fees_by_asset", "market_time",
}  # fmt: skip
MONEY = {"grid_profit", "floating_profit", "fees", "equity", "price", "base_held", "quote_held"}


def test_a_run_from_start_to_end(command: Command, folder: Path) -> None:
    """Trade, look, resume, clear: what each step says agrees with the others."""
    first = command("run", "grid.yaml", "--for", "2s", "--json", "--speed", "20").json
    assert first.keys() >= DOCUMENTED
    assert all(isinstance(first[name], str) for name in MONEY), "money is text"
    assert (first["mode"], first["open_orders"]) == ("sandbox", 20)
    assert first["books_balanced"] is True
    assert first["exchange_agrees"] is True, first["differences"]
    assert first["stopped_because"] == "the time of --for is over"

    stored = command("status", "--json").json
    assert (stored["running"], stored["fills"], stored["open_orders"]) == (False, first["fills"], 20)
    assert stored["base_held"] == first["base_held"]
    assert "its orders rest at the exchange" in command("status").out

    second = command("run", "grid.yaml", "--for", "1s")
    assert second.code == 0
    assert "Left on the exchange: 20 orders" in second.out
    assert "balanced to the last unit" in second.out

    third = command("stop", "--cancel", "--yes", "--json").json
    assert (third["on_stop"], third["open_orders_left"]) == ("cancel", 0)
    assert third["fills"] >= first["fills"]
    log = (folder / ".gridtide" / "gridtide.log").read_text()
    assert {"run.started", "order.submitted", "fill.booked", "run.stopped"} <= {
        json.loads(line)["event"] for line in log.splitlines()
    }


def test_a_running_bot_is_seen_paused_resumed_and_stopped(
    command: Command, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through its socket, from another thread, while the bot runs in this one."""
    state, heard = folder / ".gridtide", dict[str, Any]()

    def operate() -> None:
        heard["running"] = _asked_until(state, "status", "RUNNING")
        heard["paused"] = ask(state, "pause")
        heard["still paused"] = ask(state, "status")
        ask(state, "resume")
        heard["resumed"] = _asked_until(state, "status", "RUNNING")
        heard["second run"] = _second_run(state)
        heard["stopped"] = ask(state, "stop", policy="cancel")

    operator = threading.Thread(target=operate)
    operator.start()
    found = command("run", "grid.yaml")
    operator.join()
    assert found.code == 0, found.err
    assert heard["running"]["market"] == "BTC/USDT"
    assert heard["paused"]["state"] == heard["still paused"]["state"] == "PAUSED (operator)"
    assert heard["resumed"]["state"] == "RUNNING"
    assert heard["second run"] == "refused"
    assert heard["stopped"]["open_orders_left"] == 0
    assert "btc-grid stopped after" in found.out
    assert "(gridtide stop)" in found.out
    assert "No order of the bot is left on the exchange." in found.out


def _asked_until(folder: Path, question: str, state: str) -> dict[str, Any]:
    """Ask until the bot is there and says `state`."""
    pause = threading.Event()
    for _ in range(200):
        try:
            answer = ask(folder, question)
        except Exception:  # not there yet, or still getting ready
            answer = {}
        if answer.get("state") == state and answer["open_orders"]:
            return answer
        pause.wait(0.1)
    raise TimeoutError


def _second_run(folder: Path) -> str:
    import asyncio

    from gridtide.domain.errors import Fenced
    from gridtide.runners.control_socket import ControlSocket

    async def nobody(_: object) -> dict[str, Any]:
        return {}

    try:
        asyncio.run(ControlSocket(folder, nobody).start())
    except Fenced:
        return "refused"
    return "started"


def test_plan_and_check_look_and_leave_nothing(command: Command, folder: Path) -> None:
    plan = command("plan", "grid.yaml")
    assert plan.code == 0, plan.err
    for wanted in ("10 buys and 10 sells", "break-even", "if it falls", "nothing was placed", "vacant"):
        assert wanted in plan.out
    assert "no stop acts" in plan.out
    values = command("plan", "grid.yaml", "--json").json
    falls = [row["fall"] for row in values["stress"]]
    assert (falls[0], falls[-1], len(falls)) == ("0.1", "0.9", 9)
    assert len(values["levels"]) == 21
    assert values["has_run"] is False
    check = command("check", "grid.yaml")
    assert check.code == 0, check.out
    assert "All checks passed." in check.out
    names = {found["check"] for found in command("check", "grid.yaml", "--json").json["checks"]}
    assert {"exchange", "clock", "key", "market", "rules", "fees", "break-even", "funds", "database"} <= names
    assert not list(folder.rglob("*.db")), "looking opens no books"
    assert not (folder / ".gridtide" / LAST_RUN).exists()


def test_a_check_that_fails_says_which_and_what_to_do(command: Command, folder: Path) -> None:
    (folder / "grid.yaml").write_text(CONFIG.replace("total_investment: 5000", "total_investment: 50000000"))
    found = command("check", "grid.yaml")
    assert found.code == 2
    assert "failed   grid" in found.out
    assert "bring funds in" in found.out
    assert "1 of" in found.out


def test_a_bot_whose_money_is_in_its_orders_may_go_on(command: Command, folder: Path) -> None:
    """Real money runs only after passed checks: a grid that stands must pass them, with little left on the account."""
    text = CONFIG.replace("total_investment: 5000", "total_investment: 14000")
    (folder / "grid.yaml").write_text(text)
    assert command("run", "grid.yaml", "--for", "1s", "--quiet").code == 0
    check = command("check", "grid.yaml")
    assert check.code == 0, check.out
    assert "btc-grid has a grid already, and the next run goes on with it" in check.out
    plan = command("plan", "grid.yaml", "--json")
    assert plan.code == 0, plan.err
    assert plan.json["has_run"] is True
    assert command("stop", "--liquidate", "--yes").code == 0
    (folder / "grid.yaml").write_text(text.replace("14000", "50000000"))
    assert command("check", "grid.yaml").code == 2, "its life is over: the next grid needs its own money"


def test_an_order_beside_a_stopped_bot_leaves_its_books_in_agreement(command: Command) -> None:
    assert command("run", "grid.yaml", "--for", "1s", "--quiet").code == 0
    assert command("order", "buy", "BTC/USDT", "0.002", "--config", "grid.yaml").code == 0
    assert (
        command("order", "sell", "BTC/USDT", "0.001", "--limit", "90000", "--config", "grid.yaml").code == 0
    )
    found = command("run", "grid.yaml", "--for", "1s", "--json")
    assert found.code == 0, found.err
    assert found.json["exchange_agrees"] is True


def test_an_order_goes_to_the_sandbox_that_ran_last(command: Command, folder: Path) -> None:
    """Not to a new one of the default seed, where it would be filled and harm nothing and mean nothing."""
    assert command("run", "--seed", "7", "--for", "1s", "--quiet").code == 0
    assert command("order", "buy", "BTC/USDT", "0.002").code == 0
    (only,) = (folder / ".gridtide" / "sandbox").iterdir()
    assert "seed-7" in only.name
    assert command("order", "buy", "ETH/USDT", "0.1").code == 0
    assert len(list((folder / ".gridtide" / "sandbox").iterdir())) == 2


def test_single_orders(command: Command) -> None:
    """One that takes, one that rests, one that cannot be: each says what became of it."""
    bought = command("order", "buy", "BTC/USDT", "0.01", "--json")
    assert bought.code == 0, bought.err
    assert bought.json["status"] == "filled"
    assert Decimal(bought.json["executed_amount"]) == Decimal("0.01")
    resting = command("order", "sell", "btc/usdt", "0.001", "--limit", "90000")
    assert "sell 0.001 BTC at 90000 USDT rests in the book" in resting.out, resting.err
    refused = command("order", "sell", "BTC/USDT", "5")
    assert refused.code == 1
    assert "the order was not placed: no inventory" in refused.err
    small = command("order", "buy", "BTC/USDT", "0.00001")
    assert small.code != 0
    assert "was not placed" in small.err or "nothing was placed" in small.err


class TestWrongInput:
    """Each wrong input of the issue: one sentence, exit code 2, nothing half placed."""

    @staticmethod
    def refused(command: Command, *arguments: str) -> str:
        found = command(*arguments, "--for", "1s", "--quiet")
        assert found.code == 2, found
        assert found.err.count("\n") == 1
        assert "fills" not in found.out
        return found.err

    def test_bad_config(self, command: Command, folder: Path) -> None:
        (folder / "bad.yaml").write_text(CONFIG.replace("num_grids", "num_grid"))
        assert "did you mean num_grids?" in self.refused(command, "run", "bad.yaml")
        assert not (folder / ".gridtide" / "sandbox").exists(), "nothing was started for it"

    def test_grid_outside_the_price(self, command: Command, folder: Path) -> None:
        far = CONFIG.replace("45000", "145000").replace("55000", "155000")
        (folder / "far.yaml").write_text(far + "sandbox: {start_price: 50000}\n")
        said = self.refused(command, "run", "far.yaml")
        assert "is below the grid's range" in said
        assert "start_outside: allow" in said

    def test_grid_outside_the_markets_price_rules(self, command: Command, folder: Path) -> None:
        (folder / "high.yaml").write_text(
            CONFIG.replace("55000", "2000000") + "sandbox: {start_price: 50000}\n"
        )
        assert "price_bounds" in self.refused(command, "run", "high.yaml")

    def test_too_little_money(self, command: Command, folder: Path) -> None:
        (folder / "poor.yaml").write_text(CONFIG.replace("total_investment: 5000", "total_investment: 50"))
        assert "are too little, invest at least" in self.refused(command, "run", "poor.yaml")

    def test_more_money_than_there_is(self, command: Command, folder: Path) -> None:
        (folder / "rich.yaml").write_text(
            CONFIG.replace("total_investment: 5000", "total_investment: 5000000")
        )
        assert "nothing was placed: lower total_investment" in self.refused(command, "run", "rich.yaml")

    def test_spacing_below_break_even(self, command: Command, folder: Path) -> None:
        (folder / "tight.yaml").write_text(CONFIG.replace("num_grids: 21", "num_grids: 401"))
        assert "breaks even at 0.2003 %" in self.refused(command, "run", "tight.yaml")

    def test_sandbox_port_taken(self, command: Command, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            (folder / "port.yaml").write_text(CONFIG + f"sandbox: {{port: {port}}}\n")
            assert f"port taken: another program listens on 127.0.0.1:{port}" in self.refused(
                command, "run", "port.yaml"
            )

    def test_corrupt_market_file(self, command: Command, folder: Path) -> None:
        (folder / "BTCUSDT-1m.parquet").write_text("garbage")
        assert "it is damaged or not what its name says" in self.refused(
            command, "run", "--market", "BTCUSDT-1m.parquet"
        )

    def test_missing_market_file(self, command: Command) -> None:
        assert "there is no market file" in self.refused(command, "run", "--market", "none.parquet")

    def test_unreadable_database(self, command: Command, folder: Path) -> None:
        """The books that belong to the sandbox were damaged after its last run."""
        (folder / "grid.yaml").write_text(CONFIG + "storage: {url: 'sqlite:///books.db'}\n")
        command("run", "grid.yaml", "--for", "1s", "--quiet")
        (folder / "books.db").write_bytes(b"junk" * 100)
        assert "books.db is not a database: it was left as it is" in self.refused(command, "run", "grid.yaml")
        assert (folder / "books.db").read_bytes() == b"junk" * 100

    def test_unknown_symbol(self, command: Command, folder: Path) -> None:
        """On an exchange that is there already, so that its markets are what they are."""
        ports = _alone(command, folder)
        config = CONFIG.replace("BTC/USDT", "BTC/USDC") + ports
        (folder / "unknown.yaml").write_text(config)
        said = self.refused(command, "run", "unknown.yaml")
        assert "BTC/USDC" in said
        assert "BTC/USDT" in said, "near misses are named"

    def test_a_market_the_sandbox_does_not_know(self, command: Command, folder: Path) -> None:
        """A misspelt market is not invented: nothing is started for it."""
        (folder / "typo.yaml").write_text(CONFIG.replace("BTC/USDT", "BTC/USTD"))
        assert "did you mean BTC/USDT?" in self.refused(command, "run", "typo.yaml")
        assert "FOO/BAR is no market the sandbox knows" in self.refused(command, "run", "--market", "FOO/BAR")
        assert not (folder / ".gridtide" / "sandbox").exists()


def _alone(command: Command, folder: Path) -> str:
    """Start a sandbox and give the section of a config that reaches it."""
    import asyncio

    from gridtide.sandbox.launch import LaunchSpec
    from gridtide.sandbox.process import start_process

    handle = asyncio.run(start_process(folder / "alone", LaunchSpec(hold=True)))
    return f"exchange: {{rest_url: '{handle.url}', api_key: {handle.api_key}, api_secret: {handle.secret}}}\n"


def test_real_money_needs_somebody_who_says_yes(command: Command, folder: Path) -> None:
    """A live config is checked first; with no exchange to reach, the check fails and nothing is asked or started."""
    (folder / "live.yaml").write_text(CONFIG.replace("sandbox", "live"))
    found = command("run", "live.yaml", "--for", "1s")
    assert found.code == 2
    assert "EXCHANGE__API_KEY" in found.err


def test_sandbox_options_do_not_reach_another_mode(command: Command, folder: Path) -> None:
    (folder / "live.yaml").write_text(CONFIG.replace("sandbox", "testnet"))
    assert "are for the sandbox" in command("run", "live.yaml", "--speed", "60").err


def test_risk_off_never_trades(command: Command, folder: Path) -> None:
    (folder / "off.yaml").write_text(CONFIG + "    risk: off\n")
    assert "backtests" in TestWrongInput.refused(command, "run", "off.yaml")


def test_several_bots_need_a_name(command: Command, folder: Path) -> None:
    bot = CONFIG[CONFIG.index("  - name") :]
    (folder / "two.yaml").write_text(CONFIG + bot.replace("btc-grid", "other"))
    assert "say which with --bot (btc-grid, other)" in command("run", "two.yaml").err
    assert "the config has btc-grid, other" in command("run", "two.yaml", "--bot", "none").err
