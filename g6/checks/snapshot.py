"""Snapshot inspection: a stored minute from a journal, as the agent shows a minute, and what the table leaves out."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from g6.checks.page import Page
from g6.clock import IST
from g6.console.minute import MinuteView
from g6.errors import ConfigError, G6Error
from g6.model.chain import LEG_COLUMN_NAMES, LEG_DEFECTS, OptionChain, offset_label
from g6.model.report import CycleReport, ExpiryReport, IndexReport, JournalReport
from g6.model.snapshot import Snapshot
from g6.providers.kite.options import options_for
from g6.settings import Settings
from g6.storage.encoding import encode_snapshot
from g6.storage.journal import SUFFIX, Journal
from g6.storage.reader import JournalReader

# Heading of a leg's column → the column and its decimals.
LEG_HEADINGS: Mapping[str, tuple[str, int]] = {
    "bid": ("bid", 2), "ask": ("ask", 2), "last": ("last", 2), "volume": ("volume", 0), "oi": ("oi", 0),
    "iv %": ("leg_iv", 2), "delta": ("delta", 3), "theta": ("theta", 2), "vega": ("vega", 2),
    "age s": ("quote_age_seconds", 0),
}  # fmt: skip
PERCENT = ("iv %",)


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """A stored minute. `legs` is per index and expiry ("NIFTY 2026-11-24") its columns, where they were asked for."""

    minute: datetime
    provider: str
    backfilled: bool
    journal: str
    status: str
    sentence: str
    quotes_from: datetime | None  # IST, of the accepted chains
    quotes_until: datetime | None
    indices: tuple[IndexReport, ...]
    defects: Mapping[str, int]  # LEG_DEFECTS word → legs
    iv_statuses: Mapping[str, int]  # IV_STATUSES word → legs
    ages_seconds: tuple[float, float] | None  # median and greatest of the quotes
    problems: tuple[str, ...]
    legs: Mapping[str, Mapping[str, object]] | None = None
    login_needed: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A minute as it was read: `bytes` is the size of its record, `seconds` what reading it took."""

    snapshot: Snapshot
    journal: Path
    bytes: int
    seconds: float


class StoredMinute(CycleReport):
    """A minute's report without the seconds that it once took, which no journal keeps."""

    __slots__ = ()

    def __str__(self) -> str:
        head, _, tail = super().__str__().partition("; ")
        told = head.rpartition(", ")[0]
        return f"{told}; {tail}" if tail else told


def read(source: Path, minute: datetime | None = None, index: str | None = None) -> Stored:
    """Return a stored minute (None: the last one that can be read), of one index or of all.

    Raises ConfigError where there are no journals, SinkError where one cannot be read, and G6Error for a minute or an
    index that is not in it, naming what is.
    """
    begun = time.perf_counter()
    folder = JournalReader(source).folder
    if minute is None:
        path, snapshot = _latest(folder, JournalReader(source))
    else:
        path, snapshot = _at(folder, minute)
    if index is not None:
        snapshot = _of_index(snapshot, index)
    return Stored(snapshot, path, len(encode_snapshot(snapshot)), time.perf_counter() - begun)


def examine(stored: Stored, *, legs: bool = False) -> SnapshotReport:
    """Count what a stored minute holds."""
    snapshot, report = stored.snapshot, _report(stored)
    chains = snapshot.chains
    ages = sorted(age for chain in chains for age in chain.quote_age_seconds.tolist() if not math.isnan(age))
    return SnapshotReport(
        minute=snapshot.minute,
        provider=snapshot.provider,
        backfilled=snapshot.backfilled,
        journal=str(stored.journal),
        status=report.status,
        sentence=str(report),
        quotes_from=min((chain.at for chain in chains), default=None),
        quotes_until=max((chain.at for chain in chains), default=None),
        indices=report.indices,
        defects=_summed(expiry.defects for i in report.indices for expiry in i.expiries),
        iv_statuses=_summed(expiry.iv_statuses for i in report.indices for expiry in i.expiries),
        ages_seconds=(ages[len(ages) // 2], ages[-1]) if ages else None,
        problems=tuple(_problems(report)),
        legs={f"{chain.index} {chain.expiry}": _columns(chain) for chain in chains} if legs else None,
    )


def show(stored: Stored, report: SnapshotReport, page: Page, *, legs: bool = False) -> None:
    """Print the minute as the agent does, then what is known of its quotes, and every leg where asked for."""
    MinuteView(page.console, ascii_only=page.ascii_only, concise=False).show(_report(stored), whole=True)
    how = "back-filled from candles" if report.backfilled else "collected at its time"
    page.facts({
        "provider": f"{report.provider}, {how}",
        "quotes": _instants(report),
        "age": "{:.0f} s in the middle, {:.0f} s at most".format(*report.ages_seconds) if report.ages_seconds else "",
        "defects": _counts(report.defects) or "none",
        "IV": _counts(report.iv_statuses) or "not valued",
    })  # fmt: skip
    for chain in stored.snapshot.chains if legs else ():
        expiry = ExpiryReport.of(chain)
        page.heading(f"{chain.index} {chain.expiry:%d %b %y} ({' '.join(chain.codes)})")
        page.facts({"defects": _counts(expiry.defects), "IV": _counts(expiry.iv_statuses)})
        page.table(("strike", "side", "place", *LEG_HEADINGS, "defect"), list(_legs(chain)), texts=("side", "defect"))
    page.verdict(report)


def source_of(settings: Settings) -> Path:
    """Return the data directory that the agent writes with these settings.

    Unless a person named one, each market has its own beside the others: replayed and simulated minutes never join
    live ones.
    """
    directory, provider = settings.storage.data_dir, settings.providers.order[0]
    if settings.origins.get("storage.data_dir", "default") not in {"default", f"provider {provider}"}:
        return directory
    if provider in {"simulated", "replay"}:
        return directory.with_name(provider)
    official = options_for(settings.providers.kite.root).official
    return directory.with_name("live" if official else "kite-simulator")


def _latest(folder: Path, reader: JournalReader) -> tuple[Path, Snapshot]:
    for day in reversed(reader.days()):
        path = folder / f"{day.isoformat()}{SUFFIX}"
        journal = Journal.open_read_only(path)
        try:
            for minute in reversed(journal.minutes()):
                if (snapshot := journal.at(minute)) is not None:
                    return path, snapshot
        finally:
            journal.close()
    raise G6Error(f"{folder}: no minute in it can be read; see `g6 check snapshot --source` with another folder")


def _at(folder: Path, minute: datetime) -> tuple[Path, Snapshot]:
    minute = minute.astimezone(IST).replace(second=0, microsecond=0)
    path = folder / f"{minute.date().isoformat()}{SUFFIX}"
    if not path.exists():
        raise G6Error(f"{folder}: no journal of {minute.date()}; the days are {_named(_days(folder))}")
    journal = Journal.open_read_only(path)
    try:
        snapshot, recorded = journal.at(minute), journal.minutes()
    finally:
        journal.close()
    if snapshot is None and minute in recorded:
        raise G6Error(f"{path}: {minute:%H:%M} is damaged and cannot be read; `g6 backfill` supplies what it can")
    if snapshot is None:
        near = sorted(recorded, key=lambda other: abs(other - minute))[:4]
        named = _named([f"{other:%H:%M}" for other in sorted(near)])
        raise G6Error(f"{path}: {minute:%H:%M} is not in it; the nearest of its {len(recorded)} minutes are {named}")
    return path, snapshot


def _days(folder: Path) -> list[str]:
    return [day.isoformat() for day in JournalReader(folder).days()]


def _named(words: Sequence[str]) -> str:
    return ", ".join(words[-8:]) or "none"


def _of_index(snapshot: Snapshot, name: str) -> Snapshot:
    chosen = tuple(index for index in snapshot.indices if index.index == name)
    if not chosen:
        known = ", ".join(index.index for index in snapshot.indices) or "none"
        raise ConfigError(
            f"--index {name}: it is not in the minute {snapshot.minute:%Y-%m-%d %H:%M}; there are {known}"
        )
    return replace(snapshot, indices=chosen)


def _report(stored: Stored) -> StoredMinute:
    snapshot = stored.snapshot
    return StoredMinute(
        minute=snapshot.minute,
        provider=snapshot.provider,
        seconds=0.0,
        stages={"read": stored.seconds},
        indices=tuple(IndexReport.of(index) for index in snapshot.indices),
        journal=JournalReport(str(stored.journal), stored.bytes),
    )


def _problems(report: CycleReport) -> Iterator[str]:
    for index in report.indices:
        for refusal in index.refusals:
            yield f"{refusal.index} {refusal.expiry}".strip() + f" was refused: {refusal.detail}"
        if not index.refusals and not index.expiries:
            yield f"{index.index}: no expiry was collected; see `g6 check expiries`"


def _summed(counts: Iterator[Mapping[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word.replace('_', ' ')} {count:,}" for word, count in counts.items())


def _instants(report: SnapshotReport) -> str:
    if report.quotes_from is None or report.quotes_until is None:
        return ""
    first, last = f"{report.quotes_from:%H:%M:%S}", f"{report.quotes_until:%H:%M:%S}"
    return f"at {first} IST" if first == last else f"from {first} to {last} IST"


def _columns(chain: OptionChain) -> Mapping[str, object]:
    return {name: getattr(chain, name).tolist() for name in LEG_COLUMN_NAMES}


def _legs(chain: OptionChain) -> Iterator[list[str]]:
    columns = [
        [_number(value * (100 if heading in PERCENT else 1), decimals) for value in getattr(chain, name).tolist()]
        for heading, (name, decimals) in LEG_HEADINGS.items()
    ]
    sides = ["CE" if is_call else "PE" for is_call in chain.is_call.tolist()]
    places = ["-" if math.isnan(offset) else offset_label(int(offset)) for offset in chain.offset.tolist()]
    defects = [_defect(code) for code in chain.defect.tolist()]
    strikes = [f"{strike:g}" for strike in chain.strike.tolist()]
    for row in zip(strikes, sides, places, *columns, defects, strict=True):
        yield list(row)


def _defect(code: float) -> str:
    return "" if math.isnan(code) or code == 0 else LEG_DEFECTS[int(code)].replace("_", " ")


def _number(value: float, decimals: int) -> str:
    return "-" if math.isnan(value) else f"{value:,.{decimals}f}"
