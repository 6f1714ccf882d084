"""A picture of a result for a chat: key figures, equity beside simpler ways, the price with levels and fills.

It is drawn here, dot by dot, so that it comes out on any server, with no browser and no imaging library.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gridtide.reports.canvas import Box, Canvas, Colour, text_width
from gridtide.reports.shown_figures import (
    BASELINES,
    FIGURES,
    day_text,
    figure_text,
    is_signed,
    period_of,
    quote_of,
    title_of,
)
from gridtide.reports.thinning import thinned
from gridtide.reports.whole_file import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridtide.reports.backtest_result import BacktestResult, MarketResult

    Floats = NDArray[np.float64]

WIDTH, HEIGHT = 1080, 1350
MOST_MARKETS = 4
_MARKET_HEIGHT = 450
_EDGE = 48
_PAGE: Colour = (15, 20, 25)
_CARD: Colour = (24, 32, 40)
_INK: Colour = (230, 235, 240)
_MUTED: Colour = (147, 161, 176)
_RULE: Colour = (42, 52, 64)
_LEVEL: Colour = (58, 72, 86)
_ACCENT: Colour = (63, 201, 191)
_GOOD: Colour = (65, 192, 141)
_BAD: Colour = (240, 116, 107)
_BASELINE_COLOURS: dict[str, Colour] = {
    "hold": (240, 176, 72),
    "constant_mix": (176, 150, 240),
    "dca": (111, 176, 242),
    "cash": (109, 122, 135),
}
_SHOWN = (
    "final_equity",
    "total_return",
    "against_hold",
    "max_drawdown",
    "grid_profit",
    "floating_profit",
    "fees",
    "sharpe",
)
_MOST = 3 * WIDTH
"""Points of a line: more than a picture can show."""
_FEW, _MANY = 100, 500
"""Fills of one side: the more, the smaller."""


def write_png(result: BacktestResult, path: Path | str) -> None:
    """Write the picture. Raises `StorageFailed`; what was at `path` is untouched then."""
    write_whole(path, png_picture(result))


def png_picture(result: BacktestResult) -> bytes:
    """A PNG of `WIDTH` by `HEIGHT` pixels, and higher by a price chart for each further market, up to `MOST_MARKETS` of
    them."""
    shown = result.markets[:MOST_MARKETS]
    height = HEIGHT + (len(shown) - 1) * _MARKET_HEIGHT
    canvas = Canvas(WIDTH, height, _PAGE)
    _heading(canvas, result)
    _cards(canvas, result, top=150)
    _equity(canvas, result, (_EDGE, 420, WIDTH - _EDGE, 840))
    for number, market in enumerate(shown):
        top = 880 + number * _MARKET_HEIGHT
        _price(canvas, result, market, (_EDGE, top, WIDTH - _EDGE, top + _MARKET_HEIGHT - 40))
    more = f", {len(result.markets) - len(shown)} more markets" if len(result.markets) > len(shown) else ""
    canvas.text(_EDGE, height - 38, f"gridtide {result.version}{more}", _MUTED, 2)
    canvas.text(WIDTH - _EDGE, height - 38, f"data {result.data_checksum[:12]}", _MUTED, 2, align=1)
    return canvas.png()


# --- parts -------------------------------------------------------------------------------------------


def _heading(canvas: Canvas, result: BacktestResult) -> None:
    room = WIDTH - 2 * _EDGE
    canvas.text(_EDGE, 40, _fitted(title_of(result), 5, room), _INK, 5)
    canvas.text(_EDGE, 104, f"backtest, {period_of(result)}, in {quote_of(result)}", _MUTED, 2.6)


def _cards(canvas: Canvas, result: BacktestResult, top: int) -> None:
    figures = {figure.key: figure for figure in FIGURES}
    width = (WIDTH - 2 * _EDGE - 3 * 16) // 4
    for number, key in enumerate(_SHOWN):
        figure = figures[key]
        left, upper = _EDGE + number % 4 * (width + 16), top + number // 4 * 124
        canvas.rectangle((left, upper, left + width, upper + 108), _CARD)
        value = figure.value(result)
        text = figure_text(figure, value, result.initial_equity)
        colour = (_GOOD if value > 0 else _BAD) if value and is_signed(figure) else _INK
        canvas.text(left + 18, upper + 20, figure.label, _MUTED, 2.3)
        canvas.text(left + 18, upper + 56, text, colour, min(4.2, 4.2 * (width - 36) / text_width(text, 4.2)))


def _equity(canvas: Canvas, result: BacktestResult, box: Box) -> None:
    curve = result.curve
    lines = [(each.curve, _BASELINE_COLOURS.get(each.name, _MUTED), 1.6) for each in result.baselines]
    lines.append((curve.equity, _ACCENT, 3.0))
    names = [
        (BASELINES.get(each.name, each.name), colour)
        for each, (_, colour, _) in zip(result.baselines, lines, strict=False)
    ]
    _legend(canvas, box, [("equity", _ACCENT), *names])
    plot = _Plot(canvas, box, curve.times, [line for line, _, _ in lines])
    for values, colour, width in lines:
        plot.line(curve.times, values, colour, width)


def _price(canvas: Canvas, result: BacktestResult, market: MarketResult, box: Box) -> None:
    times, fills = result.curve.times, market.fills
    levels = np.array([float(level) for level in market.levels])
    _legend(
        canvas,
        box,
        [(f"price of {market.symbol}", _MUTED), ("levels", _LEVEL), ("bought", _GOOD), ("sold", _BAD)],
    )
    plot = _Plot(canvas, box, times, [market.prices, levels])
    for level in levels:
        plot.line(times[[0, -1]], np.array([level, level]), _LEVEL, 1)
    plot.line(times, market.prices, _MUTED, 1.6)
    for side, colour in (("BUY", _GOOD), ("SELL", _BAD)):
        rows = [row for row, each in enumerate(fills["side"]) if each == side]
        moments = np.array([fills["time"][row] for row in rows], np.int64)
        prices = np.array([float(fills["price"][row]) for row in rows])
        plot.marks(moments, prices, colour, up=side == "BUY")


def _legend(canvas: Canvas, box: Box, entries: Sequence[tuple[str, Colour]]) -> None:
    x: float = box[0]
    for name, colour in entries:
        canvas.rectangle((round(x), box[1] + 8, round(x) + 22, box[1] + 14), colour)
        canvas.text(x + 32, box[1], name, _INK, 2.3)
        x += 32 + text_width(name, 2.3) + 28


class _Plot:
    """A chart below its legend: rules with their values, and days at both ends."""

    def __init__(self, canvas: Canvas, box: Box, times: NDArray[np.int64], lines: Sequence[Floats]) -> None:
        values = np.concatenate(lines)
        self._canvas = canvas
        self._low, self._high = _range(float(values.min()), float(values.max()))
        self._start, self._duration = int(times[0]), max(1, int(times[-1] - times[0]))
        marks = _round_values(self._low, self._high)
        room = max(text_width(_short(mark), 2.3) for mark in marks) + 18
        self._box = (round(box[0] + room), box[1] + 40, box[2], box[3] - 34)
        self._rules(marks)
        left, _, right, bottom = self._box
        canvas.text(left, bottom + 12, day_text(int(times[0])), _MUTED, 2.3)
        canvas.text(right, bottom + 12, day_text(int(times[-1])), _MUTED, 2.3, align=1)

    def line(self, times: NDArray[np.int64], values: Floats, colour: Colour, width: float) -> None:
        rows = thinned(values, _MOST)
        self._canvas.line(self._box, self._places(times[rows], values[rows]), colour, width)

    def marks(self, times: NDArray[np.int64], values: Floats, colour: Colour, *, up: bool) -> None:
        size = 11 if len(times) <= _FEW else 7 if len(times) <= _MANY else 4
        self._canvas.marks(self._box, self._places(times, values), colour, size, up=up)

    def _rules(self, marks: Sequence[float]) -> None:
        left, _, right, _ = self._box
        for mark in marks:
            y = round(float(self._places(np.array([self._start]), np.array([mark]))[0, 1]))
            self._canvas.rectangle((left, y, right, y + 1), _RULE)
            self._canvas.text(left - 12, y - 8, _short(mark), _MUTED, 2.3, align=1)

    def _places(self, times: NDArray[np.int64], values: Floats) -> Floats:
        left, top, right, bottom = self._box
        across = (times - self._start) / self._duration
        up = (values - self._low) / (self._high - self._low)
        return np.column_stack((left + across * (right - left), bottom - up * (bottom - top)))


def _range(low: float, high: float) -> tuple[float, float]:
    """With a little air above and below."""
    air = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    return low - air, high + air


def _round_values(low: float, high: float) -> list[float]:
    """A few round numbers from `low` to `high`."""
    rough = (high - low) / 6
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= rough))
    return [
        float(step * number) for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == 0 else f"{value:.4g}"


def _fitted(text: str, size: float, room: float) -> str:
    """`text`, cut with dots where there is no room for all of it."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(f"{text}...", size) > room:
        text = text[:-1]
    return f"{text}..."
