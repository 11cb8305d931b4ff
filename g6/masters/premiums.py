"""Total premiums of a minute as it was recorded, the same numbers that the daily files show."""

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from g6.clock import IST
from g6.masters.totals import PER_RUPEE, DayTotals, Group, Tick, day_totals
from g6.model.chain import LEG_COLUMNS, OptionChain, offset_label
from g6.model.columns import Bools, Floats, Ints
from g6.model.snapshot import Snapshot

DECIMALS = {column.name: column.decimals for column in LEG_COLUMNS}


def minute_of_day(minute: datetime) -> int:
    """Return the minute of the IST day, 0 to 1439."""
    local = minute.astimezone(IST)
    return local.hour * 60 + local.minute


def tick_of(snapshot: Snapshot, price_basis: str) -> Tick:
    """Return offset label → total premium in ten-thousandths of a rupee, of every accepted chain and expiry code.

    `price_basis` is the column that is summed. A strike that lacks either leg's price, or whose place is unknown
    (a chain without an ATM), has no total. A chain with two codes is there under both.
    """
    found: dict[Group, dict[str, int]] = {}
    for chain in snapshot.chains:
        totals = _totals(chain, price_basis)
        for code in chain.codes if totals else ():
            found.setdefault(Group(chain.index, code), {}).update(totals)
    return found


def totals_of(snapshots: Iterable[Snapshot], price_basis: str) -> DayTotals:
    """Return a day's totals from its recorded minutes; of several ticks of a minute the last one given wins."""
    return day_totals({minute_of_day(snapshot.minute): tick_of(snapshot, price_basis) for snapshot in snapshots})


def _totals(chain: OptionChain, price_basis: str) -> dict[str, int]:
    strikes, place = np.unique(chain.strike, return_inverse=True)
    prices, decimals = getattr(chain, price_basis), DECIMALS[price_basis]
    if decimals is not None:
        prices = np.round(prices, decimals)
    known = np.isfinite(chain.offset)
    offsets = _placed(chain.offset, place, known, len(strikes))
    calls = _placed(prices, place, chain.is_call, len(strikes))
    premium = calls + _placed(prices, place, ~chain.is_call, len(strikes))
    sound = np.isfinite(premium) & np.isfinite(offsets)
    whole = np.rint(premium[sound] * PER_RUPEE).astype(np.int64)
    labels = (offset_label(offset) for offset in np.rint(offsets[sound]).astype(np.int64).tolist())
    return dict(zip(labels, whole.tolist(), strict=True))


def _placed(values: Floats, place: Ints, rows: Bools, count: int) -> Floats:
    """Return values by strike; NaN where there is none."""
    by_strike = np.full(count, np.nan)
    by_strike[place[rows]] = values[rows]
    return by_strike
