"""Bars of a day's page: calls and puts by strike, and which minutes of a day are there."""

from collections.abc import Sequence
from html import escape

import numpy as np

from g6.model.columns import Floats, Ints
from g6.reports.axes import Scale, hours, ticks
from g6.reports.day_charts import (
    ABOUT_TICKS,
    GROUND,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Mark,
    key_of,
    level,
    marked,
    opened,
    upright,
)
from g6.reports.overlay import clock

SHARE = 0.42  # of a strike's width, for each of its two bars
ROW, ROW_GAP = 12, 22
NEXT_TO = 1


def strike_bars(about: str, strikes: Floats, calls: Floats, puts: Floats, marks: Sequence[Mark] = ()) -> str:
    """Return two bars a strike, side by side; numbers below zero go down. "" without a strike that has a number."""
    known = np.isfinite(calls) | np.isfinite(puts)
    if not known.any():
        return ""
    strikes, calls, puts = strikes[known], np.nan_to_num(calls[known]), np.nan_to_num(puts[known])
    step = float(np.min(np.diff(strikes))) if len(strikes) > 1 else 1.0
    x = Scale(float(strikes[0]) - step, float(strikes[-1]) + step, LEFT, WIDTH - RIGHT)
    values = np.concatenate([calls, puts, np.zeros(1)])
    air = float(values.max() - values.min()) * 0.16 or 1.0  # room for the marks' words
    y = Scale(float(values.min()), float(values.max()) + air, GROUND, TOP)
    width = (x(step) - x(0.0)) * SHARE
    parts = [opened(about), *upright([(v, f"{v:,g}") for v in ticks(x.low, x.high, ABOUT_TICKS)], x), *level(y)]
    for kind, side, numbers in (("s0", -1, calls), ("s1", 0, puts)):
        for strike, value in zip(strikes.tolist(), numbers.tolist(), strict=True):
            top, bottom = sorted((y(value), y(0.0)))
            left = x(strike) + side * width
            parts.append(
                f'<rect class="bar {kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}"'
                f' height="{bottom - top:.1f}"><title>{strike:,g}: {value:,.2f}</title></rect>'
            )
    parts.append(f'<line class="zero" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(0.0):.1f}" y2="{y(0.0):.1f}"/>')
    return "".join([*parts, *marked(marks, x), "</svg>"])


def bars_key() -> str:
    """Return the key of calls and puts."""
    return key_of(
        [(name, f'<rect class="bar {k}" width="26" height="10"/>') for name, k in (("calls", "s0"), ("puts", "s1"))]
    )


def presence(about: str, rows: Sequence[tuple[str, Ints, Ints]], first: int, last: int) -> str:
    """Return a row a name: its minutes that are there, and those that are not, as bars along the day."""
    height = TOP + len(rows) * (ROW + ROW_GAP) + 20
    ground = height - 20
    x = Scale(float(first), float(last) + 1, 4, WIDTH - 4)
    places = [(float(m), clock(m)) for m in hours(np.arange(first, last + 1))]
    parts = [opened(about, height), *upright(places, x, ground)]
    for place, (name, there, gone) in enumerate(rows):
        top = TOP + place * (ROW + ROW_GAP) + ROW_GAP - 4
        parts.append(f'<text x="4" y="{top - 4}">{escape(name)}</text>')
        parts.append(_bar("none", first, last, x, top))
        parts += [_bar("there", begin, end, x, top) for begin, end in runs(there)]
        parts += [_bar("gone", begin, end, x, top) for begin, end in runs(gone)]
    return "".join([*parts, "</svg>"])


def presence_key() -> str:
    """Return the key of minutes that are there and of those that are not."""
    entries = (("collected", "there"), ("lacking", "gone"), ("not due, or not known", "none"))
    return key_of([(name, f'<rect class="{kind}" width="26" height="10"/>') for name, kind in entries])


def runs(minutes: Ints) -> list[tuple[int, int]]:
    """Return the stretches of minutes that follow each other, as their first and last."""
    if not len(minutes):
        return []
    ordered = np.unique(minutes)
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > NEXT_TO) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def _bar(kind: str, first: int, last: int, x: Scale, top: float) -> str:
    left, width = x(first), x(last + 1) - x(first)
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW}">'
        f"<title>{clock(first)} to {clock(last)}</title></rect>"
    )
