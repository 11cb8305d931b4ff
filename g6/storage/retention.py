"""What may leave the disk: days that are archived, verified, and passed by every store; by default none does."""

import logging
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from g6.clock import IST
from g6.errors import ConfigError, SinkError
from g6.storage.archive import archive_day
from g6.storage.archive_manifest import JournalFacts, archived_days, journal_path, why_not_archived
from g6.storage.care import CAREFREE, Care
from g6.storage.data_directory import CSV, JOURNAL, sync_directory
from g6.storage.journal_set import days_in
from g6.storage.removals import Kind, Removal, note

log = logging.getLogger(__name__)

# Why a day may not go yet, for those who need more of it than the stores do; None when it may.
Hold = Callable[[date], str | None]

KINDS: tuple[Kind, ...] = ("csv", "journal")
COMPANIONS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Policy:
    """How many days of each kind are kept, today among them (None: for ever), and the space that is to stay free.

    Below `minimum_free_bytes` the oldest days go first, whatever their age: the CSV files of all days before the
    journal of any, because journals can make CSV files again.
    """

    journal_days: int | None = None
    csv_days: int | None = None
    minimum_free_bytes: int | None = None

    def __post_init__(self) -> None:
        for name, days in (("journal_days", self.journal_days), ("csv_days", self.csv_days)):
            if days is not None and days < 1:
                raise ConfigError(f"{name} is {days}; keep at least 1 day, or give no number to keep all")


@dataclass(frozen=True, slots=True)
class Kept:
    """What should have gone by the policy and may not."""

    kind: Kind
    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What was removed, what could not be, which days were archived to make space, and the space there is now."""

    removed: tuple[Removal, ...]
    kept: tuple[Kept, ...]
    archived: tuple[date, ...]
    free_bytes: int
    short_bytes: int  # by which the free space is below the floor

    def said_kept(self, limit: int = 3) -> tuple[str, ...]:
        """Return what stayed and why, one clause per reason, the oldest day's first; `limit` reasons at most."""
        by_reason: dict[str, list[Kept]] = {}
        for kept in sorted(self.kept, key=lambda kept: (kept.day, kept.kind)):
            by_reason.setdefault(kept.reason, []).append(kept)
        said = [_said_kept(together) for together in by_reason.values()]
        more = len(said) - limit
        return (*said[:limit], f"kept for {more} more reason{'s' if more > 1 else ''}") if more > 0 else tuple(said)

    def __str__(self) -> str:
        freed = sum(removal.bytes for removal in self.removed)
        short = f", {self.short_bytes / 1e6:.0f} MB below the floor" if self.short_bytes else ""
        held = f"; kept {_named(self.kept[0])}: {self.kept[0].reason}" if self.kept else ""
        more = f" (and {len(self.kept) - 1} more)" if len(self.kept) > 1 else ""
        return (
            f"{len(self.removed)} removed, {freed / 1e6:.1f} MB; {self.free_bytes / 1e9:.1f} GB free{short}{held}{more}"
        )


def retention(
    root: Path,
    policy: Policy,
    now: datetime,
    *,
    sinks: Collection[str] = (),
    holds: Sequence[Hold] = (),
    price_basis: str = "last",
    free_bytes: Callable[[Path], int] = lambda root: shutil.disk_usage(root).free,
    care: Care = CAREFREE,
) -> RetentionReport:
    """Remove what the policy lets go; today, and days to come, never.

    1. by age, oldest first, 2. while the free space is below the floor, oldest first, after archiving a day that is
    not (with `price_basis`). A day goes only when its archive is whole and has all that its journal has
    (`why_not_archived`), each of `sinks` and every store that has a cursor in its journal has durably passed its last
    minute, and no one in `holds` gives a reason. What stays for such a reason is in the report and logged. Each
    removal is logged and a line of `<root>/archive/removed.jsonl`. The caller holds the data directory.
    """
    work = _Work(root, frozenset(sinks), tuple(holds), now, care)
    today = now.astimezone(IST).date()
    limits: dict[Kind, int | None] = {"csv": policy.csv_days, "journal": policy.journal_days}
    for kind, days in limits.items():
        for day in work.days(kind):
            if days is not None and (today - day).days >= days:
                work.remove(kind, day, "age")
    if policy.minimum_free_bytes is not None:
        _make_space(work, policy.minimum_free_bytes, today, price_basis, free_bytes)
    _sweep(root)
    free = free_bytes(root)
    for kept in work.kept.values():
        log.warning("%s of %s stays: %s", kept.kind, kept.day, kept.reason)
    short = max(0, (policy.minimum_free_bytes or 0) - free)
    return RetentionReport(tuple(work.removed), tuple(work.kept.values()), tuple(work.archived), free, short)


def _make_space(work: "_Work", floor: int, today: date, price_basis: str, free_bytes: Callable[[Path], int]) -> None:
    for kind in KINDS:
        for day in work.days(kind):
            if free_bytes(work.root) >= floor:
                return
            if day < today:
                work.archive(day, price_basis)
                work.remove(kind, day, "space")


@dataclass(slots=True)
class _Work:
    """One run: what may go, what went, and what could not."""

    root: Path
    sinks: frozenset[str]
    holds: tuple[Hold, ...]
    now: datetime
    care: Care
    removed: list[Removal] = field(default_factory=list)
    kept: dict[tuple[Kind, date], Kept] = field(default_factory=dict)
    archived: list[date] = field(default_factory=list)
    _reasons: dict[date, str | None] = field(default_factory=dict)
    _csv: dict[date, list[Path]] | None = None

    def days(self, kind: Kind) -> tuple[date, ...]:
        """Return the days that have files of a kind, ascending."""
        return days_in(self.root / JOURNAL) if kind == "journal" else tuple(sorted(self._csv_files()))

    def archive(self, day: date, price_basis: str) -> None:
        """Archive a day that is not, and that nothing else keeps; what comes of it, `remove` finds."""
        if not journal_path(self.root, day).exists() or next(self._claims(day), None) is not None:
            return
        if why_not_archived(self.root, day) is None:
            return
        try:
            archive_day(self.root, day, price_basis, self.care)
        except SinkError as error:
            log.warning("%s", error)
            return
        self.archived.append(day)
        self._reasons.pop(day, None)

    def remove(self, kind: Kind, day: date, reason: Literal["age", "space"]) -> None:
        """Remove the files of one kind and day, unless there is a reason to keep them."""
        self.care.alive()
        why = self._why_kept(day)
        if why is not None:
            self.kept[kind, day] = Kept(kind, day, why)
            return
        try:
            size = sum(_unlinked(path) for path in self._files(kind, day))
        except OSError as error:
            self.kept[kind, day] = Kept(kind, day, f"{error.filename}: {error.strerror}")
            return
        removal = Removal(kind, day, size, reason)
        self.removed.append(removal)
        self.kept.pop((kind, day), None)
        log.info("removed the %s of %s for %s: %.1f MB, archived and verified", kind, day, reason, size / 1e6)
        note(self.root, removal, self.now)

    def _why_kept(self, day: date) -> str | None:
        if day not in self._reasons:
            self._reasons[day] = next(self._claims(day), None) or why_not_archived(self.root, day)
        return self._reasons[day]

    def _claims(self, day: date) -> Iterator[str]:
        """Yield who still needs the day, be it archived or not."""
        if day >= self.now.astimezone(IST).date():
            yield "the day is not over"
        yield from _unpassed(self.root, day, self.sinks)
        yield from filter(None, (hold(day) for hold in self.holds))

    def _files(self, kind: Kind, day: date) -> list[Path]:
        if kind == "csv":
            return self._csv_files().get(day, [])
        path = journal_path(self.root, day)
        # The journal before its companions: what a crash leaves of them is swept up by the next run.
        return [path, *(path.with_name(path.name + companion) for companion in COMPANIONS)]

    def _csv_files(self) -> dict[date, list[Path]]:
        if self._csv is None:
            self._csv = {}
            for path in sorted((self.root / CSV).rglob("*.csv")):
                if (day := _day_of(path.stem)) is not None:
                    self._csv.setdefault(day, []).append(path)
        return self._csv


def _unpassed(root: Path, day: date, sinks: Collection[str]) -> Iterator[str]:
    """Yield why a store still needs the journal of a day; nothing where the journal has gone already."""
    path = journal_path(root, day)
    if not path.exists():
        return
    try:
        facts = JournalFacts.read(root, day)
    except SinkError as error:
        yield str(error)
        return
    for sink in sorted({*sinks, *facts.cursors}):
        if owed := facts.owed_to(sink):
            off = "" if sink in sinks else ", and is switched off now"
            yield f"{sink} has not passed {owed} of its minutes{off}"


def _unlinked(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    sync_directory(path.parent)
    return size


def _sweep(root: Path) -> None:
    """Remove what a crash left of a journal that was being removed."""
    for day in archived_days(root):
        path = journal_path(root, day)
        if not path.exists():
            for companion in COMPANIONS:
                path.with_name(path.name + companion).unlink(missing_ok=True)


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _named(kept: Kept) -> str:
    return f"the {kept.kind} of {kept.day}"


def _said_kept(together: Sequence[Kept]) -> str:
    """Return as one clause what one reason keeps."""
    first, days = together[0], sorted({kept.day for kept in together})
    kinds = " and ".join(dict.fromkeys(kept.kind for kept in together))
    more = f" and {len(days) - 1} more day{'s' if len(days) > 2 else ''}" if len(days) > 1 else ""
    return f"kept the {kinds} of {first.day}{more}: {first.reason}"
