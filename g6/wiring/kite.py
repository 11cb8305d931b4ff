"""Zerodha Kite as a source: REST, stream and a second key in their order, on the broker's time or a simulator's."""

import json
import logging
import math
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from g6.clock import Clock, SystemClock, VirtualClock
from g6.errors import ConfigError, G6Error, TransientError
from g6.market.schedule import SessionSchedule
from g6.model.provider_report import BreakerState, CallNames
from g6.providers.base import Provider
from g6.providers.kite.credentials import MAIN, find_account, token_path
from g6.providers.kite.dump_cache import DumpCache
from g6.providers.kite.options import KiteOptions, options_for
from g6.providers.kite.provider import KiteProvider
from g6.providers.kite.session import KiteSession
from g6.providers.kite.token_file import TokenFile
from g6.providers.replay import FreshRecording, ReplayProvider
from g6.resilience.deadline import Deadline
from g6.resilience.endpoint import Hooks
from g6.resilience.supervisor import Supervisor
from g6.settings import Settings
from g6.wiring.sources import LIVE, Market, Run, Source, exchanges_of, open_recording, spoken

log = logging.getLogger(__name__)

CLOCK_TIMEOUT_SECONDS = 3.0
ENDPOINTS = ("quote", "instruments", "historical", "profile")
# Provider → the account whose key it asks with.
ACCOUNTS = {"kite": MAIN, "kite-stream": MAIN, "kite-second": "second"}
STREAM, REST = "kite-stream", "kite"
# Exchange of an instrument → the exchange whose sessions it has.
SESSIONS = {"NFO": "NSE", "BFO": "BSE", "NSE": "NSE", "BSE": "BSE"}


@dataclass(frozen=True, slots=True)
class Broker:
    """What every provider of this broker shares."""

    settings: Settings
    market: Market
    options: KiteOptions
    clock: Clock
    said: str  # where and when it is, for a person
    deadline: Deadline
    environ: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Return whose minutes these are: the market's, or a simulator's."""
        return LIVE if self.options.official else "kite-simulator"

    def token_file(self, account: str) -> TokenFile:
        """Return where an account's token is looked for."""
        path = token_path(account, self.environ, self.options)
        return TokenFile((self.settings.providers.kite.state_dir or path.parent) / path.name)

    def session(self, name: str, account: str) -> KiteSession:
        """Return the one session of an account; `name` is what its endpoints are called by."""
        found = find_account(account, self.environ, self.options)
        hooks = Hooks(on_retry=_log_retry, on_state_change=_log_breaker)
        return KiteSession(name, found, self.token_file(account), self.options, self.clock, self.deadline, hooks)

    def dump(self, session: KiteSession) -> DumpCache:
        """Return the day's instruments, as this session gets them. They are the same for every account."""
        folder = self.token_file(MAIN).path.parent / "instruments" / self.server
        names = self.settings.enabled_indices
        sessions = exchanges_of(self.market, names)
        exchanges = [exchange for exchange, hours in SESSIONS.items() if hours in sessions]
        return DumpCache(folder, session.instruments, self.clock, exchanges=exchanges, names=names)

    @property
    def server(self) -> str:
        """Return a name of the server that may be a folder's."""
        return "kite" if self.options.official else self.options.root.partition("//")[2].replace(":", "-")


def kite_source(
    settings: Settings,
    market: Market,
    run: Run,
    clock: Clock | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Source:
    """Return the providers of `providers.order`, the stream with REST behind it."""
    broker = open_broker(settings, market, clock, environ)
    order = with_rest(settings.providers.order)
    providers, accounts = _providers(broker, order, run.supervisor)
    names = settings.enabled_indices
    exchanges = exchanges_of(market, names)
    schedule = SessionSchedule(market.calendar, exchanges, settings.collection.interval_seconds)
    if run.once:
        _require_open(schedule, broker, exchanges)
    streams = settings.providers.kite_stream.connections if STREAM in order else 0
    return Source(
        providers=providers,
        market=broker.kind,
        clock=broker.clock,
        schedule=schedule,
        names=names,
        said=f"{', then '.join(order)}; {broker.said}",
        deadline=broker.deadline,
        calls=CallNames(
            providers=order,
            endpoints=tuple(f"{account}.{endpoint}" for account in accounts for endpoint in ENDPOINTS),
            accounts=tuple(accounts),
            connections=tuple(str(number + 1) for number in range(streams)),
        ),
        tokens=lambda: tuple(session.token_report() for session in accounts.values()),
    )


def open_broker(
    settings: Settings, market: Market, clock: Clock | None = None, environ: Mapping[str, str] = os.environ
) -> Broker:
    """Return what the settings say of the broker, on `clock`, or its own where that is None."""
    options = kite_options(settings)
    clock, said = (clock, f"{options.root}, on a given clock") if clock else kite_clock(options)
    deadline = Deadline(clock, settings.providers.patience.cycle_ratio * settings.collection.interval_seconds)
    return Broker(settings, market, options, clock, said, deadline, environ)


def _require_open(schedule: SessionSchedule, broker: Broker, exchanges: Sequence[str]) -> None:
    now = broker.clock.now()
    if not any(broker.market.calendar.is_open(now, exchange) for exchange in exchanges):
        opens = schedule.first(now)
        until = f" until {spoken(opens)}" if opens else ""
        raise G6Error(f"the market is closed{until}; --run-once has nothing to collect before")


def kite_options(settings: Settings) -> KiteOptions:
    """Return what the settings say about Kite."""
    kite, patience = settings.providers.kite, settings.providers.patience
    return options_for(
        kite.root,
        KiteOptions(
            timeout_seconds=kite.timeout_seconds,
            call_timeout_seconds=kite.call_timeout_seconds,
            batch_bytes=kite.batch_bytes,
            batch_count=kite.batch_count,
            quote_interval_seconds=kite.quote_interval_seconds,
            retry_attempts=patience.attempts,
            breaker_failures=patience.breaker_failures,
            breaker_open_seconds=patience.breaker_open_seconds,
        ),
    )


def kite_clock(options: KiteOptions) -> tuple[Clock, str]:
    """Return the machine's clock, or a simulator's own: its quotes are of its time, so minutes must be too."""
    if options.official:
        return SystemClock(), "the clock is the machine's"
    shared = _simulator_clock(options.root)
    if shared is None:
        return SystemClock(), f"{options.root}, which shares no clock: the clock is the machine's"
    return shared, f"simulator at {options.root}, whose clock says {spoken(shared.now())}"


def _simulator_clock(root: str) -> VirtualClock | None:
    try:
        with urllib.request.urlopen(f"{root}/simulator/clock", timeout=CLOCK_TIMEOUT_SECONDS) as reply:  # noqa: S310 - a checked http address
            told = json.load(reply)
        speed = math.inf if told["speed"] == "max" else float(told["speed"])
        return VirtualClock(datetime.fromisoformat(told["now"]), speed)
    except urllib.error.HTTPError:
        return None  # it is there, and of another kind
    except (ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ConfigError(f"nothing answers at {root} ({reason}); start `g6 simulate`, or correct the root") from error


def _log_retry(endpoint: str, seconds: float, error: TransientError) -> None:
    log.info("%s: tried again in %.1f s: %s", endpoint, seconds, error)


def _log_breaker(endpoint: str, before: BreakerState, after: BreakerState, reason: str) -> None:
    level = logging.INFO if after == "closed" else logging.WARNING
    log.log(level, "%s: breaker %s, was %s%s", endpoint, after, before, f": {reason}" if reason else "")


def with_rest(order: tuple[str, ...]) -> tuple[str, ...]:
    """Return the order with REST right behind the stream, which has no other way to fill its gaps."""
    if STREAM not in order or REST in order:
        return order
    place = order.index(STREAM) + 1
    return (*order[:place], REST, *order[place:])


def _providers(
    broker: Broker, order: tuple[str, ...], supervisor: Supervisor
) -> tuple[tuple[Provider, ...], Mapping[str, KiteSession]]:
    """Return the providers, and by their names the sessions behind them."""
    sessions: dict[str, KiteProvider] = {}

    def rest(account: str) -> KiteProvider:
        name = REST if account == MAIN else f"{REST}-{account}"
        if name not in sessions:
            session = broker.session(name, account)
            sessions[name] = KiteProvider(name, session, broker.dump(session), broker.clock)
        return sessions[name]

    makers: Mapping[str, Callable[[], Provider]] = {
        REST: lambda: rest(MAIN),
        STREAM: lambda: _stream(broker, rest(MAIN), supervisor),
        "kite-second": lambda: rest("second"),
        "replay": lambda: _replay(broker),
    }
    return tuple(makers[name]() for name in order), {name: rest.session for name, rest in sessions.items()}


def _stream(broker: Broker, rest: KiteProvider, supervisor: Supervisor) -> Provider:
    # What the stream stands on (Twisted, autobahn) takes 0.2 s to import, so only those who use it wait for it.
    from g6.providers.kite_stream.options import StreamOptions  # noqa: PLC0415
    from g6.providers.kite_stream.provider import KiteStreamProvider  # noqa: PLC0415

    stream = broker.settings.providers.kite_stream
    return KiteStreamProvider(
        rest.session,
        rest,
        StreamOptions(
            stall_seconds=stream.stall_seconds,
            settle_seconds=stream.settle_seconds,
            mute_seconds=stream.mute_seconds,
            connections=stream.connections,
            instruments_per_connection=stream.instruments_per_connection,
        ),
        broker.clock,
        lambda exchange, at: broker.market.calendar.is_open(at, SESSIONS[exchange]),
        parts=supervisor,
    )


def _replay(broker: Broker) -> Provider:
    source = broker.settings.providers.replay.source
    if source is None:
        raise ConfigError("the provider replay needs a folder of recordings: --source DIR")
    return ReplayProvider(FreshRecording(lambda: open_recording(source, broker.market)))
