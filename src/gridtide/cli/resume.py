"""`gridtide resume`: a paused bot goes on."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, Json, StateFolder


def resume(*, state_folder: StateFolder = STATE_FOLDER, json: Json = False) -> None:
    """Let a paused bot go on, and place levels again whose orders somebody cancelled by hand.

    For example:
      gridtide resume
    """
    from gridtide.cli.control_client import ask
    from gridtide.cli.output import print_json, say

    answer = ask(state_folder, "resume")
    if json:
        print_json(answer)
    else:
        say(f"{answer['name']} is {answer['state']}.")
