"""What `gridtide suggest` does, step by step: data, the search with its progress, the table, the config it writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.bootstrap.engine_backtest import data_within
from gridtide.bootstrap.kept_verdicts import keep_verdict
from gridtide.bootstrap.suggest import Suggestion, SuggestionWish, settings_for, suggest
from gridtide.cli import backtesting, downloading
from gridtide.cli.dialogue import written_config
from gridtide.cli.failures import INTERRUPTED
from gridtide.cli.optimizing import progress_bar
from gridtide.cli.output import print_json, say, warn
from gridtide.config.init_template import Answers
from gridtide.config.values import market_named
from gridtide.domain.errors import InvalidInput, Transient
from gridtide.domain.money import plain, tidy
from gridtide.market_data.checksums import data_checksum
from gridtide.optimize.engine_sets import Window
from gridtide.optimize.overfitting.wording import Level
from gridtide.reports.shown_figures import day_text, percent_text

if TYPE_CHECKING:
    from gridtide.bootstrap.suggest import Proposal
    from gridtide.market_data.load import LoadedData

DAYS = 365
"""How much of the past is fetched where nothing is said."""
_DAY_SECONDS = 86_400
_WIDTHS = (13, 13, 8, 10, 9, 17)


def place_for(market: str, write: Path | None, *, force: bool) -> Path:
    """Where the config goes. Raises `InvalidInput` for a file that is there, before anything takes time."""
    place = write or Path(f"suggested-{market.lower().replace('/', '-')}.yaml")
    if place.exists() and not force:
        raise InvalidInput(
            f"{place} is there already: nothing was done; give --write another name, or --force"
        )
    return place


def wish_for(market: str, capital: Decimal, trials: int, seed: int, exchange: str) -> SuggestionWish:
    """What was asked for; raises `InvalidInput`."""
    try:
        name = market_named(market)
    except ValueError as error:
        raise InvalidInput(f"{market}: {error}") from None
    if capital <= 0:
        raise InvalidInput(f"--capital {tidy(capital)}: give what you want to put in, such as 1000")
    return SuggestionWish(name, capital, trials, seed=seed, exchange=exchange)


def data_for(
    wish: SuggestionWish,
    files: Sequence[Path] | None,
    start: str | None,
    end: str | None,
    days: int | None,
    timeframe: str,
    folder: Path | None,
    *,
    quiet: bool,
) -> LoadedData:
    """One market's past: from the file that is named, or fetched as far as it is not there yet."""
    settings = settings_for(wish, wish.capital, Decimal(1))
    if files:
        (found, *others) = backtesting.data_for(settings, files, start, end, timeframe, folder)
        if others:
            raise InvalidInput(f"a suggestion is for one market, and {len(files)} files are named: give one")
        return found if days is None or start is not None else _last_days(found, days)
    if start is None:
        start = day_text(int((time.time() - (days or DAYS) * _DAY_SECONDS) * 1000))
    asked = downloading.wish_for(wish.market, start, end, timeframe, False, None, folder)
    try:
        downloading.run_download(settings, asked, quiet=quiet)
    except Transient as error:
        raise Transient(f"{error}; or name a file of candles with --data") from error
    (found,) = backtesting.data_for(settings, None, start, end, timeframe, folder)
    return found


def _last_days(data: LoadedData, days: int) -> LoadedData:
    end = int(data.columns.timestamps[-1]) + 1
    part = data_within(data, Window(end - days * _DAY_SECONDS * 1000, end))
    return replace(part, checksum=data_checksum(part.columns))


def suggest_and_show(wish: SuggestionWish, data: LoadedData, place: Path, *, json: bool) -> int:
    """Search with progress, write the config, and say what was found."""
    try:
        with progress_bar("gain over fall", quiet=json) as listener:
            found = suggest(data, wish, listener)
    except KeyboardInterrupt:
        warn("Interrupted. Nothing was written; run the same command again.")
        return INTERRUPTED
    _write(found, wish, place)
    if json:
        print_json(_values(found, place))
        return 0
    for line in _lines(found, wish):
        say(line)
    if found.verdict is None or found.verdict.level not in {Level.HOLDS, Level.FRAGILE}:
        say(
            "\nNothing here is shown to be worth your money: what is written is a place to start from, with play money."
        )
    say(
        f"\nWritten: {place}, the {found.proposals[0].width} one. Next: `gridtide plan {place}` shows its orders and "
        f"what it loses in a fall, `gridtide run {place}` trades it with play money."
    )
    return 0


def _write(found: Suggestion, wish: SuggestionWish, place: Path) -> None:
    """The config of the first proposal, and its verdict beside it for ever."""
    bot = found.proposals[0].bot
    strategy = bot.grid
    answers = Answers(
        strategy.lower_price,
        strategy.upper_price,
        found.investment,
        exchange=wish.exchange,
        bot_name=bot.name,
        market=bot.market,
        num_grids=strategy.levels,
        spacing=str(strategy.spacing),
        start_price=found.price,
    )
    settings = written_config(place, answers)
    if found.verdict is not None:
        about = {
            "study": "suggest",
            "time": [found.start, found.stop],
            "data_checksum": found.data_checksum,
        }
        keep_verdict(place.absolute().parent, settings.bots[0], found.verdict.to_json(), about)


def _lines(found: Suggestion, wish: SuggestionWish) -> Iterator[str]:
    quote = wish.market.partition("/")[2]
    days = (found.stop - found.start) // (_DAY_SECONDS * 1000)
    yield (
        f"{wish.market} at {tidy(found.price)}: {found.tried:,} grids tried over {days} days, "
        f"{day_text(found.start)} to {day_text(found.stop)}."
    )
    yield f"\n{_verdict_text(found)}"
    yield (
        f"Choosing like this earned {percent_text(found.walk_return, sign=True)} on data that no choice had seen.\n"
    )
    heads = ("from", "to", "levels", "gain", "fall", "leaves range")
    yield f"{'range':<8}" + "".join(f"{head:>{width}}" for head, width in zip(heads, _WIDTHS, strict=True))
    for each in found.proposals:
        yield _row(each, found)
    yield (
        "\nThe best of each width, best first. leaves range: the chance that price does so within 7, 30 and 90 days. "
        f"Of {tidy(found.capital)} {quote} a grid would use {tidy(found.investment)}; the rest is reserve. Gains "
        "and deepest falls are those of the past the grids were chosen on, and no promise."
    )


def _verdict_text(found: Suggestion) -> str:
    return "Not judged: the data are too short." if found.verdict is None else found.verdict.sentence


def _row(each: Proposal, found: Suggestion) -> str:
    strategy, figures = each.bot.grid, each.played
    gain = figures["final_equity"] / float(found.capital) - 1
    chances = () if each.survival is None else each.survival.horizons
    leaves = "/".join(f"{one.leaves * 100:.0f}" for one in chances)
    cells = (
        f"{strategy.lower_price:,f}",
        f"{strategy.upper_price:,f}",
        str(strategy.levels),
        percent_text(gain, sign=True),
        percent_text(figures["max_drawdown"]),
        f"{leaves} %" if leaves else "-",
    )
    return f"{each.width:<8}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)
    )


def _values(found: Suggestion, place: Path) -> Mapping[str, Any]:
    return {
        "file": str(place),
        "price": plain(found.price),
        "capital": plain(found.capital),
        "investment": plain(found.investment),
        "tried": found.tried,
        "from": found.start,
        "to": found.stop,
        "walk_forward_return": found.walk_return,
        "verdict": None if found.verdict is None else found.verdict.to_json(),
        "data_checksum": found.data_checksum,
        "proposals": [_proposal_values(each) for each in found.proposals],
    }


def _proposal_values(each: Proposal) -> Mapping[str, Any]:
    strategy = each.bot.grid
    horizons = () if each.survival is None else each.survival.horizons
    return {
        "width": each.width,
        "lower_price": plain(strategy.lower_price),
        "upper_price": plain(strategy.upper_price),
        "num_grids": strategy.levels,
        "spacing": str(strategy.spacing),
        "figures": each.played,
        "leaves": {f"{one.days:g}": one.leaves for one in horizons},
        "round_trips": {f"{one.days:g}": one.round_trips for one in horizons},
    }
