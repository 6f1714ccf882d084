"""Proposes grids for a market and a capital from its past, each with what may become of it, and the verdict on the way
they were found. What is proposed was chosen on data that also judge it: the verdict says how far that can be trusted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gridtide.bootstrap.notebook import settings_of
from gridtide.bootstrap.optimize import Wish, config_with, prepare_optimization, run_optimization
from gridtide.bootstrap.optimize_verdict import survival_of
from gridtide.domain.errors import InvalidInput
from gridtide.domain.money import cut_to_places, tidy
from gridtide.optimize.objectives import objectives_named
from gridtide.optimize.space import resolved
from gridtide.optimize.study import Advance, StudyWish, figures_at
from gridtide.optimize.walk_forward import WindowWish
from gridtide.price_path.columns import CandleColumns
from gridtide.price_path.units import unit_of
from gridtide.risk.sizing import grid_capital

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gridtide.bootstrap.optimize import Answer, Prepared
    from gridtide.config.bot import BotSettings
    from gridtide.config.settings import AppSettings
    from gridtide.market_data.load import LoadedData
    from gridtide.optimize.overfitting.range_survival import RangeSurvival
    from gridtide.optimize.overfitting.verdict import Verdict
    from gridtide.optimize.space import ParameterSet
    from gridtide.optimize.trials import Trials

SPACE: Mapping[str, Any] = {
    "lower_price": {"from": "-45%", "to": "-5%", "step": "2.5%"},
    "upper_price": {"from": "5%", "to": "60%", "step": "2.5%"},
    "num_grids": {"from": "5", "to": "120"},
    "spacing": ["arithmetic", "geometric"],
}
"""Where grids are looked for: around the price at the start of each window."""
WIDTHS = ((Decimal("0.25"), "narrow"), (Decimal("0.55"), "middle"), (Decimal(10), "wide"))
"""Names of ranges by their width, as a share of the price: up to the first, up to the second, and beyond."""
OBJECTIVE = "gain_over_fall"


@dataclass(frozen=True, slots=True)
class SuggestionWish:
    """What a person asks for."""

    market: str
    capital: Decimal
    """Quote; grids get a part of it, the rest is reserve."""
    trials: int = 1000
    windows: int = 4
    seed: int = 1
    exchange: str = "binance"


class Proposal(NamedTuple):
    """A grid for the price where the data end."""

    width: str
    """narrow, middle or wide."""
    bot: BotSettings
    played: dict[str, float]
    """Its figures over all data, where it was chosen."""
    survival: RangeSurvival | None
    """What may become of it; None where the data are too short."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The proposals, best first, and the verdict on the choice of the first one."""

    proposals: tuple[Proposal, ...]
    verdict: Verdict | None
    capital: Decimal
    investment: Decimal
    price: Decimal
    """Where the data end."""
    start: int
    stop: int
    tried: int
    walk_return: float
    """What choosing like this earned in the walk-forward, as a fraction."""
    data_checksum: str


def suggest(
    data: LoadedData, wish: SuggestionWish, listener: Callable[[Advance], None] = lambda advance: None
) -> Suggestion:
    """Search ranges and counts over the data, walk-forward first. Raises `InvalidInput` for a capital or data that
    carry no grid."""
    investment = cut_to_places(grid_capital(wish.capital), 2)
    if investment <= 0:
        raise InvalidInput(f"a capital of {tidy(wish.capital)} leaves nothing to trade with: give more")
    study = StudyWish("random", wish.trials, wish.seed, WindowWish(wish.windows))
    asked = Wish(SPACE, "the space of suggest", (OBJECTIVE,), study)
    prepared = prepare_optimization(settings_for(wish, investment, _last_price(data)), data, asked)
    with tempfile.TemporaryDirectory(prefix="gridtide-") as folder:
        answer = run_optimization(prepared, Path(folder) / "study", config=None, listener=listener)
    proposals = _proposals(prepared, answer, wish.seed)
    if not proposals:
        raise InvalidInput(_why_none(answer))
    walk = answer.plain["walk_forward"]
    return Suggestion(
        proposals=proposals,
        verdict=None if answer.judged is None else answer.judged.verdict,
        capital=wish.capital,
        investment=investment,
        price=prepared.evaluator.last_price,
        start=prepared.evaluator.span.start,
        stop=prepared.evaluator.span.stop,
        tried=answer.searched.tried,
        walk_return=walk["last_equity"] / walk["first_equity"] - 1,
        data_checksum=data.checksum,
    )


def settings_for(wish: SuggestionWish, investment: Decimal, price: Decimal) -> AppSettings:
    """A config to vary: its range, from half of `price` to twice of it, is replaced by every trial's."""
    name, quote = wish.market.lower().replace("/", "-"), wish.market.partition("/")[2]
    strategy = {
        "name": "grid",
        "lower_price": str(price / 2),
        "upper_price": str(price * 2),
        "num_grids": 20,
        "total_investment": str(investment),
    }
    return settings_of(
        {
            "mode": "sandbox",
            "exchange": {"name": wish.exchange},
            "bots": [{"name": f"{name}-grid", "market": wish.market, "strategy": strategy}],
            "backtest": {"balance": {quote: str(wish.capital)}},
        }
    )


def _last_price(data: LoadedData) -> Decimal:
    columns = data.columns
    prices = columns.close if isinstance(columns, CandleColumns) else columns.prices
    return int(prices[-1]) * unit_of(columns.price_places)


def _proposals(prepared: Prepared, answer: Answer, seed: int) -> tuple[Proposal, ...]:
    """The best trial of each width, best first."""
    whole = answer.searched.whole
    assert whole is not None
    found: dict[str, int] = {}
    for row in _ranking(whole, float(answer.plain["capital"])):
        found.setdefault(width_of(whole.sets[row]), row)
    return tuple(_proposal(prepared, whole, width, row, seed) for width, row in found.items())


def _ranking(whole: Trials, capital: float) -> Sequence[int]:
    return [int(row) for row in whole.ranking(objectives_named((OBJECTIVE,)), capital)]


def width_of(parameters: ParameterSet) -> str:
    """narrow, middle or wide, by the percentages a set was drawn with."""
    low, high = (Decimal(str(parameters[name]).removesuffix("%")) for name in ("lower_price", "upper_price"))
    return next(name for most, name in WIDTHS if (high - low) / 100 <= most)


def _proposal(prepared: Prepared, whole: Trials, width: str, row: int, seed: int) -> Proposal:
    columns = prepared.data.columns
    now = resolved(whole.sets[row], prepared.evaluator.last_price, columns.price_places)
    trading = config_with(prepared, now)
    return Proposal(width, trading.bots[0], figures_at(whole, row), survival_of(trading, columns, seed))


def _why_none(answer: Answer) -> str:
    reasons = answer.plain.get("refused", {})
    reason = next(iter(reasons), "no set could be played")
    return (
        f"none of {sum(reasons.values()):,} grids could be placed, most of them because: {reason}; give more "
        "capital or data"
    )
