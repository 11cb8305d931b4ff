"""Whether the agent itself is well: its loop, its memory, its clock, its calendar, its server, its background parts."""

from collections.abc import Iterator

from g6.health.evidence import Evidence, Finding, State
from g6.health.market_checks import runs_ahead
from g6.health.wording import DAY, bytes_of, duration, plural
from g6.model.part_report import PartReport
from g6.model.pressure_report import LEVEL_NAMES
from g6.model.report import CycleReport


def loop(e: Evidence) -> Iterator[Finding]:
    """Judge the last minute as a minute: that it ended, and in time. Waiting does not mend how it went."""
    if e.overdue_seconds > 0:
        late = f"the loop has not come back for {duration(e.overdue_seconds)} longer than it may"
        yield Finding("down", late, "loop_late")
    if e.report is None:
        yield Finding("ok", "no cycle has ended yet")
    else:
        yield from _minute(e.report, e)
    if e.waiting:
        yield Finding("ok", f"waiting {e.waiting}")


def _minute(report: CycleReport, e: Evidence) -> Iterator[Finding]:
    told = f"{report.minute:%H:%M} took {report.seconds:.2f} s"
    if report.status == "failed":
        why = report.error or next(iter(report.troubles), "nothing was collected")
        # At night it is history: what is left to do is to fetch what the day lacks.
        state: State = "degraded" if e.market == "closed" else "down"
        yield Finding(state, f"{report.minute:%H:%M} failed: {why}", "cycle_failed")
    if report.missed_minutes:
        yield Finding("degraded", f"before {report.minute:%H:%M} {report.missed_sentence}", "minutes_missed")
    if report.seconds > e.interval_seconds:
        longest = max(report.stages, key=lambda name: report.stages[name], default="")
        most = f", most of it in {longest} ({report.stages[longest]:.1f} s)" if longest else ""
        yield Finding("degraded", f"{told}, {e.interval_seconds:g} s are allowed{most}", "cycle_overrun")
    elif report.status != "failed":
        yield Finding("ok", told)


def session(e: Evidence) -> Iterator[Finding]:
    """Say which exchanges are open."""
    if e.session is None:
        yield Finding("unknown", "nothing is known yet")
        return
    told = ", ".join(f"{name} {'open' if is_open else 'closed'}" for name, is_open in e.session.open.items())
    yield Finding("ok", told or "no exchange is followed")


def calendar(e: Evidence) -> Iterator[Finding]:
    """Judge how many days ahead the sessions are known: past its end there is no recording."""
    if e.session is None:
        yield Finding("unknown", "nothing is known yet")
        return
    known_until = e.session.known_until
    ahead = (known_until - e.now.date()).days
    if ahead < 0:
        yield Finding("down", f"the calendar ends on {known_until}", "calendar_ended")
    elif ahead <= e.limits.calendar_days:
        yield Finding("degraded", f"known until {known_until}, {plural(ahead, 'day')} ahead", "calendar_ending")
    else:
        yield Finding("ok", f"known until {known_until}, {plural(ahead, 'day')} ahead")


def memory(e: Evidence) -> Iterator[Finding]:
    """Judge how much of the memory is in use, and what is left out because of it."""
    pressure = e.pressure
    if pressure is None:
        yield Finding("unknown", "nothing is known yet")
        return
    told = f"{LEVEL_NAMES[pressure.level]}: {bytes_of(pressure.rss_bytes)}"
    if pressure.limit_bytes:
        told += f" of {bytes_of(pressure.limit_bytes)} ({pressure.share:.0%}, {pressure.limit_source})"
    if pressure.level == 0:
        yield Finding("ok", told)
        return
    left_out = ", ".join(kind.replace("_", " ") for kind in pressure.shed)
    yield Finding("degraded", told + (f"; left out: {left_out}" if left_out else ""), "memory_high")


def clock(e: Evidence) -> Iterator[Finding]:
    """Judge the wall clock: by the monotonic one, and by the exchange's stamps while a market is open."""
    reading, limits = e.clock, e.limits
    found = []
    if e.held:
        told = f"it was set back; until {e.held:{DAY}} every minute is recorded already, and none is collected again"
        found.append(Finding("degraded", told, "clock_stepped"))
    if reading and abs(reading.stepped_seconds) > limits.clock_step_seconds:
        by = duration(abs(reading.stepped_seconds))
        way = "forward, or the machine slept" if reading.stepped_seconds > 0 else "back"
        found.append(Finding("degraded", f"the clock went {by} {way}", "clock_stepped"))
    ages = {} if e.market == "closed" else {name: age.freshest_seconds for name, age in e.quotes.items()}
    if ages and min(ages.values()) < -limits.clock_skew_seconds:
        name = min(ages, key=lambda exchange: ages[exchange])
        found.append(Finding("degraded", f"{duration(-ages[name])} behind the stamps of {name}", "clock_skewed"))
    elif ages and runs_ahead(e):
        name = min(ages, key=lambda exchange: ages[exchange])
        found.append(Finding("degraded", f"{duration(ages[name])} ahead of the stamps of {name}", "clock_skewed"))
    yield from found
    if not found:
        told = f"within {abs(min(ages.values(), key=abs)):.1f} s of the exchange's stamps" if ages else "no step seen"
        yield Finding("ok" if reading or ages else "unknown", told)


def exporter(e: Evidence) -> Iterator[Finding]:
    """Judge the HTTP server: that its thread lives, and that every collector gives its numbers."""
    reading = e.exporter
    if reading is None:
        yield Finding("unknown", "nothing is known yet")
    elif not reading.url:
        yield Finding("ok", "switched off by metrics.enabled")
    elif not reading.alive:
        yield Finding("down", f"the server at {reading.url} does not serve", "exporter_down")
    else:
        yield Finding("ok", f"listens at {reading.url}")
        if reading.collector_errors:
            failed = f"{plural(reading.collector_errors, 'part')} of /metrics could not be rendered"
            yield Finding("degraded", failed, "exporter_failing")


def part(e: Evidence) -> Iterator[Finding]:
    """Judge each background part."""
    return map(_part, e.parts)


def _part(report: PartReport) -> Finding:
    restarts = f", restarted {plural(report.restarts, 'time')}" if report.restarts else ""
    why = f": {report.reason}" if report.reason else ""
    if report.state == "failed":
        return Finding("down", f"given up{restarts}{why}", "part_failed", report.name)
    if report.state == "restarting":
        return Finding("degraded", f"being restarted{restarts}{why}", "part_restarting", report.name)
    heard = f", heard {duration(report.silent_seconds)} ago" if report.silent_seconds is not None else ""
    return Finding("ok", f"{report.state}{restarts}{heard}", subject=report.name)
