"""`<data directory>/participants/`: `oi.csv`, `volume.csv` and `cash.csv`, rows by date.

A file is a function of the days that were taken, in whatever order: it is written anew as a whole, with what follows
from them (`derived`), and put in place complete and durable. Taking a day again changes nothing; a day whose figures
the exchange has changed takes the place of the earlier one. One process writes at a time, whoever collects into the
data directory meanwhile.
"""

import csv
import fcntl
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from g6.errors import SinkError
from g6.participants.days import KINDS, Cash, Contracts, Day, Flow, Kind, Position
from g6.participants.derived import CashRow, PositionRow, cash_rows, position_rows
from g6.storage.data_directory import write_whole

FOLDER = "participants"
CASH = "cash"
LOCK_FILE = ".lock"
RATIO_DECIMALS = 6

Change = Literal["stored", "replaced", "unchanged"]
D = TypeVar("D", Contracts, Cash)


def file_of(kind: str) -> str:
    """Return the name of a kind's file below the data directory."""
    return f"{FOLDER}/{kind}.csv"


class Taken(NamedTuple):
    """A day, and what taking it changed."""

    day: Day
    change: Change


class ParticipantStore:
    """The days of a data directory. SinkError when a file cannot be read or written, or is not one of these."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def contracts(self, kind: Kind) -> dict[date, Contracts]:
        """Return the days of open interest or volume, oldest first; none where nothing is stored."""
        found: dict[date, dict[tuple[str, str], Position]] = {}
        for row in self._rows(kind, PositionRow._fields):
            with self._whole(kind):
                place = row["participant"], row["instrument"]
                held = Position(int(row["long"]), int(row["short"]))
                found.setdefault(date.fromisoformat(row["date"]), {})[place] = held
        with self._whole(kind):
            days = {day: Contracts(day, kind, held) for day, held in sorted(found.items())}
            list(position_rows(days))  # a day that lacks a row is told here, not where it is asked for
        return days

    def cash(self) -> dict[date, Cash]:
        """Return the days of cash flows, oldest first."""
        found: dict[date, dict[str, Flow]] = {}
        for row in self._rows(CASH, CashRow._fields):
            with self._whole(CASH):
                flow = Flow(*(float(row[side]) for side in Flow._fields))
                found.setdefault(date.fromisoformat(row["date"]), {})[row["participant"]] = flow
        with self._whole(CASH):
            days = {day: Cash(day, flows) for day, flows in sorted(found.items())}
            list(cash_rows(days))
        return days

    def take(self, days: Iterable[Day]) -> tuple[Taken, ...]:
        """Take days in; return each with what it changed. Of several of one day and kind the last one wins."""
        given = tuple(days)
        taken: list[Taken] = []
        if given:
            with self._alone():
                for kind in KINDS:
                    contracts = [day for day in given if isinstance(day, Contracts) and day.kind == kind]
                    if contracts:
                        kept = self.contracts(kind)
                        taken += _merged(kept, contracts)
                        self._write(kind, PositionRow._fields, position_rows(kept))
                cash = [day for day in given if isinstance(day, Cash)]
                if cash:
                    flows = self.cash()
                    taken += _merged(flows, cash)
                    self._write(CASH, CashRow._fields, cash_rows(flows))
        return tuple(taken)

    def path(self, kind: str) -> Path:
        """Return where a kind's file is."""
        return self.root / file_of(kind)

    def _rows(self, kind: str, header: Sequence[str]) -> Iterator[Mapping[str, str]]:
        try:
            with self.path(kind).open(encoding="utf-8", newline="") as lines:
                rows = csv.reader(lines)
                if tuple(next(rows, ())) != tuple(header):
                    raise SinkError(f"{self.path(kind)} is none of G6: {_advice(kind)}")
                for row in rows:
                    if len(row) != len(header):
                        raise SinkError(f"{self.path(kind)} is damaged in line {rows.line_num}: {_advice(kind)}")
                    yield dict(zip(header, row, strict=True))
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SinkError(f"{self.path(kind)} cannot be read: {error}") from error

    @contextmanager
    def _whole(self, kind: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError) as error:
            raise SinkError(f"{self.path(kind)} is damaged ({error}): {_advice(kind)}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from writing; two that did at once would each lose the other's days."""
        folder = self.root / FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SinkError(f"cannot write below {folder}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, kind: str, header: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_cell(value) for value in row] for row in rows)
        path, content = self.path(kind), text.getvalue().encode()
        try:
            if path.is_file() and path.read_bytes() == content:
                return
            write_whole(path, content)
        except OSError as error:
            raise SinkError(f"cannot write {path}: {error.strerror}") from error


def _merged(kept: dict[date, D], days: Iterable[D]) -> Iterator[Taken]:
    """Put days among those that are kept, and yield what each changed; what was odd about one does not count."""
    for day in days:
        before = kept.get(day.day)
        kept[day.day] = day
        if before is None:
            yield Taken(day, "stored")
        else:
            yield Taken(day, "unchanged" if replace(day, notes=()) == before else "replaced")


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{round(value, RATIO_DECIMALS) + 0.0:.12g}"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


def _advice(kind: str) -> str:
    return f"move it away, then fetch or import the days of {kind} again"
