"""Those who are told of a minute: metrics, health, the pages, the terminal and the log. None of them can stop it."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from g6 import __version__
from g6.analytics import CORE, MEASURES
from g6.clock import Clock, SystemClock
from g6.collectors.plan import IndexOrder
from g6.console.moment import Moment, Waiting
from g6.console.start import StartFacts
from g6.console.terminal import is_ascii, make_console, wants_panel
from g6.console.view import TerminalView
from g6.health import ExporterReading, Health, Limits, Readers, StartReading
from g6.health.disk import DirectoryWatch, DiskWatch
from g6.health.document import About
from g6.health.last_words import last_words
from g6.health.problems import PROBLEMS
from g6.health.state_file import StateFile
from g6.health.vitals import VitalsMeter
from g6.logs import MINUTES
from g6.market.sessions import OutsideCalendar, SessionCalendar
from g6.metrics.exposition import Exposition
from g6.metrics.health import HealthCollector, collector_errors
from g6.metrics.instruments import Instruments, Known
from g6.metrics.observe import Observer
from g6.metrics.options_page import OptionsPage
from g6.model.anomaly import SERIES, TOGETHER
from g6.model.closing_report import ClosingReport
from g6.model.provider_report import CallNames, MarketReport, TokenReport
from g6.model.report import CycleReport, IndexReport, MissedBy
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.participants.latest import Latest
from g6.participants.store import ParticipantStore
from g6.resilience.supervisor import Supervisor, every
from g6.server import EmbeddedServer, PublishedState, create_app
from g6.settings import Settings

log = logging.getLogger(__name__)
minutes = logging.getLogger(MINUTES)
LEVELS = {"ok": logging.INFO, "partial": logging.WARNING, "failed": logging.ERROR}

LOOK_SECONDS = 15.0  # of real time, from one look at what changes between the minutes to the next

# The steps of a minute, in the order of the flow; the sinks come after them under their own names.
STAGES = ("contracts", "spots", "plan", "quotes", "chains", "enrich", "survey", "journal")
REFUSALS = (
    "unknown_index", "no_expiries", "no_contracts", "no_spot", "bad_spot", "stale_spot", "coverage", "stale",
    "no_prices", "login_needed", "unreachable", "bad_response", "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observation:
    """Everyone who is told. What fails here is logged; the minute is stored already."""

    calendar: SessionCalendar
    exchanges: tuple[str, ...]
    observer: Observer
    exposition: Exposition
    options_page: OptionsPage | None
    health: Health
    state: PublishedState
    state_file: StateFile
    view: TerminalView
    vitals: VitalsMeter
    participants: Latest
    url: str | None

    def tell(self, report: CycleReport, snapshot: Snapshot | None, *, first: bool) -> None:
        """Tell everyone how a minute went; the terminal shows the whole of the first one."""
        minutes.log(LEVELS[report.status], "%s %s", f"{report.minute:%Y-%m-%d %H:%M}", report)
        _told("metrics", lambda: self.observer.cycle(report))
        if (pressure := report.pressure) is not None:
            _told("metrics", lambda: self.observer.pressure(pressure))
        self.show_participants()
        _told("health", lambda: self.health.cycle(report, snapshot))
        _told("the state file", self._keep_state)
        _told("the landing page", lambda: self.state.publish(report))
        _told("the page of options", lambda: self._show_options(snapshot, report.measure_seconds))
        _told("the terminal", lambda: self._show(report, first=first))

    def _show(self, report: CycleReport, *, first: bool) -> None:
        self.view.show(Moment(report, self.vitals.after(report), self.health.problems), whole=first)
        if first and self.url:
            page, _ = self.exposition.page()
            series = sum(1 for line in page.splitlines() if line and not line.startswith(b"#"))
            options = f", {self.options_page.current.series:,} at /options below it" if self.options_page else ""
            self.view.note("metrics", f"{series} series at {self.url}/metrics{options}")

    def _show_options(self, snapshot: Snapshot | None, spent: Mapping[str, float]) -> None:
        if snapshot is None:
            self.clear()
        elif self.options_page is not None:
            self.options_page.render(snapshot, spent, self.participants.report())

    def recalled(self, planned: Sequence[IndexSnapshot]) -> None:
        """Tell how the indices were last planned before this process began."""
        _told("metrics", lambda: self.observer.recalled(map(IndexReport.of, planned)))

    def waiting(self, due: datetime, now: datetime, *, closed: bool, held: bool = False) -> None:
        """Tell everyone that the loop sleeps until `due`, and whether that is because the market is closed.

        `held`: the clock was set back, and the minutes until then are recorded.
        """
        opened = {exchange: self.calendar.is_open(now, exchange) for exchange in self.exchanges}
        _told("health", lambda: self.health.session(opened, self.calendar.known_until))
        _told("health", lambda: self.health.waiting(due, "the market is closed" if closed else "", held=held))
        if closed:
            _told("metrics", lambda: self.observer.skipped("closed"))
            _told("the page of options", self.clear)
        if closed or held:  # else the minute that was just told has kept it, and the next one soon will
            _told("the state file", self._keep_state)
        _told("the terminal", lambda: self.view.waiting(Waiting(due, opened, closed)))

    def probed(self, market: MarketReport) -> None:
        """Tell how the providers stand before the market opens."""
        _told("metrics", lambda: self.observer.market(market))
        _told("health", lambda: self.health.probed(market))

    def closed(self, report: ClosingReport) -> None:
        """Tell what was done with a day that is over."""
        log.log(logging.WARNING if report.troubles else logging.INFO, "%s", report)
        _told("metrics", lambda: self.observer.closing(report))
        _told("health", lambda: self.health.closed(report))

    def participants_fetched(self, missing: int) -> None:
        """Tell how many files of participants an evening's fetch wanted and did not bring."""
        _told("metrics", lambda: self.observer.participants_fetched(missing))
        self.show_participants()

    def show_participants(self) -> None:
        """Tell how old what is stored of participants is."""
        _told("metrics", lambda: self.observer.participants(self.participants.report()))

    def ending(self, reason: str, *, clean: bool = True) -> None:
        """Tell why the agent is about to end; it is the last thing that its state file says."""
        _told("health", lambda: self.health.ending(reason, clean=clean))

    def _keep_state(self) -> None:
        self.state_file.write(self.health.document())

    def clear(self) -> None:
        """Take the last minute's prices off their page: scraped on, they would pass for fresh ones."""
        if self.options_page is not None:
            self.options_page.clear()

    def hide_options(self, hidden: bool) -> None:  # noqa: FBT001 - a switch of the governor's form
        """Keep the page of options empty, or fill it again from the next minute on."""
        if self.options_page is not None:
            self.options_page.hide(hidden)

    def missed(self, count: int, by: MissedBy) -> None:
        """Tell of scheduled minutes that were lost, and why."""
        _told("metrics", lambda: self.observer.skipped(by, count))

    def show_start(self, facts: StartFacts) -> None:
        """Print what is about to happen."""
        self.view.start(facts)


@contextmanager
def start_observation(
    settings: Settings,
    clock: Clock,
    orders: Sequence[IndexOrder],
    sinks: Sequence[str],
    calendar: SessionCalendar,
    names: CallNames,
    tokens: Callable[[], Sequence[TokenReport]],
    directory: Path,
    market: str,
    supervisor: Supervisor,
    *,
    run_once: bool,
    why_away: Callable[[], str],
) -> Iterator[Observation]:
    """Make everyone who is told, and serve the pages for as long as the block runs.

    `why_away` says why the data directory is not in its place, or nothing.
    """
    exchanges = tuple(dict.fromkeys(order.definition.exchange for order in orders))
    instruments = Instruments(
        Known(
            codes={order.definition.name: _codes(order, clock.now()) for order in orders},
            stages=(*STAGES, *sinks),
            sinks=tuple(sinks),
            exchanges=exchanges,
            providers=names.providers,
            endpoints=names.endpoints,
            accounts=names.accounts,
            connections=names.connections,
            series=(*SERIES, TOGETHER) if settings.anomalies.multivariate_after_close else SERIES,
            refusal_reasons=REFUSALS,
            aggregates=tuple(aggregate for aggregate, _ in CORE),
            measures=MEASURES,
        )
    )
    real = isinstance(clock, SystemClock)
    observer = Observer(instruments, version=__version__, clock="real" if real else "virtual")
    # Asked at each scrape: the loop may sleep through the close.
    observer.follow_session(lambda exchange: calendar.is_open(clock.now(), exchange), calendar.known_until)
    observer.follow_tokens(tokens)
    observer.follow_next_open(partial(_until_open, calendar, exchanges, clock))
    page, state = OptionsPage(instruments), PublishedState()
    health = _health(settings, clock, orders, sinks, About.this_process(__version__, directory, market))
    instruments.registry.register(
        HealthCollector(
            lambda: {component.name: component.state for component in health.components},
            lambda: health.problems,
            tuple(PROBLEMS),
            DiskWatch(directory, clock.monotonic),  # the scrapers' own: the loop's keeps a rate, and they are threads
        )
    )
    exposition, server = Exposition(instruments), None
    if settings.metrics.enabled:
        app = create_app(exposition, page, health, state)
        server = EmbeddedServer(
            app,
            settings.metrics.host,
            settings.metrics.port,
            allow_remote=settings.metrics.allow_remote,
            supervisor=supervisor,
        )
        server.start()
    disk = DiskWatch(directory, clock.monotonic)
    health.follow(
        Readers(
            directory=DirectoryWatch(directory, why_away),
            disk=disk,
            parts=supervisor.reports,
            exporter=lambda: ExporterReading(
                server.url if server else "",
                alive=server is None or server.alive,
                collector_errors=collector_errors(instruments),
            ),
            tokens=tokens,
        )
    )
    health.start(StartReading(str(directory)))
    health.session({name: calendar.is_open(clock.now(), name) for name in exchanges}, calendar.known_until)
    state_file = StateFile(directory, why_away)

    def look() -> None:
        health.look()
        state_file.write(health.document())

    supervisor.run("health", every(LOOK_SECONDS, look), silent_limit_seconds=4 * LOOK_SECONDS)
    view = _view(settings, clock, run_once=run_once)
    try:
        with last_words(health, state_file):
            yield Observation(
                calendar=calendar,
                exchanges=exchanges,
                observer=observer,
                exposition=exposition,
                options_page=page if settings.metrics.options_page and server else None,
                health=health,
                state=state,
                state_file=state_file,
                view=view,
                vitals=VitalsMeter(clock, disk),
                participants=Latest(ParticipantStore(directory)),
                url=server.url if server else None,
            )
    finally:
        view.close()
        if server is not None:
            server.stop()


def _health(
    settings: Settings, clock: Clock, orders: Sequence[IndexOrder], sinks: Sequence[str], about: About
) -> Health:
    own = settings.health
    limits = Limits(
        disk_low_bytes=own.disk_low_bytes,
        calendar_days=own.calendar_days,
        quote_age_seconds=own.quote_age_seconds,
        clock_skew_seconds=own.clock_skew_seconds,
    )
    exchanges = {order.definition.name: order.definition.exchange for order in orders}
    return Health(clock, settings.collection.interval_seconds, sinks, exchanges=exchanges, limits=limits, about=about)


def _until_open(calendar: SessionCalendar, exchanges: Sequence[str], clock: Clock) -> float:
    """Return the seconds, real ones, until one of them opens next; NaN where the calendar does not say."""
    now = clock.now()
    try:
        opens = min((calendar.next_open(now, exchange) for exchange in exchanges), default=None)
    except OutsideCalendar:
        opens = None
    return (opens - now).total_seconds() / clock.speed if opens else math.nan


def _told(whom: str, telling: Callable[[], None]) -> None:
    """Tell one of them. The minute is stored: who breaks on its report may cost neither another reader nor the next."""
    try:
        telling()
    except Exception:
        log.exception("%s could not be told", whom)


def _view(settings: Settings, clock: Clock, *, run_once: bool) -> TerminalView:
    own = settings.console
    ascii_only = is_ascii(force_ascii=own.force_ascii)
    console = make_console(force_ascii=own.force_ascii, color=own.color)
    live = wants_panel(console, own.live, concise=own.concise, run_once=run_once)
    return TerminalView(console, clock, ascii_only=ascii_only, concise=own.concise, live=live)


def _codes(order: IndexOrder, now: datetime) -> tuple[str, ...]:
    """Return the expiry codes that can exist: an index without weekly expiries has no series for them."""
    weekly = order.definition.rule_on(now.date()).weekly is not None
    return tuple(code for code in order.depths if weekly or code.endswith("_month"))
