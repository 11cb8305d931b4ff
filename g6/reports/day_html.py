"""The parts that a day's page is put together from: sections, tables, facts, figures, and numbers as people read them.

Everything that is given as text is escaped here; what is called `html` or `drawing` is markup of this package.
"""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from g6.reports.overlay import clock

NOTHING = "–"
LAKH, CRORE = 1e5, 1e7


def number(value: float, decimals: int = 2, *, signed: bool = False) -> str:
    """Return a number with thousands set apart; a dash where there is none."""
    if not np.isfinite(value):
        return NOTHING
    # What rounds to nothing has no sign.
    return f"{round(value, decimals) + 0.0:{'+' if signed else ''},.{decimals}f}"


def percent(share: float, decimals: int = 2, *, signed: bool = False) -> str:
    """Return a share as percent; a dash where there is none."""
    return NOTHING if not np.isfinite(share) else f"{number(share * 100, decimals, signed=signed)} %"


def at_clock(minute: int) -> str:
    """Return a minute of the day as HH:MM."""
    return clock(minute)


def section(name: str, heading: str, *html: str) -> str:
    """Return a section that the list of contents can lead to."""
    title = f'<h2 id="{name}-h">{escape(heading)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-h">{title}{"".join(html)}</section>'


def subheading(text: str) -> str:
    """Return a heading within a section."""
    return f"<h3>{escape(text)}</h3>"


def said(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(text)}</p>"


def absent(text: str) -> str:
    """Return a paragraph that says what is not there."""
    return f'<p class="absent">{escape(text)}</p>'


def listed(texts: Sequence[str], limit: int = 40) -> str:
    """Return a list of sentences; beyond the limit only how many more there are."""
    if not texts:
        return ""
    more = [f"and {len(texts) - limit} more"] if len(texts) > limit else []
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in [*texts[:limit], *more]) + "</ul>"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Return a table that can be scrolled sideways by itself; the first `texts` columns are words, the rest numbers."""
    head = "".join(f'<th scope="col"{_kind(place, texts)}>{escape(text)}</th>' for place, text in enumerate(heads))
    body = "".join(f"<tr>{_cells(row, texts)}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption><span>{escape(caption)}</span></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[str], texts: int) -> str:
    first = f'<th scope="row" class="t">{escape(row[0])}</th>'
    return first + "".join(f"<td{_kind(place, texts)}>{escape(cell)}</td>" for place, cell in enumerate(row[1:], 1))


def _kind(place: int, texts: int) -> str:
    return ' class="t"' if place < texts else ""


def facts(items: Sequence[tuple[str, str, str]]) -> str:
    """Return the numbers that matter most: name, value, and a word on it ("" for none)."""
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{f'<small>{escape(word)}</small>' if word else ''}</dd></div>"
        for name, value, word in items
    )
    return f'<dl class="facts">{cells}</dl>'


def figure(title: str, drawing: str, *, key: str = "", numbers: str = "", narrow: bool = False) -> str:
    """Return a drawing with its title, its key, and its numbers behind a word; `narrow` when it stands alone."""
    behind = f"<details><summary>Numbers</summary>{numbers}</details>" if numbers else ""
    kind = ' class="narrow"' if narrow else ""
    return f"<figure{kind}><figcaption>{escape(title)}</figcaption>{key}{drawing}{behind}</figure>"


def figures(*html: str) -> str:
    """Return figures beside each other where there is room."""
    shown = "".join(html)
    return f'<div class="figures">{shown}</div>' if shown else ""
