"""Expiry diagnosis: what each code of each index means, why, and which listed expiries no code names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from g6.checks.desk import Desk
from g6.checks.page import Page, spoken_day
from g6.market.expiries import ExpiryCodes, resolve
from g6.market.indices import IndexDefinition
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable

HEADINGS = ("code", "expiry", "days", "calls", "puts", "strikes", "futures", "why")
TEXTS = ("code", "expiry", "why")


@dataclass(frozen=True, slots=True)
class ListedExpiry:
    """The contracts that expire on one day. `days` are calendar days from the day that is asked about."""

    expiry: date
    days: int
    closed: bool  # at the instant that is asked about
    calls: int
    puts: int
    strikes: int
    futures: int
    codes: tuple[str, ...]  # that mean it


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    """What one code means, None where it means nothing, and why; `wanted` tells whether it is configured."""

    code: str
    expiry: date | None
    reason: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class IndexExpiries:
    """One index: its codes in their order, and every listed expiry, ascending."""

    index: str
    exchange: str
    contracts: int
    codes: tuple[CodeMeaning, ...]
    listed: tuple[ListedExpiry, ...]


@dataclass(frozen=True, slots=True)
class ExpiriesReport:
    """All configured indices at one instant, by the contracts that `provider` lists on `listed_on`."""

    at: datetime
    provider: str
    market: str
    listed_on: date
    indices: tuple[IndexExpiries, ...]
    problems: tuple[str, ...]
    login_needed: bool = False


def examine(desk: Desk, day: date | None = None) -> ExpiriesReport:
    """Resolve the codes of every configured index, now or at the beginning of a day.

    Raises what the provider raises when none answers.
    """
    at = desk.instant(day)
    listing = desk.listing(at)
    found: list[IndexExpiries] = []
    problems: list[str] = []
    if at.date() != listing.day:
        problems += _of_another_day(at.date(), listing.day)
    for definition in desk.definitions:
        own = listing.contracts.of_index(definition.name)
        codes = resolve(own, at, desk.market.calendar, definition.exchange)
        wanted = [code for code in desk.settings.index_plan(definition.name) if code in desk.source.codes]
        index = _index(definition, own, codes, wanted, at, desk)
        found.append(index)
        problems += _problems(index, definition, at.date())
    return ExpiriesReport(at, listing.provider, desk.source.said, listing.day, tuple(found), tuple(problems))


def show(report: ExpiriesReport, page: Page) -> None:
    """Print each index: its codes as a table, and the other expiries below it."""
    page.heading(f"Expiries at {report.at:%a %d %b %Y %H:%M} IST")
    page.facts({"source": report.market, "contracts": f"{report.provider}, listed on {spoken_day(report.listed_on)}"})
    for index in report.indices:
        page.heading(f"{index.index}: {index.exchange}, {index.contracts:,} contracts")
        by_day = {listed.expiry: listed for listed in index.listed}
        page.table(HEADINGS, [_row(code, by_day) for code in index.codes], texts=TEXTS)
        others = [listed for listed in index.listed if not listed.codes]
        page.facts({"no code": ", ".join(f"{other.expiry:%d %b %y}{_remark(other)}" for other in others)})
    page.verdict(report)


def _of_another_day(asked: date, listed: date) -> Iterator[str]:
    """Say what a broker's list of today cannot tell of an earlier day."""
    if asked < listed:
        yield (
            f"the broker lists contracts of {listed} only, what expired since {asked} is not among them; "
            "ask --provider replay with that day's journal"
        )


def _index(
    definition: IndexDefinition,
    own: ContractTable,
    codes: ExpiryCodes,
    wanted: Sequence[str],
    at: datetime,
    desk: Desk,
) -> IndexExpiries:
    meanings = tuple(
        CodeMeaning(code, codes.dates.get(code), reason, code in wanted) for code, reason in codes.reasons.items()
    )
    days = sorted({*own.option_expiries(), *own.future_expiries()})
    closes_at = desk.market.calendar.expires_at
    listed = tuple(
        _listed(own, day, at, codes.codes_of(day), closed=at >= closes_at(day, definition.exchange)) for day in days
    )
    return IndexExpiries(definition.name, definition.exchange, len(own), meanings, listed)


def _listed(own: ContractTable, day: date, at: datetime, codes: tuple[str, ...], *, closed: bool) -> ListedExpiry:
    rows = own.take(own.expiry == np.datetime64(day))
    counted = {kind: int(np.count_nonzero(rows.kind == kind)) for kind in (CALL, PUT, FUTURE)}
    strikes = len(np.unique(rows.strike[rows.kind != FUTURE]))
    return ListedExpiry(
        day, (day - at.date()).days, closed, counted[CALL], counted[PUT], strikes, counted[FUTURE], codes
    )


def _problems(index: IndexExpiries, definition: IndexDefinition, day: date) -> Iterator[str]:
    name = index.index
    if not index.contracts:
        yield f"{name}: no contracts are listed; take it out of collection.indices, or see `g6 check instruments`"
        return
    has_weeklies = definition.rule_on(day).weekly is not None
    for code in index.codes:
        if code.wanted and code.expiry is None and (has_weeklies or code.code.endswith("month")):
            yield f"{name} {code.code}: {code.reason}; the exchange should list one, see `g6 check instruments`"
    for listed in index.listed:
        if listed.codes and not (listed.calls and listed.puts):
            lacking = "calls" if not listed.calls else "puts"
            where = f"{name} {listed.expiry}"
            yield f"{where}: no {lacking} are listed; see `g6 check instruments`, and the broker's notices"


def _row(code: CodeMeaning, by_day: dict[date, ListedExpiry]) -> list[str]:
    why = code.reason if code.wanted else f"{code.reason} (not configured)"
    if code.expiry is None:
        return [code.code, "-", "-", "-", "-", "-", "-", why]
    listed = by_day[code.expiry]
    counts = (listed.days, listed.calls, listed.puts, listed.strikes, listed.futures)
    return [code.code, spoken_day(code.expiry), *(str(count) for count in counts), why]


def _remark(listed: ListedExpiry) -> str:
    if listed.closed:
        return " (closed)"
    return "" if listed.calls or listed.puts else " (a future alone)"
