"""What of a day is there: minutes and legs of every index and expiry, gaps with their reasons, and the score."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from g6.model.columns import Ints
from g6.reports.day_bars import presence, presence_key, runs
from g6.reports.day_html import NOTHING, absent, at_clock, facts, figure, listed, number, percent, said, section, table
from g6.reports.day_record import DayRecord, minute_of
from g6.verification.result import Gap, Verification, said_finding

GAPS_SHOWN = 40
GAP_HEADS = ("index", "expiry", "from", "to", "reason", "detail", "minutes")
COUNT_HEADS = ("chain", "minutes", "of", "legs", "of", "share", "back-filled")


def coverage(record: DayRecord, verification: Verification | None, unverified: str) -> str:
    """Return the section. Without a verification `unverified` says why; what is recorded is counted then."""
    if verification is None:
        html = [absent(f"This day could not be verified: {unverified}. What is recorded is counted instead.")]
        html += [_drawn(record, ()), _counted(record), _refused(record)]
    else:
        mine = {index.name for index in record.indices}
        gaps = [gap for gap in verification.gaps if gap.index in mine]
        html = [
            _score(verification),
            _drawn(record, gaps),
            _counts(verification, mine),
            _gaps(gaps),
            _wrong(verification),
        ]
    html += [absent(text[:1].upper() + text[1:] + ".") for text in record.lacking]
    return section("coverage", "Coverage", *html)


def _score(verification: Verification) -> str:
    checked = [part for part in verification.parts if part.checked]
    words = ", ".join(f"{part.name} {percent(int(part.share * 1e4) / 1e4)}" for part in checked)
    until = f" until {verification.until:%H:%M}, while the session ran" if verification.until else ""
    filled = f", {verification.backfilled_minutes} back-filled" if verification.backfilled_minutes else ""
    expected_minutes = f"of {number(verification.expected_minutes, 0)}{filled}"
    legs = sum(count.received_legs for count in verification.expiries)
    expected = sum(count.expected_legs for count in verification.expiries)
    share = percent(legs / expected) if expected else NOTHING
    return facts([
        ("score", number(verification.score), "of 100" + until),
        ("minutes", number(verification.collected_minutes, 0), expected_minutes),
        ("legs", number(legs, 0), f"of {number(expected, 0)}, {share}"),
        ("gaps", number(len(verification.gaps), 0), ""),
        ("findings", number(sum(f.count for f in verification.findings), 0), ""),
    ]) + said(f"The score is made of: {words}.")  # fmt: skip


def _drawn(record: DayRecord, gaps: Sequence[Gap]) -> str:
    rows = [
        (f"{index.name} {expiry.label}", expiry.collected, _gone(gaps, index.name, expiry.expiry))
        for index in record.indices
        for expiry in index.expiries
    ]
    if not rows:
        return absent("No chain was recorded on this day.")
    minutes = np.concatenate([part for _, there, gone in rows for part in (there, gone)])
    told = "; ".join(f"{name}: {_stretches(there)}" for name, there, _ in rows)
    drawing = presence(f"Minutes that are there. {told}", rows, int(minutes.min()), int(minutes.max()))
    return figure("Minutes of the day that are there", drawing, key=presence_key(), narrow=True)


def _gone(gaps: Sequence[Gap], index: str, expiry: date) -> Ints:
    spans = [
        np.arange(minute_of(gap.first), minute_of(gap.last) + 1)
        for gap in gaps
        if gap.index == index and gap.expiry in {"", expiry.isoformat()}
    ]
    return np.concatenate(spans) if spans else np.zeros(0, np.int64)


def _stretches(minutes: Ints) -> str:
    found = runs(minutes)
    words = ", ".join(f"{at_clock(first)} to {at_clock(last)}" for first, last in found[:6])
    return words + (f" and {len(found) - 6} more stretches" if len(found) > 6 else "")


def _counts(verification: Verification, mine: set[str]) -> str:
    rows = (
        (
            _chain(count.index, count.expiry),
            number(count.collected_minutes, 0), number(count.expected_minutes, 0),
            number(count.received_legs, 0), number(count.expected_legs, 0),
            _share(count.received_legs, count.expected_legs), number(count.backfilled_minutes, 0),
        )
        for count in verification.expiries
        if count.index in mine
    )  # fmt: skip
    return table("Minutes and legs, collected of expected", COUNT_HEADS, rows)


def _counted(record: DayRecord) -> str:
    whole = number(len(record.minutes), 0)
    rows = (
        (
            _chain(index.name, expiry.expiry.isoformat()), number(len(expiry.collected), 0), whole,
            number(expiry.received_legs, 0), number(expiry.expected_legs, 0),
            _share(expiry.received_legs, expiry.expected_legs), NOTHING,
        )
        for index in record.indices
        for expiry in index.expiries
    )  # fmt: skip
    return table("Minutes and legs, of those that are recorded", COUNT_HEADS, rows)


def _chain(index: str, expiry: str) -> str:
    """Return what a person calls a chain: NIFTY 24 Nov."""
    return f"{index} {date.fromisoformat(expiry):%d %b}" if expiry else index


def _share(part: int, whole: int) -> str:
    # Rounded down: what is not whole never looks so.
    return percent(int(part / whole * 1e4) / 1e4) if whole else NOTHING


def _gaps(gaps: Sequence[Gap]) -> str:
    if not gaps:
        return said("There are no gaps.")
    rows = (
        (
            gap.index, gap.expiry or "all of it", f"{gap.first:%H:%M}", f"{gap.last:%H:%M}",
            gap.reason.replace("_", " "), gap.detail or NOTHING, number(gap.minutes, 0),
        )
        for gap in gaps[:GAPS_SHOWN]
    )  # fmt: skip
    more = said(f"And {len(gaps) - GAPS_SHOWN} more gaps.") if len(gaps) > GAPS_SHOWN else ""
    return table("Gaps", GAP_HEADS, rows, texts=6) + more


def _refused(record: DayRecord) -> str:
    """Return what the minutes themselves say of what they lack, by index, expiry and reason."""
    found: dict[tuple[str, str, str], list[int]] = {}
    details: dict[tuple[str, str, str], str] = {}
    for minute, refusal in record.refusals:
        what = (refusal.index, refusal.expiry, refusal.reason)
        found.setdefault(what, []).append(minute)
        details.setdefault(what, refusal.detail)
    if not found:
        return said("The recorded minutes name no gap; minutes that are not recorded cannot be told apart here.")
    rows = (
        (
            index, expiry or "all of it", at_clock(minutes[0]), at_clock(minutes[-1]), reason.replace("_", " "),
            details[index, expiry, reason] or NOTHING, number(len(minutes), 0),
        )
        for (index, expiry, reason), minutes in list(found.items())[:GAPS_SHOWN]
    )  # fmt: skip
    return table("What the recorded minutes say they lack", GAP_HEADS, rows, texts=6)


def _wrong(verification: Verification) -> str:
    findings = [said_finding(finding) for finding in verification.findings]
    html = [said("Wrong:"), listed(findings)] if findings else [said("Nothing is wrong with what is there.")]
    if verification.unjudged:
        html += [said("Not judged:"), listed(verification.unjudged)]
    return "".join(html)
