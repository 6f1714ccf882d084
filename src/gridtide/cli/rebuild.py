"""`gridtide rebuild`: the books of a bot anew, from what the exchange has on record."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, BotName, Config, Json, Market, Seed, StateFolder, Yes


def rebuild(
    config: Config = None,
    /,
    *,
    market: Market = None,
    seed: Seed = None,
    bot: BotName = None,
    state_folder: StateFolder = STATE_FOLDER,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Make the books of a bot anew from the exchange's records, when its database is lost, damaged or too old.

    It reads all orders and trades of the bot (the exchange keeps them, and their ids say which level they belong to),
    lives through them as the bot did, and writes fills, lots, profit, resting orders and the grid into a new database.
    Nothing is placed or cancelled. The old database is kept beside it. It shows what it found and asks before it
    writes; afterwards "gridtide run" goes on with the grid.

    Where the bot was killed, wait three minutes: until then an order it had just sent may still appear.

    What the exchange never knew is taken from the config (what was put in) or forgotten (pauses, notices). Give the
    config the bot ran with; without one, what ran last in the folder.

    For example:
      gridtide rebuild
      gridtide rebuild my-grid.yaml --yes
    """
    from gridtide.cli.embedded import Play
    from gridtide.cli.launch import run_to_end
    from gridtide.cli.output import print_json, say
    from gridtide.cli.questions import confirm
    from gridtide.cli.rebuilding import after_text, found_text, rebuild_wish, rebuilt_values
    from gridtide.cli.world import meant_wish

    wish = meant_wish(config, bot, state_folder, Play(market, None, seed))

    def agree(text: str) -> None:
        if not json:
            say(text)
        confirm("This writes a new database and keeps the old one.", "rebuild", yes=yes)

    found, told = run_to_end(rebuild_wish(wish, lambda rebuilt: agree(found_text(rebuilt))))
    if json:
        print_json(rebuilt_values(found, told))
    else:
        say(after_text(found, told))
    return 0
