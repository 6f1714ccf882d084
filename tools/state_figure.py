"""Draws the life of an order from the table the program goes by: one SVG without any script, and the table in words.

Where a state stands and how far a line bends is set here; which lines there are is not. A state without a place fails.
"""

from __future__ import annotations

from itertools import groupby
from math import hypot
from typing import NamedTuple

from gridtide.domain.lifecycle import TRANSITIONS, IntentState

WIDTH, HEIGHT = 1180, 640
HALF_WIDTH, HALF_HEIGHT = 58, 20
BEGINNING = ""
"""Where rows come from that did not exist before."""

PLACES = {
    "PLANNED": (80, 260),
    "SENDING": (260, 260),
    "REJECTED": (170, 470),
    "UNKNOWN": (420, 400),
    "ABSENT": (420, 530),
    "OPEN": (580, 180),
    "PART": (580, 290),
    "CANCELLING": (760, 330),
    "CLOSING": (920, 230),
    "SETTLED": (1085, 230),
    "ZOMBIE": (1085, 440),
}
CREATED = {"T1": ("planned", "PLANNED"), "T22": ("found", "ZOMBIE")}
"""Transitions that make a row: they have no state before."""

BENDS = {
    ("SENDING", "CLOSING"): -170,
    ("UNKNOWN", "CLOSING"): 180,
    ("REJECTED", "ZOMBIE"): 165,
    ("ABSENT", "ZOMBIE"): 40,
    ("SETTLED", "ZOMBIE"): -26,
    ("ZOMBIE", "SETTLED"): -26,
}
"""How far the middle of a line is drawn aside, to the right of its direction; the others are straight."""

LABELS_AT = {
    ("OPEN", "CANCELLING"): 0.72,
    ("PART", "CLOSING"): 0.62,
    ("UNKNOWN", "OPEN"): 0.35,
    ("UNKNOWN", "CLOSING"): 0.4,
}
"""Where on its line an id stands, from 0 to 1; the others stand in the middle."""


class Point(NamedTuple):
    x: float
    y: float


class Line(NamedTuple):
    """An arrow between two states and the ids of its transitions."""

    before: str
    after: str
    ids: str
    begin: Point
    control: Point
    end: Point

    @property
    def label(self) -> Point:
        """Where the ids stand: on the line."""
        return _on_curve(self.begin, self.control, self.end, LABELS_AT.get((self.before, self.after), 0.5))


def figure() -> str:
    """The diagram as HTML, in the colours of the page it stands in."""
    nodes = "\n".join(_node(state) for state in IntentState)
    drawn = "\n".join(_arrow(line) for line in lines())
    return f"""<figure>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="The life of an order" \
style="width:100%;font:600 13px system-ui,sans-serif" fill="none" stroke="currentColor">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0 8 4 0 8z" fill="currentColor" stroke="none"/></marker></defs>
{drawn}
{nodes}
</svg>
</figure>
"""


def table() -> str:
    """Every transition in words, by the state it begins in."""
    rows = ["| From | Event | To | Row |", "| --- | --- | --- | --- |"]
    rows += [f"| | {event} | {after} | {name} |" for name, (event, after) in CREATED.items()]
    rows += [
        f"| {before} | {event.value.replace('_', ' ')} | {after} | {name} |"
        for (before, event), (after, name) in TRANSITIONS.items()
    ]
    return "\n".join(rows) + "\n"


def lines() -> list[Line]:
    """One for each pair of states that a transition joins, and one for each way a row comes into being."""
    pairs = sorted((before, after, name) for (before, _), (after, name) in TRANSITIONS.items())
    found = [
        _line(before, after, ", ".join(dict.fromkeys(name for *_, name in group)))
        for (before, after), group in groupby(pairs, key=lambda pair: pair[:2])
    ]
    return found + [_created(after, name) for name, (_, after) in CREATED.items()]


def _line(before: str, after: str, ids: str) -> Line:
    start, target = Point(*PLACES[before]), Point(*PLACES[after])
    if before == after:  # a loop under the box
        left, right = (Point(start.x + side, start.y + HALF_HEIGHT) for side in (-22, 22))
        return Line(before, after, ids, left, Point(start.x, start.y + 82), right)
    length = hypot(target.x - start.x, target.y - start.y)
    bend = 2 * BENDS.get((before, after), 0) / length
    control = Point(
        (start.x + target.x) / 2 - bend * (target.y - start.y),
        (start.y + target.y) / 2 + bend * (target.x - start.x),
    )
    outside = [
        point
        for step in range(201)
        if not _is_in(point := _on_curve(start, control, target, step / 200), start)
        and not _is_in(point, target)
    ]
    begin, end = outside[0], outside[-1]
    middle = _on_curve(start, control, target, 0.5)
    return Line(before, after, ids, begin, _control_through(begin, middle, end), end)


def _created(after: str, name: str) -> Line:
    x, y = PLACES[after]
    begin, end = Point(x, y - 75), Point(x, y - HALF_HEIGHT)
    if after == "ZOMBIE":  # from below: SETTLED is above
        begin, end = Point(x, y + 75), Point(x, y + HALF_HEIGHT)
    return Line(BEGINNING, after, name, begin, Point(x, (begin.y + end.y) / 2), end)


def _on_curve(begin: Point, control: Point, end: Point, part: float) -> Point:
    first, second, third = (1 - part) ** 2, 2 * part * (1 - part), part**2
    return Point(
        first * begin.x + second * control.x + third * end.x,
        first * begin.y + second * control.y + third * end.y,
    )


def _control_through(begin: Point, middle: Point, end: Point) -> Point:
    return Point(2 * middle.x - (begin.x + end.x) / 2, 2 * middle.y - (begin.y + end.y) / 2)


def _is_in(point: Point, centre: Point) -> bool:
    return abs(point.x - centre.x) <= HALF_WIDTH and abs(point.y - centre.y) <= HALF_HEIGHT


def _node(state: IntentState) -> str:
    x, y = PLACES[state.value]
    width = 3 if state.is_terminal else 1.5
    return (
        f'<rect x="{x - HALF_WIDTH}" y="{y - HALF_HEIGHT}" width="{2 * HALF_WIDTH}" height="{2 * HALF_HEIGHT}" '
        f'rx="8" stroke-width="{width}"/><text x="{x}" y="{y + 5}" text-anchor="middle" fill="currentColor" '
        f'stroke="none">{state.value}</text>'
    )


def _arrow(line: Line) -> str:
    (x, y), (cx, cy), (tx, ty) = line.begin, line.control, line.end
    at = line.label
    dot = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="currentColor"/>' if line.before == BEGINNING else ""
    return (
        f'{dot}<path d="M{x:.0f} {y:.0f}Q{cx:.0f} {cy:.0f} {tx:.0f} {ty:.0f}" marker-end="url(#tip)" opacity=".7"/>'
        f'<text x="{at.x:.0f}" y="{at.y + 4:.0f}" text-anchor="middle" font-size="12" fill="currentColor" '
        'style="stroke:var(--md-default-bg-color,#fff);stroke-width:5;paint-order:stroke">'
        f"{line.ids}</text>"
    )
