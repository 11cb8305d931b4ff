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
from g6.model.contracts import ContractTable
from g6.model.provider_report import CallNames
from g6.providers.kite.backfill import CandleProvider
from g6.providers.kite.credentials import MAIN
from g6.resilience.deadline import Deadline
from g6.settings import Settings
from g6.storage.data_directory import JOURNAL
from g6.storage.journal import SUFFIX, Journal
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
    collected = _collected(data_dir / JOURNAL / f"{day.isoformat()}{SUFFIX}")
    return Gap(day, minutes, [minute for minute in minutes if minute not in collected])


def backfill_source(broker: Broker, gap: Gap, data_dir: Path, told: Callable[[int, int], None]) -> Source:
    """Return the missing minutes as a source, valued and stored as if they had been collected, and marked."""
    market = broker.market
    session = broker.session(REST, MAIN)
    dump = broker.dump(session)
    today = broker.clock.now().astimezone(IST).date()
    listed = _listed_then(data_dir, gap.day)
    names = broker.settings.enabled_indices
    if listed is None:
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


def _collected(path: Path) -> frozenset[datetime]:
    """Return the minutes of a journal that hold a chain; a minute that says why it is a gap is one."""
    if not path.exists():
        return frozenset()
    journal = Journal.open_read_only(path)
    try:
        return journal.collected_minutes()
    finally:
        journal.close()


def _listed_then(data_dir: Path, day: date) -> ContractTable | None:
    """Return what was listed on the day by its own journal, the only sure source of its expiry codes."""
    path = data_dir / JOURNAL / f"{day.isoformat()}{SUFFIX}"
    if not path.exists():
        return None
    journal = Journal.open_read_only(path)
    try:
        ids = journal.contracts_ids()
        return journal.contracts(ids[-1]) if ids else None
    finally:
        journal.close()


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
