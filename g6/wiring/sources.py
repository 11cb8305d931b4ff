"""What each provider's settings turn into: who answers, when it is asked, and what time it is meanwhile."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from g6.clock import Clock, SystemClock, VirtualClock
from g6.errors import ConfigError
from g6.market.indices import IndexDefinition, load_indices
from g6.market.schedule import RecordedSchedule, Schedule, SessionSchedule
from g6.market.sessions import SessionCalendar
from g6.market.surroundings import Surroundings
from g6.model.chain import EXPIRY_CODES
from g6.model.provider_report import CallNames, TokenReport
from g6.providers.base import Provider
from g6.providers.nse_files import NseRecording
from g6.providers.replay import JournalRecording, ReplayProvider
from g6.providers.simulated import SimulatedProvider
from g6.resilience.deadline import Deadline
from g6.resilience.supervisor import Supervisor
from g6.settings import Settings, shipped
from g6.simulator.market import SimulatedMarket
from g6.storage.reader import JournalReader, has_journals
from g6.wiring.surroundings import surroundings_table

LIVE = "live"  # the real market's minutes, as a data directory and a source are told apart


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for on top of the settings: how many minutes, None for as long as there are any.

    `supervisor` keeps alive what runs beside the loop.
    """

    cycles: int | None
    once: bool
    supervisor: Supervisor = field(default_factory=Supervisor)


@dataclass(frozen=True, slots=True)
class Market:
    """The facts of the exchanges, from the tables in `config/`."""

    calendar: SessionCalendar
    indices: Mapping[str, IndexDefinition]
    surroundings: Surroundings


@dataclass(frozen=True, slots=True)
class Source:
    """Who answers, when it is asked, and what time it is meanwhile."""

    providers: Sequence[Provider]  # best first
    market: str  # whose minutes these are; one data directory holds one market's
    clock: Clock
    schedule: Schedule
    names: Sequence[str]  # the indices to ask for
    said: str  # what a person is told about it
    deadline: Deadline  # for all calls of a cycle together
    calls: CallNames
    codes: Sequence[str] = EXPIRY_CODES  # the expiry codes that it can answer for
    unreadable: Sequence[str] = ()  # recordings that had to be left out
    tokens: Callable[[], Sequence[TokenReport]] = tuple  # the accounts' access tokens now; from any thread, unasked


def load_market(settings: Settings) -> Market:
    """Read the calendar, the indices and what surrounds their options: the shipped ones, or those the settings name."""
    files = settings.market
    calendar = SessionCalendar.load(files.calendar_file or shipped("calendar.yaml"), files.calendar_override_file)
    indices = load_indices(files.indices_file or shipped("indices.yaml"))
    return Market(calendar, indices, surroundings_table(settings))


def simulated_source(settings: Settings, market: Market, run: Run) -> Source:
    """Return the embedded simulator, on a clock of its own where the market is closed."""
    simulated = SimulatedMarket(
        seed=settings.providers.simulated.seed,
        indices=market.indices,
        calendar=market.calendar,
        around=market.surroundings,
    )
    names = settings.enabled_indices
    exchanges = exchanges_of(market, names)
    clock, said = simulated_clock(settings, market.calendar, exchanges, run)
    schedule = SessionSchedule(market.calendar, exchanges, settings.collection.interval_seconds)
    said = f"simulated market, seed {settings.providers.simulated.seed}; {said}"
    return Source(
        providers=(SimulatedProvider(simulated),),
        market="simulated",
        clock=clock,
        schedule=schedule,
        names=names,
        said=said,
        deadline=Deadline(clock, math.inf),
        calls=CallNames(("simulated",)),
    )


def simulated_clock(
    settings: Settings, calendar: SessionCalendar, exchanges: Sequence[str], run: Run
) -> tuple[Clock, str]:
    """Return the simulator's clock: where it was told to be, else now, else in the last session."""
    if settings.clock.at is not None:
        return VirtualClock(settings.clock.at, settings.clock.speed), f"the clock starts at {spoken(settings.clock.at)}"
    now = SystemClock().now()
    if any(calendar.is_open(now, exchange) for exchange in exchanges):
        return SystemClock(), "the market is open, the clock is the machine's"
    last = max(calendar.last_minute(now, exchange, settings.collection.interval_seconds) for exchange in exchanges)
    if run.once:
        said = f"the market is closed: the last session's minute, {spoken(last)}"
        return VirtualClock(last, settings.clock.speed), said
    begin = min(calendar.session_of(last, exchange)[0].open for exchange in exchanges)
    said = f"the market is closed: the last session again, from {spoken(begin)}"
    return VirtualClock(begin, settings.clock.speed), said


def replay_source(settings: Settings, market: Market, _run: Run) -> Source:
    """Return a recording, minute by minute as it was recorded; ConfigError where there is none."""
    source = settings.providers.replay.source
    if source is None:
        raise ConfigError("the provider replay needs a folder of recordings: --source DIR")
    recording = open_recording(source, market)
    instants = recording.minutes()
    if not instants:
        raise ConfigError(f"--source {source}: nothing in it can be replayed; " + "; ".join(recording.unreadable[:3]))
    start = settings.clock.at or instants[0]
    if start > instants[-1]:
        raise ConfigError(f"--at {start.isoformat()} is after the last minute of {source}, {spoken(instants[-1])}")
    said = f"replay of {source}, {len(instants)} minutes from {spoken(instants[0])} to {spoken(instants[-1])}"
    # Indices that were chosen are asked for even where they were not recorded: their absence is then told.
    chosen = settings.origins.get("collection.indices", "default") != "default"
    names = settings.enabled_indices if chosen else tuple(recording.indices())
    clock = VirtualClock(start, settings.clock.speed)
    schedule = RecordedSchedule(instants)
    return Source(
        providers=(ReplayProvider(recording),),
        market="replay",
        clock=clock,
        schedule=schedule,
        names=names,
        said=said,
        deadline=Deadline(clock, math.inf),
        codes=recording.codes(),
        unreadable=recording.unreadable,
        calls=CallNames(("replay",)),
    )


def open_recording(source: Path, market: Market) -> JournalRecording | NseRecording:
    """Return the journals or the exchange's option-chain files in a folder; ConfigError where it cannot be read."""
    if has_journals(source):
        return JournalRecording(JournalReader(source))
    return NseRecording(source, market.indices, market.calendar)


def exchanges_of(market: Market, names: Sequence[str]) -> tuple[str, ...]:
    """Return the exchanges of these indices, each once."""
    return tuple(dict.fromkeys(market.indices[name].exchange for name in names if name in market.indices)) or ("NSE",)


def spoken(instant: datetime) -> str:
    """Return an instant for a person."""
    return f"{instant:%a %d %b %Y %H:%M} IST"
