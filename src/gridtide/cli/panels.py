"""The parts of the live view, each made from a `BotView` and the room it has. They decide nothing and ask nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gridtide.cli import wording
from gridtide.domain.money import ZERO, tidy
from gridtide.domain.order import Side
from gridtide.telemetry.console import without_control

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gridtide.domain.fill import Fill
    from gridtide.runners.view import BotView, LevelView, NoticeView


@dataclass(frozen=True, slots=True)
class Marks:
    """Signs beside the words, and frames, in what the terminal can show."""

    good: str = "✓"
    bad: str = "✗"
    dot: str = "●"
    price: str = "▶"
    frame: box.Box = box.ROUNDED


ASCII = Marks(good="yes", bad="NO", dot="*", price=">", frame=box.ASCII)
SAME_TIME_MS = 60_000
"""A market this close to now is live, and its time needs no telling."""
_STATE_STYLES = {"RUNNING": "bold green", "OUT_OF_RANGE": "bold yellow", "PAUSED": "bold yellow"}
_LEVEL_STYLES = {"info": "", "warning": "yellow", "alarm": "bold red"}


def header(view: BotView, marks: Marks) -> RenderableType:
    """Two lines: who trades where with whose money, and how it is."""
    who = Text.assemble(
        (f" {view.name}", "bold"),
        f"  {view.market.symbol} on {view.exchange}  ",
        (wording.mode_words(view.mode), "bold red" if view.mode == "live" else "cyan"),
    )
    state = view.state.split(" ", maxsplit=1)[0]
    how = Text(view.state.replace("_", " "), style=_STATE_STYLES.get(state, "bold"))
    link = ("connected", "green") if view.connected else ("reconnecting", "bold yellow")
    how.append(f"  {marks.dot} {link[0]} ", style=link[1])
    when = f" running {wording.duration_text(view.now - view.started_at)}"
    if view.market_time is not None and abs(view.market_time - view.now) > SAME_TIME_MS:
        when += f"  market time {wording.market_time_text(view.market_time)} UTC"
    detail = f"  {without_control(view.state_detail)}" if view.state_detail else ""
    return Group(
        _left_and_right(who, how),
        _left_and_right(Text(when + detail, style="dim"), Text(f"run {view.run_id} ", style="dim")),
    )


def ladder(view: BotView, marks: Marks, rows: int, *, brief: bool = False) -> RenderableType:
    """The levels around the price, highest first, with the price between them; `brief` for narrow terminals."""
    levels = sorted(view.levels, key=lambda level: level.price, reverse=True)
    shown, above = _around_price(levels, view.price, rows - 1)
    table = Table.grid(padding=(0, 1), expand=True)
    for justify in ("right", "right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    marked = view.price is None
    for level in shown:
        if not marked and view.price is not None and level.price < view.price:
            table.add_row(*_price_row(view, marks))
            marked = True
        table.add_row(*_level_row(view, level, brief=brief))
    if not marked:
        table.add_row(*_price_row(view, marks))
    if not levels:
        table.add_row("", "", "", "", Text("no levels yet", style="dim"))
    below = len(levels) - above - len(shown)
    more = ", ".join(text for count, text in ((above, f"{above} above"), (below, f"{below} below")) if count)
    return _panel("levels" + (f" (not shown: {more})" if more else ""), table, marks, "Ctrl-C stops")


def fills(view: BotView, marks: Marks, columns: int, rows: int) -> RenderableType:
    """The newest fills, newest first; without their fees where `columns` have no room for them."""
    newest = list(reversed(view.recent_fills[-rows:])) if rows > 0 else []
    lines = _fill_lines(view, newest)
    if any(len(line) + len(fee) > columns - 4 for line, fee in lines):
        lines = [(line, Text("")) for line, _ in lines]
    shown = [line.append_text(fee) for line, fee in lines] or [Text("none yet", style="dim")]
    return _panel(
        f"fills ({view.fills} so far, {wording.count(view.round_trips, 'round trip')})", _lines(shown), marks
    )


def money(view: BotView, marks: Marks) -> RenderableType:
    """The statement of the books, in quote."""
    quote = view.market.quote
    table = _two_columns()
    statement = view.statement
    if statement is None:
        table.add_row(Text("the books are not open yet", style="dim"), "")
        return _panel(f"money in {quote}", table, marks)
    places = wording.money_places(statement.contributions)

    def signed(value: Decimal) -> Text:
        style = "green" if value > 0 else "red" if value < 0 else ""
        return Text(wording.number(value, places, sign=True), style=style)

    table.add_row(Text("equity", style="bold"), Text(wording.number(statement.equity, places), style="bold"))
    table.add_row("put in", wording.number(statement.contributions, places))
    table.add_row("grid profit", signed(statement.grid_profit))
    table.add_row("floating profit", signed(statement.floating_profit))
    table.add_row("dust", signed(statement.dust))
    if statement.revaluation:
        table.add_row("revaluation", signed(statement.revaluation))
    table.add_row("fees paid", wording.number(statement.fees, places))
    balanced = statement.is_balanced
    table.add_row(
        Text(wording.books_text(view), style="green" if balanced else "bold red"),
        Text(marks.good if balanced else marks.bad, style="green" if balanced else "bold red"),
    )
    return _panel(f"money in {quote}", table, marks)


def position(view: BotView, marks: Marks) -> RenderableType:
    """What the bot holds, and its orders in one line."""
    table = _two_columns()
    market = view.market
    base_value = view.base_held * view.price if view.price is not None else ZERO
    statement = view.statement
    places = wording.money_places(statement.contributions if statement else base_value)
    worth = f" = {wording.number(base_value, places)}" if view.price is not None else ""
    table.add_row(str(market.base), f"{tidy(view.base_held)}{worth}")
    table.add_row(str(market.quote), wording.number(view.quote_held, places))
    table.add_row("orders", _orders_text(view))
    return _panel("position", table, marks)


def notices(view: BotView, marks: Marks, rows: int) -> RenderableType:
    """Parked levels with their reasons, then what the owner was told, newest first."""
    lines = [*_parked_lines(view), *_notice_lines(view.notices)][: max(rows, 0)]
    return _panel("notices", Group(*(lines or [Text("nothing to tell", style="dim")])), marks)


def notice_line(view: BotView) -> RenderableType:
    """The one most important notice, where there is room for one line only."""
    urgent = [line for notice, line in _told(view.notices) if notice.level != "info"]
    lines = [*urgent, *_parked_lines(view), *_notice_lines(view.notices)]
    return _lines([Text(" ").append_text(lines[0])] if lines else [])


def _around_price(
    levels: Sequence[LevelView], price: Decimal | None, rows: int
) -> tuple[Sequence[LevelView], int]:
    """As many levels (highest first) as fit around the price, and how many above them do not."""
    if len(levels) <= rows:
        return levels, 0
    rows = max(rows, 1)
    centre = sum(1 for level in levels if price is not None and level.price >= price)
    start = min(max(0, centre - rows // 2), len(levels) - rows)
    return levels[start : start + rows], start


def _price_row(view: BotView, marks: Marks) -> Iterator[Text]:
    spread = ""
    if view.bid is not None and view.ask is not None:
        spread = f"spread {wording.price_text(view.market, view.ask - view.bid)}"
    price = wording.price_text(view.market, view.price)
    yield from (
        Text(marks.price, style="bold cyan"),
        Text(price, style="bold cyan"),
        Text("price", style="cyan"),
    )
    yield from (Text(""), Text(spread, style="cyan"))


def _level_row(view: BotView, level: LevelView, *, brief: bool) -> Iterator[Text]:
    is_sell = bool(level.sell) or (not level.buy and level.sell_amount > 0)
    state = level.sell or level.buy
    amount = level.sell_amount if is_sell else level.buy_amount
    side, style = ("sell", "red") if is_sell else ("buy", "green")
    if not state:
        side, style = "", "dim"
        state = "vacant" if level.is_vacant else "empty"
    if state.startswith("parked"):
        style = "yellow"
        state = state.removeprefix("parked: ") if brief else state
    yield Text(str(level.index), style="dim")
    yield Text(wording.price_text(view.market, level.price))
    yield Text(side, style=style)
    yield Text(wording.amount_text(view.market, amount) if amount else "")
    yield Text(wording.order_words(state), style=style)


def _fill_lines(view: BotView, found: Sequence[Fill]) -> list[tuple[Text, Text]]:
    """One line and its fee for each fill, amounts and prices under each other."""
    amounts = [wording.amount_text(view.market, fill.amount) for fill in found]
    prices = [wording.price_text(view.market, fill.price) for fill in found]
    amount_width, price_width = (max(map(len, texts), default=0) for texts in (amounts, prices))
    lines = []
    for fill, amount, price in zip(found, amounts, prices, strict=True):
        is_buy = fill.side is Side.BUY
        line = Text(f"{wording.clock_text(fill.timestamp)} ", style="")
        line.append(f"{'bought' if is_buy else 'sold':<7}", style="green" if is_buy else "red")
        line.append(f"{amount:>{amount_width}} at {price:>{price_width}}")
        lines.append((line, Text(f"  fee {tidy(fill.fee.amount)} {fill.fee.asset}", style="dim")))
    return lines


def _orders_text(view: BotView) -> str:
    parts = [f"{view.open_orders} open"]
    if view.in_flight:
        parts.append(f"{view.in_flight} sent")
    if view.parked:
        parts.append(f"{len(view.parked)} parked")
    return ", ".join(parts)


def _parked_lines(view: BotView) -> Iterator[Text]:
    for parked in view.parked:
        side = "buy" if parked.slot.endswith("B") else "sell"
        price = wording.price_text(view.market, parked.price)
        detail = f": {without_control(parked.detail)}" if parked.detail else ""
        yield Text(f"parked {side} at {price}, {parked.reason.replace('_', ' ')}{detail}", style="yellow")


def _notice_lines(found: Sequence[NoticeView]) -> Iterator[Text]:
    for _, line in _told(found):
        yield line


def _told(found: Sequence[NoticeView]) -> Iterator[tuple[NoticeView, Text]]:
    """The notices, newest first, each with its line."""
    for notice in reversed(found):
        text = f"{wording.clock_text(notice.timestamp)} {without_control(notice.text)}".replace("\n", " ")
        yield notice, Text(text, style=_LEVEL_STYLES.get(notice.level, ""))


def _lines(lines: Sequence[Text]) -> Table:
    """One line each, cut with an ellipsis where the room ends."""
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for line in lines:
        table.add_row(line)
    return table


def _left_and_right(left: Text, right: Text) -> Table:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(justify="right", no_wrap=True)
    table.add_row(left, right)
    return table


def _two_columns() -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _panel(title: str, content: RenderableType, marks: Marks, below: str = "") -> Panel:
    return Panel(
        content,
        title=title,
        title_align="left",
        subtitle=below or None,
        subtitle_align="right",
        box=marks.frame,
        border_style="dim",
        padding=(0, 1),
    )
