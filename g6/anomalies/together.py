"""All measures of an expiry at once: a minute that is odd as a whole, though no single value stands out.

The model is the robust centre and covariance of the minute's changes on the days before (minimum covariance
determinant; P. J. Rousseeuw and K. Van Driessen, A fast algorithm for the minimum covariance determinant estimator,
Technometrics 41, 1999; scikit-learn's `MinCovDet`). Against a forest of random cuts it has this for it: its distance is
in deviations, it says which measures make it up, the same days give the same model, and it is made in a second, so
none is kept. Past oddities among the days do not move it: it rests on the most ordinary half of the minutes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np

from g6.anomalies.readings import LONGEST_GAP, SPREAD
from g6.anomalies.robust import median, median_and_scale
from g6.errors import ConfigError
from g6.model.anomaly import TOGETHER, Anomaly
from g6.model.columns import Floats, Ints

# What is looked at → the columns that it is made of, summed. The skew changes plainly, all others by their logarithm.
MEASURES: Mapping[str, tuple[str, ...]] = {
    "spot": ("spot",), "atm_iv": ("atm_iv",), "premium": ("straddle",), "skew": ("risk_reversal_25",),
    "oi": ("call_oi", "put_oi"), "pcr": ("pcr_oi",), "spread": (SPREAD,),
}  # fmt: skip
COLUMNS = ("atm_strike", "days_to_expiry", *dict.fromkeys(name for made_of in MEASURES.values() for name in made_of))
# They step where the ATM moves, since they are another strike's then, or other strikes' together: that says nothing.
OF_STRIKES = ("atm_iv", "premium", "oi", "pcr", "spread")
# What a move of the index does to these goes with one over the root of the time to expiry: all days speak one language.
OF_TIME = ("atm_iv", "premium", "skew")
# The opening's first changes are since trades of the day before, and prices that are still being found.
OPENING_MINUTES = 5
# The day of expiry is another regime: its last hours are wild by nature, and would teach that all else is calm.
LEAST_DAYS_TO_EXPIRY = 1.0
# Fewer minutes say nothing about seven measures and how they hang together.
FEWEST_MINUTES = 500
# A minute is odd that is so much farther out than what the days before had once a day: a few past oddities among them
# do not move that.
MINUTES_A_DAY, BEYOND = 375, 1.25
QUIET = timedelta(minutes=15)
INSTALL = "scikit-learn is not installed; `pip install 'g6[anomalies]'`"


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Changes over one minute each, of one index and expiry code: a row per instant, a column per measure."""

    minutes: Sequence[datetime]
    values: Floats

    def __len__(self) -> int:
        return len(self.minutes)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What is ordinary. `used` are the columns of the measures that vary at all; `limit` is a distance."""

    used: Ints
    centre: Floats
    covariance: Floats
    limit: float
    usual: float  # median distance

    def distances(self, changes: Changes) -> Floats:
        """Return how far each minute is from the centre, in deviations (Mahalanobis); NaN if one is unknown."""
        return _distances(self._off(changes), self.covariance)

    def deviations(self, changes: Changes) -> Floats:
        """Return each measure's own deviations, a column per measure that is used."""
        off: Floats = self._off(changes) / np.sqrt(np.diag(self.covariance))
        return off

    def _off(self, changes: Changes) -> Floats:
        off: Floats = changes.values[:, self.used] - self.centre
        return off


def changes_of(minutes: Sequence[datetime], columns: Mapping[str, Floats]) -> Changes:
    """Return the changes of a day's minutes, ascending; `columns` are COLUMNS, one value per minute.

    After a gap the change is put over the root of its minutes; after one of more than five it is not known, nor where
    the ATM moves. Volatility, premium and skew change times the root of the days to expiry. The day's first minutes,
    and the day of expiry, have no changes.
    """
    levels = [_level(name, [columns[column] for column in made_of]) for name, made_of in MEASURES.items()]
    table = np.stack(levels, axis=1)
    apart = np.array([(after - before).total_seconds() / 60 for before, after in pairwise(minutes)])
    apart = np.where(apart <= LONGEST_GAP.total_seconds() / 60, apart, np.nan)
    values = np.diff(table, axis=0) / np.sqrt(apart)[:, np.newaxis]
    days, moved = columns["days_to_expiry"][1:], np.diff(columns["atm_strike"]) != 0
    for name in OF_TIME:
        values[:, list(MEASURES).index(name)] *= np.sqrt(np.maximum(days, 0.0))
    for name in OF_STRIKES:
        values[moved, list(MEASURES).index(name)] = np.nan
    kept = ~(days < LEAST_DAYS_TO_EXPIRY)
    kept[:OPENING_MINUTES] = False
    return Changes([minute for minute, keep in zip(minutes[1:], kept.tolist(), strict=True) if keep], values[kept])


def train(days: Sequence[Changes]) -> Model:
    """Return the model of some days; ConfigError without scikit-learn, and where they are too few."""
    try:
        from sklearn.covariance import MinCovDet  # noqa: PLC0415 (optional, and heavy)
    except ImportError as error:
        raise ConfigError(INSTALL) from error
    values = np.concatenate([day.values for day in days]) if days else np.empty((0, len(MEASURES)))
    _, scale = median_and_scale(values, FEWEST_MINUTES)
    used = np.flatnonzero(scale > 0)
    if len(values) < FEWEST_MINUTES or not len(used):
        raise ConfigError(
            f"{len(values)} minutes of the days before are too few to learn from; it takes {FEWEST_MINUTES}"
        )
    known = values[np.isfinite(values[:, used]).all(axis=1)][:, used] / scale[used]
    if len(known) < FEWEST_MINUTES:
        raise ConfigError(f"only {len(known)} minutes of the days before have all measures; it takes {FEWEST_MINUTES}")
    fitted = MinCovDet(random_state=0).fit(known)
    centre, covariance = fitted.location_ * scale[used], fitted.covariance_ * np.outer(scale[used], scale[used])
    distances = _distances(known * scale[used] - centre, covariance)
    limit = BEYOND * float(np.quantile(distances, 1 - 1 / MINUTES_A_DAY))
    return Model(used, centre, covariance, limit, float(median(distances)))


def findings(model: Model, changes: Changes, index: str, code: str) -> tuple[Anomaly, ...]:
    """Return the minutes beyond the model's limit, the first of each episode: it ends after 15 quiet minutes."""
    distances, deviations = model.distances(changes), model.deviations(changes)
    names = [list(MEASURES)[place] for place in model.used.tolist()]
    found: list[Anomaly] = []
    last: datetime | None = None
    for row in np.flatnonzero(distances > model.limit).tolist():
        minute, distance = changes.minutes[row], float(distances[row])
        if last is None or minute - last > QUIET:
            parts = dict(zip(names, deviations[row].tolist(), strict=True))
            reason = _reason(index, code, distance, model.limit, parts)
            found.append(Anomaly(index, None, TOGETHER, minute, distance, model.usual, distance, reason))
        last = minute
    return tuple(found)


def days_before(days: Sequence[date], day: date, count: int) -> Sequence[date]:
    """Return the last `count` of the recorded days before a day, ascending."""
    return sorted(known for known in days if known < day)[-count:]


def _level(name: str, columns: Sequence[Floats]) -> Floats:
    total = np.sum(columns, axis=0)
    if name == "skew":
        return np.asarray(total, np.float64)
    logs: Floats = np.log(np.where(total > 0, total, np.nan))
    return logs


def _distances(off: Floats, covariance: Floats) -> Floats:
    squared = np.einsum("ij,ij->i", off, np.linalg.solve(covariance, off.T).T)
    distances: Floats = np.sqrt(np.maximum(squared, 0.0))
    return distances


def _reason(index: str, code: str, distance: float, limit: float, parts: Mapping[str, float]) -> str:
    largest = sorted(parts, key=lambda name: -abs(parts[name]))[:3]
    told = ", ".join(f"{name} {parts[name]:+.1f}" for name in largest if not math.isnan(parts[name]))
    return f"{index} {code} is {distance:.1f} deviations from what is usual together (limit {limit:.1f}): {told}"
