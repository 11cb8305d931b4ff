"""What a day's page is made of: series minute by minute, the last chains, and what was told of the minutes.

Minutes are those of the IST day (09:15 is 555). Every series has one value per recorded minute, NaN where the minute
has none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from g6.model.anomaly import Anomaly, JudgedDay
from g6.model.chain import OptionChain
from g6.model.columns import Floats, Ints
from g6.model.market_snapshot import MarketSnapshot
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot

# Of a chain, what the page shows through the day or at its end.
CHAIN_MEASURES = (
    "atm_iv", "straddle", "pcr_oi", "pcr_volume", "max_pain", "call_oi", "put_oi", "call_oi_change", "put_oi_change",
    "net_gex", "call_gex", "put_gex", "gex_flip", "support_oi", "resistance_oi", "expected_low_straddle",
    "expected_high_straddle", "days_to_expiry", "skew", "risk_reversal_25", "dealers",
)  # fmt: skip
INDEX_MEASURES = (
    "atm_iv_7d", "atm_iv_14d", "atm_iv_30d", "term_slope", "realised_volatility_today", "realised_volatility_20d",
    "iv_less_realised", "iv_rank", "iv_percentile", "index_net_gex", "index_pcr_oi",
)  # fmt: skip
MARKET_MEASURES = ("india_vix", "advances", "declines", "net_advances", "mood_score", "mood")
LEAST_SMILE_LEGS = 3


@dataclass(frozen=True, slots=True, eq=False)
class ExpiryDay:
    """One expiry of an index. `smile` is its last chain that has volatilities, None when none of the day has."""

    expiry: date
    codes: tuple[str, ...]
    collected: Ints  # minutes that have its chain
    expected_legs: int  # summed over those minutes
    received_legs: int
    measures: Mapping[str, Floats]
    close: OptionChain
    close_minute: int
    smile: OptionChain | None
    smile_minute: int

    @property
    def short(self) -> str:
        """Return the expiry's day as the heads of tables have it."""
        return f"{self.expiry:%d %b}"

    @property
    def label(self) -> str:
        """Return the expiry as people say it, with its codes."""
        return f"{self.short} ({', '.join(code.replace('_', ' ') for code in self.codes)})"


@dataclass(frozen=True, slots=True, eq=False)
class IndexDay:
    """One index: its spot, its measures over all expiries, and its expiries in order of time."""

    name: str
    spot: Floats
    measures: Mapping[str, Floats]
    expiries: tuple[ExpiryDay, ...]
    previous_close: float  # NaN where nothing told it


@dataclass(frozen=True, slots=True, eq=False)
class DayRecord:
    """A day. `statuses` counts its minutes as ok, partial and failed; `shed` those in which something was left out."""

    root: Path
    day: date
    market: str  # live, simulated …; "" when the directory does not say
    source: str  # journal or archive
    providers: tuple[str, ...]
    minutes: Ints
    indices: tuple[IndexDay, ...]
    surroundings: Mapping[str, Floats]
    last_market: MarketSnapshot | None
    last_market_minute: int
    anomalies: tuple[Anomaly, ...]
    judged: JudgedDay | None  # as a whole, after the close
    statuses: Mapping[str, int]
    backfilled: int
    shed: Mapping[str, int]
    refusals: tuple[tuple[int, Refusal], ...]
    lacking: tuple[str, ...]


@dataclass(slots=True)
class _Expiry:
    close: OptionChain
    measures: dict[str, dict[int, float]] = field(default_factory=dict)
    minutes: list[int] = field(default_factory=list)
    expected: int = 0
    received: int = 0
    codes: dict[str, None] = field(default_factory=dict)
    smile: OptionChain | None = None
    smile_minute: int = 0


@dataclass(slots=True)
class _Index:
    spot: dict[int, float] = field(default_factory=dict)
    measures: dict[str, dict[int, float]] = field(default_factory=dict)
    expiries: dict[date, _Expiry] = field(default_factory=dict)
    previous_close: float = np.nan


class DayReading:
    """Takes a day's minutes one at a time, of some indices (none named: of all), and becomes a `DayRecord`."""

    def __init__(self, indices: Sequence[str] = ()) -> None:
        self._wanted = frozenset(indices)
        self._minutes: list[int] = []
        self._providers: dict[str, None] = {}
        self._indices: dict[str, _Index] = {}
        self._surroundings: dict[str, dict[int, float]] = {}
        self._market: tuple[int, MarketSnapshot] | None = None
        self._anomalies: list[Anomaly] = []
        self._statuses: Counter[str] = Counter()
        self._shed: Counter[str] = Counter()
        self._refusals: list[tuple[int, Refusal]] = []
        self._backfilled = 0
        self.known: dict[str, None] = {}  # every index met, wanted or not

    def take(self, snapshot: Snapshot) -> None:
        """Take the next minute."""
        minute = minute_of(snapshot.minute)
        self._minutes.append(minute)
        self._providers[snapshot.provider] = None
        self._backfilled += snapshot.backfilled
        self._shed.update(snapshot.shed)
        self.known.update((index.index, None) for index in snapshot.indices)
        wanted = [index for index in snapshot.indices if not self._wanted or index.index in self._wanted]
        self._statuses[_status(wanted)] += 1
        for index in wanted:
            self._take_index(minute, index)
        if snapshot.market is not None:
            self._take_market(minute, snapshot.market)

    def _of_wanted(self, judged: JudgedDay) -> JudgedDay:
        """Leave out what is about other indices than these."""
        wanted = self._wanted or frozenset(self.known)
        anomalies = tuple(anomaly for anomaly in judged.anomalies if anomaly.index in wanted)
        return replace(judged, anomalies=anomalies, unjudged={n: w for n, w in judged.unjudged.items() if n in wanted})

    def _take_index(self, minute: int, index: IndexSnapshot) -> None:
        kept = self._indices.setdefault(index.index, _Index())
        kept.spot[minute] = index.spot
        _keep(kept.measures, INDEX_MEASURES, index.aggregates, minute)
        self._anomalies += index.anomalies
        self._refusals += [(minute, refusal) for refusal in index.refusals]
        for chain in index.chains:
            expiry = kept.expiries.setdefault(chain.expiry, _Expiry(chain))
            expiry.minutes.append(minute)
            expiry.expected += chain.expected
            expiry.received += chain.received
            expiry.codes.update(dict.fromkeys(chain.codes))
            expiry.close = chain
            _keep(expiry.measures, CHAIN_MEASURES, chain.aggregates, minute)
            if np.count_nonzero(np.isfinite(chain.iv)) >= LEAST_SMILE_LEGS:
                expiry.smile, expiry.smile_minute = chain, minute

    def _take_market(self, minute: int, market: MarketSnapshot) -> None:
        self._market = minute, market
        _keep(self._surroundings, MARKET_MEASURES, market.aggregates, minute)
        closes = dict(zip(market.name.tolist(), market.previous_close.tolist(), strict=True))
        for name, kept in self._indices.items():
            if np.isfinite(closes.get(name, np.nan)):
                kept.previous_close = closes[name]

    def record(
        self,
        root: Path,
        day: date,
        *,
        market: str,
        source: str,
        lacking: Sequence[str] = (),
        judged: JudgedDay | None = None,
    ) -> DayRecord:
        """Return what the minutes amount to, with what was found in them later (`judged`)."""
        minutes = np.array(sorted(set(self._minutes)), np.int64)
        at, last = self._market or (0, None)
        return DayRecord(
            root=root,
            day=day,
            market=market,
            source=source,
            providers=tuple(self._providers),
            minutes=minutes,
            indices=tuple(_index_day(name, kept, minutes) for name, kept in self._indices.items()),
            surroundings=_rows(self._surroundings, minutes),
            last_market=last,
            last_market_minute=at,
            anomalies=tuple(self._anomalies),
            judged=judged and self._of_wanted(judged),
            statuses=dict(self._statuses),
            backfilled=self._backfilled,
            shed=dict(self._shed),
            refusals=tuple(self._refusals),
            lacking=tuple(lacking),
        )


def minute_of(instant: datetime) -> int:
    """Return the minute of the day of an IST instant."""
    return instant.hour * 60 + instant.minute


def last_known(values: Floats) -> float:
    """Return the last value that is there; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else np.nan


def _status(indices: Sequence[IndexSnapshot]) -> str:
    if not any(index.chains for index in indices):
        return "failed"
    return "ok" if all(index.chains and not index.refusals for index in indices) else "partial"


def _keep(kept: dict[str, dict[int, float]], names: Sequence[str], measures: Mapping[str, float], minute: int) -> None:
    for name in names:
        if name in measures:
            kept.setdefault(name, {})[minute] = measures[name]


def _row(values: Mapping[int, float], minutes: Ints) -> Floats:
    return np.array([values.get(minute, np.nan) for minute in minutes.tolist()], np.float64)


def _rows(kept: Mapping[str, Mapping[int, float]], minutes: Ints) -> Mapping[str, Floats]:
    return {name: _row(values, minutes) for name, values in kept.items()}


def _index_day(name: str, kept: _Index, minutes: Ints) -> IndexDay:
    expiries = tuple(_expiry_day(day, kept.expiries[day], minutes) for day in sorted(kept.expiries))
    return IndexDay(name, _row(kept.spot, minutes), _rows(kept.measures, minutes), expiries, kept.previous_close)


def _expiry_day(day: date, kept: _Expiry, minutes: Ints) -> ExpiryDay:
    return ExpiryDay(
        expiry=day,
        codes=tuple(kept.codes),
        collected=np.array(kept.minutes, np.int64),
        expected_legs=kept.expected,
        received_legs=kept.received,
        measures=_rows(kept.measures, minutes),
        close=kept.close,
        close_minute=kept.minutes[-1],
        smile=kept.smile,
        smile_minute=kept.smile_minute,
    )
