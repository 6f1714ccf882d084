"""F46 with the real program and its sandbox: an old or lost database stops the bot, the rebuild mends it, the bot goes
on, and in the end its books equal the exchange's own records to the last unit."""

import re
import shutil
import sqlite3
from pathlib import Path

from gridtide.storage.reader import open_reader
from tests.cli.conftest import Command
from tests.e2e.bots import Bot, differences

FAST = ("--speed", "150", "--json")


def database(bot: Bot) -> Path:
    return Path(bot.database_url.removeprefix("sqlite:///"))


def kept(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}-before-rebuild-*"))


def forget(path: Path) -> None:
    for found in path.parent.glob(f"{path.name}*"):
        if not found.name.endswith(".lock"):
            found.unlink()


def profit_of(bot: Bot) -> str:
    with open_reader(bot.database_url) as reader:
        return str(reader.ledger(reader.bots()[-1].bot_id).totals.grid_profit)


def test_a_database_copied_back_is_refused_explained_and_made_anew(
    bot: Bot, command: Command, folder: Path, quick_looks: None
) -> None:
    """Traded on behind the copy: run refuses, doctor says why, rebuild mends, run goes on."""
    path = database(bot)
    shutil.copy(path, folder / "old.db")
    before = command("run", "grid.yaml", "--for", "1s", *FAST).json
    profit = profit_of(bot)
    forget(path)
    shutil.copy(folder / "old.db", path)
    path.chmod(0o600)

    refused = command("run", "grid.yaml", "--for", "1s", *FAST)
    assert refused.code == 2
    assert "is older than its orders" in refused.err
    assert "`gridtide rebuild`" in refused.err
    with bot.living_sandbox():
        examined = command("doctor", "grid.yaml", "--json")
        assert examined.code == 1
        assert "F46" in examined.json["broken"]

        asked = command("rebuild", "grid.yaml")
        assert asked.code == 2, "nobody can answer here"
        assert "Type rebuild" not in asked.out
        assert kept(path) == []
        made = command("rebuild", "grid.yaml", "--yes", "--json").json
        assert made["strategy_rebuilt"] is True
        assert (made["fills"], made["open_orders"]) == (before["fills"], before["open_orders"])
        assert profit_of(bot) == profit
        assert len(kept(path)) == 1
        assert sqlite3.connect(kept(path)[0]).execute("SELECT count(*) FROM bots").fetchone() == (1,)
        assert command("doctor", "grid.yaml", "--json").json["broken"] == []

        after = command("run", "grid.yaml", "--for", "0.5s", *FAST).json
    assert (after["books_balanced"], after["exchange_agrees"]) == (True, True), after["differences"]
    assert after["fills"] >= before["fills"]
    assert after["open_orders"] + len(after["parked"]) >= 20
    assert differences(bot, bot.truth()) == []


def test_a_lost_database_is_made_anew_without_anything_left_of_it(bot: Bot, command: Command) -> None:
    """Nothing but the config and the exchange: the same profit, the same orders, and the same grid goes on."""
    path = database(bot)
    profit = profit_of(bot)
    forget(path)
    with bot.living_sandbox():
        examined = command("doctor", "grid.yaml", "--json")
        assert examined.code == 1
        assert {"file", "F46"} == set(examined.json["broken"])
        assert not path.exists(), "the doctor changes nothing"
        refused = command("run", "grid.yaml", "--for", "1s", *FAST)
        assert refused.code == 2
        assert "holds nothing of this bot" in refused.err
        assert not path.exists(), "a run that is refused leaves no empty books"
    with bot.living_sandbox():
        made = command("rebuild", "--yes")
        assert made.code == 0, made.err
        assert "`gridtide run` goes on with the grid" in made.out
        assert profit_of(bot) == profit
        after = command("run", "grid.yaml", "--for", "0.5s", *FAST).json
    assert (after["books_balanced"], after["exchange_agrees"]) == (True, True), after["differences"]
    assert differences(bot, bot.truth()) == []


def test_a_damaged_database_is_made_anew_and_kept(bot: Bot, command: Command) -> None:
    """F59: whatever is in the file, it stays beside the new one."""
    path = database(bot)
    forget(path)
    path.write_bytes(b"no database at all" * 500)
    assert command("run", "grid.yaml", "--for", "1s", *FAST).code == 2
    with bot.living_sandbox():
        made = command("rebuild", "grid.yaml", "--yes")
        assert made.code == 0, made.err
        assert kept(path)[0].read_bytes().startswith(b"no database")
        assert command("doctor", "grid.yaml").code == 0


def test_a_grid_that_does_not_fit_its_orders_ends_safely(bot: Bot, command: Command, folder: Path) -> None:
    """Another range in the config: books and orders are taken, the grid is not, and stop clears what is there."""
    path = database(bot)
    forget(path)
    other = (folder / "grid.yaml").read_text().replace("lower_price: 45000", "lower_price: 44000")
    (folder / "grid.yaml").write_text(other.replace("upper_price: 55000", "upper_price: 56000"))
    made = command("rebuild", "grid.yaml", "--yes")
    assert made.code == 0, made.err
    assert "The grid itself cannot be rebuilt" in made.out
    assert "PAUSED" in command("status").out
    cleared = command("stop", "--cancel", "--yes", "--json").json
    assert cleared["open_orders_left"] == 0
    assert cleared["books_balanced"] is True
    assert differences(bot, bot.truth()) == []


def test_cleared_orders_do_not_keep_a_bot_from_beginning_again(bot: Bot, command: Command) -> None:
    """F06: without open orders a lost database is no reason to refuse, and no id is used a second time."""
    assert command("stop", "--cancel", "--yes").code == 0
    forget(database(bot))
    again = command("run", "grid.yaml", "--for", "0.5s", *FAST)
    assert again.code == 0, again.err
    assert "used twice" not in str(differences(bot, bot.truth()))
    with open_reader(bot.database_url) as reader:
        assert [found.generation for found in reader.bots()] == [2]


def test_there_must_be_something_to_rebuild(command: Command, folder: Path) -> None:
    """Wrong inputs are one sentence each."""
    nothing = command("rebuild", "grid.yaml", "--yes")
    assert nothing.code == 2
    assert re.search(r"shows no order of the bot btc-grid .* `gridtide run` starts it\n", nothing.err)
    missing = command("rebuild", "no.yaml", "--yes")
    assert missing.code == 2
    assert missing.err.count("\n") == 1
    looked = command("doctor", "grid.yaml")
    assert looked.code == 2
    assert "nothing to look at" in looked.err
