"""Whether what was collected is kept: the data directory, its disk, the journal, the stores, the days that are over."""

import re
from collections.abc import Iterator

from g6.health.evidence import DiskReading, Evidence, Finding
from g6.health.wording import bytes_of, duration, plural
from g6.model.report import JournalReport, SinkReport

STEP_FAILED = re.compile(r"(masters|verify|archive|retention): ")
SCORED = "verified, score"
MASTERS = re.compile(r"masters \d")
FEW_FILES = 10_000


def directory(e: Evidence) -> Iterator[Finding]:
    """Judge whether the data directory can be written, and is the one that was there at the start."""
    if e.start is None or e.directory is None:
        yield Finding("unknown", "nothing is known yet")
    elif e.directory:
        yield Finding("down", e.directory, "data_directory_unwritable")
    else:
        yield Finding("ok", f"{e.start.data_directory} can be written")


def journal(e: Evidence) -> Iterator[Finding]:
    """Judge whether the minute is durable. Those that wait in memory would be lost with the process."""
    if e.report is None:
        yield Finding("unknown", "nothing is known yet")
    else:
        yield _journal(e.report.journal, e.report.error)


def _journal(report: JournalReport | None, why: str | None) -> Finding:
    if report is None:
        because = f": {why}" if why else ""
        return Finding("down", f"the minute did not reach the journal{because}", "journal_not_committing")
    waiting = f"{plural(report.pending, 'minute')} wait in memory"
    if not report.kept:
        waiting += ", and this one is lost: no more may wait"
    if report.error:
        return Finding("down", f"{report.error}; {waiting}", "journal_not_committing")
    if report.pending:
        return Finding("degraded", waiting, "journal_not_committing")
    return Finding("ok", f"{report.bytes_written:,} bytes written")


def sink(e: Evidence) -> Iterator[Finding]:
    """Judge each store by its last report; one without a report in a minute keeps what was known of it."""
    for name, report in e.sinks.items():
        if report is None:
            yield Finding("unknown", "nothing is known yet", subject=name)
        else:
            yield from _sink(report, e.limits.sink_lag_cycles)


def _sink(report: SinkReport, allowed_lag: int) -> Iterator[Finding]:
    behind = f"{plural(report.lag_cycles, 'minute')} behind"
    if report.error:
        yield Finding("down", f"{report.error}; {behind}", "sink_failing", report.name)
        return
    repaired = f", {plural(report.repaired, 'torn file')} repaired" if report.repaired else ""
    held = f", {report.unconfirmed_cycles} held until confirmed" if report.unconfirmed_cycles else ""
    yield Finding("ok", f"{report.rows:,} rows written{repaired}{held}", subject=report.name)
    if report.lag_cycles > allowed_lag:
        yield Finding("degraded", behind, "sink_behind", report.name)
    if report.refused:
        yield Finding("degraded", f"{plural(report.refused, 'line')} refused for good", "sink_refusing", report.name)


def disk(e: Evidence) -> Iterator[Finding]:
    """Judge the space that is left, and how long it lasts at the rate of the last hour."""
    reading, limits = e.disk, e.limits
    if reading is None:
        yield Finding("unknown", "the free space is not known")
        return
    told = _space(reading)
    few_files = reading.free_files is not None and reading.free_files < FEW_FILES
    left = reading.seconds_until_full
    low = few_files or reading.free_bytes < min(limits.disk_low_bytes, reading.total_bytes / 10)
    if reading.free_bytes < min(limits.disk_full_bytes, reading.total_bytes / 100) or reading.free_files == 0:
        yield Finding("down", told, "disk_full")
    elif low or (left is not None and left < limits.disk_low_seconds):
        yield Finding("degraded", told, "disk_low")
    else:
        yield Finding("ok", told)


def _space(reading: DiskReading) -> str:
    share = reading.free_bytes / reading.total_bytes if reading.total_bytes else 0.0
    told = f"{bytes_of(reading.free_bytes)} of {bytes_of(reading.total_bytes)} free ({share:.0%})"
    if reading.free_files is not None and reading.free_files < FEW_FILES:
        told += f", room for {plural(reading.free_files, 'file')}"
    left = reading.seconds_until_full
    return f"{told}, full in {duration(left)} at this rate" if left is not None and left < 30 * 86400 else told


def closing(e: Evidence) -> Iterator[Finding]:
    """Judge the day that was closed last: verified, folded into the masters, archived."""
    report = e.closing
    if report is None:
        yield Finding("unknown", "no day has been closed since the start")
        return
    for trouble in report.troubles:
        yield Finding("degraded", f"{report.day}: {trouble}", _trouble(trouble))
    if not report.troubles:
        yield Finding("ok", f"{report.day}: {'; '.join(report.notes) or 'nothing to do'}")


def _trouble(said: str) -> str:
    if said.startswith(SCORED):
        return "verification_low"
    return "masters_disagree" if MASTERS.match(said) and not STEP_FAILED.match(said) else "closing_incomplete"
