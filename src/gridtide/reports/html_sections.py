"""What a report says, section by section, as HTML: every text that is not a literal of this file is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from gridtide.domain.money import tidy
from gridtide.reports.months import Year, years_of
from gridtide.reports.shown_figures import (
    BASELINES,
    FIGURES,
    Figure,
    amount_text,
    figure_text,
    is_signed,
    percent_text,
    period_of,
    quote_of,
    settings_rows,
    time_text,
    title_of,
)

if TYPE_CHECKING:
    from gridtide.reports.backtest_result import BacktestResult, MarketResult
    from gridtide.reports.chart_figures import Chart

_CARDS = (
    "final_equity",
    "total_return",
    "against_hold",
    "grid_profit",
    "floating_profit",
    "fees",
    "max_drawdown",
    "sharpe",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOTICES = 200
_FEW = 5
"""More notices than that are shown when asked for."""
_STRONGEST = 0.2
"""A month that changed by as much has the strongest colour."""


def sections(result: BacktestResult, charts: Mapping[str, Chart]) -> Iterable[str]:
    """The content of the page, from the top; `charts` by the ids that their places get."""
    yield from _header(result)
    yield _section("Notes", _list(result.notes)) if result.notes else ""
    yield _section("Equity, and what simpler ways would have made of the same cash", _place("equity", charts))
    for number, market in enumerate(result.markets):
        yield _section(_of(result, market, "Price, levels and fills"), _place(f"price-{number}", charts))
    yield _section("Drawdown", _place("drawdown", charts))
    for number, market in enumerate(result.markets):
        yield _section(_of(result, market, "Profit of each level"), _place(f"levels-{number}", charts))
    yield _section(
        "Month by month", "".join(map(_year, years_of(result.curve, float(result.initial_equity))))
    )
    yield _section("All figures", _figures(result))
    yield _section("Beside simpler ways", _baselines(result))
    yield _section("Markets", "".join(_market(result, market) for market in result.markets))
    if result.notices:
        yield _section("What the bots told", _notices(result))
    yield _section(
        "Settings", _details("Every setting that this run read", _rows(settings_rows(result.settings)))
    )
    yield _section("Where it comes from", _rows(_origin(result)))


def _header(result: BacktestResult) -> Iterable[str]:
    seconds = f"{result.seconds:.3g} s to play"
    yield f"<h1>{escape(title_of(result))}</h1>"
    yield f'<p class="muted">Backtest, {period_of(result)}, in {escape(quote_of(result))}; {seconds}</p>'
    yield "<noscript><p>The charts need scripts, which are part of this file; the tables do not.</p></noscript>"
    figures = {figure.key: figure for figure in FIGURES}
    cards = "".join(_card(result, figures[key]) for key in _CARDS)
    yield f'<div class="cards">{cards}</div>'


def _card(result: BacktestResult, figure: Figure) -> str:
    value = f"<strong{_tone(result, figure)}>{_text(result, figure)}</strong>"
    return f'<div class="card"><span>{figure.label}</span>{value}</div>'


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _of(result: BacktestResult, market: MarketResult, title: str) -> str:
    return title if len(result.markets) == 1 else f"{title}: {market.bot}, {market.symbol}"


def _place(name: str, charts: Mapping[str, Chart]) -> str:
    chart = charts[name]
    note = f'<p class="muted small">{escape(chart.note)}</p>' if chart.note else ""
    return f'<div class="chart" id="{name}"></div>{note}'


def _text(result: BacktestResult, figure: Figure) -> str:
    return escape(figure_text(figure, figure.value(result), result.initial_equity))


def _tone(result: BacktestResult, figure: Figure) -> str:
    value = figure.value(result)
    if not value or not is_signed(figure):
        return ""
    return ' class="good"' if value > 0 else ' class="bad"'


def _figures(result: BacktestResult) -> str:
    rows = [(figure.label, _text(result, figure)) for figure in FIGURES]
    rows += [(f"fees in {escape(asset)}", tidy(amount)) for asset, amount in result.fees_by_asset.items()]
    middle = (len(rows) + 1) // 2
    halves = "".join(_numbers(half) for half in (rows[:middle], rows[middle:]))
    return f'<div class="columns">{halves}</div>'


def _numbers(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th>{name}</th><td class="number">{value}</td></tr>' for name, value in rows)
    return f"<table>{cells}</table>"


def _baselines(result: BacktestResult) -> str:
    ways = [
        (BASELINES.get(each.name, each.name), each.final_equity, each.max_drawdown, each.sharpe)
        for each in result.baselines
    ]
    ways.insert(0, ("this run", result.final_equity, result.max_drawdown, result.sharpe))
    rows = "".join(
        f"<tr><th>{escape(name)}</th>"
        f'<td class="number">{amount_text(equity, result.initial_equity)}</td>'
        f'<td class="number">{percent_text(equity / result.initial_equity - 1, sign=True)}</td>'
        f'<td class="number">{percent_text(drawdown)}</td>'
        f'<td class="number wide">{"-" if sharpe is None else f"{sharpe:.2f}"}</td></tr>'
        for name, equity, drawdown, sharpe in ways
    )
    heads = "".join(f'<th class="number">{name}</th>' for name in ("final equity", "return", "drawdown"))
    return f'<table><tr><th></th>{heads}<th class="number wide">Sharpe</th></tr>{rows}</table>'


def _market(result: BacktestResult, market: MarketResult) -> str:
    capital = result.initial_equity
    levels = (
        f"{len(market.levels)}, {tidy(market.levels[0])} to {tidy(market.levels[-1])}"
        if market.levels
        else "none"
    )
    return f"<h3>{escape(market.bot)}, {escape(market.symbol)}</h3>" + _rows(
        [
            ("ended as", market.ended_as),
            ("grid profit", amount_text(market.grid_profit, capital, sign=True)),
            ("floating profit", amount_text(market.floating_profit, capital, sign=True)),
            ("fees", amount_text(market.fees, capital)),
            ("fills, round trips", f"{len(market.fills):,}, {len(market.round_trips):,}"),
            ("time in range", percent_text(market.time_in_range)),
            ("levels", levels),
            (
                "data",
                f"{market.data}: {market.points:,} points, {time_text(market.start)} to {time_text(market.end)} UTC",
            ),
            ("gaps", f"{len(market.gaps)}"),
        ]
    )


def _notices(result: BacktestResult) -> str:
    """The newest first: a price at a bound leaves the grid a thousand times."""
    newest = result.notices[: -_NOTICES - 1 : -1]
    lines = [f"{time_text(at)} {level}: {text}" for at, level, _, text in newest]
    title = f"The last {len(lines):,} of {len(result.notices):,}, newest first"
    return _details(title, _list(lines)) if len(lines) > _FEW else _list(lines)


def _year(year: Year) -> str:
    cells = "".join(_month(_MONTHS[month.month - 1], month.change) for month in year.months)
    blank = "<div></div>" * (year.months[0].month - 1)
    after = "<div></div>" * (12 - year.months[-1].month)
    return f'<div class="months">{blank}{cells}{after}{_month(str(year.year), year.change, "whole ")}</div>'


def _month(name: str, change: float, kind: str = "") -> str:
    direction = "up" if change > 0 else "down" if change < 0 else ""
    strength = min(1.0, abs(change) / _STRONGEST) * 45 + 8
    return (
        f'<div class="{kind}{direction}" style="--strength:{strength:.0f}%"><span>{name}</span>'
        f"{100 * change:+.1f}%</div>"
    )


def _origin(result: BacktestResult) -> list[tuple[str, str]]:
    checksums = [(f"data of {market.bot} (SHA-256)", market.data_checksum) for market in result.markets]
    return [
        ("gridtide", result.version),
        ("config (SHA-256)", result.config_hash),
        ("data (SHA-256)", result.data_checksum),
        *(checksums if len(checksums) > 1 else []),
    ]


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="pairs">{cells}</table>'


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _details(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"
