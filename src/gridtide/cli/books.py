"""Which database a bot's books are in, without starting anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.cli.embedded import books_of, launch_spec, sandbox_folder
from gridtide.cli.world import DEFAULT_BOT, read_wish
from gridtide.config import Mode

if TYPE_CHECKING:
    from gridtide.cli.world import Wish


def database_of(wish: Wish) -> tuple[str, str]:
    """The database's address and the bot's name. Raises `InvalidInput`."""
    settings, bot = read_wish(wish)
    name = bot.name if bot is not None else DEFAULT_BOT
    if settings.mode is not Mode.SANDBOX or settings.exchange.rest_url:
        return settings.storage.url, name
    return books_of(sandbox_folder(wish.state_folder, launch_spec(settings, bot, wish.play))), name
