"""Verdicts are kept with a config for ever, and shown wherever it is: `verdict_line` is all that others need.

They lie in `.gridtide/verdicts` beside the config, a file for each grid (or other strategy) and market; what account or
mode it runs in does not matter. A file is only ever added to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gridtide.bootstrap.verdict_lock import changing
from gridtide.config.strategy import GridSettings
from gridtide.domain.errors import GridtideError
from gridtide.domain.money import tidy
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from gridtide.config.bot import BotSettings

FOLDER = Path(".gridtide") / "verdicts"


def bot_fingerprint(bot: BotSettings) -> str:
    """Equal for bots that trade the same way on the same market, however it was written."""
    strategy = bot.strategy.model_dump()
    if isinstance(bot.strategy, GridSettings):
        del strategy["num_grids"], strategy["intervals"]
        strategy["levels"] = bot.strategy.levels
    text = json.dumps([bot.market, strategy], sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> str:
    return tidy(value) if isinstance(value, Decimal) else str(value)


def keep_verdict(place: Path, bot: BotSettings, verdict: Mapping[str, Any], about: Mapping[str, Any]) -> Path:
    """Keep what was found about a bot whose config lies in the folder `place`; the same twice is kept once.

    `verdict` is JSON-compatible and has a `sentence`; `about` says where it comes from. Raises `StorageFailed`.
    """
    path, found = _file(place, bot), {**about, "verdict": dict(verdict)}
    with changing(path.parent):
        kept = _read(path)
        if not any(found == {name: each.get(name) for name in found} for each in kept):
            kept.append({"kept_at": f"{datetime.now(UTC):%Y-%m-%d}", **found})
            write_whole(path, orjson.dumps({"verdicts": kept}, option=orjson.OPT_INDENT_2))
    return path


def kept_verdicts(config: Path | None, bot: BotSettings) -> list[dict[str, Any]]:
    """All that were ever given on a bot of the config file, the oldest first."""
    return [] if config is None else _read(_file(config.absolute().parent, bot))


def verdict_line(config: Path | None, bot: BotSettings) -> str | None:
    """What a person who looks at this config should know: the last verdict with its day, the data and tries it rests
    on, and how many verdicts there were.

    None where none was given. Never an error: a verdict that cannot be read must not stop a bot.
    """
    try:
        kept = kept_verdicts(config, bot)
        if not kept:
            return None
        last = kept[-1]
        others = f", the last of {len(kept)} verdicts" if len(kept) > 1 else ""
        return f"Verdict of {last['kept_at']}{_basis(last)}{others}: {last['verdict']['sentence']}"
    except (GridtideError, OSError, ValueError, LookupError, TypeError):
        return None


def _basis(kept: Mapping[str, Any]) -> str:
    """ " on 2024-01-01 to 2025-01-01 and 5,000 tries"; verdicts kept before these were kept with them have none."""
    parts = []
    if time := kept.get("time"):
        parts.append(" to ".join(f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}" for ms in time))
    if (trials := kept["verdict"].get("evidence", {}).get("trials")) is not None:
        parts.append(f"{trials:,} tries")
    return f" on {' and '.join(parts)}" if parts else ""


def _file(place: Path, bot: BotSettings) -> Path:
    return place / FOLDER / f"{bot_fingerprint(bot)}.json"


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = orjson.loads(path.read_bytes())["verdicts"]
        return found
    except FileNotFoundError:
        return []
