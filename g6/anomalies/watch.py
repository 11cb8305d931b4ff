"""The online detector: a minute against the minutes of the same day before it, and against its weekday.

A minute goes these steps, for each chain:

1. `readings.change_since`   the log-change of each series since the last minute that had it, like for like; less what
                             the weekday's premium usually does meanwhile (`usual`), over the root of the minutes
2. `robust`                  its deviation from the median of the window's changes, over their scale with a floor
3. `usual`                   of the premium, also how far its level is from the weekday's, over the scale of its days
4. episodes                  a deviation beyond the threshold opens an episode, which is told; while it is open nothing
                             is, and it ends after so many known minutes that deviate by less than half the threshold

All of it follows from the minutes strictly before and the minute itself: one that is collected again, and a day that
is gone through again after a restart, give the same findings.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from g6.anomalies.readings import LONGEST_GAP, PREMIUM, Change, Known, Reading, change_since, reading_of
from g6.anomalies.robust import median_and_scale
from g6.anomalies.usual import Profile, Usual
from g6.anomalies.wording import of_change, of_level
from g6.clock import IST
from g6.model.anomaly import SERIES, Anomaly
from g6.model.chain import OptionChain
from g6.model.columns import Floats, Ints
from g6.model.snapshot import Snapshot

# Judged are the changes of all series and, last, the level of the premium.
LEVEL = len(SERIES)
NAN = float("nan")
ONE_MINUTE = timedelta(minutes=1)
ChainKey = tuple[str, date]


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """`threshold` is in robust deviations; `warm_up_minutes` of known changes come before the first judgement.

    `price_basis` is the column that premiums are the sum of, as in the weekday masters. Minutes are cycles where those
    are `interval_seconds` of more than a minute apart: there are no others to know.
    """

    threshold: float = 8.0
    window_minutes: int = 60
    warm_up_minutes: int = 20
    quiet_minutes: int = 15
    price_basis: str = "last"
    interval_seconds: int = 60

    @property
    def window(self) -> timedelta:
        """Return how far back changes say what is ordinary."""
        return max(ONE_MINUTE, timedelta(seconds=self.interval_seconds)) * self.window_minutes

    @property
    def longest_gap(self) -> timedelta:
        """Return the age beyond which a value is no basis for a change: one cycle may always fail."""
        return max(LONGEST_GAP, 2 * timedelta(seconds=self.interval_seconds))


class Row(NamedTuple):
    """What is kept of a chain's minute. `open_for` is 0 without an episode, else the quiet minutes that end it."""

    minute: datetime
    steps: Floats  # a minute's change each, as judged
    open_for: Ints  # per series, and of the level


@dataclass(slots=True)
class Track:
    """One chain's day so far: rows ascending, and the readings of the last minutes."""

    rows: list[Row] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)

    def before(self, minute: datetime) -> Sequence[Row]:
        """Return the rows before a minute."""
        return self.rows[: bisect_left(self.rows, minute, key=lambda row: row.minute)]

    def put(self, row: Row, known: Known, longest_gap: timedelta) -> None:
        """Add a minute, or put it in the place of the same one; readings are kept for twice the longest gap."""
        place = bisect_left(self.rows, row.minute, key=lambda old: old.minute)
        again = place < len(self.rows) and self.rows[place].minute == row.minute
        self.rows[place : place + again] = [row]
        last = max(self.rows[-1].minute, known.minute)
        kept = [old for old in self.known if old.minute != known.minute and last - old.minute <= 2 * longest_gap]
        self.known = sorted([*kept, known], key=lambda one: one.minute)


class Judgement(NamedTuple):
    """A chain's minute: what is kept of it, and what is told."""

    row: Row
    anomaly: tuple[Anomaly, ...]


Judged = tuple[OptionChain, Reading, Judgement]


class Watch:
    """Follows the days. `begin` and `remember` change what is known; `judge` and `judged` do not.

    What was judged last is kept until the minute is remembered, so that it is gone through once.
    """

    def __init__(self, root: Path, options: WatchOptions | None = None) -> None:
        self._root = root
        self._options = options or WatchOptions()
        self._usual = Usual()
        self._tracks: dict[ChainKey, Track] = {}
        self._last: tuple[datetime, tuple[OptionChain, ...], list[Judged]] | None = None

    def begin(self, day: date) -> None:
        """Turn to a day: nothing is known of it yet, and what is usual is read."""
        self._tracks, self._last = {}, None
        self._usual = Usual.read(self._root, day)

    def judge(self, snapshot: Snapshot) -> tuple[Anomaly, ...]:
        """Return what is out of the ordinary in a minute; nothing of one that candles supplied or that lacked memory.

        At most one finding per chain and series: of a premium's change and level the larger deviation.
        """
        if snapshot.backfilled or "derived" in snapshot.shed:
            return ()
        return tuple(found for _, _, judged in self._judged(snapshot) for found in judged.anomaly)

    def judged(self, snapshot: Snapshot) -> Snapshot:
        """Return the minute with its findings in it."""
        found = self.judge(snapshot)
        if not found:
            return snapshot
        indices = (replace(i, anomalies=tuple(a for a in found if a.index == i.index)) for i in snapshot.indices)
        return replace(snapshot, indices=tuple(indices))

    def remember(self, snapshot: Snapshot) -> None:
        """Add a minute to what later ones are compared with; closes of candles are no quotes, and are left out."""
        if snapshot.backfilled:
            return
        for chain, reading, judged in self._judged(snapshot):
            track = self._tracks.setdefault((chain.index, chain.expiry), Track())
            known = Known(snapshot.minute, reading.values, reading.atm, reading.legs)
            track.put(judged.row, known, self._options.longest_gap)
        self._last = None

    def _judged(self, snapshot: Snapshot) -> list[Judged]:
        last, chains = self._last, snapshot.chains
        same = last and last[0] == snapshot.minute and len(last[1]) == len(chains)
        if last is None or not (same and all(a is b for a, b in zip(last[1], chains, strict=True))):
            last = self._last = snapshot.minute, chains, self._gone_through(snapshot)
        return last[2]

    def _gone_through(self, snapshot: Snapshot) -> list[Judged]:
        chains, basis, gap = snapshot.chains, self._options.price_basis, self._options.longest_gap
        tracks = [self._tracks.get((chain.index, chain.expiry), Track()) for chain in chains]
        rows = [track.before(snapshot.minute) for track in tracks]
        middle, scale = self._habits(rows, snapshot.minute)
        found = []
        for number, (chain, track) in enumerate(zip(chains, tracks, strict=True)):
            reading = reading_of(chain, basis)
            before = [known for known in track.known if known.minute < snapshot.minute]
            case = _Case(
                chain=chain,
                minute=snapshot.minute,
                change=change_since(before, reading, snapshot.minute, chain, basis, gap),
                middle=middle[number],
                scale=np.maximum(scale[number], reading.floors),
                profile=self._usual.of(chain.index, chain.codes),
                premium=float(reading.values[PREMIUM]),
            )
            open_for = rows[number][-1].open_for if rows[number] else np.zeros(LEVEL + 1, np.int64)
            found.append((chain, reading, case.judgement(open_for, self._options)))
        return found

    def _habits(self, rows: Sequence[Sequence[Row]], minute: datetime) -> tuple[Floats, Floats]:
        """Return median and scale of the window's changes, a row per chain, a column per series."""
        since = minute - self._options.window
        windows = [of[bisect_left(of, since, key=lambda row: row.minute) :] for of in rows]
        longest = max(map(len, windows), default=0)
        steps = np.full((longest, len(rows), len(SERIES)), np.nan)
        for number, window in enumerate(windows):
            if window:
                steps[: len(window), number] = [row.steps for row in window]
        return median_and_scale(steps, self._options.warm_up_minutes)


@dataclass(frozen=True, slots=True)
class _Case:
    """A chain's minute, and all that it is compared with."""

    chain: OptionChain
    minute: datetime
    change: Change
    middle: Floats
    scale: Floats
    profile: Profile | None
    premium: float

    def judgement(self, open_for: Ints, options: WatchOptions) -> Judgement:
        steps = (self.change.logs - self._drift()) / np.sqrt(self.change.minutes)
        deviations = np.append((steps - self.middle) / self.scale, self._level_deviation())
        size = np.abs(deviations)
        beyond, quiet = size >= options.threshold, size < options.threshold / 2
        begun = beyond & (open_for == 0)
        still: Ints = np.where(beyond, options.quiet_minutes, np.maximum(open_for - quiet, 0))
        return Judgement(Row(self.minute, steps, still), tuple(self._told(begun, deviations)))

    def _drift(self) -> Floats:
        """Return what each series usually changes by since its last value."""
        drift = np.zeros(len(SERIES))
        age = self.change.minutes[PREMIUM]
        if self.profile is not None and np.isfinite(age):
            minute = _minute_of_day(self.minute)
            drift[PREMIUM] = self.profile.drift(max(0, minute - round(float(age))), minute)
        return drift

    def _level_deviation(self) -> float:
        if self.profile is None:
            return NAN
        usual = self.profile.at(_minute_of_day(self.minute))
        return float(np.log(self.premium / usual.premium)) / usual.scale

    def _told(self, begun: Floats, deviations: Floats) -> list[Anomaly]:
        begun = begun.copy()
        if begun[PREMIUM] and begun[LEVEL]:  # one and the same event: the larger one tells it
            begun[PREMIUM if abs(deviations[LEVEL]) > abs(deviations[PREMIUM]) else LEVEL] = False
        return [self._anomaly(place, float(deviations[place])) for place in np.flatnonzero(begun).tolist()]

    def _anomaly(self, place: int, deviation: float) -> Anomaly:
        if place == LEVEL and self.profile is not None:
            expected = self.profile.at(_minute_of_day(self.minute)).premium
            reason = of_level(self.chain, self.minute, self.premium, expected, deviation)
            return self._record("premium", self.premium, expected, deviation, reason)
        series, value = SERIES[place], float(self.change.now[place])
        age = float(self.change.minutes[place])
        lead = self.middle[place] * np.sqrt(age) + self._drift()[place]
        expected = float(self.change.before[place] * np.exp(lead))
        strike = float(self.change.strikes[place])
        reason = of_change(self.chain, series, value, expected, deviation, strike)
        return self._record(series, value, expected, deviation, reason)

    def _record(self, series: str, value: float, expected: float, deviation: float, reason: str) -> Anomaly:
        chain = self.chain
        return Anomaly(chain.index, chain.expiry, series, self.minute, value, expected, deviation, reason)


def _minute_of_day(minute: datetime) -> int:
    local = minute.astimezone(IST)
    return local.hour * 60 + local.minute
