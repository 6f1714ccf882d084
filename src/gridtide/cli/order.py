"""`gridtide order`: one single order, through the same gate and journal as a grid's."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from cyclopts import Parameter

from gridtide.cli.options import STATE_FOLDER, ConfigOption, Json, StateFolder, Yes


def order(
    side: Annotated[Literal["buy", "sell"], Parameter(help="buy or sell.")],
    market: Annotated[str, Parameter(help="The market, base and quote: BTC/USDT.")],
    amount: Annotated[Decimal, Parameter(help="How much base: 0.001.")],
    /,
    *,
    limit: Annotated[
        Decimal | None,
        Parameter(name="--limit", help="The worst price you accept. Without it: at the market's price."),
    ] = None,
    config: ConfigOption = None,
    state_folder: StateFolder = STATE_FOLDER,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Place one order and show what became of it.

    With --limit it may rest in the book after this command has ended. Real money asks first, or needs --yes.

    For example:
      gridtide order buy BTC/USDT 0.001 --limit 50000
      gridtide order sell BTC/USDT 0.001
    """
    from gridtide.cli.embedded import Play
    from gridtide.cli.launch import Manner
    from gridtide.cli.ordering import place_order
    from gridtide.cli.world import Wish
    from gridtide.domain.order import Side

    symbol = market.upper()
    play = Play(symbol) if config is None else Play()
    wish = Wish(config, None, state_folder, play, for_market=symbol)
    return place_order(wish, Side(side.upper()), amount, limit, Manner(json, quiet=True, yes=yes))
