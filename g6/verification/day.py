"""Verify a day: everything that is read of it, in one pass, becomes one `Verification`."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from g6.clock import IST
from g6.errors import ConfigError, G6Error
from g6.model.snapshot import Snapshot
from g6.storage.data_directory import MARKET_FILE
from g6.storage.journal import Journal
from g6.verification.csv_files import CsvLayout, CsvVerdict, ExpectedRows, compare_files, price_basis
from g6.verification.expected import MarketFacts, last_due
from g6.verification.gaps import Coverage, count
from g6.verification.recorded import RecordedDay, journal_path, moved_aside, read_day
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
) -> Verification:
    """Verify what a data directory holds of a day; nothing in it is changed, and an agent may be writing into it.

    `csv` None leaves the daily files out, for agents that keep none. `stores` compares further ones, "masters" and
    "influx": each is told what the journal holds, and a G6Error of theirs is a finding. While a session of `now`'s own
    day runs, only what is due is judged, unless `day_is_over` says otherwise (a market with a clock of its own).

    ConfigError for a day whose journal was removed once it was archived, for one without a session of which nothing is
    recorded, and for one before its first minute; OutsideCalendar; SinkError when the journal cannot be read for
    another reason than damage.
    """
    _require_journal(root, day)
    until = None if day_is_over else last_due(day, facts, now.astimezone(IST))
    layout = None if csv is None else CsvLayout(csv.aggregates, price_basis(root, day, csv.price_basis))
    rows = None if layout is None else ExpectedRows(layout)
    recorded = read_day(root, day, until, rows.add if rows else _nothing)
    due = _due(facts, day, recorded, until)
    files = CsvVerdict() if rows is None or layout is None else _csv(root, day, rows, layout, recorded, until)
    coverage = count(due, recorded, files.only_here)
    shares = {COLLECTED: coverage.share, OUTLIERS: coverage.sane_share}
    if rows is not None:
        shares[CSV] = files.share
    compared = {name: _compared(compare, day, recorded) for name, compare in (stores or {}).items()}
    shares |= {name: _share(comparison) for name, comparison in compared.items()}
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
    )


def _require_journal(root: Path, day: date) -> None:
    """Refuse a day whose journal is gone by design: all of it would be a gap, and the report of its time is better."""
    archived = next((root / "archive").glob(f"*/*/date={day}"), None)
    if archived is not None and not journal_path(root, day).exists():
        raise ConfigError(f"{day} is archived in {archived} and its journal was removed: verify before that")


def _nothing(_snapshot: Snapshot) -> None:
    return


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
    root: Path, day: date, rows: ExpectedRows, layout: CsvLayout, recorded: RecordedDay, until: datetime | None
) -> CsvVerdict:
    def again(minute: datetime) -> Snapshot | None:
        journal = Journal.open_read_only(journal_path(root, day))
        try:
            return journal.at(minute)
        finally:
            journal.close()

    return compare_files(root, day, rows, layout, recorded.minutes.keys(), until, again)


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


def _notes(root: Path, day: date, recorded: RecordedDay, files: CsvVerdict, due: list[datetime]) -> tuple[str, ...]:
    notes = []
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
