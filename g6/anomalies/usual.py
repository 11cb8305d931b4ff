"""What the premium of a minute usually is: the weekday's days so far, out of the weekday masters."""

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from g6.anomalies.robust import NORMAL, median
from g6.errors import ConfigError, SinkError
from g6.masters.store import MasterStore
from g6.masters.totals import ABSENT, PER_RUPEE, Group, Totals, spread
from g6.model.columns import Floats

log = logging.getLogger(__name__)

# Fewer days are no habit; older ones than half a year's are none any more.
FEWEST_DAYS, MOST_DAYS = 5, 26
MINUTES_A_DAY = 1440
# Least scale of a level, log units: how high the market's volatility stands differs from one week to the next.
LEVEL_FLOOR = 0.1
AT_THE_MONEY = ("atm",)


class Level(NamedTuple):
    """A minute's usual premium in rupees, and the scale of its logarithm over the days; NaN where too few are known."""

    premium: float
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Logs of the premium at the ATM: a row per day, a column per minute of the IST day; NaN where not recorded."""

    days: Floats
    level: Floats = field(init=False)  # medians
    scale: float = field(init=False)  # of a level: the median of those of all minutes

    def __post_init__(self) -> None:
        enough = np.count_nonzero(np.isfinite(self.days), axis=0) >= FEWEST_DAYS
        level = np.where(enough, median(self.days), np.nan)
        scales = NORMAL * median(np.abs(self.days - level))
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "scale", max(LEVEL_FLOOR, float(median(scales))))

    def at(self, minute: int) -> Level:
        """Return what is usual at a minute of the day."""
        return Level(float(np.exp(self.level[minute])), self.scale)

    def drift(self, before: int, minute: int) -> float:
        """Return the usual log-change between two minutes, of the days that have both; 0 where too few do."""
        changes = self.days[:, minute] - self.days[:, before]
        known = np.count_nonzero(np.isfinite(changes))
        return float(median(changes)) if known >= FEWEST_DAYS else 0.0


@dataclass(frozen=True, slots=True)
class Usual:
    """The profiles of one weekday; none where the masters know nothing."""

    profiles: Mapping[Group, Profile] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path, day: date) -> "Usual":
        """Read the days of the same weekday before a day; nothing, with a word, where they cannot be read."""
        try:
            with closing(MasterStore.open_read_only(root)) as store:
                days = {g: store.history(day.weekday(), g, before=day) for g in store.groups(day.weekday())}
        except ConfigError:  # nothing is kept
            return cls()
        except SinkError as error:
            log.warning("what premiums usually are is not known: %s", error)
            return cls()
        return cls({group: _profile([of[day] for day in sorted(of)[-MOST_DAYS:]]) for group, of in days.items() if of})

    def of(self, index: str, codes: tuple[str, ...]) -> Profile | None:
        """Return the profile of a chain: that of the first of its codes that has one."""
        found = (self.profiles.get(Group(index, code)) for code in codes)
        return next((profile for profile in found if profile is not None), None)


def _profile(days: list[Totals]) -> Profile:
    minutes = np.arange(MINUTES_A_DAY)
    rows = [spread(d.row("atm")[np.newaxis], AT_THE_MONEY, d.minutes, AT_THE_MONEY, minutes) for d in days]
    totals = np.concatenate(rows)
    premiums = np.where((totals != ABSENT) & (totals > 0), totals / PER_RUPEE, np.nan)
    return Profile(np.log(premiums))
