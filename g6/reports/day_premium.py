"""The premium of a day over what the same weekday was before, by index and expiry."""

import numpy as np

from g6.errors import ConfigError, G6Error
from g6.reports.day_charts import Area, Line, key, minute_lines
from g6.reports.day_html import absent, figure, figures, said, section
from g6.reports.day_indices import series_table
from g6.reports.day_record import DayRecord
from g6.reports.overlay import Overlay, overlay_of

OFFSET = "atm"


def premium(record: DayRecord) -> str:
    """Return the section: the at-the-money straddle of every index, of its nearest expiry and of the month's."""
    shown, lacking, seen = [], [], set()
    for index in record.indices:
        for expiry in index.expiries:
            if (index.name, expiry.expiry) in seen:
                continue
            seen.add((index.name, expiry.expiry))
            overlay = _overlay(record, index.name, expiry.codes[0])
            if isinstance(overlay, Overlay):
                shown.append(_figure(overlay))
            else:
                lacking.append(f"{index.name} {expiry.label}: {overlay}")
    html = [
        said("Call and put at the money together, in rupees, over the profile of the same weekday before this day.")
    ]
    if not shown and not lacking:
        lacking.append("no chain is recorded on this day")
    html += [absent(f"{text}.") for text in lacking]
    return section("premium", "Premium against its weekday", *html, figures(*shown))


def _overlay(record: DayRecord, index: str, code: str) -> Overlay | str:
    """Return the overlay, or why there is none."""
    try:
        overlay = overlay_of(record.root, index, code, OFFSET, record.day)
    except ConfigError as error:
        return str(error)
    except G6Error as error:
        return f"the weekday masters cannot be read: {error}"
    return overlay if overlay.last is not None else "the masters hold nothing of this day"


def _figure(overlay: Overlay) -> str:
    x = overlay.minutes.astype(np.float64)
    lines = [Line(f"{overlay.day:%d %b %Y}", x, overlay.today, "day")]
    areas = []
    if overlay.days:
        days = f"{overlay.days} earlier {overlay.weekday}" + ("s" if overlay.days > 1 else "")
        lines.append(Line(f"mean of {days}", x, overlay.mean, "s0"))
        lines.append(Line("exponential mean", x, overlay.exponential, "s2"))
        areas = [
            Area("lowest to highest", x, overlay.lowest, overlay.highest, "extremes"),
            Area("middle half", x, overlay.band_low, overlay.band_high, "band"),
        ]
    numbers = series_table("Rupees at the half hours", overlay.minutes, {line.label: line.y for line in lines})
    return figure(str(overlay), minute_lines(str(overlay), lines, areas), key=key(lines, areas), numbers=numbers)
