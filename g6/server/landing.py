"""The page a person sees at /: what this is, how the last minute went, where to look further."""

import base64
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape

from g6 import __version__
from g6.health import Component, Health, Market
from g6.health.problems import PROBLEMS
from g6.model.problem import Problem
from g6.model.report import CycleReport, ExpiryReport, IndexReport

REFRESH_SECONDS = 30

LINKS: Mapping[str, str] = {
    "/metrics": "numbers of the agent and the market, for Prometheus",
    "/metrics/options": "prices, Greeks and open interest of every option of the last minute",
    "/health": "everything that g6 status shows, as JSON",
    "/healthz": "is the loop alive",
    "/readyz": "is there a minute worth reading",
    "/runbooks/": "what each alert means, and what to do about it",
}

# Heading → the cell's text. What a trader looks at first; every other aggregate is in /metrics.
COLUMNS: Mapping[str, Callable[[ExpiryReport], str]] = {
    "expiry": lambda e: f"{e.expiry:%d %b %Y}",
    "codes": lambda e: ", ".join(e.codes).replace("_", " "),
    "forward": lambda e: number(e.forward, 2),
    "ATM": lambda e: number(e.atm, 0),
    "quotes": lambda e: f"{e.received}/{e.expected}",
    "PCR": lambda e: number(e.aggregates.get("pcr_oi", math.nan), 2),
    "max pain": lambda e: number(e.aggregates.get("max_pain", math.nan), 0),
    "ATM IV": lambda e: number(e.aggregates.get("atm_iv", math.nan) * 100, 2, " %"),
    "straddle": lambda e: number(e.aggregates.get("straddle", math.nan), 2),
}
MARKET: Mapping[Market, str] = {"open": "The market is open.", "closed": "The market is closed.", "unknown": ""}
TEXT_COLUMNS = ("expiry", "codes")

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6676; --paper: #f6f7f9; --card: #fff; --line: #e1e5ea;
  --ok: #11734a; --degraded: #8a5a00; --down: #b3261e; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b4; --paper: #12161c; --card: #1a2029;
  --line: #2c3541; --ok: #4fc38a; --degraded: #e0ad4a; --down: #ff8a80; --link: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .75rem; color: var(--soft); font-weight: 600; }
header p, footer { color: var(--soft); margin: 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem;
  margin-top: 1rem; overflow-x: auto; }
.sentence { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; }
.state { font-weight: 600; white-space: nowrap; }
.ok { color: var(--ok); } .partial, .degraded { color: var(--degraded); } .failed, .down { color: var(--down); }
.unknown { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .93rem; }
th, td { text-align: right; padding: .35rem .6rem; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { padding-left: 0; }
.text { text-align: left; }
.prose { text-align: left; white-space: normal; overflow-wrap: anywhere; }
a { color: var(--link); }
.page { overflow-wrap: anywhere; } .page h2 { color: var(--ink); margin: 1.25rem 0 .5rem; }
.page th, .page td { text-align: left; white-space: normal; vertical-align: top; }
pre { background: var(--paper); padding: .6rem .8rem; border-radius: .4rem; overflow-x: auto; font-size: .88rem; }
footer { margin-top: 1.25rem; font-size: .88rem; }
"""

# The style sheet is the only thing that the page may use; a browser refuses any other by this hash.
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def landing_page(report: CycleReport | None, health: Health) -> str:
    """Return the page as HTML, complete in itself; `report` is None before the first cycle has ended."""
    parts = [
        _section("Last minute", _sentence(report)),
        *_problems(health),
        *_market(report),
        _section("Parts", _parts(health)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>G6</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}"><style>{STYLE}</style></head><body><main>'
        f"<header><h1>G6</h1><p>Recorder of Indian index option chains, version {escape(__version__)}. "
        f"{MARKET[health.market]}</p>"
        f"</header>{''.join(parts)}{_section('Pages', _links())}"
        f"<footer>Renewed every {REFRESH_SECONDS} seconds. Times are Indian Standard Time.</footer>"
        "</main></body></html>\n"
    )


def number(value: float, decimals: int, unit: str = "") -> str:
    """Return a number with thousands separated, or an en dash where there is none."""
    return f"{value:,.{decimals}f}{unit}" if math.isfinite(value) else "–"


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{body}</section>"


def _sentence(report: CycleReport | None) -> str:
    if report is None:
        return '<p class="sentence">No minute has been recorded yet.</p>'
    status, _, rest = str(report).partition(": ")
    return (
        f'<p class="sentence">{report.minute:%d %b %Y, %H:%M} '
        f'<span class="state {report.status}">{escape(status)}</span>: {escape(rest)}</p>'
    )


def _market(report: CycleReport | None) -> Iterator[str]:
    if report and report.indices:
        head = "".join(_cell("th", name, text=name in TEXT_COLUMNS) for name in COLUMNS)
        rows = "".join(row for index in report.indices for row in _index_rows(index))
        first = '<th class="text">index</th><th>spot</th>'
        yield _section("Market", f"<table><thead><tr>{first}{head}</tr></thead><tbody>{rows}</tbody></table>")


def _index_rows(index: IndexReport) -> Iterator[str]:
    frozen = " (frozen)" if index.spot_frozen else ""
    head = _cell("td", index.index, text=True) + _cell("td", number(index.spot, 2) + frozen)
    for expiry in index.expiries:
        cells = "".join(_cell("td", text_of(expiry), text=name in TEXT_COLUMNS) for name, text_of in COLUMNS.items())
        yield f"<tr>{head}{cells}</tr>"
        head = "<td></td><td></td>"  # the index and its spot are told once
    for refusal in index.refusals:
        told = escape(f"{refusal.expiry} refused: {refusal.detail}".strip())
        yield f'<tr>{head}<td class="prose degraded" colspan="{len(COLUMNS)}">{told}</td></tr>'
        head = "<td></td><td></td>"


def _cell(tag: str, told: str, *, text: bool = False) -> str:
    kind = ' class="text"' if text else ""
    return f"<{tag}{kind}>{escape(told)}</{tag}>"


def _problems(health: Health) -> Iterator[str]:
    if health.problems:
        yield _section("Problems", _table(map(_problem, health.problems)))


def _problem(problem: Problem) -> str:
    title = PROBLEMS[problem.id].title + (f" ({problem.subject})" if problem.subject else "")
    actions = "; ".join(problem.actions)
    return (
        f'<td class="text state {problem.severity}">{escape(title)}</td>'
        f'<td class="text">since {problem.since:%d %b %H:%M}</td>'
        f'<td class="prose">{escape(problem.cause)}<br>next: {escape(actions)}</td>'
    )


def _parts(health: Health) -> str:
    return _table(map(_part, health.components))


def _part(component: Component) -> str:
    since = f"since {component.since:%d %b %H:%M}"
    return (
        f'<td class="text">{escape(component.name)}</td>'
        f'<td class="text state {component.state}">{component.state}</td>'
        f'<td class="text">{since}</td><td class="prose">{escape(component.sentence)}</td>'
    )


def _links() -> str:
    return _table(
        f'<td class="text"><a href="{path}">{path}</a></td><td class="prose">{escape(what)}</td>'
        for path, what in LINKS.items()
    )


def _table(rows: Iterable[str]) -> str:
    return f"<table><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"
