"""Small minutes for tests of the stores: each follows from (minute, tick), so any process makes the same."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np

from g6.clock import IST
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.columns import Aggregate
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot

DAY = date(2026, 11, 20)
OPEN = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
AGGREGATES = (
    Aggregate("pcr_oi", "1", "Put open interest over call open interest"),
    Aggregate("max_pain", "points", ""),
)
WEEK = (date(2026, 11, 24), ("this_week",))
MONTH = (date(2026, 11, 24), ("this_week", "this_month"))
NEXT = (date(2026, 12, 29), ("next_month",))


def minute_of(number: int) -> datetime:
    """The `number`-th minute after the open."""
    return OPEN + timedelta(minutes=number)


def chain(
    index: str, expiry: date, codes: tuple[str, ...], minute: datetime, tick: int = 0, shift: int = 0, width: int = 2
) -> OptionChain:
    """Strikes `width` around an ATM that is `shift` steps away from 24,000; the highest has no put listed."""
    random = np.random.default_rng([int(minute.timestamp()), tick, sum(index.encode()), expiry.toordinal()])
    steps = np.repeat(np.arange(-width, width + 1), 2)[:-1]
    count = len(steps)
    columns = {
        c.name: np.round(random.uniform(-50, 5000, count), 2 if c.decimals is None else c.decimals)
        for c in LEG_COLUMNS
        if c.origin != "identity" and c.name != "broker_iv"
    }
    for name in ("volume", "oi", "bid_quantity", "defect", "price_source", "iv_status"):
        columns[name] = np.rint(columns[name])
    columns["bid"][random.random(count) < 0.3] = np.nan
    columns |= {"answered": np.ones(count), "offset": steps.astype(float)}
    return OptionChain(
        index=index, expiry=expiry, codes=codes, at=minute + timedelta(seconds=1.25),
        expires_at=datetime(expiry.year, expiry.month, expiry.day, 15, 30, tzinfo=IST),
        spot=24003.15, spot_frozen=bool(tick % 2), expected=count, lot=75,
        strike=24000.0 + 50 * (steps + shift), is_call=np.arange(count) % 2 == 0,
        forward=24010.123456 + tick, forward_source="parity", rate=0.0655, years=0.0123, atm=24000.0 + 50 * shift,
        atm_reference="spot", aggregates={"pcr_oi": 0.5 + tick, "max_pain": 24000.0, "unasked": 1.0}, **columns,
    )  # fmt: skip


def snapshot(
    number: int,
    tick: int = 0,
    *,
    expiries: Sequence[tuple[date, tuple[str, ...]]] = (WEEK, NEXT),
    indices: Sequence[str] = ("NIFTY", "SENSEX"),
    shift: int = 0,
    width: int = 2,
    provider: str = "sample",
) -> Snapshot:
    """The `number`-th minute as `tick` saw it."""
    minute = minute_of(number)
    refusals = (Refusal("", "2026-12-01", ("next_week",), "thin", "3 of 10 legs, 80 % are wanted"),)
    return Snapshot(
        minute,
        provider,
        tuple(
            IndexSnapshot(
                index, 24003.15, bool(tick % 2), ("this_week", "next_week", "next_month"),
                tuple(chain(index, *expiry, minute, tick, shift, width) for expiry in expiries), refusals,
                expected_legs=27, received_legs=20,
            )
            for index in indices
        ),
    )  # fmt: skip
