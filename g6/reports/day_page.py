"""The story of a day as one HTML page that needs nothing else: no script, no picture, no font of another place."""

from html import escape

import numpy as np

from g6.reports.day_coverage import coverage
from g6.reports.day_health import anomalies, health
from g6.reports.day_html import number, percent
from g6.reports.day_indices import indices
from g6.reports.day_participants import ParticipantsDay, participants
from g6.reports.day_positioning import positioning
from g6.reports.day_premium import premium
from g6.reports.day_record import DayRecord, IndexDay, last_known
from g6.reports.day_style import STYLE
from g6.reports.day_volatility import volatility
from g6.reports.overlay import clock
from g6.verification.result import Verification

CONTENTS = (
    ("coverage", "Coverage"), ("indices", "Indices"), ("iv", "IV"), ("premium", "Premium"),
    ("positioning", "Positioning"), ("participants", "Participants"), ("anomalies", "Anomalies"), ("health", "Health"),
)  # fmt: skip

NONE_HELD = ParticipantsDay()


def day_page(
    record: DayRecord,
    verification: Verification | None,
    unverified: str = "",
    held: ParticipantsDay = NONE_HELD,
) -> str:
    """Return the page; `held` is what is stored of participants.

    Without a verification `unverified` says why there is none, as a clause.
    """
    title = f"G6, {record.day:%A %d %B %Y}"
    links = "".join(f'<li><a href="#{name}">{words}</a></li>' for name, words in CONTENTS)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{STYLE}</style></head>
<body>
<header><h1>{escape(title)}</h1>
<p class="verdict">{escape(_verdict(record, verification, unverified))}</p>
<p>{escape(_origin(record))}</p></header>
<nav aria-label="Contents"><ul>{links}</ul></nav>
<main>
{coverage(record, verification, unverified)}
{indices(record)}
{volatility(record)}
{premium(record)}
{positioning(record)}
{participants(held)}
{anomalies(record)}
{health(record, verification)}
</main>
<footer>{escape(_judged(record, verification))}</footer>
</body>
</html>
"""


def _verdict(record: DayRecord, verification: Verification | None, unverified: str) -> str:
    if verification is None:
        judged = f"{len(record.minutes)} minutes, not verified: {unverified}."
    else:
        minutes = f"{verification.collected_minutes} of {verification.expected_minutes} minutes"
        judged = f"{minutes}, score {number(verification.score)} of 100."
    return " ".join([judged, *(_moved(index) for index in record.indices)])


def _moved(index: IndexDay) -> str:
    last = last_known(index.spot)
    if not np.isfinite(last):
        return f"{index.name} unknown."
    change = percent(last / index.previous_close - 1, signed=True) if index.previous_close > 0 else ""
    return f"{index.name} {number(last)}" + (f" ({change})." if change else ".")


def _origin(record: DayRecord) -> str:
    """Return whose minutes these are; a market that is none must never look like one."""
    market = {"": "A market that the data directory does not name", "live": "The live market"}.get(
        record.market, f"Not the live market ({record.market})"
    )
    asked = f", asked of {', '.join(record.providers)}" if record.providers else ""
    span = f", {clock(int(record.minutes[0]))} to {clock(int(record.minutes[-1]))} IST" if len(record.minutes) else ""
    return f"{market}{asked}{span}; read from the {record.source}."


def _judged(record: DayRecord, verification: Verification | None) -> str:
    told = f"G6's record of {record.day}. All times are IST."
    return told if verification is None else f"{told} Verified at {verification.verified_at:%Y-%m-%d %H:%M}."
