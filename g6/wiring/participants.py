"""The exchange's files of participants, fetched by themselves in the evening where the settings want it."""

from collections.abc import Callable
from pathlib import Path

from g6.clock import Clock
from g6.market.sessions import SessionCalendar
from g6.participants.evening import Evening
from g6.participants.site import NseSite, SiteOptions
from g6.participants.store import ParticipantStore
from g6.participants.taking import Report
from g6.resilience.supervisor import Supervisor
from g6.settings.sections import Participants

PART = "participants"
# A file may be asked for ten times, for ten minutes each: only a part that says nothing for longer hangs.
SILENT_SECONDS = 7200.0


def site_options(own: Participants) -> SiteOptions:
    """Return where and how the exchange is asked."""
    return SiteOptions(own.archives_url, own.site_url, own.pause_seconds, own.timeout_seconds, own.attempts)


def fetch_in_the_evening(
    own: Participants,
    root: Path,
    calendar: SessionCalendar,
    clock: Clock,
    supervisor: Supervisor,
    on_report: Callable[[Report], None] = lambda _report: None,
) -> None:
    """Start the part that keeps the files below a data directory up to date; `on_report` is told what it brought."""
    evening = Evening(NseSite(site_options(own), clock), ParticipantStore(root), calendar, clock, on_report)
    supervisor.run(PART, evening.run, silent_limit_seconds=SILENT_SECONDS)
