"""Who holds what at the end of a day: open interest and gamma exposure by strike, max pain, PCR, and the levels."""

from collections.abc import Sequence

import numpy as np

from g6.model.chain import DEALER_POSITIONS, OptionChain
from g6.model.columns import Floats, Ints
from g6.reports.day_bars import bars_key, strike_bars
from g6.reports.day_charts import Mark
from g6.reports.day_html import (
    CRORE,
    LAKH,
    NOTHING,
    absent,
    at_clock,
    figure,
    figures,
    number,
    said,
    section,
    subheading,
    table,
)
from g6.reports.day_record import DayRecord, ExpiryDay, IndexDay, last_known
from g6.reports.day_volatility import by_strike, chart_through_the_day, through_the_day

STRIKES_EACH_SIDE = 20  # more are not told apart on a phone; the tables have them all
# How a measure is called, its name, what it is divided by, decimals.
ROWS = (
    ("PCR by OI", "pcr_oi", 1.0, 3),
    ("PCR by volume", "pcr_volume", 1.0, 3),
    ("max pain", "max_pain", 1.0, 0),
    ("call OI, lakh", "call_oi", LAKH, 2),
    ("put OI, lakh", "put_oi", LAKH, 2),
    ("call OI change, lakh", "call_oi_change", LAKH, 2),
    ("put OI change, lakh", "put_oi_change", LAKH, 2),
    ("net GEX, ₹ crore a 1 % move", "net_gex", CRORE, 2),
    ("GEX flips at", "gex_flip", 1.0, 2),
    ("support by OI", "support_oi", 1.0, 0),
    ("resistance by OI", "resistance_oi", 1.0, 0),
    ("expected low, straddle", "expected_low_straddle", 1.0, 2),
    ("expected high, straddle", "expected_high_straddle", 1.0, 2),
    ("straddle, ₹", "straddle", 1.0, 2),
)


def positioning(record: DayRecord) -> str:
    """Return the section."""
    html = [_index(index, record.minutes) for index in record.indices]
    return section("positioning", "Positioning", *(html or [absent("No index is recorded.")]))


def _index(index: IndexDay, minutes: Ints) -> str:
    if not index.expiries:
        return subheading(index.name) + absent(f"{index.name} has no chain on this day.")
    near = index.expiries[0]
    charts = [
        _oi(index, near),
        _gex(index, near),
        chart_through_the_day(f"{index.name}, PCR by OI", through_the_day(index, minutes, "pcr_oi"), minutes, 3),
        chart_through_the_day(
            f"{index.name}, net GEX, ₹ crore a 1 % move",
            through_the_day(index, minutes, "net_gex", 1 / CRORE), minutes, zero=True,
        ),
    ]  # fmt: skip
    return subheading(index.name) + figures(*charts) + _table(index) + _dealers(index)


def _table(index: IndexDay) -> str:
    """Return measures down and expiries across, which a phone has room for."""

    def value(expiry: ExpiryDay, measure: str) -> float:
        return last_known(expiry.measures.get(measure, np.zeros(0)))

    rows = (
        (name, *(number(value(expiry, measure) / unit, decimals) for expiry in index.expiries))
        for name, measure, unit, decimals in ROWS
    )
    caption = f"{index.name}, last value of the day (spot {number(last_known(index.spot))})"
    return table(caption, ("measure", *(expiry.short for expiry in index.expiries)), rows)


def _dealers(index: IndexDay) -> str:
    code = last_known(index.expiries[0].measures.get("dealers", np.zeros(0)))
    if not np.isfinite(code):
        return ""
    return said(f"Net GEX takes dealers to be {DEALER_POSITIONS[round(code)].replace('_', ' ')}.")


def _oi(index: IndexDay, expiry: ExpiryDay) -> str:
    title = f"{index.name} {expiry.label}, OI at {at_clock(expiry.close_minute)}, lakh"
    marks = _marks(index, expiry, "max_pain", "max pain")
    return _bars(title, expiry.close, expiry.close.oi / LAKH, marks) or absent(f"{title}: no open interest recorded.")


def _gex(index: IndexDay, expiry: ExpiryDay) -> str:
    chain, minute = expiry.close, expiry.close_minute
    if not np.isfinite(chain.gex).any() and expiry.smile is not None:  # the last minutes may not be valued
        chain, minute = expiry.smile, expiry.smile_minute
    title = f"{index.name} {expiry.label}, gross GEX at {at_clock(minute)}, ₹ crore a 1 % move"
    marks = _marks(index, expiry, "gex_flip", "flip")
    return _bars(title, chain, chain.gex / CRORE, marks) or absent(f"{title}: not valued.")


def _marks(index: IndexDay, expiry: ExpiryDay, measure: str, words: str) -> list[Mark]:
    level = last_known(expiry.measures.get(measure, np.zeros(0)))
    spot = last_known(index.spot)
    return [Mark(f"spot {number(spot, 0)}", spot), Mark(f"{words} {number(level, 0)}", level)]


def _bars(title: str, chain: OptionChain, values: Floats, marks: Sequence[Mark]) -> str:
    strikes, calls, puts = _sides(chain, values)
    shown = _nearest(strikes, marks[0].x)
    told = f"{title}. Most of calls at {_most(strikes, calls)}, most of puts at {_most(strikes, puts)}"
    drawing = strike_bars(told, strikes[shown], calls[shown], puts[shown], marks)
    if not drawing:
        return ""
    left_out = len(strikes) - int(np.count_nonzero(shown))
    rows = (
        (f"{k:,g}", number(c), number(p))
        for k, c, p in zip(strikes.tolist(), calls.tolist(), puts.tolist(), strict=True)
    )
    more = said(f"Drawn are the strikes nearest to the spot; {left_out} more are in the numbers.") if left_out else ""
    return figure(title, drawing, key=bars_key(), numbers=more + table(title, ("strike", "calls", "puts"), rows))


def _sides(chain: OptionChain, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return every strike, ascending, and the values of its call and of its put, NaN where it has none."""
    strikes = np.unique(chain.strike)
    sides = []
    for calls in (True, False):
        own, of_own = by_strike(chain, values, calls=calls)
        row = np.full(len(strikes), np.nan)
        row[np.searchsorted(strikes, own)] = of_own
        sides.append(row)
    return strikes, sides[0], sides[1]


def _nearest(strikes: Floats, spot: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    middle = float(np.median(strikes)) if np.isnan(spot) else spot
    rank = np.argsort(np.argsort(np.abs(strikes - middle), kind="stable"))
    near: np.ndarray[tuple[int], np.dtype[np.bool_]] = rank < 2 * STRIKES_EACH_SIDE + 1
    return near


def _most(strikes: Floats, values: Floats) -> str:
    if not np.isfinite(values).any():
        return NOTHING
    at = int(np.nanargmax(values))
    return f"{strikes[at]:,g} with {number(values[at])}"
