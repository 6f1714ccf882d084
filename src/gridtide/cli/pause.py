"""`gridtide pause`: the running bot places nothing until it is resumed."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, Json, StateFolder


def pause(*, state_folder: StateFolder = STATE_FOLDER, json: Json = False) -> None:
    """Make the running bot place nothing more. Orders that rest stay; their fills are still booked.

    For example:
      gridtide pause
    """
    from gridtide.cli.control_client import ask
    from gridtide.cli.output import print_json, say

    answer = ask(state_folder, "pause")
    if json:
        print_json(answer)
    else:
        say(f"{answer['name']} is {answer['state']}: nothing is placed until `gridtide resume`.")
