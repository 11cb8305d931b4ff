"""The state behind the masters: today's minutes, the folded days, and the profiles that the days amount to.

Today is kept apart from history. A minute enters `ticks` in the transaction that says which journal row it came from,
so that it is applied once; a day enters `days` and `profiles` when it is folded, which the ledger `folded` remembers.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from g6.masters.database import BUSY_TIMEOUT_SECONDS, connect_reader, connect_writer, path_of, translated
from g6.masters.encoding import (
    decode_profile,
    decode_tick,
    decode_totals,
    encode_profile,
    encode_tick,
    encode_totals,
)
from g6.masters.profile import EMPTY, SMOOTHING, Profile, fold, profile_of
from g6.masters.totals import DayTotals, Group, Tick, Totals, overlaid


class Minute(NamedTuple):
    """One minute of a day as a journal's row gave it; a later version of the same minute replaces it."""

    day: date
    minute: int
    tick: Tick


class Folded(NamedTuple):
    """What the ledger says of a day: an id of its content, where it came from, and how much of it differed."""

    content: str
    source: str
    totals: int
    differences: int


class MasterStore:
    """One file, one connection, one thread. Every failure is a SinkError of one line and leaves the state as it was."""

    def __init__(self, root: Path, connection: sqlite3.Connection) -> None:
        self.root = root
        self.path = path_of(root)
        self._connection = connection

    @classmethod
    def open(cls, root: Path, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> Self:
        """Open or create the masters of a data directory."""
        return cls(root, connect_writer(root, busy_timeout_seconds))

    @classmethod
    def open_read_only(cls, root: Path) -> Self:
        """Open them to read, another process's live ones too; ConfigError where there are none."""
        return cls(root, connect_reader(root))

    def close(self) -> None:
        """Let go of the file; doing so twice is harmless."""
        self._connection.close()

    def wait_for_others(self, seconds: float) -> None:
        """Set how long a write waits for another process's."""
        self._execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    # What is remembered for those who have no settings at hand.

    @property
    def smoothing(self) -> float:
        """Return the weight of the newest day in the exponential mean."""
        rows = self._execute("SELECT value FROM meta WHERE name = 'smoothing'")
        return float(rows[0][0]) if rows else SMOOTHING

    def adopt(self, smoothing: float, display_names: Mapping[str, str]) -> bool:
        """Remember settings; where the smoothing is another one, make every profile anew. Return whether it was."""
        changed = smoothing != self.smoothing
        if not changed and display_names.items() <= self.display_names().items():
            return False
        with self._transaction():
            for name, shown in display_names.items():
                self._execute("INSERT OR REPLACE INTO names VALUES (?, ?)", name, shown)
            if changed:
                self._execute("INSERT OR REPLACE INTO meta VALUES ('smoothing', ?)", repr(smoothing))
                for weekday, *group in self._execute("SELECT weekday, index_name, expiry_code FROM profiles"):
                    self._refold(weekday, Group(*group))
        return changed

    def display_names(self) -> dict[str, str]:
        """Return index → the name that people know it by."""
        return dict(self._execute("SELECT index_name, display_name FROM names"))

    # Today.

    def applied(self, journal: str) -> int:
        """Return the last seq of a journal (its identity) that has been applied, 0 at the beginning.

        Earlier releases kept a journal under its path, and that is where their places are still found.
        """
        statement = "SELECT max(seq) FROM applied WHERE journal = ? OR substr(journal, ?) = ?"
        ((seq,),) = self._execute(statement, journal, -len(journal) - 1, f"/{journal}")
        return int(seq or 0)

    def apply(self, journal: str, seq: int, minutes: Sequence[Minute]) -> int:
        """Take in minutes and the place in the journal that they lead to, in one transaction; return the bytes."""
        rows = [(m.day.isoformat(), m.minute, encode_tick(m.tick)) for m in minutes]
        with self._transaction():
            for day, minute, payload in rows:
                self._execute(
                    "INSERT OR REPLACE INTO ticks (day, minute, version, payload) VALUES (?, ?, 1 +"
                    " coalesce((SELECT version FROM ticks WHERE day = ? AND minute = ?), 0), ?)",
                    day, minute, day, minute, payload,
                )  # fmt: skip
            self._execute("INSERT OR REPLACE INTO applied VALUES (?, ?)", journal, seq)
        return sum(len(payload) for _, _, payload in rows)

    def ticks(self, day: date, *, unsettled_only: bool = False) -> dict[int, Tick]:
        """Return minute → tick of a day: those that streamed in and were not folded in agreement."""
        rows = self._execute(
            "SELECT minute, payload FROM ticks WHERE day = ? AND settled <= ?", day.isoformat(), int(not unsettled_only)
        )
        return {minute: decode_tick(payload) for minute, payload in rows}

    def versions(self, day: date) -> dict[int, int]:
        """Return minute → version, by which a fold says which minutes it has seen."""
        return dict(self._execute("SELECT minute, version FROM ticks WHERE day = ?", day.isoformat()))

    def unsettled_days(self) -> tuple[date, ...]:
        """Return the days that have minutes which no fold has seen, ascending."""
        return _dates(self._execute("SELECT DISTINCT day FROM ticks WHERE settled = 0 ORDER BY day"))

    def unfiled_days(self) -> tuple[date, ...]:
        """Return the days that have minutes which the master files do not show yet, ascending."""
        return _dates(self._execute("SELECT DISTINCT day FROM ticks WHERE filed = 0 AND settled = 0 ORDER BY day"))

    def set_filed(self, day: date, versions: Mapping[int, int]) -> None:
        """Remember that the master files show these minutes."""
        with self._transaction():
            for minute, version in versions.items():
                self._execute(
                    "UPDATE ticks SET filed = 1 WHERE day = ? AND minute = ? AND version = ?",
                    day.isoformat(), minute, version,
                )  # fmt: skip

    # History.

    def folded(self, day: date) -> Folded | None:
        """Return the ledger's entry of a day; None when it was never folded."""
        rows = self._execute("SELECT content, source, totals, differences FROM folded WHERE day = ?", day.isoformat())
        return Folded(*rows[0]) if rows else None

    def folded_days(self) -> dict[date, Folded]:
        """Return the whole ledger, by day, ascending."""
        rows = self._execute("SELECT day, content, source, totals, differences FROM folded ORDER BY day")
        return {date.fromisoformat(row[0]): Folded(*row[1:]) for row in rows}

    def day(self, day: date) -> DayTotals:
        """Return a folded day's totals; empty when it was never folded."""
        rows = self._execute(
            "SELECT index_name, expiry_code, payload FROM days WHERE weekday = ? AND day = ?"
            " ORDER BY index_name, expiry_code",
            day.weekday(), day.isoformat(),
        )  # fmt: skip
        return {Group(*row[:2]): decode_totals(row[2]) for row in rows}

    def streamed(self, day: date) -> DayTotals:
        """Return a day as the cycles gave it: its minutes, over those that were folded in agreement before."""
        entry = self.folded(day)
        agreed = entry is not None and entry.differences == 0
        return overlaid(self.day(day) if agreed else {}, self.ticks(day))

    def latest(self, day: date) -> DayTotals:
        """Return the best that is known of a day: what was folded, with the minutes since over it."""
        return overlaid(self.day(day), self.ticks(day, unsettled_only=True))

    def history(self, weekday: int, group: Group, before: date | None = None) -> dict[date, Totals]:
        """Return the folded days of a weekday, those before a day where one is given, ascending."""
        rows = self._execute(
            "SELECT day, payload FROM days WHERE weekday = ? AND index_name = ? AND expiry_code = ? AND day < ?"
            " ORDER BY day",
            weekday, *group, before.isoformat() if before else "9999-12-31",
        )  # fmt: skip
        return {date.fromisoformat(day): decode_totals(payload) for day, payload in rows}

    def groups(self, weekday: int) -> tuple[Group, ...]:
        """Return the groups that have a profile on a weekday."""
        rows = self._execute("SELECT index_name, expiry_code FROM profiles WHERE weekday = ? ORDER BY 1, 2", weekday)
        return tuple(Group(*row) for row in rows)

    def settled_profile(self, weekday: int, group: Group) -> Profile:
        """Return the profile of the folded days."""
        return self._profile(weekday, group)[1]

    def profile(self, weekday: int, group: Group, streaming: Mapping[date, DayTotals]) -> Profile:
        """Return the profile with days in it that are not folded yet, as `latest` gives them.

        It is the one that folding them would leave, to the last digit.
        """
        last, profile = self._profile(weekday, group)
        news = {day: totals[group] for day, totals in sorted(streaming.items()) if group in totals}
        if all(day.isoformat() > last for day in news):
            for totals in news.values():
                profile = fold(profile, totals, self.smoothing)
            return profile
        days = {**self.history(weekday, group), **news}
        return profile_of((days[day] for day in sorted(days)), self.smoothing)

    def settle(self, day: date, totals: DayTotals, entry: Folded, seen: Mapping[int, int]) -> tuple[Group, ...]:
        """Fold a day in one transaction: its totals, the profiles, the ledger, and its minutes (`seen`: versions).

        A day that was folded before is replaced. Minutes that differed stay as evidence, the others have done their
        work. Return the groups that changed.
        """
        with self._transaction():
            before = self.day(day)
            changed = [g for g in sorted({*before, *totals}) if not _same(before.get(g), totals.get(g))]
            for group in changed:
                self._put_day(day, group, totals.get(group))
                self._update_profile(day, group, totals.get(group), replaced=group in before)
            self._execute(
                "INSERT OR REPLACE INTO folded VALUES (?, ?, ?, ?, ?, ?)",
                day.isoformat(), *entry, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            )  # fmt: skip
            verb = "UPDATE ticks SET settled = 1" if entry.differences else "DELETE FROM ticks"
            for minute, version in seen.items():
                statement = f"{verb} WHERE day = ? AND minute = ? AND version = ?"
                self._execute(statement, day.isoformat(), minute, version)
        return tuple(changed)

    def _put_day(self, day: date, group: Group, totals: Totals | None) -> None:
        key = day.weekday(), *group, day.isoformat()
        if totals is None:
            where = "weekday = ? AND index_name = ? AND expiry_code = ? AND day = ?"
            self._execute(f"DELETE FROM days WHERE {where}", *key)  # noqa: S608 (the text above, no one's input)
        else:
            self._execute("INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)", *key, encode_totals(totals))

    def _update_profile(self, day: date, group: Group, totals: Totals | None, *, replaced: bool) -> None:
        weekday = day.weekday()
        last, profile = self._profile(weekday, group)
        if totals is None or replaced or day.isoformat() <= last:
            self._refold(weekday, group)
        else:
            self._put_profile(weekday, group, day.isoformat(), fold(profile, totals, self.smoothing))

    def _refold(self, weekday: int, group: Group) -> None:
        days = self.history(weekday, group)
        last = max(days).isoformat() if days else ""
        self._put_profile(weekday, group, last, profile_of(days.values(), self.smoothing))

    def _put_profile(self, weekday: int, group: Group, last: str, profile: Profile) -> None:
        self._execute(
            "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?)", weekday, *group, last, encode_profile(profile)
        )

    def _profile(self, weekday: int, group: Group) -> tuple[str, Profile]:
        rows = self._execute(
            "SELECT last_day, payload FROM profiles WHERE weekday = ? AND index_name = ? AND expiry_code = ?",
            weekday, *group,
        )  # fmt: skip
        return (rows[0][0], decode_profile(rows[0][1])) if rows else ("", EMPTY)

    def _execute(self, statement: str, *values: int | str | bytes) -> list[tuple[Any, ...]]:
        with translated(self.path):
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def content_of(totals: DayTotals) -> str:
    """Return an id of a day's content: equal days have equal ids."""
    digest = hashlib.sha256()
    for group, of_group in sorted(totals.items()):
        digest.update(repr((*group, of_group.labels, of_group.minutes.tolist())).encode())
        digest.update(of_group.values.astype("<i8").tobytes())
    return digest.hexdigest()


def totals_in(totals: DayTotals) -> int:
    """Return how many totals a day has."""
    return sum(of_group.count for of_group in totals.values())


def _same(one: Totals | None, other: Totals | None) -> bool:
    if one is None or other is None:
        return one is other
    return content_of({Group("", ""): one}) == content_of({Group("", ""): other})


def _dates(rows: Iterable[Sequence[Any]]) -> tuple[date, ...]:
    return tuple(date.fromisoformat(row[0]) for row in rows)
