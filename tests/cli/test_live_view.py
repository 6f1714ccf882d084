"""What a trader sees: at several sizes of terminal, in colour and without, alive and on paper."""

import io
import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from gridtide.cli.live_view import LINE_SECONDS, LineView, NoView, ScreenView, marks_for, open_view, render
from gridtide.cli.painter import Painter
from gridtide.cli.panels import ASCII, Marks
from gridtide.domain.order import Side
from gridtide.runners.view import BotView, NoticeView
from tests.cli.views import NOW, bot_view, fill, statement

SIZES = [(80, 24), (100, 30), (120, 30), (140, 45), (220, 70)]
ODD_VIEWS: dict[str, dict[str, Any]] = {
    "usual": {},
    "nothing yet": {
        "levels_": 0, "statement": None, "price": None, "bid": None, "ask": None,
        "recent_fills": (), "notices": (), "fills": 0,
    },
    "paused, live, cut off": {"mode": "live", "state": "PAUSED (integrity)", "connected": False},
    "thousand levels": {"levels_": 1000},
    "two levels, price above": {"levels_": 2},
    "price below all": {"price": Decimal("1.5")},
    "out of balance": {"statement": statement(grid_profit=Decimal(-1))},
    "revaluation": {"statement": statement(revaluation=Decimal("0.5"), equity=Decimal("15012.811302"))},
    "long notice": {"notices": (NoticeView(NOW, "alarm", "x", "many words " * 60),)},
    "hostile notice": {"notices": (NoticeView(NOW, "alarm", "x", "\x1b[2J[bold]not markup[/bold]\n\r"),)},
}  # fmt: skip


def shown(view_changes: dict[str, Any], columns: int, rows: int, marks: Marks | None = None) -> list[str]:
    """The lines of the screen."""
    changes = dict(view_changes)
    view = bot_view(changes.pop("levels_", 41), **changes)
    console = Console(
        record=True, width=columns, height=rows, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    console.print(render(view, columns, rows, marks or Marks()), end="")
    return console.export_text().rstrip("\n").split("\n")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ODD_VIEWS)
def test_every_view_fills_the_screen_and_no_more(name: str, size: tuple[int, int]) -> None:
    """A line too long or one too many makes the terminal scroll, which is the flicker nobody wants."""
    lines = shown(ODD_VIEWS[name], *size)
    assert len(lines) <= size[1]
    assert max(map(cell_len, lines)) <= size[0]


@pytest.mark.parametrize("size", SIZES)
def test_what_a_trader_wants_is_on_every_size(size: tuple[int, int]) -> None:
    text = "\n".join(shown({}, *size))
    for wanted in (
        "default-grid", "BTC/USDT", "sandbox, play money", "RUNNING", "connected", "50,123.45", "15,012.3113",
        "+12.1034", "+0.2079", "3.4521", "books balanced", "0.12345678", "39 open", "123 so far", "57 round trips",
        "would take", "2021-01-03 04:00", "Ctrl-C",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_the_price_stands_between_its_levels() -> None:
    lines = shown({}, 80, 24)
    at = next(number for number, line in enumerate(lines) if "▶" in line)
    assert "50,250.00" in lines[at - 1]
    assert "50,000.00" in lines[at + 1]


@pytest.mark.parametrize("price", [Decimal(45000), Decimal("55000.01"), Decimal(1)])
def test_the_price_is_shown_wherever_it_is(price: Decimal) -> None:
    assert sum("▶" in line for line in shown({"price": price}, 80, 24)) == 1


def test_states_of_levels_are_words() -> None:
    text = "\n".join(shown({}, 140, 45))
    for words in ("parked: would take", "part filled", "sending", "vacant", "open"):
        assert words in text


def test_a_tall_terminal_shows_more_levels_before_more_fills() -> None:
    lines = shown({}, 120, 40)
    assert sum("open" in line or "vacant" in line or "parked" in line for line in lines) > 20


def test_a_level_that_is_not_shown_is_counted() -> None:
    assert "not shown: 14 above, 14 below" in "\n".join(shown({}, 80, 24))


def test_real_money_cannot_be_overlooked() -> None:
    assert "REAL MONEY" in shown({"mode": "live"}, 80, 24)[0]


def test_books_out_of_balance_are_loud() -> None:
    text = "\n".join(shown(ODD_VIEWS["out of balance"], 80, 24))
    assert "BOOKS OUT OF BALANCE" in text
    assert "✗" in text


def test_the_most_important_notice_is_the_one_line_there_is() -> None:
    """A warning goes before a parked level, that before ordinary news."""
    assert "was cut" in shown({}, 80, 24)[-1]
    calm = {"notices": (NoticeView(NOW, "info", "x", "news"),)}
    assert "parked buy at 50,000.00" in shown(calm, 80, 24)[-1]


def test_hostile_text_is_only_text() -> None:
    text = "\n".join(shown(ODD_VIEWS["hostile notice"], 140, 45))
    assert "\x1b[2J" not in text
    assert "[bold]not markup[/bold]" in text


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert "\n".join(shown({}, 80, 24, ASCII)).isascii()
    latin = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert marks_for(latin) is ASCII


def test_a_tiny_terminal_gets_the_essentials() -> None:
    text = " ".join(shown({}, 40, 8))
    assert "RUNNING" in text
    assert "books balanced" in " ".join(text.split())


def test_the_screen_leaves_the_terminal_as_it_was() -> None:
    """It uses the alternate screen, and draws each frame in one write without clearing first."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24, legacy_windows=False)
    with ScreenView(console) as view:
        for _ in range(3):
            view.update(bot_view())
    text = out.getvalue()
    assert text.startswith("\x1b[?1049h")
    assert text.rstrip().endswith("\x1b[?25h") or "\x1b[?1049l" in text
    assert "\x1b[2J" not in text, "clearing the screen flickers"


def test_the_right_view_is_chosen() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    small = Console(file=io.StringIO(), force_terminal=True, width=40, height=10)
    pipe = Console(file=io.StringIO())
    assert isinstance(open_view(terminal, quiet=False), ScreenView)
    assert isinstance(open_view(small, quiet=False), LineView)
    assert isinstance(open_view(pipe, quiet=False), LineView)
    assert isinstance(open_view(terminal, quiet=True), NoView)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_tell_each_fill_and_notice_once() -> None:
    out, clock = io.StringIO(), Clock()
    with LineView(out, clock) as lines:
        lines.update(bot_view())
        first = out.getvalue()
        lines.update(bot_view())
        assert out.getvalue() == first, "nothing happened, nothing is said"
        new = replace(
            bot_view(), fills=125, recent_fills=(*bot_view().recent_fills, fill(20), fill(21, Side.SELL))
        )
        lines.update(new)
    told = out.getvalue()[len(first) :].splitlines()
    assert [line[9:] for line in told] == [
        "bought 0.00512 BTC at 55,000.00 USDT, fee 0.00000512 BTC",
        "sold 0.00512 BTC at 55,250.00 USDT, fee 0.00000512 BTC",
    ]
    assert first.count("the user stream was cut") == 1
    assert "warning: the user stream" in first


def test_lines_say_how_things_stand_every_while_and_at_each_change() -> None:
    out, clock = io.StringIO(), Clock()
    lines = LineView(out, clock)
    calm = bot_view(notices=())
    for now in (0, 1, 2, LINE_SECONDS + 1):
        clock.now = now
        lines.update(calm)
    lines.update(replace(calm, state="PAUSED (operator)"))
    standing = [line for line in out.getvalue().splitlines() if "books balanced" in line]
    assert len(standing) == 3
    assert "PAUSED (operator)" in standing[-1]


class StuckView:
    """A terminal after Ctrl-S: it takes the first frame and then nothing until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.shown: list[int] = []

    def update(self, view: BotView) -> None:
        self.shown.append(view.fills)
        self.let_go.wait(10)


def test_a_stuck_terminal_does_not_stop_the_bot() -> None:
    """Handing over a view returns at once; of those that waited, the newest is shown."""
    stuck = StuckView()
    painter = Painter(stuck)
    started = time.monotonic()
    for number in range(50):
        painter.show(replace(bot_view(), fills=number))
    assert time.monotonic() - started < 1
    stuck.let_go.set()
    assert painter.close()
    assert stuck.shown[-1] == 49
    assert len(stuck.shown) < 50


def test_a_terminal_that_stays_stuck_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtide.cli.painter.CLOSE_SECONDS", 0.05)
    stuck = StuckView()
    painter = Painter(stuck)
    painter.show(bot_view())
    assert not painter.close()
    stuck.let_go.set()


def test_a_view_that_fails_is_told_and_nothing_more() -> None:
    class Broken:
        def update(self, view: BotView) -> None:
            raise BrokenPipeError

    painter = Painter(Broken())
    painter.show(bot_view())
    assert painter.close()
    assert isinstance(painter.failure, BrokenPipeError)
