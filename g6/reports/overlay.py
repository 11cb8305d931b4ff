"""A day's total premium over what the same weekday was before: the numbers of the page and of the picture."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from g6.errors import ConfigError
from g6.masters.profile import Profile, profile_of
from g6.masters.store import MasterStore
from g6.masters.totals import ABSENT, NOTHING, PER_RUPEE, Group, Totals, joined, spread, with_pairs
from g6.model.columns import Floats, Ints

BAND_PERCENT = (25.0, 75.0)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One day over its weekday's profile, minute by minute (of the IST day); rupees, NaN where there is nothing.

    The profile is made of the folded days of that weekday before `day`, so a past day is seen as it was seen then.
    The band is the middle half of those days at each minute: their 25th to 75th percentile.
    """

    index: str
    display_name: str
    expiry_code: str
    offset: str
    day: date
    days: int  # of history
    minutes: Ints
    today: Floats
    mean: Floats
    exponential: Floats
    band_low: Floats
    band_high: Floats
    lowest: Floats
    highest: Floats
    price_basis: str = ""  # "" is that of the masters

    @property
    def weekday(self) -> str:
        """Return the weekday's name."""
        return f"{self.day:%A}"

    @property
    def basis_told(self) -> str:
        """Return the words for a price basis that was asked for, with a blank before them."""
        return f" by {self.price_basis} prices" if self.price_basis else ""

    @property
    def last(self) -> int | None:
        """Return where the day's last total stands, None when it has none."""
        known = np.flatnonzero(np.isfinite(self.today))
        return int(known[-1]) if len(known) else None

    def __str__(self) -> str:
        subject = f"{self.display_name} {self.expiry_code} {self.offset}{self.basis_told}, {self.day:%a %d %b %Y}"
        at = self.last
        if at is None:
            return f"{subject}: nothing recorded on the day, {self.days} earlier {self.weekday}s"
        said = f"{subject}: {self.today[at]:,.2f} at {clock(int(self.minutes[at]))}"
        if not np.isfinite(self.mean[at]):
            return f"{said}; no earlier {self.weekday} to compare with"
        ratio = self.today[at] / self.mean[at] - 1 if self.mean[at] else np.nan
        return f"{said}, {ratio:+.1%} from the mean of {self.days} earlier {self.weekday}s, {self._place(at)}"

    def _place(self, at: int) -> str:
        value = self.today[at]
        if value > self.highest[at]:
            return "above all of them"
        if value < self.lowest[at]:
            return "below all of them"
        if value > self.band_high[at]:
            return "above their middle half"
        return "below their middle half" if value < self.band_low[at] else "within their middle half"


def overlay_of(root: Path, index: str, expiry_code: str, offset: str, day: date | None = None) -> Overlay:
    """Return a day (None: the last that has minutes) over its weekday's profile.

    ConfigError where the data directory has no masters, or nothing of this series; the text names what there is.
    """
    group = Group(index, expiry_code)
    with closing(MasterStore.open_read_only(root)) as store:
        day = day or _last_day(store)
        today = with_pairs(store.latest(day).get(group, NOTHING))
        history = [with_pairs(totals) for totals in store.history(day.weekday(), group, before=day).values()]
        history = [totals for totals in history if offset in totals.labels]
        if not history and offset not in today.labels:
            raise ConfigError(_nothing(store, day, group, offset, today))
        profile = profile_of(history, store.smoothing)
        name = store.display_names().get(index, index)
    return _overlay(name, group, offset, day, today, history, profile)


def overlay_of_days(
    days: Mapping[date, Totals],
    group: Group,
    offset: str,
    day: date | None = None,
    *,
    display_name: str,
    smoothing: float,
    price_basis: str,
) -> Overlay:
    """Return a day (None: the last of `days`) over the profile of its weekday, of totals made for this picture.

    `days` have the series' totals, those of the day itself too. ConfigError where they have neither.
    """
    day = day or max(days, default=None)
    today = NOTHING if day is None else days.get(day, NOTHING)
    history = [] if day is None else [days[d] for d in sorted(days) if d < day and d.weekday() == day.weekday()]
    if day is None or (not history and offset not in today.labels):
        subject = f"{group.index_name} {group.expiry_code} {offset}"
        known = f"{len(days)} days from {min(days)} to {max(days)}" if days else "no recorded day"
        raise ConfigError(f"nothing of {subject} is recorded on {day} or on that weekday before; there is {known}")
    made = _overlay(display_name, group, offset, day, today, history, profile_of(history, smoothing))
    return replace(made, price_basis=price_basis)


def clock(minute: int) -> str:
    """Return a minute of the day as HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _overlay(
    name: str, group: Group, offset: str, day: date, today: Totals, history: list[Totals], profile: Profile
) -> Overlay:
    minutes: Ints = np.union1d(today.minutes, profile.minutes)
    own = _row(today, offset, minutes)
    before = np.stack([_row(totals, offset, minutes) for totals in history]) if history else np.empty((0, len(minutes)))
    counted = np.isfinite(before).any(axis=0)
    band_low, band_high = (np.full(len(minutes), np.nan) for _ in BAND_PERCENT)
    if counted.any():
        band_low[counted], band_high[counted] = np.nanpercentile(before[:, counted], BAND_PERCENT, axis=0)
    kept = counted | np.isfinite(own)

    def of_profile(column: Floats | Ints) -> Floats:
        values = np.full(len(minutes), np.nan)
        if history:
            values[np.searchsorted(minutes, profile.minutes)] = column[profile.labels.index(offset)] / PER_RUPEE
        values[~counted] = np.nan
        return values[kept]

    return Overlay(
        index=group.index_name,
        display_name=name,
        expiry_code=group.expiry_code,
        offset=offset,
        day=day,
        days=len(history),
        minutes=minutes[kept],
        today=own[kept],
        mean=of_profile(profile.mean),
        exponential=of_profile(profile.exponential),
        band_low=band_low[kept],
        band_high=band_high[kept],
        lowest=of_profile(profile.lowest),
        highest=of_profile(profile.highest),
    )


def _row(totals: Totals, label: str, minutes: Ints) -> Floats:
    """Return one label's totals on a larger grid of minutes, rupees."""
    values = spread(totals.row(label)[None, :], (label,), totals.minutes, (label,), minutes)[0]
    return np.where(values == ABSENT, np.nan, values / PER_RUPEE)


def _last_day(store: MasterStore) -> date:
    days = {*store.folded_days(), *store.unsettled_days()}
    if not days:
        raise ConfigError(f"{store.path} holds no minutes yet")
    return max(days)


def _nothing(store: MasterStore, day: date, group: Group, offset: str, today: Totals) -> str:
    what = f"nothing of {group.index_name} {group.expiry_code} {offset} is known on {day} or on {day:%A}s before"
    labels = joined([today.labels, *(t.labels for t in store.history(day.weekday(), group, before=day).values())])
    if labels:
        return f"{what}; its offsets are {' '.join(labels)}"
    groups = sorted({*store.groups(day.weekday()), *store.latest(day)})
    return f"{what}; there are " + (", ".join(" ".join(known) for known in groups) or "no others either")
