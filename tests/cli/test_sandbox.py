"""`gridtide sandbox` as a person uses it: the options, the real program with Ctrl-C, and one sentence for each slip."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.exchange_markets import markets_to_play, read_config, venue_settings
from gridtide.cli.exchange_options import (
    Asked,
    read_balances,
    read_keys,
    read_markets,
    seed_of,
    usual_balances,
)
from gridtide.cli.exchange_snippets import Client, snippet
from gridtide.config.sandbox_choices import SandboxChoices
from gridtide.config.schema import settings_of
from gridtide.domain.errors import InvalidInput
from gridtide.market_data.known_markets import market_of
from gridtide.venue.settings import (
    CommissionRounding,
    FillModel,
    QueueCancellations,
    SelfTradePrevention,
    StopNotional,
    VenueSettings,
)
from tests.cli.conftest import Command
from tests.sandbox.rest_client import RestClient

INFO = {
    "symbols": [
        {
            "symbol": "FOOUSDT",
            "status": "TRADING",
            "baseAsset": "FOO",
            "quoteAsset": "USDT",
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.5", "maxPrice": "1000", "tickSize": "0.0005"},
                {"filterType": "LOT_SIZE", "minQty": "0.1", "maxQty": "9000", "stepSize": "0.1"},
            ],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the started sandbox is."""

    values: dict[str, Any]
    process: subprocess.Popen[str]
    given_secret: str = ""

    @property
    def url(self) -> str:
        return str(self.values["rest_url"])

    @property
    def api_key(self) -> str:
        return str(self.values["api_key"])

    @property
    def secret(self) -> str:
        return self.given_secret or str(self.values["api_secret"])


@contextmanager
def started(
    *options: str, end: int = signal.SIGINT, secret: str = "", env: dict[str, str] | None = None
) -> Iterator[Target]:
    """The real program, with --json, until the block ends; then it must end by itself, quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gridtide", "sandbox", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line, process.communicate()[1]
        yield Target(json.loads(line), process, secret)
        process.send_signal(end)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0 if end != signal.SIGKILL else -9, "", "")
    finally:
        process.kill()
        process.communicate()


# --- the program -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_one_ready_to_trade_without_a_config() -> None:
    """Several keys, balances and markets; Ctrl-C saves, and the next run goes on: its order is there."""
    given = ("--key", "K", "--secret", "S", "--key", "K2", "--secret", "S2", "--balance", "USDT=100000")
    markets = (
        "--balance",
        "BTC=1.5",
        "--market",
        "BTC/USDT",
        "--market",
        "ETH/USDT=2000",
        "--fee-maker",
        "0",
    )
    with started(*given, *markets, secret="S") as sandbox:
        assert sandbox.values["api_secret"] is None, "a given secret is not repeated"
        assert sandbox.values["control_url"] is None, "off by default"
        rest = RestClient(sandbox)
        account = rest.signed("GET", "/api/v3/account").body
        held = {row["asset"]: Decimal(row["free"]) for row in account["balances"]}
        assert [held["USDT"], held["BTC"], held["ETH"]] == [100_000, Decimal("1.5"), 0]
        assert account["commissionRates"]["maker"] == "0.00000000"
        prices = {row["symbol"]: Decimal(row["price"]) for row in rest.get("/api/v3/ticker/price").body}
        assert prices.keys() == {"BTCUSDT", "ETHUSDT"}
        assert 1500 < prices["ETHUSDT"] < 2500
        order = rest.order("BUY", "0.001", "30000").body["orderId"]
        state = Path(sandbox.values["state"])
    assert b'"S"' not in (state / "sandbox.state.json").read_bytes() + (state / "exchange.json").read_bytes()
    with started(*given, *markets, secret="S") as sandbox:
        assert sandbox.values["goes_on"] is True
        (left,) = RestClient(sandbox).signed("GET", "/api/v3/openOrders").body
        assert left["orderId"] == order


def test_its_control_api_has_a_token_in_a_private_file(folder: Path) -> None:
    """Without a state nothing is kept; the made-up key of a kept one stays."""
    with started("--market", "BTC/USDT", "--control-port", "0") as sandbox:
        path = Path(sandbox.values["control_token_file"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        headers = {"Authorization": f"Bearer {path.read_text()}"}
        address = str(sandbox.values["control_url"]).removesuffix("/control")
        control = RestClient(replace(sandbox, values={**sandbox.values, "rest_url": address}))
        assert control.raw("POST", "/control/hold", headers=headers).body["held"] is True
        assert control.raw("POST", "/control/hold").status == 401
        key = sandbox.api_key
        assert control.raw("POST", "/control/shutdown", headers=headers).status == 200
        sandbox.process.wait(20)
    with started("--market", "BTC/USDT", end=signal.SIGTERM) as sandbox:
        assert sandbox.api_key == key
    kept = set(folder.rglob("*"))
    token = {"SANDBOX__CONTROL_TOKEN": "t0ken"}
    with started("--no-state", "--market", "BTC/USDT", "--control-port", "0", env=token) as sandbox:
        assert (sandbox.values["state"], sandbox.values["control_token_file"]) == (None, None)
    assert set(folder.rglob("*")) == kept


def test_accounts_and_keys_of_a_config(folder: Path) -> None:
    """Secrets by environment and by file, rights, addresses, several accounts; the rules of an exchangeInfo file."""
    (folder / "info.json").write_text(json.dumps(INFO))
    (folder / "secret.txt").write_text("S1\n")
    (folder / "sandbox.yaml").write_text(
        "sandbox:\n"
        "  markets: [FOO/USDT=20]\n"
        "  exchange_info: info.json\n"
        "  unlimited_orders: true\n"
        "  accounts:\n"
        "    main: {balances: {USDT: 50}, keys: {K1: {secret_file: secret.txt, ip_restricted: false}}}\n"
        "    second:\n"
        "      balances: {USDT: '7.5'}\n"
        "      fees: {maker: '0.002'}\n"
        "      keys: {K2: {secret_env: SECRET_2, trading: false}, K3: {secret_env: SECRET_2, addresses: [10.9.9.9]}}\n"
    )
    with started("--config", "sandbox.yaml", "--no-state", env={"SECRET_2": "S2"}, secret="S1") as sandbox:
        rest = RestClient(sandbox)
        assert rest.signed("GET", "/sapi/v1/account/apiRestrictions").body["ipRestrict"] is False
        (listed,) = rest.get("/api/v3/exchangeInfo").body["symbols"]
        assert listed["filters"][0]["tickSize"] == "0.00050000"
        values = {**sandbox.values, "api_key": "K2"}
        second = RestClient(Target(values, sandbox.process, "S2"))
        assert second.signed("GET", "/api/v3/account").body["commissionRates"]["maker"] == "0.00200000"
        assert second.order("BUY", "0.5", "19", symbol="FOOUSDT").code == -2015
        third = RestClient(Target({**values, "api_key": "K3"}, sandbox.process, "S2"))
        assert third.signed("GET", "/api/v3/account").code == -2015


@pytest.mark.usefixtures("folder")
def test_killed_after_a_save_nothing_is_lost() -> None:
    token = {"SANDBOX__CONTROL_TOKEN": "t0ken"}
    options = ("--market", "BTC/USDT", "--control-port", "0")
    with started(*options, env=token, end=signal.SIGKILL) as sandbox:
        order = RestClient(sandbox).order("BUY", "0.001", "30000").body["orderId"]
        address = str(sandbox.values["control_url"]).removesuffix("/control")
        control = RestClient(replace(sandbox, values={**sandbox.values, "rest_url": address}))
        headers = {"Authorization": "Bearer t0ken"}
        assert control.raw("POST", "/control/save", headers=headers).status == 200
    with started(*options, env=token) as sandbox:
        (left,) = RestClient(sandbox).signed("GET", "/api/v3/openOrders").body
        assert left["orderId"] == order


def test_a_config_with_bots_has_their_markets(folder: Path) -> None:
    """Each begins in the middle of its bot's range, unless the config or --market says otherwise."""
    text = (folder / "grid.yaml").read_text()
    (folder / "low.yaml").write_text(text.replace("45000", "10").replace("55000", "30"))
    config = read_config(folder / "low.yaml")
    assert config.markets == ["BTC/USDT=20"]
    (folder / "high.yaml").write_text(text + "sandbox: {start_price: 77}\n")
    assert read_config(folder / "high.yaml").markets == ["BTC/USDT=77"]
    (folder / "own.yaml").write_text(text + "sandbox: {markets: [ETH/USDT]}\n")
    assert read_config(folder / "own.yaml").markets == ["ETH/USDT"]
    launches, _ = markets_to_play(Asked(markets=("SOL/USDT",)), config)
    assert [launch.symbol for launch in launches] == ["SOL/USDT"]


def test_two_do_not_share_a_folder_or_a_port(command: Command) -> None:
    with started("--market", "BTC/USDT", "--port", "0") as sandbox:
        second = command("sandbox", "--market", "BTC/USDT")
        assert second.code == 2
        assert "runs already" in second.err
        third = command("sandbox", "--no-state", "--port", str(sandbox.values["port"]))
        assert third.code == 2
        assert "port taken" in third.err
        assert RestClient(sandbox).get("/api/v3/ping").status == 200


def test_an_older_state_is_left_alone(command: Command, folder: Path) -> None:
    with started("--market", "BTC/USDT") as sandbox:
        path = Path(sandbox.values["state"]) / "sandbox.state.json"
    path.write_text('{"version": 1, "kind": "x"}')
    found = command("sandbox", "--market", "BTC/USDT")
    assert found.code != 0
    assert "is of another version of gridtide; it was left as it is" in found.err
    assert found.err.count("\n") == 1
    assert path.read_text() == '{"version": 1, "kind": "x"}'


# --- slips -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, expected",
    [
        (("--key", "K"), "each key needs its secret"),
        (("--secret", "S3CR3T"), "each secret needs its key"),
        (("--key", "K", "--key", "K", "--secret", "a", "--secret", "b"), "--key K is given twice"),
        (("--key", "a b", "--secret", "x"), "--key a b is no key"),
        (("--key", "K", "--secret", ""), "the secret of key K is empty"),
        (("--balance", "USDT"), "write asset=amount, such as USDT=100000"),
        (("--balance", "USDT=abc"), "abc is not a number"),
        (("--balance", "USDT="), "nothing is not a number"),
        (("--balance", "USDT=1,5"), "with a point for decimals"),
        (("--balance", "USDT=-5"), "a balance cannot be below zero"),
        (("--balance", "USDT=1", "--balance", "usdt=2"), "--balance USDT is given twice"),
        (("--balance", "USDT=0.000000001"), "more digits than an exchange keeps"),
        (("--balance", "USDT=1e30"), "more digits than an exchange keeps"),
        (("--market", "BTC/USD"), "did you mean BTC/USDT?"),
        (("--market", "FOO/BAR"), "--market FOO/BAR=1.5"),
        (("--market", "nofile.parquet"), "there is no market file nofile.parquet"),
        (("--market", "BTCUSDT"), "a market with a slash, such as BTC/USDT"),
        (("--state-folder", "grid.yaml"), "cannot be written (Not a directory); nothing was started"),
        (("--market", "grid.yaml"), "say --market BTC/USDT=grid.yaml"),
        (("--market", "BTC/USDT=grid.yaml"), "grid.yaml is neither"),
        (("--market", "BTC/USDT=abc"), "there is no such file, and it is no price"),
        (("--market", "BTC/USDT=0"), "a market begins between"),
        (("--market", "BTC/USDT", "--market", "btc/usdt"), "BTC/USDT is to be played twice"),
        (("--speed", "0"), "--speed 0 is not above zero"),
        (("--fee-asset", "XYZ"), "no market here tells what it costs"),
        (("--fee-maker", "5"), "--fee-maker 5 is no fraction"),
        (("--control-port", "0", "--no-state"), "set SANDBOX__CONTROL_TOKEN"),
        (("--exchange-info", "nofile.json"), "there is no file nofile.json"),
        (("--exchange-info", "grid.yaml"), "is no answer of exchangeInfo"),
        (("--faults", "grid.yaml"), "no fault was armed"),
        (("--live", "nosuch"), "is no exchange"),
        (("--live", "binance", "--market", "x.parquet"), "--live follows markets of binance"),
        (("--config", "live.yaml"), "mode: live"),
    ],
)
def test_a_slip_is_one_sentence_and_starts_nothing(
    command: Command, folder: Path, options: tuple[str, ...], expected: str
) -> None:
    (folder / "live.yaml").write_text("mode: live\nexchange: {api_key: k, api_secret: s}\n")
    before = set(folder.rglob("*.state.json"))
    found = command("sandbox", *options)
    assert found.code in (1, 2)
    assert expected in found.err
    assert found.err.count("\n") == 1
    assert "S3CR3T" not in found.err
    assert set(folder.rglob("*.state.json")) == before


def test_a_damaged_key_file_is_left_alone(command: Command, folder: Path) -> None:
    """No other key is made up in its place, which would lock the person's programs out."""
    with started("--market", "BTC/USDT"):
        pass
    (kept,) = folder.rglob("exchange.json")
    kept.write_text("{}")
    assert "exchange.json is damaged; nothing was started" in command("sandbox", "--market", "BTC/USDT").err
    assert kept.read_text() == "{}"


@pytest.mark.usefixtures("folder")
def test_it_ends_quietly_after_playing_a_file() -> None:
    """The library that reads files reports on stderr what is not freed at the exit; `started` allows nothing there."""
    rows = "".join(f"{1_609_459_200_000 + 60_000 * row},100,110,95,105,10\n" for row in range(3))
    Path("BTCUSDT.csv").write_text(f"timestamp,open,high,low,close,volume\n{rows}")
    with started("--market", "BTCUSDT.csv", "--no-state") as target:
        assert (
            RestClient(target).get("/api/v3/ticker/price", symbol="BTCUSDT").body["price"] == "100.00000000"
        )


# --- the options by themselves -----------------------------------------------------------------------


def test_balances_are_exact() -> None:
    assert read_balances(["usdt=100000", "BTC=0.00000001", "ETH=0"]) == {
        "USDT": 100_000,
        "BTC": Decimal("0.00000001"),
        "ETH": 0,
    }
    assert usual_balances([market_of("ETH/BTC")]) == {"BTC": 1, "ETH": 10}  # type: ignore[arg-type]  # a Symbol


def test_keys_and_secrets_pair_up_in_order() -> None:
    assert [(each.key, each.secret) for each in read_keys(["a", "b"], ["1", "2"])] == [("a", "1"), ("b", "2")]
    with pytest.raises(InvalidInput, match="given 3 times and --secret once"):
        read_keys(["a", "b", "c"], ["1"])


def test_markets_move_apart_and_each_as_it_does_alone() -> None:
    usual = read_markets([], 7)
    assert [launch.symbol for launch in usual] == ["BTC/USDT", "ETH/USDT", "BNB/USDT"]
    assert usual[0].seed == 7
    assert len({launch.seed for launch in usual}) == 3
    assert read_markets(["ETH/USDT"], 7)[0].seed == usual[1].seed == seed_of("ETH/USDT", 7)


def test_a_market_nobody_knows_begins_where_it_is_told(folder: Path) -> None:
    (launch,) = read_markets(["foo/bar=0.0012"], 1)
    assert (launch.symbol, launch.start_price) == ("FOO/BAR", "0.0012")
    (folder / "x.csv").touch()
    (launch,) = read_markets([f"FOO/BAR={folder / 'x.csv'}"], 1)
    assert (launch.symbol, launch.file) == ("FOO/BAR", str(folder / "x.csv"))


def test_every_choice_of_the_venue_can_be_made_in_the_config() -> None:
    """Config and venue use the same words, and the config's defaults are the venue's."""
    words = {
        "fill_model": FillModel,
        "queue_cancellations": QueueCancellations,
        "commission_rounding": CommissionRounding,
        "stop_notional": StopNotional,
        "self_trade_prevention": SelfTradePrevention,
    }
    for setting in settings_of(SandboxChoices):
        if setting.key in words:
            assert set(setting.choices) == set(words.pop(setting.key)), setting.key
    assert words == {}
    assert venue_settings(SandboxChoices(), {}, ()) == VenueSettings()


@pytest.mark.parametrize("client", Client)
def test_snippets_are_filled_in(client: Client) -> None:
    text = snippet(client, "127.0.0.1:9100", "KEY-1", "SECRET-1")
    for left in ("ADDRESS", "THE-KEY", "THE-SECRET"):
        assert left not in text
    assert "127.0.0.1:9100" in text
    if client not in (Client.CURL, Client.CCXT_JS):
        compile(text, client, "exec")


@pytest.mark.usefixtures("folder")
def test_a_pasted_snippet_trades() -> None:
    """What --show ccxt prints runs as it is."""
    with started("--market", "BTC/USDT", "--no-state") as sandbox:
        text = snippet(Client.CCXT, f"127.0.0.1:{sandbox.values['port']}", sandbox.api_key, sandbox.secret)
        ran = subprocess.run(
            [sys.executable, "-c", text], check=False, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        assert "100000" in ran.stdout


def test_a_taken_port_is_said_before_anything_is_lost(command: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = command("sandbox", "--port", str(taken.getsockname()[1]), "--no-state")
    assert found.code == 2
    assert "port taken" in found.err
