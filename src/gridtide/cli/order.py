"""`gridtide order`: one single order, through the same gate and journal as a grid's."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from cyclopts import Parameter

from gridtide.cli.options import STATE_FOLDER, ConfigOption, Json, StateFolder, Yes, read_number


def order(
    side: Annotated[Literal["buy", "sell"], Parameter(help="buy or sell.")],
    market: Annotated[str, Parameter(help="The market, base and quote: BTC/USDT.")],
    amount: Annotated[Decimal, Parameter(converter=read_number, help="How much base: 0.001.")],
    /,
    *,
    limit: Annotated[
        Decimal | None,
        Parameter(
            name="--limit",
            converter=read_number,
            help="The worst price you accept. Without it: at the market's price.",
        ),
    ] = None,
    config: ConfigOption = None,
    state_folder: StateFolder = STATE_FOLDER,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Place one order and show what became of it.

    With --limit it may rest in the book after this command has ended. It may use all that is free on the account,
    beside a running bot too; a bot's books do not contain it. Real money asks first, or needs --yes.

    For example:
      gridtide order buy BTC/USDT 0.001 --limit 50000
      gridtide order sell BTC/USDT 0.001
    """
    from gridtide.cli.launch import Manner
    from gridtide.cli.ordering import place_order
    from gridtide.cli.world import Wish, order_wish
    from gridtide.domain.errors import InvalidInput
    from gridtide.domain.order import Side

    symbol = market.upper()
    if re.fullmatch(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", symbol) is None:
        raise InvalidInput(f'"{market}" names no market: write base and quote, as in BTC/USDT')
    if config is None:
        wish = order_wish(state_folder, symbol)
    else:
        wish = Wish(config, None, state_folder, for_market=symbol)
    return place_order(wish, Side(side.upper()), amount, limit, Manner(json, quiet=True, yes=yes))
