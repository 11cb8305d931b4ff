"""From settings to parts: what each setting turns into, and in which order parts start and stop."""

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from g6.analytics import ENRICHERS, MEASURES, Enricher
from g6.analytics.conventions import Conventions
from g6.anomalies.watch import Watch, WatchOptions
from g6.background.recollection import Recollection
from g6.clock import Clock
from g6.collectors.plan import Depth, IndexOrder
from g6.collectors.reject import Limits
from g6.errors import ConfigError
from g6.governor.governor import Governor
from g6.governor.governor import Options as GovernorOptions
from g6.governor.readers import this_machine
from g6.logs import set_up_logs
from g6.market.schedule import Schedule
from g6.market.sessions import SessionCalendar
from g6.observation import Observation, start_observation
from g6.providers.facade import Facade
from g6.resilience.call_watchdog import CallWatchdog
from g6.resilience.deadline import Deadline
from g6.resilience.supervisor import Supervisor
from g6.settings import Settings
from g6.storage.csv_layout import PREMIUM_COLUMNS
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.journal_set import JournalSet
from g6.storage.sink import Sink
from g6.wiring.closing import Closing
from g6.wiring.influx import influx_sink
from g6.wiring.judging import require_installed
from g6.wiring.sources import LIVE, Market, Run, Source, load_market, replay_source, simulated_source
from g6.wiring.start import start_facts

log = logging.getLogger(__name__)

# A collection that is not back so long before the next minute is given up.
SPARED_SECONDS = 5.0
MEMORY_PART = "memory"
MEMORY_SILENT_SECONDS = 120.0


@runtime_checkable
class Closable(Protocol):
    """A provider that holds something to give back: sockets, threads."""

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a minute needs, started."""

    settings: Settings
    calendar: SessionCalendar
    orders: Sequence[IndexOrder]
    clock: Clock
    schedule: Schedule
    provider: Facade
    deadline: Deadline
    limits: Limits
    conventions: Conventions
    enrichers: Sequence[Enricher]
    journals: JournalSet
    sinks: Sequence[Sink]
    observation: Observation
    unreadable: Sequence[str]
    closing: Closing
    governor: Governor
    supervisor: Supervisor
    call_watchdog: CallWatchdog
    recollection: Recollection
    watch: Watch | None


@contextmanager
def wire(settings: Settings, run: Run, source: Source | None = None) -> Iterator[Parts]:
    """Start the parts in the order that each needs the one before, and stop them in the reverse.

    Without a `source` it is the one that the settings name. The data directory is held before anything is written or
    served; the server answers before the first minute.
    """
    logs = settings.logging
    set_up_logs(
        logs.level, logs.format, logs.file, verbose=logs.verbose, max_bytes=logs.max_bytes, backups=logs.backups
    )
    for warning in settings.warnings:
        log.warning("%s", warning)
    if settings.anomalies.multivariate_after_close:
        require_installed()
    market = load_market(settings)
    source = source or PROVIDERS[settings.providers.order[0]](settings, market, run)
    orders = [_order(settings, market, name, source.codes) for name in source.names]
    with ExitStack() as stack:
        directory = DataDirectory(data_dir_of(settings, source.market))
        hold = stack.enter_context(directory.hold())
        directory.claim(source.market)
        journals = JournalSet(
            directory.root, settings.storage.journal.max_bytes, settings.storage.journal.pending_cycles_limit, hold
        )
        stack.callback(journals.close)
        for provider in reversed(source.providers):  # the stack unwinds backwards: a stream ends before its REST
            if isinstance(provider, Closable):
                stack.callback(provider.close)
        supervisor = run.supervisor
        stack.callback(supervisor.stop)
        watchdog = CallWatchdog(max(1.0, settings.collection.interval_seconds - SPARED_SECONDS))
        stack.callback(watchdog.close)
        switched = [name for name, on in SINK_SWITCHES.items() if on(settings)]
        sinks = [SINKS[name](settings, directory, market, supervisor) for name in switched]
        for sink in sinks:
            stack.callback(sink.close)
        observation = stack.enter_context(
            start_observation(
                settings,
                source.clock,
                orders,
                list(switched),
                market.calendar,
                source.calls,
                source.tokens,
                directory.root,
                source.market,
                supervisor,
                run_once=run.once,
                why_away=hold.why_away,
            )
        )
        governor = _governor(settings, source.clock, observation)
        observation.observer.follow_pressure(governor.report)
        observation.health.pressure(governor.report())
        observation.show_participants()
        supervisor.run(MEMORY_PART, governor.run, silent_limit_seconds=MEMORY_SILENT_SECONDS)
        # A simulated or recorded day's clock is no reason to ask the exchange.
        if settings.participants.fetch_after_close and source.market == LIVE and not run.once:
            from g6.wiring.participants import fetch_in_the_evening  # noqa: PLC0415  only those who want the files

            fetch_in_the_evening(
                settings.participants,
                directory.root,
                market.calendar,
                source.clock,
                supervisor,
                lambda report: observation.participants_fetched(report.missing),
            )
        observation.show_start(
            start_facts(
                settings,
                market,
                source,
                orders,
                str(directory.root),
                url=observation.url,
                checks=observation.health.components,
            )
        )
        watch = _watch(settings, directory.root)
        yield Parts(
            settings=settings,
            calendar=market.calendar,
            orders=orders,
            clock=source.clock,
            schedule=source.schedule,
            provider=Facade(*source.providers),
            deadline=source.deadline,
            limits=Limits(settings.collection.minimum_leg_ratio, settings.collection.stale_after_seconds),
            conventions=conventions_of(settings),
            enrichers=enrichers_of(settings),
            journals=journals,
            sinks=sinks,
            observation=observation,
            unreadable=source.unreadable,
            closing=Closing(
                settings=settings,
                market=market,
                names=source.names,
                root=directory.root,
                clock=source.clock,
                sinks=sinks,
                price_basis=PREMIUM_COLUMNS[settings.greeks.price_basis],
                why_away=hold.why_away,
                level=partial(_level_now, governor),
            ),
            governor=governor,
            supervisor=supervisor,
            call_watchdog=watchdog,
            recollection=Recollection(
                directory.root,
                market.calendar,
                {o.definition.name: o.definition.exchange for o in orders},
                followers=() if watch is None else (watch,),
            ),
            watch=watch,
        )


def _kite(settings: Settings, market: Market, run: Run) -> Source:
    # The official client takes half a second to import (Twisted, for its stream): only those who use it wait for it.
    from g6.wiring.kite import kite_source  # noqa: PLC0415

    return kite_source(settings, market, run)


# Provider at the head of the order → how the settings become a source.
PROVIDERS: Mapping[str, Callable[[Settings, Market, Run], Source]] = {
    "simulated": simulated_source,
    "replay": replay_source,
    "kite": _kite,
    "kite-stream": _kite,
    "kite-second": _kite,
}

# Stores: name → how it is made, and what switches it on.


def _csv(settings: Settings, directory: DataDirectory, _market: Market, _supervisor: Supervisor) -> Sink:
    return CsvSink(directory.root, MEASURES, price_basis=PREMIUM_COLUMNS[settings.greeks.price_basis])


def _masters(settings: Settings, directory: DataDirectory, market: Market, _supervisor: Supervisor) -> Sink:
    from g6.masters.sink import MasterSink  # noqa: PLC0415  only those who keep masters

    names = {name: definition.display_name for name, definition in market.indices.items()}
    basis, smoothing = PREMIUM_COLUMNS[settings.greeks.price_basis], settings.storage.masters.smoothing
    return MasterSink(directory.root, names, basis, smoothing=smoothing)


def _influx(settings: Settings, directory: DataDirectory, _market: Market, supervisor: Supervisor) -> Sink:
    return influx_sink(settings, directory.root, MEASURES, PREMIUM_COLUMNS[settings.greeks.price_basis], supervisor)


# The files come first: the masters are compared with them.
SINKS: Mapping[str, Callable[[Settings, DataDirectory, Market, Supervisor], Sink]] = {
    "csv": _csv,
    "masters": _masters,
    "influx": _influx,
}
SINK_SWITCHES: Mapping[str, Callable[[Settings], bool]] = {
    "csv": lambda settings: settings.storage.csv.enabled,
    "masters": lambda settings: settings.storage.masters.enabled,
    "influx": lambda settings: settings.storage.influx.enabled,
}


# Stores that lie in the data directory itself; the others are supplied by the next run of the collector.
LOCAL_STORES = ("csv", "masters")


def local_sinks(settings: Settings, directory: DataDirectory, market: Market) -> list[Sink]:
    """Return the stores of a data directory that the settings switch on; nothing runs beside them."""
    switched = [name for name in LOCAL_STORES if SINK_SWITCHES[name](settings)]
    return [SINKS[name](settings, directory, market, Supervisor()) for name in switched]


def _governor(settings: Settings, clock: Clock, observation: Observation) -> Governor:
    own = settings.governor
    options = GovernorOptions(own.enabled, own.limit_bytes, own.sample_seconds, own.critical_strikes)

    return Governor(options, this_machine(), clock, {"options_page": observation.hide_options})


def _level_now(governor: Governor) -> int:
    """Return the level after a look: between two of the ticker's a day's work goes far."""
    governor.sample()
    return governor.report().level


def _watch(settings: Settings, root: Path) -> Watch | None:
    """Return who looks out for the unusual, None where nobody is to."""
    own = settings.anomalies
    basis = PREMIUM_COLUMNS[settings.greeks.price_basis]
    options = WatchOptions(
        own.threshold, own.window_minutes, own.warm_up_minutes, own.quiet_minutes, basis,
        settings.collection.interval_seconds,
    )  # fmt: skip
    return Watch(root, options) if own.enabled else None


def data_dir_of(settings: Settings, market: str) -> Path:
    """Return the folder; a simulator's quotes have one of their own unless a person named another."""
    own = {"default", f"provider {settings.providers.order[0]}"}
    chosen = settings.origins.get("storage.data_dir", "default") not in own
    return settings.storage.data_dir if chosen else settings.storage.data_dir.with_name(market)


def _order(settings: Settings, market: Market, name: str, codes: Sequence[str]) -> IndexOrder:
    if name not in market.indices:
        near = difflib.get_close_matches(name, market.indices, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(market.indices)}"
        origin = settings.origins.get("collection.indices", "default")
        raise ConfigError(f"{origin}: collection.indices: {name} is not defined in indices.yaml; {hint}")
    depths = {code: Depth(depth.itm, depth.otm) for code, depth in settings.index_plan(name).items() if code in codes}
    return IndexOrder(market.indices[name], depths)


def conventions_of(settings: Settings) -> Conventions:
    """Return how the settings want chains valued."""
    greeks, analytics = settings.greeks, settings.analytics
    return Conventions(
        model=greeks.model,
        risk_free_rate=greeks.risk_free_rate,
        minimum_years=greeks.minimum_minutes / (365 * 24 * 60),
        price_basis=greeks.price_basis,
        maximum_spread_ratio=greeks.maximum_spread_ratio,
        maximum_spread_ticks=greeks.maximum_spread_ticks,
        stale_trade_seconds=greeks.stale_trade_seconds,
        parity_strikes=greeks.parity_strikes,
        dealers=analytics.dealers,
        window_strikes=analytics.window_strikes,
        build_up_price_ratio=analytics.build_up_price_ratio,
        build_up_oi_ratio=analytics.build_up_oi_ratio,
        straddle_factor=analytics.straddle_factor,
        value_area_ratio=analytics.value_area_ratio,
        smile_fewest_quotes=analytics.smile_fewest_quotes,
        smile_span=analytics.smile_span_deviations,
        smile_noise=analytics.smile_noise_vol_points * 0.01,
        smile_maximum_rmse=analytics.smile_maximum_rmse_vol_points,
        smile_reach=analytics.smile_reach_deviations,
        maturity_reach_ratio=analytics.maturity_reach_ratio,
        session_minutes=analytics.session_minutes,
        sessions_a_year=analytics.sessions_a_year,
        fewest_history_days=analytics.fewest_history_days,
        fewest_vix_pairs=analytics.fewest_vix_pairs,
    )


def enrichers_of(settings: Settings) -> tuple[Enricher, ...]:
    """Return the enrichers that the settings ask for; those that place the chain always run."""
    wanted = settings.greeks.enabled, settings.greeks.estimate_iv
    if all(wanted):
        return tuple(ENRICHERS)
    unwanted = {"greeks"} if wanted[1] else {"greeks", "iv"}
    return tuple(enricher for enricher in ENRICHERS if enricher.name not in unwanted)
