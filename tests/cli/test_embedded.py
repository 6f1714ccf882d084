"""What the embedded sandbox plays, where it keeps it, and which books go with it."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from gridtide.cli.embedded import BOOKS_FILE, Play, books_of, launch_spec, open_embedded, sandbox_folder
from gridtide.config import AppSettings, BotSettings, GridSettings, load_settings
from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.launch import LaunchSpec

SETTINGS = AppSettings()


def bot(market: str = "BTC/USDT") -> BotSettings:
    grid = GridSettings(
        lower_price=Decimal(100), upper_price=Decimal(200), num_grids=5, total_investment=Decimal(9)
    )
    return BotSettings(name="b", market=market, strategy=grid)


def spec(play: Play, settings: AppSettings = SETTINGS, of: BotSettings | None = None) -> LaunchSpec:
    return launch_spec(settings, of, play)


def test_without_a_word_it_plays_an_invented_bitcoin_market() -> None:
    found = spec(Play())
    assert (found.symbol, found.market_file, found.seed, found.speed) == ("BTC/USDT", None, 1, 1.0)
    assert found.balances == {"USDT": "15000"}
    assert found.hold, "the market waits until the bot is ready"


def test_a_market_by_name_is_invented_with_its_own_money() -> None:
    found = spec(Play("eth/btc", Decimal(60), 7))
    assert (found.symbol, found.seed, found.speed) == ("ETH/BTC", 7, 60.0)
    assert found.balances == {"BTC": "15000"}


def test_a_bot_finds_the_price_in_the_middle_of_its_range() -> None:
    assert spec(Play(), of=bot()).start_price == "150"
    assert spec(Play("BTC/USDT")).start_price == "50000"
    given = load_settings(overrides={"sandbox": {"start_price": "123.5"}})
    assert spec(Play(), given, bot()).start_price == "123.5"


def test_a_file_tells_its_market(folder: Path) -> None:
    (folder / "ETHUSDT-1m.parquet").touch()
    found = spec(Play("ETHUSDT-1m.parquet"))
    assert found.symbol == "ETH/USDT"
    assert found.market_file == str(folder / "ETHUSDT-1m.parquet")


@pytest.mark.parametrize("market", ["ETHUSDT-1m.parquet", "ETH/USDT"])
def test_a_bot_is_never_given_another_markets_prices(folder: Path, market: str) -> None:
    (folder / "ETHUSDT-1m.parquet").touch()
    with pytest.raises(InvalidInput, match="is to play ETH/USDT, but the bot b trades BTC/USDT"):
        spec(Play(market), of=bot())


@pytest.mark.parametrize("market", ["nothing.parquet", "nonsense", "a b", "../x"])
def test_a_market_that_is_neither_file_nor_market_is_refused(folder: Path, market: str) -> None:
    with pytest.raises(InvalidInput, match="there is no market file"):
        spec(Play(market))


def test_fees_in_another_asset_need_its_price() -> None:
    quote = load_settings(overrides={"sandbox": {"fees": {"asset": "quote"}}})
    assert (spec(Play(), quote).fee_asset, spec(Play(), quote).fee_asset_price) == ("USDT", "1")
    unpriced = load_settings(overrides={"sandbox": {"fees": {"asset": "BNB"}}})
    with pytest.raises(InvalidInput, match="say what one costs in quote"):
        spec(Play(), unpriced)
    priced = load_settings(overrides={"sandbox": {"fees": {"asset": "BNB", "asset_price": "600"}}})
    assert (spec(Play(), priced).fee_asset, spec(Play(), priced).fee_asset_price) == ("BNB", "600")


@pytest.mark.parametrize("speed", ["0", "-1", "NaN", "Infinity"])
def test_a_speed_that_is_none_is_refused(speed: str) -> None:
    with pytest.raises(InvalidInput, match="is not above zero"):
        spec(Play(speed=Decimal(speed)))


def test_another_market_has_another_folder(folder: Path) -> None:
    (folder / "BTCUSDT.csv").touch()
    (folder / "x").mkdir()
    (folder / "x" / "BTCUSDT.csv").touch()
    plays = [Play(), Play("ETH/USDT"), Play(seed=2), Play("BTCUSDT.csv"), Play("x/BTCUSDT.csv")]
    folders = {sandbox_folder(folder, spec(play)) for play in plays}
    assert len(folders) == len(plays)
    assert all(found.parent == folder / "sandbox" for found in folders), "names, not paths (F74)"
    assert sandbox_folder(folder, spec(Play(speed=Decimal(9)))) in folders, "a speed is no other market"


def test_a_sandbox_goes_on_with_its_books_and_a_new_one_has_new_books(folder: Path) -> None:
    """Books of an exchange that is gone fit no order of the new one, so its database is left alone."""
    settings = load_settings(overrides={"storage": {"url": "sqlite:///mine.db"}})
    (folder / "mine.db").write_bytes(b"books of an older sandbox")
    wanted = spec(Play())

    async def open_and_end(speed: float = 1.0) -> tuple[str, bool, str]:
        found = await open_embedded(settings, replace(wanted, speed=speed), folder)
        again = await open_embedded(settings, replace(wanted, speed=speed), folder)
        assert again.was_running
        assert again.handle.contact == found.handle.contact, "the living one is taken up again"
        assert again.database_url == found.database_url
        await found.handle.shutdown()
        return found.database_url, found.was_running, found.story

    url, was_running, story = asyncio.run(open_and_end())
    assert (url, was_running) == (f"sqlite:///{folder / 'mine-2.db'}", False)
    assert "new sandbox" in story
    url_again, _, story_again = asyncio.run(open_and_end(speed=5.0))
    assert url_again == url
    assert "goes on from its state" in story_again
    assert (folder / "mine.db").read_bytes() == b"books of an older sandbox"


def test_looking_never_ends_the_sandbox_a_bot_trades_on(folder: Path) -> None:
    """`plan`, `check` and `order` know nothing of the speed that the running bot's sandbox was started with."""
    wanted = spec(Play())

    async def look() -> None:
        found = await open_embedded(SETTINGS, replace(wanted, speed=5.0), folder)
        try:
            looked = await open_embedded(SETTINGS, wanted, folder, as_it_is=True)
            assert looked.was_running
            assert looked.handle.contact == found.handle.contact
        finally:
            await found.handle.shutdown()

    asyncio.run(look())


def test_books_that_cannot_be_told_stop_the_start(folder: Path) -> None:
    (folder / BOOKS_FILE).write_text(json.dumps(["?"]))
    with pytest.raises(InvalidInput, match="nothing was started"):
        books_of(folder)
