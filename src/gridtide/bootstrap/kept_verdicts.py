"""Verdicts are kept with a config for ever, and shown wherever it is: `verdict_line` is all that others need.

They lie in `.gridtide/verdicts` beside the config, a file for each grid (or other strategy) and market; what account or
mode it runs in does not matter. A file is only ever added to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gridtide.config.fingerprint import redacted_view
from gridtide.config.strategy import GridSettings
from gridtide.domain.errors import GridtideError
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from gridtide.config.settings import AppSettings

FOLDER = Path(".gridtide") / "verdicts"


def bot_fingerprint(settings: AppSettings, number: int = 0) -> str:
    """Equal for bots that trade the same way on the same market, however it was written."""
    bot, view = settings.bots[number], redacted_view(settings)["bots"][number]
    strategy = dict(view["strategy"])
    if isinstance(bot.strategy, GridSettings):
        del strategy["num_grids"], strategy["intervals"]
        strategy["levels"] = bot.strategy.levels
    text = json.dumps([bot.market, strategy], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep_verdict(place: Path, settings: AppSettings, verdict: Mapping[str, Any], about: Mapping[str, Any]) -> Path:
    """Keep what was found about the first bot of `settings`, whose config lies in the folder `place`.

    `verdict` is JSON-compatible and has a `sentence`; `about` says where it comes from. Raises `StorageFailed`.
    """
    path = _file(place, settings, 0)
    kept = [*_read(path), {"kept_at": f"{datetime.now(UTC):%Y-%m-%d}", **about, "verdict": verdict}]
    write_whole(path, orjson.dumps({"verdicts": kept}, option=orjson.OPT_INDENT_2))
    return path


def kept_verdicts(config: Path | None, settings: AppSettings, number: int = 0) -> list[dict[str, Any]]:
    """All that were ever given on a bot of the config file, the oldest first."""
    if config is None or not settings.bots:
        return []
    return _read(_file(config.absolute().parent, settings, number))


def verdict_line(config: Path | None, settings: AppSettings, number: int = 0) -> str | None:
    """What a person who looks at this config should know: the last verdict's sentence, its day, and how many there were.

    None where none was given. Never an error: a verdict that cannot be read must not stop a bot.
    """
    try:
        kept = kept_verdicts(config, settings, number)
        if not kept:
            return None
        last = kept[-1]
        others = f", the last of {len(kept)} verdicts" if len(kept) > 1 else ""
        return f"Verdict of {last['kept_at']}{others}: {last['verdict']['sentence']}"
    except (GridtideError, OSError, ValueError, LookupError, TypeError):
        return None


def _file(place: Path, settings: AppSettings, number: int) -> Path:
    return place / FOLDER / f"{bot_fingerprint(settings, number)}.json"


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = orjson.loads(path.read_bytes())["verdicts"]
        return found
    except FileNotFoundError:
        return []
