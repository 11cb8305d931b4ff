"""Back-fill as a source: the missing minutes of one day, through the same minute as live ones, from candles."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from g6.clock import IST, VirtualClock
from g6.errors import ConfigError
from g6.market.listing import listed_expiries
from g6.market.schedule import ChosenSchedule, SessionSchedule
from g6.model.contracts import EMPTY_CONTRACTS
from g6.model.provider_report import CallNames
from g6.providers.kite.backfill import CandleProvider
from g6.providers.kite.credentials import MAIN
from g6.resilience.deadline import Deadline
from g6.settings import Settings
from g6.storage.reader import JournalReader, has_journals
from g6.wiring.kite import ACCOUNTS, ENDPOINTS, REST, Broker, open_broker
from g6.wiring.sources import Market, Source, exchanges_of

log = logging.getLogger(__name__)

NO_LIMIT = float("inf")
ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """A day's session minutes that are over, and which of them no journal has a chain of."""

    day: date
    minutes: Sequence[datetime]
    missing: Sequence[datetime]


def find_gap(settings: Settings, market: Market, day: date, now: datetime, data_dir: Path) -> Gap:
    """Return what is missing of a day; ConfigError for a day without a session, or beyond now.

    A session's first minute is left out: no candle is over before it.
    """
    exchanges = exchanges_of(market, settings.enabled_indices)
    minutes = list(_session_minutes(settings, market, exchanges, day, now))
    if not minutes:
        raise ConfigError(f"{day} has no minutes to back-fill: the market was closed, or it is not over yet")
    collected = JournalReader(data_dir).collected_minutes(day) if has_journals(data_dir) else frozenset()
    return Gap(day, minutes, [minute for minute in minutes if minute not in collected])


def backfill_source(broker: Broker, gap: Gap, data_dir: Path, told: Callable[[int, int], None]) -> Source:
    """Return the missing minutes as a source, valued and stored as if they had been collected, and marked."""
    market = broker.market
    session = broker.session(REST, MAIN)
    dump = broker.dump(session)
    today = broker.clock.now().astimezone(IST).date()
    names = broker.settings.enabled_indices
    # The day's own journal is the only sure source of what its expiry codes meant.
    listed = JournalReader(data_dir).contracts(gap.day) if has_journals(data_dir) else EMPTY_CONTRACTS
    if not len(listed):
        names = _unexpired(market, names, gap.day, today)
        listed = dump.contracts(gap.day)
    provider = CandleProvider(session, listed, dump.index_tokens(today), gap.day, told)
    return Source(
        providers=(provider,),
        market=broker.kind,
        clock=VirtualClock(gap.missing[0], NO_LIMIT),
        schedule=ChosenSchedule(gap.missing, market.calendar),
        names=names,
        said=f"back-fill of {len(gap.missing)} minutes of {gap.day} from candles; {broker.said}",
        deadline=Deadline(broker.clock, NO_LIMIT),
        calls=CallNames((provider.name,), tuple(f"{REST}.{endpoint}" for endpoint in ENDPOINTS), (REST,)),
    )


def candle_broker(settings: Settings, market: Market, environ: Mapping[str, str]) -> Broker:
    """Return the broker that has candles; ConfigError where the settings name another source."""
    first = settings.providers.order[0]
    if first not in ACCOUNTS:
        raise ConfigError(f"candles come from the broker, and the provider is {first}; add --provider kite")
    return open_broker(settings, market, environ=environ)


def _session_minutes(
    settings: Settings, market: Market, exchanges: Sequence[str], day: date, now: datetime
) -> Sequence[datetime]:
    schedule = SessionSchedule(market.calendar, exchanges, max(60, settings.collection.interval_seconds))
    begin = datetime.combine(day, time(), IST)
    end = min(begin + timedelta(days=1), now - ONE_MINUTE)
    found: list[datetime] = []
    due = schedule.first(begin)
    while due is not None and due <= end:
        if any(market.calendar.is_open(due - ONE_MINUTE, exchange) for exchange in exchanges):
            found.append(due)
        due, _ = schedule.following(due, due)
    return found


def _unexpired(market: Market, names: Sequence[str], day: date, today: date) -> tuple[str, ...]:
    """Leave out indices of which contracts expired since: without them every expiry code would name a later one."""
    kept = []
    for name in names:
        first = listed_expiries(market.indices[name], day, market.calendar).all[0]
        if first >= today:
            kept.append(name)
        else:
            log.warning("%s: its contracts of %s have expired, the broker has no candles of them any more", name, first)
    if not kept:
        raise ConfigError(f"nothing of {day} can be back-filled: the contracts of every index have expired since")
    return tuple(kept)
