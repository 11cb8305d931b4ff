"""One chain of a stored minute: found in the journal or, where the day is archived, there; shown, or as a document."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Protocol

import numpy as np

from g6.clock import IST
from g6.console.chain_rows import Ladder
from g6.console.chain_table import ChainView
from g6.errors import ConfigError
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.archive_manifest import Manifest, archived_days
from g6.storage.data_directory import JOURNAL
from g6.storage.journal import SUFFIX, Journal
from g6.storage.reader import JournalReader

DAYS_NAMED = 6


class Minutes(Protocol):
    """A recorded day, in whatever form it still is."""

    def minutes(self) -> Sequence[datetime]:
        """Return what was recorded, ascending, IST."""
        ...

    def at(self, minute: datetime) -> Snapshot | None:
        """Return one minute; None when there is none, or it is damaged."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which chain. Without a day the last recorded one, without a minute its last, without an expiry the nearest."""

    index: str
    expiry: str | date = ""  # an expiry code, or a day
    day: date | None = None
    at: time | None = None  # of the minute, IST; its seconds do not count


def find(root: Path, wanted: Wanted) -> ChainView:
    """Return a stored chain. ConfigError, in one line, says what there is instead; SinkError what cannot be read."""
    day = wanted.day or _last_day(root)
    snapshot = _snapshot(root, day, wanted.at)
    index = _index(snapshot, wanted.index)
    chain = _chain(snapshot, index, wanted.expiry)
    return ChainView(chain, snapshot.minute, snapshot.provider, index.aggregates, snapshot.market)


def recorded_days(root: Path) -> list[date]:
    """Return the days that are journalled or archived, ascending."""
    journals = JournalReader(root).days() if (root / JOURNAL).is_dir() else ()
    return sorted({*journals, *archived_days(root)})


def as_document(view: ChainView) -> Mapping[str, object]:
    """Return the chain as plain values by the schema's names; NaN is what is not known."""
    chain, market = view.chain, view.market
    ladder = Ladder.of(chain)
    rows = zip(ladder.strike.tolist(), ladder.call.tolist(), ladder.put.tolist(), strict=True)
    return {
        "minute": view.minute,
        "provider": view.provider,
        "index": chain.index,
        "expiry": chain.expiry,
        "codes": chain.codes,
        "expires_at": chain.expires_at,
        "spot": chain.spot,
        "spot_frozen": chain.spot_frozen,
        "forward": chain.forward,
        "forward_source": chain.forward_source,
        "atm": chain.atm,
        "lot": chain.lot,
        "years": chain.years,
        "settling": chain.settling,
        "measures": dict(chain.aggregates),
        "index_measures": dict(view.index),
        "market_measures": dict(market.aggregates) if market else {},
        "strikes": [
            {"strike": strike, "call": _leg(chain, call), "put": _leg(chain, put)} for strike, call, put in rows
        ],
    }


def _leg(chain: OptionChain, row: int) -> Mapping[str, float] | None:
    if row < 0:
        return None
    return {c.name: float(getattr(chain, c.name)[row]) for c in LEG_COLUMNS if c.origin != "identity"}


def _last_day(root: Path) -> date:
    days = recorded_days(root)
    if not days:
        raise ConfigError(f"{root} holds no recorded day; start `g6`, or name a data directory with --data-dir")
    return days[-1]


def _snapshot(root: Path, day: date, at: time | None) -> Snapshot:
    journal = root / JOURNAL / f"{day.isoformat()}{SUFFIX}"
    if journal.exists():
        opened = Journal.open_read_only(journal)
        try:
            return _minute(opened, day, at)
        finally:
            opened.close()
    if Manifest.read(root, day) is not None:
        from g6.storage.archive_reader import ArchiveReader  # noqa: PLC0415  loads pyarrow: only where it is needed

        return _minute(ArchiveReader(root, day), day, at)
    days = [other.isoformat() for other in recorded_days(root)]
    named = f"recorded are {', '.join(days[-DAYS_NAMED:])}" if days else "nothing is"
    raise ConfigError(f"{day} is not recorded in {root}; {named}")


def _minute(recorded: Minutes, day: date, at: time | None) -> Snapshot:
    minutes = recorded.minutes()
    if not minutes:
        raise ConfigError(f"no minute of {day} is recorded")
    if at is None:
        found = next((s for minute in reversed(minutes) if (s := recorded.at(minute)) is not None), None)
        if found is None:
            raise ConfigError(f"no minute of {day} can be read; `g6 verify --date {day}` says more")
        return found
    wanted = datetime.combine(day, at.replace(second=0, microsecond=0), IST)
    found = recorded.at(wanted) if wanted in minutes else None
    if found is None:
        why = "is damaged" if wanted in minutes else "is not recorded"
        others = [minute for minute in minutes if minute != wanted] or [wanted]
        nearest = min(others, key=lambda minute: abs(minute - wanted))
        raise ConfigError(f"{wanted:%Y-%m-%d %H:%M} {why}; the nearest of {len(minutes)} minutes is {nearest:%H:%M}")
    return found


def _index(snapshot: Snapshot, name: str) -> IndexSnapshot:
    by_name = {index.index: index for index in snapshot.indices}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1)
    hint = f"; the nearest is {close[0]}" if close else ""
    known = ", ".join(by_name) or "no index"
    raise ConfigError(f"{name} is not in the minute {snapshot.minute:%Y-%m-%d %H:%M}, which has {known}{hint}")


def _chain(snapshot: Snapshot, index: IndexSnapshot, expiry: str | date) -> OptionChain:
    chains = sorted(index.chains, key=lambda chain: chain.expiry)
    at = f"{snapshot.minute:%Y-%m-%d %H:%M}"
    if not chains:
        why = next((refusal.detail for refusal in index.refusals), "no expiry was accepted")
        raise ConfigError(f"{index.index} has no chain at {at}: {why}")
    matching = [c for c in chains if not expiry or c.expiry == expiry or expiry in c.codes]
    if matching:
        return matching[0]
    known = ", ".join(f"{c.expiry} ({' '.join(c.codes)})" for c in chains)
    refused = (r.detail for r in index.refusals if str(expiry) in {r.expiry, *r.codes})
    why = next((f" was refused: {detail}" for detail in refused), " is not there")
    raise ConfigError(f"{index.index} {expiry} at {at}{why}; there are {known}")


def finite(document: object) -> object:
    """Return a document without what JSON cannot say: NaN and infinite become null."""
    if isinstance(document, Mapping):
        return {key: finite(value) for key, value in document.items()}
    if isinstance(document, list):
        return [finite(value) for value in document]
    return None if isinstance(document, float) and not np.isfinite(document) else document
