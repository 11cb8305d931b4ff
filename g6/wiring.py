"""From settings to parts: what each setting turns into, and in which order parts start and stop."""

import difflib
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from g6.analytics import AGGREGATES, ENRICHERS, Enricher
from g6.analytics.conventions import Conventions
from g6.clock import Clock, SystemClock, VirtualClock
from g6.collectors.plan import Depth, IndexOrder
from g6.collectors.reject import Limits
from g6.console.logs import set_up_logs
from g6.errors import ConfigError
from g6.market.indices import IndexDefinition, load_indices
from g6.market.schedule import RecordedSchedule, Schedule, SessionSchedule
from g6.market.sessions import SessionCalendar
from g6.model.chain import EXPIRY_CODES
from g6.observation import Observation, start_observation
from g6.providers.base import Provider
from g6.providers.facade import Facade
from g6.providers.nse_files import NseRecording
from g6.providers.recording import Recording
from g6.providers.replay import JournalRecording, ReplayProvider
from g6.providers.simulated import SimulatedProvider
from g6.settings import Settings, shipped
from g6.simulator.market import SimulatedMarket
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet
from g6.storage.reader import JournalReader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for on top of the settings: how many minutes, None for as long as there are any."""

    cycles: int | None
    once: bool


@dataclass(frozen=True, slots=True)
class Market:
    """The facts of the exchanges, from the tables in `config/`."""

    calendar: SessionCalendar
    indices: Mapping[str, IndexDefinition]


@dataclass(frozen=True, slots=True)
class Source:
    """Who answers, when it is asked, and what time it is meanwhile."""

    provider: Provider
    clock: Clock
    schedule: Schedule
    names: Sequence[str]  # the indices to ask for
    said: str  # what a person is told about it
    codes: Sequence[str] = EXPIRY_CODES  # the expiry codes that it can answer for
    unreadable: Sequence[str] = ()  # recordings that had to be left out


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a minute needs, started."""

    settings: Settings
    calendar: SessionCalendar
    orders: Sequence[IndexOrder]
    clock: Clock
    schedule: Schedule
    provider: Facade
    limits: Limits
    conventions: Conventions
    enrichers: Sequence[Enricher]
    journals: JournalSet
    sinks: Sequence[CsvSink]
    observation: Observation
    unreadable: Sequence[str]


@contextmanager
def wire(settings: Settings, run: Run) -> Iterator[Parts]:
    """Start the parts in the order that each needs the one before, and stop them in the reverse.

    The data directory is held before anything is written or served; the server answers before the first minute.
    """
    set_up_logs(settings.logging.level, settings.logging.format, settings.logging.file)
    for warning in settings.warnings:
        log.warning("%s", warning)
    market = load_market(settings)
    source = PROVIDERS[settings.providers.order[0]](settings, market, run)
    orders = [_order(settings, market, name, source.codes) for name in source.names]
    with ExitStack() as stack:
        directory = DataDirectory(settings.storage.data_dir)
        stack.enter_context(directory.hold())
        directory.claim(MARKETS[settings.providers.order[0]])
        journals = JournalSet(
            directory.root, settings.storage.journal.max_bytes, settings.storage.journal.pending_cycles_limit
        )
        stack.callback(journals.close)
        switched = [name for name, on in SINK_SWITCHES.items() if on(settings)]
        sinks = [SINKS[name](settings, directory) for name in switched]
        observation = stack.enter_context(
            start_observation(settings, source.clock, orders, list(switched), market.calendar)
        )
        _say_start(settings, observation, directory, source, orders)
        yield Parts(
            settings=settings,
            calendar=market.calendar,
            orders=orders,
            clock=source.clock,
            schedule=source.schedule,
            provider=Facade(source.provider),
            limits=Limits(settings.collection.minimum_leg_ratio, settings.collection.stale_after_seconds),
            conventions=_conventions(settings),
            enrichers=_enrichers(settings),
            journals=journals,
            sinks=sinks,
            observation=observation,
            unreadable=source.unreadable,
        )


def load_market(settings: Settings) -> Market:
    """Read the calendar and the index definitions, the shipped ones or those that the settings name."""
    files = settings.market
    calendar = SessionCalendar.load(files.calendar_file or shipped("calendar.yaml"), files.calendar_override_file)
    return Market(calendar, load_indices(files.indices_file or shipped("indices.yaml")))


# Providers: name → how its settings become a source.


def _simulated(settings: Settings, market: Market, run: Run) -> Source:
    simulated = SimulatedMarket(
        seed=settings.providers.simulated.seed, indices=market.indices, calendar=market.calendar
    )
    names = settings.enabled_indices
    exchanges = _exchanges(market, names)
    clock, said = _simulated_clock(settings, market.calendar, exchanges, run)
    schedule = SessionSchedule(market.calendar, exchanges, settings.collection.interval_seconds)
    said = f"simulated market, seed {settings.providers.simulated.seed}; {said}"
    return Source(SimulatedProvider(simulated), clock, schedule, names, said)


def _simulated_clock(
    settings: Settings, calendar: SessionCalendar, exchanges: Sequence[str], run: Run
) -> tuple[Clock, str]:
    """Return the simulator's clock: where it was told to be, else now, else in the last session."""
    if settings.clock.at is not None:
        return VirtualClock(settings.clock.at, settings.clock.speed), f"the clock starts at {_said(settings.clock.at)}"
    now = SystemClock().now()
    if any(calendar.is_open(now, exchange) for exchange in exchanges):
        return SystemClock(), "the market is open, the clock is the machine's"
    last = max(calendar.last_minute(now, exchange, settings.collection.interval_seconds) for exchange in exchanges)
    if run.once:
        said = f"the market is closed: the last session's minute, {_said(last)}"
        return VirtualClock(last, settings.clock.speed), said
    begin = min(calendar.session_of(last, exchange)[0].open for exchange in exchanges)
    said = f"the market is closed: the last session again, from {_said(begin)}"
    return VirtualClock(begin, settings.clock.speed), said


def _replay(settings: Settings, market: Market, _run: Run) -> Source:
    source = settings.providers.replay.source
    if source is None:
        raise ConfigError("the provider replay needs a folder of recordings: --source DIR")
    unreadable: Sequence[str] = ()
    recording: Recording
    if _holds_journals(settings):
        recording = journals = JournalRecording(JournalReader(source))
        unreadable = journals.unreadable
    else:
        recording = files = NseRecording(source, market.indices, market.calendar)
        unreadable = files.unreadable
    instants = recording.minutes()
    if not instants:
        raise ConfigError(f"--source {source}: nothing in it can be replayed; " + "; ".join(unreadable[:3]))
    start = settings.clock.at or instants[0]
    if start > instants[-1]:
        raise ConfigError(f"--at {start.isoformat()} is after the last minute of {source}, {_said(instants[-1])}")
    said = f"replay of {source}, {len(instants)} minutes from {_said(instants[0])} to {_said(instants[-1])}"
    # Indices that were chosen are asked for even where they were not recorded: their absence is then told.
    chosen = settings.origins.get("collection.indices", "default") != "default"
    names = settings.enabled_indices if chosen else tuple(recording.indices())
    clock = VirtualClock(start, settings.clock.speed)
    schedule = RecordedSchedule(instants)
    return Source(ReplayProvider(recording), clock, schedule, names, said, recording.codes(), unreadable)


def _holds_journals(settings: Settings) -> bool:
    source = settings.providers.replay.source
    return source is not None and source.is_dir() and any(source.rglob("*.sqlite3"))


PROVIDERS: Mapping[str, Callable[[Settings, Market, Run], Source]] = {
    "simulated": _simulated,
    "replay": _replay,
}


# Provider → the market whose minutes it gives; one data directory holds one market's.
MARKETS = {"simulated": "simulated", "replay": "replay"}

# Price basis → the column whose calls and puts are added up.
PREMIUM_COLUMNS = {"last": "last", "average": "average_price"}

# Stores: name → how it is made, and what switches it on.


def _csv(settings: Settings, directory: DataDirectory) -> CsvSink:
    descriptors = [aggregate for aggregate, _ in AGGREGATES]
    return CsvSink(directory.root, descriptors, price_basis=PREMIUM_COLUMNS[settings.greeks.price_basis])


SINKS: Mapping[str, Callable[[Settings, DataDirectory], CsvSink]] = {"csv": _csv}
SINK_SWITCHES: Mapping[str, Callable[[Settings], bool]] = {"csv": lambda settings: settings.storage.csv.enabled}


def _order(settings: Settings, market: Market, name: str, codes: Sequence[str]) -> IndexOrder:
    if name not in market.indices:
        near = difflib.get_close_matches(name, market.indices, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(market.indices)}"
        origin = settings.origins.get("collection.indices", "default")
        raise ConfigError(f"{origin}: collection.indices: {name} is not defined in indices.yaml; {hint}")
    depths = {code: Depth(depth.itm, depth.otm) for code, depth in settings.index_plan(name).items() if code in codes}
    return IndexOrder(market.indices[name], depths)


def _exchanges(market: Market, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(market.indices[name].exchange for name in names if name in market.indices)) or ("NSE",)


def _conventions(settings: Settings) -> Conventions:
    greeks = settings.greeks
    return Conventions(
        model=greeks.model,
        risk_free_rate=greeks.risk_free_rate,
        minimum_years=greeks.minimum_minutes / (365 * 24 * 60),
        price_basis=greeks.price_basis,
        maximum_spread_ratio=greeks.maximum_spread_ratio,
        stale_trade_seconds=greeks.stale_trade_seconds,
        parity_strikes=greeks.parity_strikes,
    )


def _enrichers(settings: Settings) -> tuple[Enricher, ...]:
    """Return the enrichers that the settings ask for; those that place the chain always run."""
    wanted = settings.greeks.enabled, settings.greeks.estimate_iv
    if all(wanted):
        return tuple(ENRICHERS)
    unwanted = {"greeks"} if wanted[1] else {"greeks", "iv"}
    return tuple(enricher for enricher in ENRICHERS if enricher.name not in unwanted)


def _said(instant: datetime) -> str:
    return f"{instant:%a %d %b %Y %H:%M} IST"


def _say_start(
    settings: Settings, observation: Observation, directory: DataDirectory, source: Source, orders: Sequence[IndexOrder]
) -> None:
    speed = "" if settings.clock.speed == 1 else f", {_speed(settings.clock.speed)}"
    facts = {
        "market": source.said + speed,
        "indices": " ".join(order.definition.name for order in orders),
        "data": str(directory.root),
    }
    if observation.url:
        facts["metrics"] = f"{observation.url}/metrics"
    observation.show_start(facts)


def _speed(speed: float) -> str:
    return "as fast as it goes" if math.isinf(speed) else f"{speed:g} times as fast"
