"""Outliers on real minutes, which have none, and on bent ones, which are found."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from g6.clock import IST
from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.verification.outliers import Outliers

YEAR_SECONDS = 365 * 86400


def chain_of(rows, at):
    ends = datetime.strptime(rows.expiry.iloc[0], "%d-%b-%Y").replace(hour=15, minute=40, tzinfo=IST)
    rows = rows.sort_values(["strike", "option_type"])
    # A strike has one volatility, that of its leg out of the money, where it is listed.
    is_call, strike = (rows.option_type == "CE").to_numpy(), rows.strike.to_numpy(float)
    otm = is_call == (strike >= float(rows.spot.iloc[0]))
    of_strike = dict(zip(strike[otm], rows.iv.to_numpy(float)[otm] / 100, strict=True))
    iv = np.array([of_strike.get(k, np.nan) for k in strike])
    column = {name: rows[name].to_numpy(float) for name in ("strike", "ltp", "volume", "oi", "vega")}
    return OptionChain(
        index="NIFTY", expiry=ends.date(), codes=("this_week",), at=at, expires_at=ends, spot=float(rows.spot.iloc[0]),
        spot_frozen=False, expected=len(rows), lot=65, strike=column["strike"],
        is_call=is_call, last=column["ltp"], volume=column["volume"], oi=column["oi"],
        iv=np.where(iv > 0, iv, np.nan), vega=column["vega"],
        years=(ends - at).total_seconds() / YEAR_SECONDS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def real_minutes(market_data):
    """NIFTY's chains of four expiries in minutes of 2026-08-20, with their vendor's volatilities."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(market_data / "option_chain_1min" / "oc_20260820.parquet").to_pandas()
    minutes = []
    for stamp, rows in table.groupby("timestamp"):
        at = datetime.strptime(str(int(stamp)), "%Y%m%d%H%M").replace(tzinfo=IST)
        chains = tuple(chain_of(of_expiry, at) for _, of_expiry in rows.groupby("expiry"))
        minutes.append(Snapshot(at, "recorded", (IndexSnapshot("NIFTY", 24200.0, False, (), chains),)))
    return minutes


def kinds(minutes):
    outliers = Outliers()
    for minute in minutes:
        outliers.flagged(minute)
    return {finding.kind: finding.count for finding in outliers.findings()}


def bent(minute, **changes):
    """The minute with the columns of its first chain changed by functions."""
    (index,) = minute.indices
    first, *others = index.chains
    changed = replace(first, **{name: change(getattr(first, name)) for name, change in changes.items()})
    return replace(minute, indices=(replace(index, chains=(changed, *others)),))


def test_real_minutes_hold_no_outlier(real_minutes):
    assert sum(len(chain) for minute in real_minutes for chain in minute.chains) > 4000
    assert kinds(real_minutes) == {}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"iv": lambda iv: iv * 4}, "iv_jump"),
        ({"volume": lambda volume: volume * 0}, "volume_shrinks"),
        ({"bid": lambda bid: np.full(len(bid), 2.0), "ask": lambda ask: np.full(len(ask), 1.0)}, "crossed"),
    ],
)
def test_a_bent_minute_among_real_ones_is_found(real_minutes, changes, kind):
    middle = len(real_minutes) // 2
    minutes = [*real_minutes[:middle], bent(real_minutes[middle], **changes), *real_minutes[middle + 1 :]]
    # Where nothing was traded, no open interest can have fallen.
    assert {kind} <= set(kinds(minutes)) <= {kind, "oi_shrinks"}


def test_a_loss_of_values_is_no_outlier(real_minutes):
    def nothing(values):
        return np.full(len(values), np.nan)

    middle = len(real_minutes) // 2
    lost = bent(real_minutes[middle], iv=nothing, oi=nothing, volume=nothing)
    assert kinds([*real_minutes[:middle], lost, *real_minutes[middle + 1 :]]) == {}


def test_strikes_that_come_and_go_are_compared_with_themselves_alone(real_minutes):
    def without(minute, first):
        (index,) = minute.indices
        chain, *others = index.chains
        kept = slice(first, None)
        columns = {n: getattr(chain, n)[kept] for n in ("strike", "is_call", "last", "volume", "oi", "iv", "vega")}
        rest = {c: np.full(len(columns["strike"]), np.nan) for c in ("answered", "bid", "ask", "iv_error", "defect")}
        fewer = OptionChain(
            index=chain.index, expiry=chain.expiry, codes=chain.codes, at=chain.at, expires_at=chain.expires_at,
            spot=chain.spot, spot_frozen=False, expected=len(columns["strike"]), lot=chain.lot, years=chain.years,
            **columns, **rest,
        )  # fmt: skip
        return replace(minute, indices=(replace(index, chains=(fewer, *others)),))

    minutes = [without(minute, 10 * (number % 3)) for number, minute in enumerate(real_minutes)]
    assert kinds(minutes) == {}


def test_backfilled_minutes_are_not_examined(real_minutes):
    absurd = bent(real_minutes[1], iv=lambda iv: iv * 9, oi=lambda oi: oi * 0, volume=lambda volume: volume * 0)
    assert kinds([real_minutes[0], replace(absurd, backfilled=True), *real_minutes[2:]]) == {}
