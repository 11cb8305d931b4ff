"""A verification for a person: plain lines in ASCII."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from g6.verification.result import (
    ExpiryCount,
    Gap,
    Part,
    Verification,
    said_finding,
    said_gap,
)

SHOWN_LIMIT = 40  # lines of one kind; the report file has them all


def as_text(verification: Verification) -> str:
    """Return the report: the score and its parts, what was collected, and what is missing or wrong."""
    lines = [
        *_head(verification),
        *_table(("index", "expiry", "codes", "minutes", "of", "back-filled", "legs", "of"), _rows(verification)),
        *_listed("missing", [said_gap(gap) for gap in _merged(verification.gaps)]),
        *_listed("wrong", [said_finding(finding) for finding in verification.findings]),
        *_listed("not judged", verification.unjudged),
        *_listed("noted", verification.notes),
    ]
    if verification.whole:
        lines.append("nothing is missing, nothing is wrong")
    return "\n".join(lines).encode("ascii", "replace").decode()


def _head(verification: Verification) -> Iterator[str]:
    market = f" ({verification.market})" if verification.market else ""
    so_far = f", until {verification.until:%H:%M}: the session still runs" if verification.until else ""
    yield f"{verification.day:%a %d %b %Y}{market}: {verification.score:.2f} of 100{so_far}"
    yield (
        f"  {verification.collected_minutes} of {verification.expected_minutes} minutes,"
        f" {verification.backfilled_minutes} of them back-filled"
    )
    for part in verification.parts:
        yield f"  {part.name:<10} {_share(part)}"


def _share(part: Part) -> str:
    if not part.checked:
        return "not checked"
    # Rounded down: what is not whole never looks so.
    return f"{int(part.share * 1e5) / 1e3:7.3f} %   weight {part.weight:g}"


def _rows(verification: Verification) -> list[tuple[str, ...]]:
    return [_row(count) for count in verification.expiries]


def _row(count: ExpiryCount) -> tuple[str, ...]:
    numbers = (
        count.collected_minutes, count.expected_minutes, count.backfilled_minutes, count.received_legs,
        count.expected_legs,
    )  # fmt: skip
    return count.index, count.expiry or "-", " ".join(count.codes) or "-", *(f"{number:,}" for number in numbers)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for row in (heading, *rows):
        texts = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths[:3], strict=True)]
        numbers = [f"{cell:>{width}}" for cell, width in zip(row[3:], widths[3:], strict=True)]
        yield "  " + "  ".join([*texts, *numbers])


def _merged(gaps: Sequence[Gap]) -> Iterator[Gap]:
    """Yield gaps that several indices have alike as one."""

    def same(gap: Gap) -> tuple[str, ...]:
        # Of two indices that were refused alike only the sentences differ; whole gaps have one sentence anyway.
        return (gap.first.isoformat(), gap.last.isoformat(), gap.expiry, gap.reason, gap.detail)

    for _, alike in groupby(sorted(gaps, key=same), key=same):
        found = list(alike)
        gap = found[0]
        names = ", ".join(dict.fromkeys(one.index for one in found))
        yield Gap(names, gap.expiry, gap.first, gap.last, gap.minutes, gap.reason, gap.detail)


def _listed(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{heading}:"
        yield from (f"  {line}" for line in lines[:SHOWN_LIMIT])
    if len(lines) > SHOWN_LIMIT:
        yield f"  and {len(lines) - SHOWN_LIMIT} more"
