"""The overlay as one HTML page that needs nothing else: the drawing is SVG in it, and a minute tells its numbers."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from g6.model.columns import Floats
from g6.reports.axes import Scale, gaps_after, hours, ticks
from g6.reports.overlay import Overlay, clock

WIDTH, HEIGHT = 1040, 520
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 16, 40
TABLE_STEP_MINUTES = 30

STYLE = """
:root { --ground: #fff; --ink: #1c2430; --quiet: #5d6878; --rule: #e4e8ee; --day: #c2410c; --mean: #1d4ed8;
  --weighted: #0f766e; --band: #93b4f5; --edge: #d7e2f7; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --ink: #e6eaf0; --quiet: #9aa5b4; --rule: #272e38;
  --day: #fb923c; --mean: #8ab4ff; --weighted: #5eead4; --band: #34518c; --edge: #212d45; } }
body { margin: 0 auto; max-width: 1080px; padding: 24px 16px 48px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } p { margin: 4px 0 12px; color: var(--quiet); }
svg { width: 100%; height: auto; display: block; } text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--quiet); opacity: .22; } .extremes { fill: var(--edge); }
.band { fill: var(--band); opacity: .75; }
path.line { fill: none; stroke-linejoin: round; } .mean { stroke: var(--mean); stroke-width: 2; }
.weighted { stroke: var(--weighted); stroke-width: 1.5; stroke-dasharray: 5 4; }
.day { stroke: var(--day); stroke-width: 2.5; } circle.end { fill: var(--day); } text.end { fill: var(--day);
  font-weight: 600; } .minute { fill: transparent; } .minute:hover { fill: var(--quiet); opacity: .35; }
.key { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 8px 0 16px; padding: 0; list-style: none; }
.key i { display: inline-block; width: 22px; height: 0; margin-right: 7px; vertical-align: middle;
  border-top: 3px solid; } .key i.area { height: 12px; border: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; margin-top: 16px; }
th, td { padding: 3px 8px; text-align: right; border-bottom: 1px solid var(--rule); } th { color: var(--quiet);
  font-weight: 500; } th:first-child, td:first-child { text-align: left; }
"""


def overlay_page(overlay: Overlay) -> str:
    """Return the page."""
    title = (
        f"{overlay.display_name}, {overlay.expiry_code}, {overlay.offset}: total premium{overlay.basis_told} on"
        f" {overlay.day:%A %d %B %Y}"
    )
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}</style></head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(str(overlay))}.</p>
{_key(overlay)}
{_drawing(overlay)}
{_table(overlay)}
</body>
</html>
"""


def _key(overlay: Overlay) -> str:
    entries = [("i", "color: var(--day)", f"{overlay.day:%d %b %Y}")]
    if overlay.days:
        days = f"{overlay.days} earlier {overlay.weekday}" + ("s" if overlay.days > 1 else "")
        entries += [
            ("i", "color: var(--mean)", f"mean of {days}"),
            ("i", "color: var(--weighted); border-top-style: dashed", "exponential mean, the latest weigh most"),
            ("area", "background: var(--band)", "middle half of the days"),
            ("area", "background: var(--edge)", "lowest to highest"),
        ]
    items = (f'<li><i class="{kind}" style="{style}"></i>{escape(text)}</li>' for kind, style, text in entries)
    return f'<ul class="key">{"".join(items)}</ul>'


def _drawing(overlay: Overlay) -> str:
    ground = HEIGHT - BOTTOM
    values = np.concatenate([overlay.today, overlay.lowest, overlay.highest])
    y = Scale.around(values[np.isfinite(values)], ground, TOP)
    x = Scale(float(overlay.minutes[0]), float(overlay.minutes[-1]) + 1, LEFT, WIDTH - RIGHT)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(str(overlay))}">',
        *_area(overlay, overlay.lowest, overlay.highest, x, y, "extremes"),
        *_area(overlay, overlay.band_low, overlay.band_high, x, y, "band"),
        *_axes(overlay, x, y, ground),
        _line(overlay, overlay.mean, x, y, "mean"),
        _line(overlay, overlay.exponential, x, y, "weighted"),
        _line(overlay, overlay.today, x, y, "day"),
        *_end(overlay, x, y),
        *_minutes(overlay, x),
        "</svg>",
    ]
    return "\n".join(parts)


def _axes(overlay: Overlay, x: Scale, y: Scale, ground: float) -> list[str]:
    lines = []
    for value in ticks(y.low, y.high):
        at = y(value)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{value:,g}</text>')
    for minute in hours(overlay.minutes):
        at = x(minute)
        lines.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{ground}"/>')
        lines.append(f'<text x="{at:.1f}" y="{ground + 18}" text-anchor="middle">{clock(minute)}</text>')
    lines.append(f'<text x="{LEFT}" y="{HEIGHT - 4}">IST; rupees, call and put together</text>')
    return lines


def _runs(overlay: Overlay, values: Floats) -> list[list[int]]:
    """Return where a line goes on, as runs of positions: it breaks where minutes are missing."""
    known = np.flatnonzero(np.isfinite(values))
    breaks = gaps_after(overlay.minutes[known])
    return [run.tolist() for run in np.split(known, breaks) if len(run)]


def _points(overlay: Overlay, values: Floats, at: Sequence[int], x: Scale, y: Scale) -> str:
    return " ".join(f"{x(overlay.minutes[i] + 0.5):.1f},{y(values[i]):.1f}" for i in at)


def _line(overlay: Overlay, values: Floats, x: Scale, y: Scale, kind: str) -> str:
    strokes = " ".join("M" + _points(overlay, values, run, x, y) for run in _runs(overlay, values))
    return f'<path class="line {kind}" d="{strokes}"/>' if strokes else ""


def _area(overlay: Overlay, low: Floats, high: Floats, x: Scale, y: Scale, kind: str) -> Iterator[str]:
    for run in _runs(overlay, low):
        there, back = _points(overlay, high, run, x, y), _points(overlay, low, run[::-1], x, y)
        yield f'<polygon class="{kind}" points="{there} {back}"/>'


def _end(overlay: Overlay, x: Scale, y: Scale) -> list[str]:
    at = overlay.last
    if at is None:
        return []
    left, top = x(overlay.minutes[at] + 0.5), y(overlay.today[at])
    anchor, shift = ("end", -8) if left > WIDTH - RIGHT - 80 else ("start", 8)
    value = f"{overlay.today[at]:,.2f}"
    return [
        f'<circle class="end" cx="{left:.1f}" cy="{top:.1f}" r="4"/>',
        f'<text class="end" x="{left + shift:.1f}" y="{top - 8:.1f}" text-anchor="{anchor}">{value}</text>',
    ]


def _minutes(overlay: Overlay, x: Scale) -> list[str]:
    """Return a strip per minute that tells its numbers when pointed at."""
    width = x(1.0) - x(0.0)
    return [
        f'<rect class="minute" x="{x(minute):.1f}" y="{TOP}" width="{width:.2f}" height="{HEIGHT - TOP - BOTTOM}">'
        f"<title>{escape(_told(overlay, position))}</title></rect>"
        for position, minute in enumerate(overlay.minutes.tolist())
    ]


def _told(overlay: Overlay, at: int) -> str:
    facts = [f"{clock(int(overlay.minutes[at]))}: {_number(overlay.today[at])}"]
    if np.isfinite(overlay.mean[at]):
        facts += [
            f"mean {_number(overlay.mean[at])}",
            f"middle half {_number(overlay.band_low[at])} to {_number(overlay.band_high[at])}",
            f"lowest {_number(overlay.lowest[at])}, highest {_number(overlay.highest[at])}",
        ]
    return "\n".join(facts)


def _table(overlay: Overlay) -> str:
    heads = ("IST", "the day", "mean", "exponential mean", "25 %", "75 %", "lowest", "highest")
    columns = (
        overlay.today, overlay.mean, overlay.exponential, overlay.band_low, overlay.band_high, overlay.lowest,
        overlay.highest,
    )  # fmt: skip
    chosen = [i for i, m in enumerate(overlay.minutes.tolist()) if m % TABLE_STEP_MINUTES == 0 or i == overlay.last]
    rows = (
        f"<tr><td>{clock(int(overlay.minutes[i]))}</td>"
        + "".join(f"<td>{_number(c[i])}</td>" for c in columns)
        + "</tr>"
        for i in chosen
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _number(value: float) -> str:
    return f"{value:,.2f}" if np.isfinite(value) else "–"
