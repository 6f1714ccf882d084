"""`gridtide check`: everything that can be known before money is at risk."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, BotName, Config, Json, Market, Seed, StateFolder


def check(
    config: Config = None,
    /,
    *,
    market: Market = None,
    seed: Seed = None,
    bot: BotName = None,
    state_folder: StateFolder = STATE_FOLDER,
    json: Json = False,
) -> int:
    """Check keys and their rights, the clock, the market's rules, funds, fees against break-even, and the database.

    Nothing is placed. Real money is traded only by a config whose checks all pass. The exit code is 2 if one fails.

    For example:
      gridtide check my-grid.yaml
    """
    from gridtide.bootstrap.kept_verdicts import verdict_line
    from gridtide.cli.check_outcome import Outcome, check_lines
    from gridtide.cli.embedded import Play
    from gridtide.cli.launch import run_to_end
    from gridtide.cli.output import print_json, say
    from gridtide.cli.planning import check_wish
    from gridtide.cli.world import Wish, read_wish

    wish = Wish(config, bot, state_folder, Play(market, None, seed))
    checks = run_to_end(check_wish(wish))
    settings_bot = read_wish(wish)[1]
    verdict = None if settings_bot is None else verdict_line(config, settings_bot)
    failed = [found for found in checks if found.outcome is Outcome.FAILED]
    if json:
        listed = [
            {"check": found.name, "outcome": found.outcome.value, "text": found.text} for found in checks
        ]
        print_json({"passed": not failed, "checks": listed, "verdict": verdict})
    else:
        for line in check_lines(checks):
            say(line)
        if verdict is not None:
            say(f"\n{verdict}")
        say(f"\n{len(failed)} of {len(checks)} checks failed." if failed else "\nAll checks passed.")
    return 2 if failed else 0
