"""Line drawings of a day's page: lines that break where minutes are missing, areas behind them, and their keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from g6.model.columns import Floats, Ints
from g6.reports.axes import Scale, gaps_after, hours, ticks
from g6.reports.overlay import clock

# Small enough that the words on it can be read on a phone, where it is drawn nearly at this size.
WIDTH, HEIGHT = 400, 216
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 24
GROUND = HEIGHT - BOTTOM
ABOUT_TICKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line: its name in the key, its points, and its class of the style (s0 … s3, or day)."""

    label: str
    x: Floats
    y: Floats
    kind: str

    @property
    def known(self) -> Ints:
        """Return where it has points."""
        at: Ints = np.flatnonzero(np.isfinite(self.x) & np.isfinite(self.y))
        return at


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """What lies between two lines over the same places."""

    label: str
    x: Floats
    low: Floats
    high: Floats
    kind: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An upright line at a place, with a word on it."""

    label: str
    x: float


def minute_lines(about: str, lines: Sequence[Line], areas: Sequence[Area] = (), *, zero: bool = False) -> str:
    """Return lines over the minutes of the day; "" when none has a point. `about` is the drawing in words."""
    shown = [line for line in lines if len(line.known)]
    if not shown:
        return ""
    minutes = np.unique(np.concatenate([line.x[line.known] for line in shown] + [area.x for area in areas]))
    x = Scale(float(minutes[0]), float(minutes[-1]) + 1, LEFT, WIDTH - RIGHT)
    whole = minutes.astype(np.int64)
    return _drawing(about, shown, areas, x, [(minute, clock(minute)) for minute in hours(whole)], (), zero=zero)


def value_lines(about: str, lines: Sequence[Line], marks: Sequence[Mark] = (), *, dots: bool = False) -> str:
    """Return lines over numbers, such as strikes or days; "" when none has a point."""
    shown = [line for line in lines if len(line.known)]
    if not shown:
        return ""
    x = Scale.around(np.concatenate([line.x[line.known] for line in shown]), LEFT, WIDTH - RIGHT)
    places = [(value, f"{value:,g}") for value in ticks(x.low, x.high, ABOUT_TICKS)]
    return _drawing(about, shown, (), x, places, marks, dots=dots, breaks=False)


def key(lines: Sequence[Line], areas: Sequence[Area] = ()) -> str:
    """Return the names of lines and areas, each with a piece of it; nothing for a line alone."""
    shown = [line for line in lines if len(line.known)]
    if len(shown) + len(areas) < 2:
        return ""
    drawn = [(line.label, f'<path class="line {line.kind}" d="M0,5 26,5"/>') for line in shown]
    drawn += [(area.label, f'<rect class="{area.kind}" width="26" height="10"/>') for area in areas]
    return key_of(drawn)


def key_of(entries: Sequence[tuple[str, str]]) -> str:
    """Return a key of names and pieces of drawings 26 wide and 10 high."""
    items = (
        f'<li><svg viewBox="0 0 26 10" aria-hidden="true">{drawing}</svg>{escape(label)}</li>'
        for label, drawing in entries
    )
    return f'<ul class="key">{"".join(items)}</ul>'


def opened(about: str, height: int = HEIGHT) -> str:
    """Return the beginning of a drawing that is told in words, too."""
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(about)}">'


def upright(value_places: Sequence[tuple[float, str]], x: Scale, ground: float = GROUND) -> Iterator[str]:
    """Yield the upright lines of the grid with their words below."""
    for value, label in value_places:
        at = x(value)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{ground}"/>'
        yield f'<text x="{at:.1f}" y="{ground + 16}" text-anchor="{_anchor(at)}">{escape(label)}</text>'


def level(y: Scale) -> Iterator[str]:
    """Yield the level lines of the grid with their numbers."""
    for value in ticks(min(y.low, y.high), max(y.low, y.high), ABOUT_TICKS):
        at = y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:,.10g}</text>'


def marked(marks: Sequence[Mark], x: Scale) -> Iterator[str]:
    """Yield upright marks with their words at the top, below each other so that they do not overlap."""
    inside = [mark for mark in marks if np.isfinite(mark.x) and LEFT <= x(mark.x) <= WIDTH - RIGHT]
    for place, mark in enumerate(inside):
        at, anchor, shift = x(mark.x), "start", 4
        if at > WIDTH * 0.62:
            anchor, shift = "end", -4
        yield f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{GROUND}"/>'
        below = TOP + 9 + 13 * place
        yield f'<text x="{at + shift:.1f}" y="{below}" text-anchor="{anchor}">{escape(mark.label)}</text>'


def _drawing(
    about: str,
    lines: Sequence[Line],
    areas: Sequence[Area],
    x: Scale,
    places: Sequence[tuple[float, str]],
    marks: Sequence[Mark],
    *,
    zero: bool = False,
    dots: bool = False,
    breaks: bool = True,
) -> str:
    values = [line.y[line.known] for line in lines]
    values += [edge[np.isfinite(edge)] for area in areas for edge in (area.low, area.high)]
    if zero:
        values.append(np.zeros(1))
    y = Scale.around(np.concatenate(values), GROUND, TOP)
    parts = [opened(about)]
    for area in areas:
        parts += _area(area, x, y)
    parts += [*upright(places, x), *level(y)]
    if zero:
        parts.append(f'<line class="zero" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>')
    parts += [stroke for line in lines for stroke in _line(line, x, y, dots=dots, breaks=breaks)]
    return "".join([*parts, *marked(marks, x), "</svg>"])


def _line(line: Line, x: Scale, y: Scale, *, dots: bool, breaks: bool) -> Iterator[str]:
    at = line.known
    runs = np.split(at, gaps_after(line.x[at].astype(np.int64))) if breaks else [at]
    strokes = " ".join(f"M{_points(line.x, line.y, run, x, y)}" for run in runs if len(run) > 1)
    if strokes:
        yield f'<path class="line {line.kind}" d="{strokes}"/>'
    alone = at.tolist() if dots else [int(run[0]) for run in runs if len(run) == 1]
    for place in alone:  # a minute without neighbours is no line
        yield f'<circle class="dot {line.kind}" cx="{x(line.x[place]):.1f}" cy="{y(line.y[place]):.1f}" r="3"/>'


def _area(area: Area, x: Scale, y: Scale) -> Iterator[str]:
    at = np.flatnonzero(np.isfinite(area.low) & np.isfinite(area.high))
    for run in np.split(at, gaps_after(area.x[at].astype(np.int64))):
        if len(run):
            there, back = _points(area.x, area.high, run, x, y), _points(area.x, area.low, run[::-1], x, y)
            yield f'<polygon class="{area.kind}" points="{there} {back}"/>'


def _points(along: Floats, values: Floats, at: Ints, x: Scale, y: Scale) -> str:
    return " ".join(f"{x(along[i]):.1f},{y(values[i]):.1f}" for i in at.tolist())


def _anchor(at: float) -> str:
    """Keep words within the drawing."""
    return "start" if at < LEFT + 8 else "end" if at > WIDTH - RIGHT - 8 else "middle"
