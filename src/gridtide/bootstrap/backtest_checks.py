"""What a backtest refuses before it plays, and what must hold when it is over: a result is never given on trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from gridtide.bootstrap.bots import allocation_of
from gridtide.domain.errors import Defect, InvalidConfig, PlanRefused
from gridtide.domain.market import Asset
from gridtide.domain.money import ZERO, tidy
from gridtide.engine import invariants

if TYPE_CHECKING:
    from gridtide.config.backtest import BacktestSettings
    from gridtide.config.bot import BotSettings
    from gridtide.config.settings import AppSettings
    from gridtide.domain.balance import Balance
    from gridtide.runners.backtest_lane import Lane


def check_settings(settings: AppSettings) -> None:
    """Raises `InvalidConfig` for bots that cannot share one account and for fees that nothing can value, `PlanRefused`
    for more than the account has."""
    bots = settings.bots
    if not bots:
        raise InvalidConfig("the config has no bots: a backtest needs one, as `gridtide init` writes it")
    _check_markets([bot.market for bot in bots])
    _check_fee_asset(settings.backtest, bots)
    _check_money(settings.backtest.balance, bots)


def _check_markets(markets: Sequence[str]) -> None:
    if twice := sorted({market for market in markets if markets.count(market) > 1}):
        raise InvalidConfig(
            f"two bots trade {twice[0]}: a backtest plays one bot on a market; give each a config of its own"
        )
    quotes = sorted({market.partition("/")[2] for market in markets})
    if len(quotes) > 1:
        raise InvalidConfig(f"all markets of a backtest need one quote asset, these have {', '.join(quotes)}")


def _check_fee_asset(backtest: BacktestSettings, bots: Sequence[BotSettings]) -> None:
    """A single market's own assets have its price; any other needs one, and must be no other bot's base."""
    asset, bases = backtest.fees.asset, [bot.market.partition("/")[0] for bot in bots]
    if asset in bases and len(bots) > 1:
        raise InvalidConfig(
            f"fees cannot be paid in {asset} while one of several bots trades it: choose received or quote, or play "
            "that bot alone"
        )
    if is_third(asset, bots[0].market) and backtest.fees.asset_price is None:
        raise InvalidConfig(
            f"backtest.fees.asset_price is missing: say what one {asset} is worth, or the fees paid in it cannot be "
            "valued"
        )


def is_third(fee_asset: str, market: str) -> bool:
    """Whether a setting for fees names an asset that is neither base nor quote of `market`."""
    return fee_asset not in ("received", "quote", *market.split("/"))


def _check_money(balances: Mapping[str, Decimal], bots: Sequence[BotSettings]) -> None:
    """All bots share one account: together they may not be given more than there is."""
    needs: dict[str, Decimal] = {}
    for bot in bots:
        base, _, quote = bot.market.partition("/")
        given = allocation_of(bot)
        for asset, amount in ((quote, given.quote), (base, given.base)):
            needs[asset] = needs.get(asset, ZERO) + amount
    for asset, need in needs.items():
        if need > balances.get(asset, ZERO):
            raise PlanRefused(
                f"the bots are to use {tidy(need)} {asset}, but backtest.balance has "
                f"{tidy(balances.get(asset, ZERO))}: raise it, or lower total_investment"
            )


def check_books(
    lanes: Iterable[Lane], opening: Mapping[str, Decimal], closing: Mapping[Asset, Balance]
) -> None:
    """Raises `Defect` where a bot's books do not balance, or all books together are not what the venue's account holds.

    `opening`: the account at the start; `closing`: as the venue has it now.
    """
    expected = {Asset(asset): amount for asset, amount in opening.items()}
    for lane in lanes:
        state = lane.engine.state
        if breaches := invariants.own_breaches(state):
            raise Defect(f"{lane.symbol}: {breaches[0]}; no result was given")
        given = state.settings.allocation
        market, ledger = state.market, state.ledger
        for asset, began in ((market.quote, given.quote), (market.base, given.base)):
            expected[asset] = expected.get(asset, ZERO) + ledger.holding(asset) - began
        for asset, paid in ledger.fees_paid().items():
            if asset not in (market.base, market.quote):
                expected[asset] = expected.get(asset, ZERO) - paid
    for asset, amount in expected.items():
        held = closing[asset].total if asset in closing else ZERO
        if held != amount:
            raise Defect(
                f"the venue holds {tidy(held)} {asset}, the books {tidy(amount)}; no result was given"
            )
