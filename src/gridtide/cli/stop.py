"""`gridtide stop`: end the running bot, or do what is left to do for one that does not run."""

from __future__ import annotations

from gridtide.cli.options import (
    STATE_FOLDER,
    Cancel,
    ConfigOption,
    Json,
    KeepOrders,
    Liquidate,
    StateFolder,
    Yes,
)


def stop(
    *,
    keep_orders: KeepOrders = False,
    cancel: Cancel = False,
    liquidate: Liquidate = False,
    config: ConfigOption = None,
    state_folder: StateFolder = STATE_FOLDER,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """End the running bot. Its orders stay in the book, and the next run goes on with them.

    With --cancel its orders are cancelled, with --liquidate its base is sold too; both ask first, or need --yes.
    They also work when no bot runs: the one that ran last in the folder is taken up, cleared, and closed. Without
    them a sandbox that a killed bot left behind is told to save its state and end.

    For example:
      gridtide stop
      gridtide stop --cancel
    """
    from gridtide.cli.control_client import NoBotRuns
    from gridtide.cli.launch import Manner, chosen_policy, launch
    from gridtide.cli.stopping import ask_to_stop, end_orphan
    from gridtide.cli.world import Wish, last_wish
    from gridtide.domain.commands import StopPolicy

    policy = chosen_policy(keep_orders=keep_orders, cancel=cancel, liquidate=liquidate)
    manner = Manner(json=json, quiet=True, yes=yes)
    try:
        return ask_to_stop(state_folder, policy, manner)
    except NoBotRuns:
        wish = Wish(config, None, state_folder) if config is not None else last_wish(state_folder)
        if policy in (None, StopPolicy.KEEP):
            return end_orphan(wish, manner)
        return launch(wish, manner, seconds=0, policy=policy)
