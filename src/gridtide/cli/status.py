"""`gridtide status`: how the bot stands, from the bot itself or, where none runs, from its books."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, ConfigOption, Json, StateFolder


def status(
    *, config: ConfigOption = None, state_folder: StateFolder = STATE_FOLDER, json: Json = False
) -> None:
    """Show how the bot stands: state, orders, fills, profit, and whether the books balance.

    A running bot answers itself. Where none runs, the books of the last run in the folder are read; give --config
    to read the books of another one.

    For example:
      gridtide status
    """
    from gridtide.cli.control_client import NoBotRuns, ask
    from gridtide.cli.output import print_json, say
    from gridtide.cli.standing import standing_text

    try:
        found = ask(state_folder, "status") | {"running": True}
    except NoBotRuns:
        from gridtide.cli.standing import stored_standing
        from gridtide.cli.world import Wish, last_wish

        wish = Wish(config, None, state_folder) if config is not None else last_wish(state_folder)
        found = stored_standing(wish) | {"running": False}
    if json:
        print_json(found)
    else:
        say(standing_text(found))
