"""The parts of the live view, each made from a `BotView` and the room it has. They decide nothing and ask nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rich import box
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
    if view.market_time is not None:
        when += f"  market time {wording.market_time_text(view.market_time)} UTC"
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(who, how)
    grid.add_row(
        Text(when + (f"  {without_control(view.state_detail)}" if view.state_detail else ""), style="dim"),
        Text(f"run {view.run_id} ", style="dim"),
    )
    return grid


def ladder(view: BotView, marks: Marks, rows: int) -> RenderableType:
    """The levels around the price, highest first, with the price between them."""
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
        table.add_row(*_level_row(view, level))
    if not marked:
        table.add_row(*_price_row(view, marks))
    if not levels:
        table.add_row("", "", "", "", Text("no levels yet", style="dim"))
    below = len(levels) - above - len(shown)
    more = ", ".join(text for count, text in ((above, f"{above} above"), (below, f"{below} below")) if count)
    return _panel("levels" + (f" (not shown: {more})" if more else ""), table, marks)


def fills(view: BotView, marks: Marks, rows: int) -> RenderableType:
    """The newest fills, newest first."""
    table = Table.grid(padding=(0, 1), expand=True)
    for justify in ("left", "left", "right", "right", "right"):
        table.add_column(justify=justify, no_wrap=True, overflow="ellipsis")
    newest = list(reversed(view.recent_fills[-rows:])) if rows > 0 else []
    for fill in newest:
        table.add_row(*_fill_row(view, fill))
    if not newest:
        table.add_row(Text("none yet", style="dim"), "", "", "", "")
    return _panel(f"fills ({view.fills} so far, {view.round_trips} round trips)", table, marks)


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
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    lines = [*_parked_lines(view), *_notice_lines(view.notices)][: max(rows, 0)]
    for line in lines:
        table.add_row(line)
    if not lines:
        table.add_row(Text("nothing to tell", style="dim"))
    return _panel("notices", table, marks)


def notice_line(view: BotView) -> RenderableType:
    """The one most important notice, where there is room for one line only."""
    lines = [*_parked_lines(view), *_notice_lines(view.notices)]
    line = lines[0] if lines else Text("Ctrl-C stops; the orders stay unless --cancel was given", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return Text(" ").append_text(line)


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
        bid, ask = (wording.price_text(view.market, price) for price in (view.bid, view.ask))
        spread = f"bid {bid}  ask {ask}"
    price = wording.price_text(view.market, view.price)
    yield from (
        Text(marks.price, style="bold cyan"),
        Text(price, style="bold cyan"),
        Text("price", style="cyan"),
    )
    yield from (Text(""), Text(spread, style="cyan"))


def _level_row(view: BotView, level: LevelView) -> Iterator[Text]:
    is_sell = bool(level.sell) or (not level.buy and level.sell_amount > 0)
    state = level.sell or level.buy
    amount = level.sell_amount if is_sell else level.buy_amount
    side, style = ("sell", "red") if is_sell else ("buy", "green")
    if not state:
        side, style = "", "dim"
        state = "vacant" if level.is_vacant else "empty"
    if state.startswith("parked"):
        style = "yellow"
    yield Text(str(level.index), style="dim")
    yield Text(wording.price_text(view.market, level.price))
    yield Text(side, style=style)
    yield Text(wording.amount_text(view.market, amount) if amount else "")
    yield Text(wording.order_words(state), style=style)


def _fill_row(view: BotView, fill: Fill) -> Iterator[Text]:
    is_buy = fill.side is Side.BUY
    yield Text(wording.clock_text(fill.timestamp), style="dim")
    yield Text("bought" if is_buy else "sold", style="green" if is_buy else "red")
    yield Text(wording.amount_text(view.market, fill.amount))
    yield Text(wording.price_text(view.market, fill.price))
    yield Text(f"fee {tidy(fill.fee.amount)} {fill.fee.asset}", style="dim")


def _orders_text(view: BotView) -> str:
    parts = [f"{view.open_orders} open"]
    if view.in_flight:
        parts.append(f"{view.in_flight} on the way")
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
    for notice in reversed(found):
        text = f"{wording.clock_text(notice.timestamp)} {without_control(notice.text)}".replace("\n", " ")
        yield Text(text, style=_LEVEL_STYLES.get(notice.level, ""))


def _two_columns() -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _panel(title: str, content: RenderableType, marks: Marks) -> Panel:
    return Panel(
        content, title=title, title_align="left", box=marks.frame, border_style="dim", padding=(0, 1)
    )
