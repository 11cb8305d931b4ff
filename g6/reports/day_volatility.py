"""Implied volatility of a day: at the money through the day, and at its end by strike and by expiry."""

from collections.abc import Sequence

import numpy as np

from g6.model.chain import OptionChain
from g6.model.columns import Floats, Ints
from g6.reports.day_charts import Line, Mark, key, minute_lines, value_lines
from g6.reports.day_html import (
    absent,
    at_clock,
    figure,
    figures,
    number,
    percent,
    section,
    subheading,
    table,
)
from g6.reports.day_indices import series_table
from g6.reports.day_record import DayRecord, ExpiryDay, IndexDay, last_known

KINDS = ("s0", "s1", "s2", "s3")
CONSTANT_DAYS = (7, 14, 30)
TERM_HEADS = ("expiry", "at", "days", "ATM IV", "first", "change", "skew", "25Δ RR")
# Name of a measure of the index → how it is called, and whether it is a volatility or share.
STANDING = (
    ("realised_volatility_today", "realised today"),
    ("realised_volatility_20d", "realised, 20 days"),
    ("iv_less_realised", "IV less realised"),
    ("iv_rank", "IV rank"),
    ("iv_percentile", "IV percentile"),
)


def volatility(record: DayRecord) -> str:
    """Return the section."""
    html = [_index(index, record.minutes) for index in record.indices]
    return section("iv", "Implied volatility", *(html or [absent("No index is recorded.")]))


def shown_expiries(index: IndexDay) -> tuple[ExpiryDay, ...]:
    """Return the expiries that a drawing has lines for: the nearest ones."""
    return index.expiries[: len(KINDS)]


def through_the_day(index: IndexDay, minutes: Ints, measure: str, factor: float = 1.0) -> list[Line]:
    """Return a line an expiry of one measure."""
    nothing, x = np.full(len(minutes), np.nan), minutes.astype(np.float64)
    pairs = zip(shown_expiries(index), KINDS, strict=False)
    return [Line(expiry.label, x, expiry.measures.get(measure, nothing) * factor, kind) for expiry, kind in pairs]


def chart_through_the_day(
    title: str, lines: Sequence[Line], minutes: Ints, decimals: int = 2, *, zero: bool = False
) -> str:
    """Return a figure of lines through the day with their numbers, or a word that there are none."""
    ends = "; ".join(f"{line.label} {number(last_known(line.y), decimals)}" for line in lines)
    drawing = minute_lines(f"{title}, through the day. At the end: {ends}", lines, zero=zero)
    if not drawing:
        return absent(f"{title}: nothing recorded.")
    numbers = series_table(title, minutes, {line.label: line.y for line in lines}, decimals)
    return figure(title, drawing, key=key(lines), numbers=numbers)


def by_strike(chain: OptionChain, values: Floats, *, calls: bool = True) -> tuple[Floats, Floats]:
    """Return strikes, ascending, and a column's values of the calls (or puts) at them."""
    own = chain.is_call if calls else ~chain.is_call
    order = np.argsort(chain.strike[own])
    strikes: Floats = chain.strike[own][order]
    return strikes, values[own][order]


def _index(index: IndexDay, minutes: Ints) -> str:
    if not any(expiry.smile for expiry in index.expiries):
        why = "its chains were not valued" if index.expiries else "it has no chain on this day"
        return subheading(index.name) + absent(f"{index.name} has no implied volatility: {why}.")
    title = f"{index.name}, ATM IV, percent a year"
    charts = [
        chart_through_the_day(title, through_the_day(index, minutes, "atm_iv", 100.0), minutes),
        _smiles(index),
        _term(index),
    ]
    return subheading(index.name) + figures(*charts) + _term_table(index) + _standing(index)


def _smiles(index: IndexDay) -> str:
    lines, said, rows = [], [], []
    for expiry, kind in zip(shown_expiries(index), KINDS, strict=False):
        if expiry.smile is None:
            continue
        strikes, iv = by_strike(expiry.smile, expiry.smile.iv * 100)
        lines.append(Line(expiry.label, strikes, iv, kind))
        known = iv[np.isfinite(iv)]
        said.append(f"{expiry.label} from {number(known.min())} to {number(known.max())}")
        rows += [(expiry.short, f"{k:,g}", number(v)) for k, v in zip(strikes.tolist(), iv.tolist(), strict=True)]
    last = max(expiry.smile_minute for expiry in index.expiries)
    title = f"{index.name}, IV by strike at {at_clock(last)}, percent a year"
    spot = Mark("spot", last_known(index.spot))
    drawing = value_lines(f"{title}: {'; '.join(said)}", lines, [spot])
    return figure(title, drawing, key=key(lines), numbers=table(title, ("expiry", "strike", "IV"), rows))


def _term(index: IndexDay) -> str:
    days = np.array([_at_smile(expiry, "days_to_expiry") for expiry in index.expiries])
    iv = np.array([_at_smile(expiry, "atm_iv") for expiry in index.expiries]) * 100
    if np.count_nonzero(np.isfinite(days) & np.isfinite(iv)) < 2:
        return ""
    title = f"{index.name}, ATM IV by days to expiry at the close, percent a year"
    told = ", ".join(f"{number(d, 1)} days {number(v)}" for d, v in zip(days.tolist(), iv.tolist(), strict=True))
    lines = [Line("expiries", days, iv, "s0")]
    fixed = np.array([last_known(index.measures.get(f"atm_iv_{d}d", np.zeros(0))) for d in CONSTANT_DAYS]) * 100
    lines.append(Line("7, 14 and 30 days, interpolated", np.array(CONSTANT_DAYS, np.float64), fixed, "s1"))
    return figure(title, value_lines(f"{title}: {told}", lines, dots=True), key=key(lines))


def _at_smile(expiry: ExpiryDay, measure: str) -> float:
    return float("nan") if expiry.smile is None else expiry.smile.aggregates.get(measure, np.nan)


def _term_table(index: IndexDay) -> str:
    def row(expiry: ExpiryDay) -> tuple[str, ...]:
        through = expiry.measures.get("atm_iv", np.zeros(0))
        known, now = through[np.isfinite(through)], _at_smile(expiry, "atm_iv")
        first = float(known[0]) if len(known) else np.nan
        return (
            expiry.short, at_clock(expiry.smile_minute) if expiry.smile else "never",
            number(_at_smile(expiry, "days_to_expiry"), 1), percent(now), percent(first),
            number((now - first) * 100, signed=True), number(_at_smile(expiry, "skew"), 3, signed=True),
            number(_at_smile(expiry, "risk_reversal_25") * 100, signed=True),
        )  # fmt: skip

    caption = f"{index.name}, term structure; change and 25-delta risk reversal (RR) in points of volatility"
    return table(caption, TERM_HEADS, (row(expiry) for expiry in index.expiries), texts=2)


def _standing(index: IndexDay) -> str:
    held = [(f"ATM IV, {days} days", f"atm_iv_{days}d") for days in CONSTANT_DAYS]
    held += [(words, name) for name, words in STANDING]
    last = [(words, last_known(index.measures.get(name, np.zeros(0)))) for words, name in held]
    rows = [(words, percent(value)) for words, value in last if np.isfinite(value)]
    lacking = [words for words, value in last if not np.isfinite(value)]
    shown = table(f"{index.name}, volatility at the end of the day", ("measure", "value"), rows) if rows else ""
    return shown + (absent(f"Not known for {index.name}: {', '.join(lacking)}.") if lacking else "")
