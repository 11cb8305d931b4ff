"""How the market went: the spot of every index, India VIX, breadth and mood."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from g6.model.columns import Floats, Ints
from g6.model.market_snapshot import MOODS, MarketSnapshot
from g6.reports.day_charts import Line, key, minute_lines
from g6.reports.day_html import (
    NOTHING,
    absent,
    at_clock,
    facts,
    figure,
    figures,
    number,
    percent,
    section,
    subheading,
    table,
)
from g6.reports.day_record import DayRecord, IndexDay, last_known

TABLE_STEP_MINUTES = 30
SPOT_ROWS = ("previous close", "first", "high", "low", "last", "change", "change, percent", "range of the day")
BREADTH_HEADS = ("shares of", "up", "down", "same", "unknown", "breadth")


def indices(record: DayRecord) -> str:
    """Return the section."""
    html = [_spots(record), figures(*(_spot(index, record.minutes) for index in record.indices)), _market(record)]
    return section("indices", "Indices", *html)


def half_hours(minutes: Ints) -> list[int]:
    """Return the positions of the half hours among minutes, and of the last one."""
    last = len(minutes) - 1
    return [at for at, minute in enumerate(minutes.tolist()) if minute % TABLE_STEP_MINUTES == 0 or at == last]


def series_table(caption: str, minutes: Ints, columns: Mapping[str, Floats], decimals: int = 2) -> str:
    """Return the numbers of series at the half hours."""
    rows = (
        (at_clock(int(minutes[at])), *(number(values[at], decimals) for values in columns.values()))
        for at in half_hours(minutes)
    )
    return table(caption, ("IST", *columns), rows)


def _spots(record: DayRecord) -> str:
    """Return measures down and indices across, which a phone has room for."""
    if not record.indices:
        return absent("No index is recorded.")
    columns = [_spot_cells(index) for index in record.indices]
    rows = zip(SPOT_ROWS, *columns, strict=True)
    return table("Index points, of the recorded minutes", ("", *(index.name for index in record.indices)), rows)


def _spot_cells(index: IndexDay) -> tuple[str, ...]:
    known = index.spot[np.isfinite(index.spot)]
    if not len(known):
        return (number(index.previous_close), *[NOTHING] * 7)
    first, last, high, low = float(known[0]), float(known[-1]), float(known.max()), float(known.min())
    change = last - index.previous_close
    return (
        number(index.previous_close), number(first), number(high), number(low), number(last),
        number(change, signed=True), percent(change / index.previous_close, signed=True), number(high - low),
    )  # fmt: skip


def _spot(index: IndexDay, minutes: Ints) -> str:
    line = Line(index.name, minutes.astype(np.float64), index.spot, "s0")
    known = index.spot[np.isfinite(index.spot)]
    if not len(known):
        return absent(f"{index.name} has no spot on this day.")
    about = (
        f"{index.name} through the day: first {number(known[0])}, last {number(known[-1])},"
        f" between {number(known.min())} and {number(known.max())} points"
    )
    numbers = series_table(f"{index.name} at the half hours, points", minutes, {"spot": index.spot})
    return figure(f"{index.name}, spot, points", minute_lines(about, [line]), numbers=numbers)


def _market(record: DayRecord) -> str:
    market = record.last_market
    if market is None:
        return absent("Nothing of the market around was recorded: no India VIX, no breadth, no mood.")
    rows, minutes = record.surroundings, record.minutes
    nothing, x = np.full(len(minutes), np.nan), minutes.astype(np.float64)
    vix, score = rows.get("india_vix", nothing), rows.get("mood_score", nothing)
    advances, declines = rows.get("advances", nothing), rows.get("declines", nothing)
    moves = advances + declines > 0  # in the closing auction no share has a direction
    shares = [
        Line("advances", x, np.where(moves, advances, np.nan), "s0"),
        Line("declines", x, np.where(moves, declines, np.nan), "s1"),
    ]
    charts = [
        _chart("India VIX, percent a year", "India VIX", minutes, [Line("India VIX", x, vix, "s0")]),
        _chart("Shares that rose and fell since yesterday", "Shares", minutes, shares),
        _chart("Mood score: bearish below zero", "Mood score", minutes, [Line("mood", x, score, "s0")], zero=True),
    ]
    html = [subheading("India VIX, breadth and mood"), _facts(record, market, vix), figures(*charts)]
    return "".join([*html, _breadth(market, record.last_market_minute)])


def _chart(title: str, what: str, minutes: Ints, lines: list[Line], *, zero: bool = False) -> str:
    ends = ", ".join(f"{line.label} {number(last_known(line.y))}" for line in lines)
    drawing = minute_lines(f"{what} through the day; at the end {ends}", lines, zero=zero)
    if not drawing:
        return absent(f"{title}: nothing recorded.")
    return figure(
        title, drawing, key=key(lines), numbers=series_table(title, minutes, {line.label: line.y for line in lines})
    )


def _facts(record: DayRecord, market: MarketSnapshot, vix: Floats) -> str:
    known = vix[np.isfinite(vix)]
    between = f"{number(known.min())} to {number(known.max())} on the day" if len(known) else ""
    codes = record.surroundings.get("mood", np.zeros(0))
    words = Counter(MOODS[round(code) + 2] for code in codes[np.isfinite(codes)].tolist())
    usual = ", ".join(f"{word} {count} min" for word, count in words.most_common())
    return facts([
        ("India VIX", number(last_known(vix)), between),
        ("mood at the end", market.mood, usual),
        ("leading sector", market.leader or NOTHING, _sector(market, market.leader)),
        ("lagging sector", market.laggard or NOTHING, _sector(market, market.laggard)),
    ])  # fmt: skip


def _sector(market: MarketSnapshot, name: str) -> str:
    return next((percent(ratio, signed=True) for sector, ratio in market.sectors_ranked if sector == name), "")


def _breadth(market: MarketSnapshot, minute: int) -> str:
    def row(group: str) -> tuple[str, ...]:
        of_group = market.breadth_of(group)
        counts = (number(of_group.get(name, np.nan), 0) for name in ("advances", "declines", "unchanged", "unknown"))
        return (group.replace("_", " "), *counts, percent(of_group.get("breadth", np.nan), 0, signed=True))

    if not market.breadth_groups:
        return absent("The shares of no index were quoted: no breadth by group.")
    caption = f"Shares that rose and fell since yesterday, at {at_clock(minute)}; breadth is their balance"
    return table(caption, BREADTH_HEADS, (row(group) for group in market.breadth_groups))
