"""`gridtide doctor`: whether the books are right, invariant by invariant, and what to do where they are not."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, BotName, Config, Json, Market, Seed, StateFolder


def doctor(
    config: Config = None,
    /,
    *,
    market: Market = None,
    seed: Seed = None,
    bot: BotName = None,
    state_folder: StateFolder = STATE_FOLDER,
    json: Json = False,
) -> int:
    """Verify the database of a bot against itself and against the exchange, and say what to do about what is wrong.

    It looks at the file, at each of the sixteen rules that keep orders and money safe (I1 to I16), and at whether the
    exchange knows orders that the database does not: then it is an old copy. For each it says held, broken, or
    unchecked and why. Nothing is changed, on either side. A bot may run meanwhile and is not disturbed; where none
    runs, none can start until this has ended. Without a config it looks at what ran last in the folder.

    The exit code is 0 if all is well, 1 if something is broken, 2 if it could not look or not ask the exchange.

    For example:
      gridtide doctor
      gridtide doctor my-grid.yaml --json
    """
    from gridtide.cli.embedded import Play
    from gridtide.cli.examining import examination_text, examination_values, examine_wish, exit_code
    from gridtide.cli.launch import run_to_end
    from gridtide.cli.output import print_json, say
    from gridtide.cli.world import meant_wish

    found = run_to_end(examine_wish(meant_wish(config, bot, state_folder, Play(market, None, seed))))
    if json:
        print_json(examination_values(found))
    else:
        say(examination_text(found))
    return exit_code(found)
