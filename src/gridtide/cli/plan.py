"""`gridtide plan`: what a grid would be, before anything is placed."""

from __future__ import annotations

from gridtide.cli.options import STATE_FOLDER, BotName, Config, Json, Market, Seed, StateFolder


def plan(
    config: Config = None,
    /,
    *,
    market: Market = None,
    seed: Seed = None,
    bot: BotName = None,
    state_folder: StateFolder = STATE_FOLDER,
    json: Json = False,
) -> None:
    """Show what would be placed: levels, amounts, fees, break-even, and what the grid loses if the price falls.

    Nothing is placed. The exchange is asked for the price, the market's rules, your fees and your balances.

    For example:
      gridtide plan my-grid.yaml
      gridtide plan --market ETH/USDT
    """
    from gridtide.bootstrap.kept_verdicts import verdict_line
    from gridtide.cli.embedded import Play
    from gridtide.cli.launch import run_to_end
    from gridtide.cli.output import print_json, say, table
    from gridtide.cli.plan_text import level_lines, plan_json, plan_rows, stress_lines
    from gridtide.cli.planning import plan_wish
    from gridtide.cli.world import Wish

    shown, has_run = run_to_end(plan_wish(Wish(config, bot, state_folder, Play(market, None, seed))))
    verdict = verdict_line(config, shown.bot)
    if json:
        print_json(plan_json(shown) | {"has_run": has_run, "verdict": verdict})
        return
    say(f"The plan of {shown.bot.name}; nothing was placed.")
    if has_run:
        say("This bot has a grid already, and `gridtide run` goes on with that one: see `gridtide status`.")
    say()
    say(table(plan_rows(shown)))
    say()
    for line in level_lines(shown):
        say(line)
    say()
    say("If the price falls, no stop acts and nothing is sold on the way:")
    for line in stress_lines(shown):
        say(line)
    if verdict is not None:
        say(f"\n{verdict}")
