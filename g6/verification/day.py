"""Verify a day: everything that is read of it, in one pass, becomes one `Verification`."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path

from g6.clock import IST
from g6.errors import ConfigError, G6Error
from g6.model.snapshot import Snapshot
from g6.storage.data_directory import CSV as CSV_FOLDER
from g6.storage.data_directory import MARKET_FILE
from g6.storage.removals import removed
from g6.verification.csv_files import CsvLayout, CsvVerdict, ExpectedRows, compare_files, price_basis
from g6.verification.expected import MarketFacts, last_due
from g6.verification.gaps import Coverage, count
from g6.verification.recorded import RecordedDay, moved_aside, read_day, read_minute
from g6.verification.result import Compare, Comparison, Finding, Verification
from g6.verification.score import COLLECTED, CSV, OUTLIERS, STORES, parts_of, score_of

DueMinutes = Mapping[str, tuple[datetime, ...]]


def verify(
    root: Path,
    day: date,
    facts: MarketFacts,
    *,
    now: datetime,
    csv: CsvLayout | None = None,
    stores: Mapping[str, Compare] | None = None,
    day_is_over: bool = False,
    on_minute: Callable[[Snapshot], None] | None = None,
    on_file: Callable[[], None] = lambda: None,
) -> Verification:
    """Verify what a data directory holds of a day; nothing in it is changed, and an agent may be writing into it.

    `csv` None leaves the daily files out, for agents that keep none. `stores` compares further ones, "masters" and
    "influx": each is told what the journal holds, and a G6Error of theirs is a finding. While a session of `now`'s own
    day runs, only what is due is judged, unless `day_is_over` says otherwise (a market with a clock of its own).
    `on_minute` gets every sound minute as it is read, for those who want to see how far it is; `on_file` is called as
    each daily file has been compared.

    Where the journal was removed, the archive has its word (`Verification.source`). What neither it nor a store can
    tell any more is not judged, and said to be so: files that were let go, a store that gives a reason.

    ConfigError for a day without a session of which nothing is recorded, and for one before its first minute;
    OutsideCalendar; SinkError when the journal or the archive cannot be read for another reason than damage.
    """
    until = None if day_is_over else last_due(day, facts, now.astimezone(IST))
    let_go = csv is not None and _let_go(root, day)
    layout = None if csv is None or let_go else CsvLayout(csv.aggregates, price_basis(root, day, csv.price_basis))
    rows = None if layout is None else ExpectedRows(layout)
    recorded = read_day(root, day, until, _each(on_minute, rows.add if rows else None))
    due = _due(facts, day, recorded, until)
    files = CsvVerdict() if rows is None or layout is None else _csv(root, day, rows, layout, recorded, until, on_file)
    coverage = count(due, recorded, files.only_here)
    shares = {COLLECTED: coverage.share, OUTLIERS: coverage.sane_share}
    if rows is not None:
        shares[CSV] = files.share
    compared = {name: _compared(compare, day, recorded) for name, compare in (stores or {}).items()}
    shares |= {name: _share(found) for name, found in compared.items() if found.unjudged is None}
    parts, findings = parts_of(shares), _findings(recorded, coverage, files, compared)
    minutes = sorted({minute for of_index in due.values() for minute in of_index})
    collected = [told for minute in minutes if (told := recorded.minutes.get(minute)) and told.collected]
    return Verification(
        day=day,
        market=market_of(root),
        verified_at=now,
        until=until,
        score=score_of(parts, faultless=not findings and not coverage.gaps),
        parts=parts,
        expected_minutes=len(minutes),
        collected_minutes=len(collected),
        backfilled_minutes=sum(told.backfilled for told in collected),
        replaced_minutes=recorded.replaced,
        expiries=tuple(coverage.expiries),
        gaps=tuple(coverage.gaps),
        findings=findings,
        notes=_notes(root, day, recorded, files, minutes),
        source=recorded.source,
        unjudged=_unjudged(recorded, compared, let_go=let_go),
    )


def _let_go(root: Path, day: date) -> bool:
    """Return whether the day's files were removed by retention, and are not back."""
    return ("csv", day) in removed(root) and next((root / CSV_FOLDER).rglob(f"{day}.csv"), None) is None


def _each(*readers: Callable[[Snapshot], None] | None) -> Callable[[Snapshot], None]:
    """Return one reader of minutes that gives each to those that there are."""
    present = [reader for reader in readers if reader is not None]

    def read(snapshot: Snapshot) -> None:
        for reader in present:
            reader(snapshot)

    return read


def _due(facts: MarketFacts, day: date, recorded: RecordedDay, until: datetime | None) -> DueMinutes:
    """Return index → its due minutes. A day on which nothing was due, but something is recorded, is its own measure."""
    names = dict.fromkeys((*recorded.indices, *facts.indices)) or dict.fromkeys(facts.exchanges)
    due = {name: facts.due(day, name, until) for name in names}
    if any(due.values()):
        return due
    if not recorded.indices:
        raise ConfigError(f"{day} has nothing to verify: the market was closed, or no minute of it is due yet")
    return {name: tuple(m for m, told in recorded.minutes.items() if name in told.indices) for name in names}


def _csv(
    root: Path,
    day: date,
    rows: ExpectedRows,
    layout: CsvLayout,
    recorded: RecordedDay,
    until: datetime | None,
    on_file: Callable[[], None],
) -> CsvVerdict:
    again = partial(read_minute, root, day)
    return compare_files(root, day, rows, layout, recorded.minutes.keys(), until, again, on_file)


def _compared(compare: Compare, day: date, recorded: RecordedDay) -> Comparison:
    try:
        return compare(day, recorded.counts)
    except G6Error as error:
        return Comparison(0, 0, error=str(error))


def _share(comparison: Comparison) -> float:
    if comparison.error is not None:
        return 0.0
    if not comparison.compared:
        return float(not comparison.differing)
    return max(0.0, 1.0 - comparison.differing / comparison.compared)


def _findings(
    recorded: RecordedDay, coverage: Coverage, files: CsvVerdict, compared: Mapping[str, Comparison]
) -> tuple[Finding, ...]:
    stores = []
    for name in STORES:
        comparison = compared.get(name)
        if comparison and comparison.error is not None:
            stores.append(Finding("store_unknown", name, 1, comparison.error))
        elif comparison and comparison.differing:
            stores.append(Finding("store_differs", name, comparison.differing, "; ".join(comparison.examples[:3])))
    return (*recorded.findings, *coverage.findings, *files.findings, *stores)


def _unjudged(recorded: RecordedDay, compared: Mapping[str, Comparison], *, let_go: bool) -> tuple[str, ...]:
    files = ("csv: the daily files were removed after the day was archived",) if let_go else ()
    stores = (f"{name}: {found.unjudged}" for name, found in compared.items() if found.unjudged is not None)
    return (*recorded.unjudged, *files, *stores)


def _notes(root: Path, day: date, recorded: RecordedDay, files: CsvVerdict, due: list[datetime]) -> tuple[str, ...]:
    notes = []
    if recorded.source == "archive":
        notes.append("the journal was removed; what was recorded is read from the archive")
    if files.repaired:
        notes.append(f"{len(files.repaired)} torn files were repaired: {_few(files.repaired)}")
    aside = moved_aside(root, day)
    if aside:
        notes.append(f"{len(aside)} damaged journals were moved aside: {_few(aside)}")
    outside = sorted(recorded.minutes.keys() - set(due))
    if outside:
        notes.append(f"{len(outside)} minutes outside the session: {_few([f'{m:%H:%M}' for m in outside])}")
    if recorded.replaced:
        notes.append(f"{recorded.replaced} minutes were recorded more than once; the last tick is kept")
    return tuple(notes)


def _few(names: "tuple[str, ...] | list[str]") -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def market_of(root: Path) -> str:
    """Return whose minutes a data directory holds (live, simulated …); "" when it does not say."""
    try:
        return (root / MARKET_FILE).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
