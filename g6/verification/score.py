"""One number for a day, and the parts that it is made of.

    score = 100 · collected · Π (1 − wᵢ · (1 − shareᵢ))

`collected` is the mean over all expected (index, minute) of what was recorded of them: the mean over the index's
expected expiries of legs answered over legs asked for, halved where the minute was back-filled from candles (which
have no books), 0 where it is missing. Nothing makes up for it, so it multiplies the rest:

outliers  share of the collected that no market contradicts (`outliers`), each leg weighted as in `collected`
csv       share of the journal's rows that the daily files have, once and with the same values
masters   share of the values compared that agree; 0 when they could not be compared
influx    share of the points expected that were counted, by index and expiry code, whatever their values; 0 likewise

More damage never raises it. Damage to another store lowers a share and nothing else. Losing a minute lowers
`collected` by at least 1/n of it, while what was wrong in that minute no longer counts against the shares: that raises
a factor by at most w/(1−w)/n of it, and Σ w/(1−w) over the stores is below 1; outliers weigh upon their own minute.
"""

import math
from collections.abc import Mapping

from g6.verification.result import Part

COLLECTED, OUTLIERS, CSV = "collected", "outliers", "csv"
STORES = ("masters", "influx")
WEIGHTS: Mapping[str, float] = {OUTLIERS: 0.2, CSV: 0.4, "masters": 0.1, "influx": 0.1}
BACKFILLED_WORTH = 0.5


def parts_of(shares: Mapping[str, float]) -> tuple[Part, ...]:
    """Return every part in the order of the formula; one that is absent from `shares` was not checked."""
    collected = Part(COLLECTED, shares[COLLECTED], 1.0, checked=True)
    others = (Part(name, shares.get(name, 1.0), weight, name in shares) for name, weight in WEIGHTS.items())
    return collected, *others


def score_of(parts: tuple[Part, ...], *, faultless: bool) -> float:
    """Return 0 to 100, rounded down to hundredths; 100 only when there is no fault, not even one that costs nothing."""
    exact = 100.0 * math.prod(1.0 - part.weight * (1.0 - part.share) for part in parts)
    # A billionth of a point is arithmetic; but what is not exactly 100 never becomes it.
    return 100.0 if faultless and exact == 100.0 else min(99.99, math.floor(exact * 100 + 1e-9) / 100)
