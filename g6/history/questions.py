"""The questions that are asked most, as methods; everything else is SQL."""

# ruff: noqa: S608  values are bound; names come from the columns of files, quoted, and nothing can be changed

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from g6.clock import IST
from g6.errors import ConfigError
from g6.history.database import ask
from g6.history.files import Files, Wanted
from g6.history.masters_anew import masters_on
from g6.history.noise import noise_of
from g6.history.premiums import column_of, total_sql
from g6.history.scope import Values
from g6.history.table import Table
from g6.history.views import code_columns, name
from g6.model.chain import EXPIRY_CODES, offset_label
from g6.participants.days import INSTRUMENTS, KINDS, PARTICIPANTS, TOTAL
from g6.storage.archive import OVERVIEW
from g6.storage.csv_layout import OVERVIEW_CONTEXT

Day = str | date
Minute = str | time | datetime

PLACE = re.compile(r"atm|[pm][0-9]{1,3}|p[0-9]{1,3}m[0-9]{1,3}")


class History:
    """What a data directory holds, over all days; another G6 may be writing today's meanwhile.

    Days are `date` or "2026-11-20", minutes `time`, "10:15" or an instant. ConfigError for what is neither, and for
    a directory that is not there; a day without data gives a table without rows.
    """

    def __init__(self, data_dir: str | Path) -> None:
        self.root = Path(data_dir).expanduser()
        if not self.root.is_dir():
            raise ConfigError(f"{self.root} is not there; name a data directory of G6")

    def chain(
        self,
        index: str,
        day: Day,
        until: Day | None = None,
        *,
        expiry: str | date | None = None,
        offset: int | str | None = None,
        minute: Minute | None = None,
        price_basis: str | None = None,
    ) -> Table:
        """Return a row per minute and strike, call (`ce_*`) and put (`pe_*`) side by side, by time, expiry and strike.

        `expiry` is a code (`this_week`) or a day; without it an expiry is there once for each of its codes. `offset`
        is the place of the strike in listed strikes from the ATM, or its name (`atm`, `p2`, `m1`). Columns: as in the
        CSV files of the legs. With a `price_basis`, "last" or "average", `total_premium` is the sum of those prices,
        whatever it was recorded as; NaN where a leg was not traded that day.
        """
        listed = "*"
        if price_basis is not None:
            column = column_of(price_basis)
            listed = f"* REPLACE ({total_sql(price_basis)} AS total_premium, '{column}' AS premium_basis)"
        code = expiry if isinstance(expiry, str) and expiry in EXPIRY_CODES else None
        place = None if offset is None else _label(offset)
        wanted = _wanted(index, day, until, code, place)
        conditions = _Conditions(wanted)
        if code is None and expiry is not None:
            conditions.add("expiry = ?", _day(expiry))
        if minute is not None:
            conditions.at(minute)
        query = f"SELECT {listed} FROM chain {conditions} ORDER BY ts, expiry, expiry_code, strike"
        return ask(self.root, wanted, query, conditions.values)

    def overview(self, index: str, day: Day, until: Day | None = None, *, expiry: str | None = None) -> Table:
        """Return a row a minute, by time: spot, masks, legs, and the aggregates.

        With `expiry`, a code, its aggregates by their own names (`pcr_oi`); without, those of all codes
        (`this_week_pcr_oi`). ConfigError for a code that there is not.
        """
        wanted = _wanted(index, day, until)
        conditions = _Conditions(wanted)
        listed = "*"
        if expiry is not None:
            _known_code(expiry)
            files = Files.find(self.root, wanted, {OVERVIEW})
            headers = [*files.parquet[OVERVIEW], *files.overviews]
            own = code_columns((c for columns in headers for c in columns), expiry) or {f"{expiry}_expiry": "expiry"}
            context = ("ts", "date", "index", *OVERVIEW_CONTEXT[1:])
            listed = ", ".join([*map(name, context), *(f"{name(c)} AS {name(short)}" for c, short in own.items())])
        return ask(self.root, wanted, f"SELECT {listed} FROM overview {conditions} ORDER BY ts", conditions.values)

    def market(self, day: Day, until: Day | None = None) -> Table:
        """Return a row a minute, by time: India VIX, breadth of the broad index, sectors, the market's mood."""
        return self._around("market", day, until, "", None)

    def levels(self, day: Day, until: Day | None = None, *, name: str | None = None) -> Table:
        """Return a row per minute and level: India VIX (INDIAVIX), sectors, the collected indices; or one of them."""
        return self._around("levels", day, until, "name", name)

    def breadth(self, day: Day, until: Day | None = None, *, group: str | None = None) -> Table:
        """Return a row per minute and group of shares: an index (NIFTY) or an industry (FINANCIAL_SERVICES)."""
        return self._around("breadth", day, until, "group_name", group)

    def _around(self, view: str, day: Day, until: Day | None, column: str, value: str | None) -> Table:
        first = _day(day)
        wanted = Wanted(first, first if until is None else _day(until))
        conditions = _Conditions(wanted)
        if value is not None:
            conditions.add(f"{column} = ?", value)
        order = ", ".join(filter(None, ("ts", column)))
        return ask(self.root, wanted, f"SELECT * FROM {view} {conditions} ORDER BY {order}", conditions.values)

    def masters(
        self,
        index: str,
        *,
        expiry: str = "this_week",
        offset: int | str = 0,
        weekday: str | None = None,
        price_basis: str | None = None,
    ) -> Table:
        """Return a row per weekday and minute: n, sum, mean, min, max, exponential mean of the total premium, rupees.

        `offset` is a number of strikes or a name (`atm`, `p1`, `p1m1`); `weekday` an English word. With a
        `price_basis`, "last" or "average", they are not those that are kept but made again on that basis, of every
        recorded day that is still there: in CSV files or archived.
        """
        _known_code(expiry)
        place = _label(offset)
        if price_basis is not None:
            return masters_on(self.root, index, expiry, place, price_basis, weekday)
        wanted = Wanted(index=index, code=expiry, place=place)
        conditions = _Conditions(wanted)
        if weekday is not None:
            conditions.add("weekday = ?", weekday.lower())
        return ask(self.root, wanted, f"SELECT * FROM masters {conditions} ORDER BY weekday, minute", conditions.values)

    def participants(
        self,
        day: Day,
        until: Day | None = None,
        *,
        kind: str = "oi",
        participant: str | None = None,
        instrument: str | None = None,
    ) -> Table:
        """Return a row per day, participant and instrument: contracts long, short, net, their ratio, and what changed.

        `kind` is "oi" or "volume", `participant` Client, DII, FII, Pro or TOTAL, `instrument` one of future_index,
        future_stock, option_index_call, option_index_put, option_stock_call, option_stock_put, total. Changes are
        against `previous_date`, the stored day before. ConfigError for a word that is none of these.
        """
        conditions = _Conditions(_days_of(day, until))
        for said, word, known in (
            ("kind", kind, KINDS),
            ("participant", participant, PARTICIPANTS),
            ("instrument", instrument, (*INSTRUMENTS, TOTAL)),
        ):
            if word is not None and word not in known:
                raise ConfigError(f"{word!r} is no {said}; they are {', '.join(known)}")
            if word is not None:
                conditions.add(f"{said} = ?", word)
        return ask(self.root, Wanted(), f"SELECT * FROM participants {conditions} ORDER BY ALL", conditions.values)

    def participant_cash(self, day: Day, until: Day | None = None) -> Table:
        """Return a row per day and kind of institution (DII, FII): bought, sold and net, crores of rupees."""
        conditions = _Conditions(_days_of(day, until))
        return ask(self.root, Wanted(), f"SELECT * FROM participant_cash {conditions} ORDER BY ALL", conditions.values)

    def premium_noise(self, index: str, day: Day, *, offset: int | str = 0) -> Table:
        """Return a row per expiry code and price basis: how noisy the minute returns of the total premium were.

        What the columns are says `g6.analytics.price_basis.Noise`; the series is that of the strike in a place from
        the ATM, minutes with the same strike only.
        """
        return noise_of(self.root, index, _day(day), _label(offset))

    def sql(self, query: str, values: Values = (), *, first: Day | None = None, last: Day | None = None) -> Table:
        """Return the answer to one SELECT over the views (`g6.history.views`).

        `values` stand for `?` or `$name` in it. Only files that its own conditions let it need are looked at
        (`g6.history.scope`); `first` and `last` say so where those do not. ConfigError for a query that is wrong or
        does more than read.
        """
        span = Wanted(None if first is None else _day(first), None if last is None else _day(last))
        return ask(self.root, span, query, values)


class _Conditions:
    """A WHERE clause in the making, and the values that its marks stand for."""

    def __init__(self, wanted: Wanted) -> None:
        self._day = wanted.first if wanted.first == wanted.last else None
        self._said: list[str] = []
        self.values: list[object] = []
        for said, value in (
            ("date >= ?", wanted.first),
            ("date <= ?", wanted.last),
            ('"index" = ?', wanted.index),
            ("expiry_code = ?", wanted.code),
            ("offset_label = ?", wanted.place),
        ):
            if value is not None:
                self.add(said, value)

    def add(self, said: str, value: object) -> None:
        """Ask for one thing more."""
        self._said.append(said)
        self.values.append(value)

    def at(self, minute: Minute) -> None:
        """Ask for one minute: of a day, or of every day."""
        if isinstance(minute, datetime):
            instant = minute if minute.tzinfo else minute.replace(tzinfo=IST)
            self.add("ts = ?", instant.replace(second=0, microsecond=0))
            return
        if isinstance(minute, str):
            minute = _time(minute)
        if self._day is not None:  # to compare instants is to look at few rows; to take each one's time, at all
            self.add("ts = ?", datetime.combine(self._day, minute.replace(second=0, microsecond=0), IST))
            return
        self.add("strftime(ts, '%H:%M') = ?", f"{minute:%H:%M}")

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self._said)}" if self._said else ""


def _wanted(index: str, day: Day, until: Day | None, code: str | None = None, place: str | None = None) -> Wanted:
    first = _day(day)
    return Wanted(first, first if until is None else _day(until), index, code, place)


def _days_of(day: Day, until: Day | None) -> Wanted:
    first = _day(day)
    return Wanted(first, first if until is None else _day(until))


def _label(offset: int | str) -> str:
    """Return the name of a place; it becomes a folder's, so it must be one."""
    if not isinstance(offset, str):
        return offset_label(offset)
    if not PLACE.fullmatch(offset):
        raise ConfigError(f"{offset!r} is no place like atm, p2, m1 or p1m1")
    return offset


def _known_code(expiry: str) -> None:
    if expiry not in EXPIRY_CODES:
        raise ConfigError(f"{expiry!r} is no expiry code; they are {', '.join(EXPIRY_CODES)}")


def _day(day: Day) -> date:
    if isinstance(day, date):
        return day.date() if isinstance(day, datetime) else day
    try:
        return date.fromisoformat(day)
    except ValueError:
        codes: Sequence[str] = EXPIRY_CODES
        raise ConfigError(f"{day!r} is no day like 2026-11-20, nor an expiry code ({', '.join(codes)})") from None


def _time(minute: str) -> time:
    try:
        return time.fromisoformat(minute)
    except ValueError:
        raise ConfigError(f"{minute!r} is no minute like 10:15") from None
