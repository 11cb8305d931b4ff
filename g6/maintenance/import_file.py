"""One older CSV file as legs in columns: which minute, which contract, and what was measured."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from pathlib import Path

import numpy as np

from g6.clock import IST
from g6.maintenance.import_layout import Header, Place, Unreadable, header_of, instant_of
from g6.maintenance.import_report import ImportReport
from g6.model.columns import Bools, Floats, Ints

MEASURED = ("last", "bid", "ask", "bid_quantity", "ask_quantity", "volume", "oi", "average_price")
PRICES = frozenset({"last", "bid", "ask", "average_price"})
# Exchanges trade from 09:00 at the earliest, and an hour of ritual trading ends before midnight.
FIRST_TIME = time(9, 0)
# Sums of two prices of two decimals, written by any program.
PREMIUM_TOLERANCE_RUPEES = 0.05

ExpiryRule = Mapping[tuple[str, str], date | None]  # (index, code) → expiry, for files without an expiry column


@dataclass(frozen=True, slots=True, eq=False)
class FileLegs:
    """Equal-length columns, one row per leg and minute, in the order of time; NaN where a file has no value.

    `minute` is minutes since 1970 UTC, `expiry` days since 1970; `side` is +1 where the folder means strikes above the
    ATM for this leg, -1 below, 0 at it.
    """

    place: Place
    minute: Ints
    expiry: Ints
    strike: Floats
    is_call: Bools
    side: Ints
    atm: Floats
    spot: Floats
    measured: Mapping[str, Floats]


def read_legs(
    path: Path, place: Place, naive: tzinfo, expiry_by_rule: date | None, report: ImportReport
) -> FileLegs | None:
    """Return the legs of a file, None when nothing in it can be taken; the report says what was left out, and why."""
    rows = _rows(path)
    if len(rows) < 2:
        report.refuse("the file has no rows", str(path))
        return None
    header = header_of(rows[0])
    report.renewed_columns.update(header.renewed)
    report.unused_columns.update(header.unused)
    report.rows += len(rows) - 1
    timed = _timed(rows[1:], header, place, naive, report, path)
    if not timed:
        return None
    return _Cells(path, place, header, timed, report).legs(expiry_by_rule)


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable("the file is not CSV in UTF-8") from error


def _timed(
    rows: Sequence[Sequence[str]], header: Header, place: Place, naive: tzinfo, report: ImportReport, path: Path
) -> list[tuple[datetime, Sequence[str]]]:
    """Return the rows of the file's day with their instants, in the order of time, the last of each minute alone."""
    found: dict[datetime, tuple[datetime, Sequence[str]]] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}:{number}"
        try:
            at = instant_of(row[header.time] if header.time < len(row) else "", naive).astimezone(IST)
        except Unreadable as error:
            report.refuse(str(error), where)
            continue
        if at.date() != place.day:
            report.refuse("the row is of another day than its file", where)
        elif at.time() < FIRST_TIME:
            # Were it one row, it would be odd; where the zone is wrong, it is most of the file.
            raise Unreadable(f"times before {FIRST_TIME:%H:%M} IST: are times without a zone UTC? (--naive utc)")
        else:
            minute = at.replace(second=0, microsecond=0)
            if minute in found:
                report.note("several rows in a minute, of which the last was taken", where)
            if minute not in found or at >= found[minute][0]:
                found[minute] = (at, row)
    return [(minute, found[minute][1]) for minute in sorted(found)]


@dataclass(slots=True)
class _Cells:
    """The rows of a file, read column by column."""

    path: Path
    place: Place
    header: Header
    rows: Sequence[tuple[datetime, Sequence[str]]]
    report: ImportReport

    def legs(self, expiry_by_rule: date | None) -> FileLegs | None:
        context = self.header.context
        expiry = self._expiries(context.get("expiry"), expiry_by_rule)
        sides = [(is_call, self._side("ce" if is_call else "pe")) for is_call in (True, False)]
        self._compare_totals(*(columns["last"] for _, columns in sides))
        keep = [self._usable(columns, expiry) for _, columns in sides]
        self._refuse_empty(keep[0] | keep[1], expiry, [columns["strike"] for _, columns in sides])
        if not (keep[0].any() or keep[1].any()):
            return None
        minute = np.array([int(at.timestamp()) // 60 for at, _ in self.rows], np.int64)
        both = np.concatenate
        return FileLegs(
            place=self.place,
            minute=both([minute[kept] for kept in keep]),
            expiry=both([expiry[kept] for kept in keep]).astype(np.int64),
            strike=both([columns["strike"][kept] for (_, columns), kept in zip(sides, keep, strict=True)]),
            is_call=both([np.full(kept.sum(), is_call) for (is_call, _), kept in zip(sides, keep, strict=True)]),
            side=both(
                [np.full(kept.sum(), self._folder_side(call)) for (call, _), kept in zip(sides, keep, strict=True)]
            ),
            atm=both([self._numbers(context.get("atm"))[kept] for kept in keep]),
            spot=both([self._numbers(context.get("spot"))[kept] for kept in keep]),
            measured={
                name: both([columns[name][kept] for (_, columns), kept in zip(sides, keep, strict=True)])
                for name in MEASURED
            },
        )

    def _side(self, side: str) -> dict[str, Floats]:
        places = self.header.legs[side]
        columns = {name: self._numbers(places.get(name), positive=name in PRICES) for name in MEASURED}
        own = places.get("strike", self.header.context.get("strike"))
        return columns | {"strike": self._numbers(own, positive=True)}

    def _folder_side(self, is_call: bool) -> int:  # noqa: FBT001  (a leg is a call or a put)
        if not self.place.steps:
            return 0
        own_strikes = self.place.per_leg and "strike" in self.header.legs["pe"]
        return 1 if self.place.above == (is_call or not own_strikes) else -1

    def _usable(self, columns: Mapping[str, Floats], expiry: Floats) -> Bools:
        measured = np.isfinite([columns[name] for name in MEASURED]).any(axis=0)
        usable: Bools = measured & np.isfinite(columns["strike"]) & np.isfinite(expiry)
        return usable

    def _refuse_empty(self, taken: Bools, expiry: Floats, strikes: Sequence[Floats]) -> None:
        """Say why rows gave no leg at all."""
        totals = self._numbers(self.header.context.get("total"), positive=True)
        no_strike = np.all(np.isnan(np.array(strikes)), axis=0).tolist()
        for row in np.flatnonzero(~taken).tolist():
            if not np.isfinite(expiry[row]):
                reason = "the expiry is not known"
            elif no_strike[row]:
                reason = "the strike is not known"
            else:
                reason = "a total without its legs" if np.isfinite(totals[row]) else "no price in the row"
            self.report.refuse(reason, f"{self.path} {self.rows[row][0]:%H:%M}")
        self.report.rows_taken += int(taken.sum())

    def _compare_totals(self, call: Floats, put: Floats) -> None:
        totals = self._numbers(self.header.context.get("total"))
        with np.errstate(invalid="ignore"):
            differs = np.abs(totals - (call + put)) > PREMIUM_TOLERANCE_RUPEES
        if differs.any():
            first = self.rows[int(np.argmax(differs))][0]
            remark = "the total is not the sum of the legs, of which it is made again"
            self.report.note(remark, f"{self.path} {first:%H:%M}", int(differs.sum()))

    def _expiries(self, place: int | None, by_rule: date | None) -> Floats:
        if place is None and by_rule is not None:
            self.report.note("no expiry column: the expiry is that of the exchange's weekday rules", str(self.path))
        days = [_days(_cell(row, place)) for _, row in self.rows]
        fallback = np.nan if by_rule is None else float(np.datetime64(by_rule, "D").astype(int))
        found = np.array([fallback if day is None else day for day in days], np.float64)
        expired = found < float(np.datetime64(self.place.day, "D").astype(int))
        if expired.any():
            self.report.note("the expiry is before the row's day, and was not believed", str(self.path))
            found[expired] = np.nan
        return found

    def _numbers(self, place: int | None, *, positive: bool = False) -> Floats:
        """Return a column of numbers; what is none, or no price where one is due, is NaN and told."""
        if place is None:
            return np.full(len(self.rows), np.nan)
        numbers = np.array([self._number(_cell(row, place)) for _, row in self.rows], np.float64)
        wrong = numbers <= 0 if positive else numbers < 0
        if wrong.any():
            self.report.note("a price of zero or less, or a negative quantity, which is none", str(self.path))
            numbers[wrong] = np.nan
        return numbers

    def _number(self, text: str) -> float:
        if not text:
            return np.nan
        try:
            number = float(text)
        except ValueError:
            if text.lower() not in {"none", "null", "na", "n/a", "-"}:
                self.report.note("a cell is no number, and was left empty", str(self.path))
            return np.nan
        return number if np.isfinite(number) else np.nan


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


@lru_cache(maxsize=1024)
def _days(text: str) -> float | None:
    try:
        return float(np.datetime64(datetime.fromisoformat(text).date(), "D").astype(int))
    except ValueError:
        return None
