"""What is about to happen, as a panel: configuration, indices and their expiries, readiness, pages, what is off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from g6.console.figures import NOTHING, day, plain
from g6.console.lines import EMPTY, Column, Drawing, Line, Span, columns, cut, hanging, line
from g6.model.chain import EXPIRY_CODES

NAME_WIDTH, STATE_WIDTH = 9, 10
CHECK_STYLES = {"ok": "green", "degraded": "bold yellow", "down": "bold red", "unknown": "dim"}
TODAY_MARK = "*"
UNFOLDED = 10_000  # cells: a pipe has no width


@dataclass(frozen=True, slots=True)
class Readiness:
    """One check before the first minute: its name, how it went, and why it is not ok or what it found."""

    name: str
    state: Literal["ok", "degraded", "down", "unknown"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StartFacts:
    """All that is said once, before the first minute. What is empty is not shown.

    `expiries` is index → expiry code → the day that it means today, of indices whose contracts are known; `indices`
    names them all. `off` is what is switched off → why.
    """

    version: str
    at: datetime
    market: str  # "simulated market, seed 6; …"
    indices: tuple[str, ...]
    data_dir: str
    configuration: tuple[str, ...] = ()  # where it came from: "config/g6.yaml", "environment G6_PORT", "--indices"
    expiries: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    checks: tuple[Readiness, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)  # what is there → URL
    off: Mapping[str, str] = field(default_factory=dict)


def start_panel(facts: StartFacts, width: int, *, ascii_only: bool) -> Drawing:
    """Return the panel for a terminal of `width` cells."""
    form = _Form(width, ascii_only)
    head = line(Span(f"G6 {facts.version}", "bold"), "  ", Span(f"{facts.at:%a %d %b %Y %H:%M} IST", "dim"))
    rule = line(Span(("-" if ascii_only else "─") * width, "dim"))
    return Drawing([cut(each, width, ascii_only=ascii_only) for each in (head, rule, *_body(facts, form), rule)])


def start_lines(facts: StartFacts, *, ascii_only: bool) -> Drawing:
    """Return the same for a pipe or a file: nothing folded, no rule around it."""
    form = _Form(UNFOLDED, ascii_only)
    return Drawing([line(Span(f"G6 {facts.version}", "bold")), *_body(facts, form)])


@dataclass(frozen=True, slots=True)
class _Form:
    width: int
    ascii_only: bool

    def fact(self, name: str, text: str, style: str = "") -> list[Line]:
        """Return a named text, folded below itself; nothing for an empty one."""
        clean = plain(text, ascii_only=self.ascii_only)
        return hanging(Span(f"{name:<{NAME_WIDTH}}", "dim"), clean, self.width, style) if clean else []


def _body(facts: StartFacts, form: _Form) -> Iterator[Line]:
    yield from form.fact("market", facts.market)
    yield from form.fact("indices", " ".join(facts.indices))
    yield from form.fact("settings", ", ".join(facts.configuration) or "defaults alone")
    yield from form.fact("data", facts.data_dir)
    for name, url in facts.urls.items():
        yield from form.fact(name, url)
    for name, why in facts.off.items():
        yield from form.fact("off", f"{name}: {why}")
    if facts.expiries:
        yield from (EMPTY, *_matrix(facts, form), EMPTY)
    for check in facts.checks:
        yield from _check(check, form)


def _check(check: Readiness, form: _Form) -> list[Line]:
    """Return a check with its state as a word; the colour only repeats it."""
    state = Span(f"{check.state:<{STATE_WIDTH}}", CHECK_STYLES[check.state])
    text = ": ".join(word for word in (check.name.replace("_", " "), check.reason) if word)
    return hanging(state, plain(text, ascii_only=form.ascii_only), form.width)


def _matrix(facts: StartFacts, form: _Form) -> list[Line]:
    found = {code for of_index in facts.expiries.values() for code in of_index}
    codes = [code for code in EXPIRY_CODES if code in found]
    today = facts.at.date()
    wanted: list[Column[str]] = [Column("expiries", Span, 100, left=True)]
    for i, code in enumerate(codes):
        wanted.append(_code_column(code, facts, keep=50 - i))
    drawn = columns(facts.indices, wanted, form.width, ascii_only=form.ascii_only)
    expiring = any(expiry == today for of_index in facts.expiries.values() for expiry in of_index.values())
    return [*drawn, line(Span(f"{TODAY_MARK} expires today", "bold"))] if expiring else drawn


def _code_column(code: str, facts: StartFacts, keep: int) -> Column[str]:
    today = facts.at.date()

    def cell(index: str) -> Span:
        expiry = facts.expiries.get(index, {}).get(code)
        if expiry is None:
            return Span(NOTHING, "dim")
        return Span(day(expiry, today) + TODAY_MARK, "bold") if expiry == today else Span(day(expiry, today))

    return Column(code, cell, keep, left=True)
