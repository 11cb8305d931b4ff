"""What was out of the ordinary on a day, and how the recorder itself was: minutes, memory, repairs."""

from collections.abc import Iterator, Sequence

from g6.model.anomaly import Anomaly, JudgedDay
from g6.reports.day_html import absent, facts, listed, number, said, section, subheading, table
from g6.reports.day_record import DayRecord
from g6.verification.result import Verification

SHOWN = 40
HEADS = ("IST", "index", "expiry", "what", "reason", "value", "expected", "deviation")
STATUSES = ("ok", "partial", "failed")


def anomalies(record: DayRecord) -> str:
    """Return the section: the largest deviations, in order of time, and what was found when the day was over."""
    found = sorted(record.anomalies, key=lambda anomaly: -abs(anomaly.deviation))[:SHOWN]
    if not found:
        return section(
            "anomalies", "Anomalies", said("None is stored with the minutes of this day."), *_judged(record.judged)
        )
    left_out = len(record.anomalies) - len(found)
    more = said(f"{left_out} more, of smaller deviation, are left out; see `g6 anomalies`.") if left_out else ""
    words = f"{len(record.anomalies)} were found as the minutes were collected."
    listed_in_time = _table("Out of the ordinary, in order of time", found)
    return section("anomalies", "Anomalies", said(words), listed_in_time, more, *_judged(record.judged))


def _judged(judged: JudgedDay | None) -> Iterator[str]:
    """Yield what all measures of a minute showed together, where somebody looked."""
    if judged is None:
        return
    yield subheading("All measures together, against the days before")
    if judged.anomalies:
        yield _table("Odd as a whole, in order of time", judged.anomalies)
    else:
        yield said("No minute was odd as a whole.")
    yield from (said(f"{name} was not judged: {why}.") for name, why in judged.unjudged.items())


def _table(title: str, found: Sequence[Anomaly]) -> str:
    return table(title, HEADS, map(_row, sorted(found, key=lambda anomaly: anomaly.minute)), 5)


def _row(anomaly: Anomaly) -> tuple[str, ...]:
    scale, unit = (100.0, " %") if anomaly.series == "atm_iv" else (1.0, "")
    return (
        f"{anomaly.minute:%H:%M}", anomaly.index, f"{anomaly.expiry:%d %b}" if anomaly.expiry else "all",
        anomaly.series.replace("_", " "), anomaly.reason, f"{number(anomaly.value * scale)}{unit}",
        f"{number(anomaly.expected * scale)}{unit}", number(anomaly.deviation, 1, signed=True),
    )  # fmt: skip


def health(record: DayRecord, verification: Verification | None) -> str:
    """Return the section."""
    counts = [(name, number(record.statuses.get(name, 0), 0), _meaning(name)) for name in STATUSES]
    counts.append(("back-filled", number(record.backfilled, 0), "minutes made of candles later"))
    if verification is not None:
        counts.append(("recorded twice", number(verification.replaced_minutes, 0), "minutes; the last tick is kept"))
    html = [
        subheading("Minutes"),
        facts(counts),
        subheading("Memory"),
        _memory(record),
        subheading("Repairs and notes"),
    ]
    if verification is None:
        html.append(absent("Repairs are told by the verification, which there is none of."))
    else:
        html.append(listed(verification.notes) or said("Nothing was repaired, and nothing else is noted."))
    never = "How long each minute took, and how much memory was in use, are not kept with a day: the metrics have them."
    return section("health", "Health of the recorder", *html, said(never))


def _meaning(status: str) -> str:
    return {"ok": "minutes, nothing refused", "partial": "minutes, a part was refused", "failed": "minutes, no chain"}[
        status
    ]


def _memory(record: DayRecord) -> str:
    if not record.shed:
        return said("Nothing was left out for lack of memory.")
    rows = ((kind.replace("_", " "), number(count, 0)) for kind, count in record.shed.items())
    return table("Left out for lack of memory", ("what", "minutes"), rows)
