"""All that one minute recorded: what the journal keeps and every store reads."""

from dataclasses import dataclass, field
from datetime import datetime

from g6.model.anomaly import Anomaly
from g6.model.chain import NO_AGGREGATES, OptionChain, mask_of
from g6.model.columns import Aggregates
from g6.model.market_snapshot import MarketSnapshot
from g6.model.pressure_report import SHED_KINDS

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an index, or one of its expiries, is not in the minute. `expiry` is an ISO day, or "" for the index."""

    index: str
    expiry: str
    codes: tuple[str, ...]
    reason: str  # a short word, the metric's label
    detail: str  # a sentence for a person


@dataclass(frozen=True, slots=True)
class IndexSnapshot:
    """One index in one minute: its level, which expiry codes were wanted, and the chains that were accepted."""

    index: str
    spot: float
    spot_frozen: bool
    expected_codes: tuple[str, ...]
    chains: tuple[OptionChain, ...]
    refusals: tuple[Refusal, ...] = ()
    expected_legs: int = 0  # asked for, those of refused chains too
    received_legs: int = 0  # answered, those of refused chains too
    aggregates: Aggregates = field(default_factory=lambda: NO_AGGREGATES)  # of the index over all its expiries
    anomalies: tuple[Anomaly, ...] = ()  # what was out of the ordinary, as the minute was collected

    @property
    def collected_codes(self) -> tuple[str, ...]:
        """Return the codes whose chain was accepted."""
        return tuple(code for chain in self.chains for code in chain.codes)

    @property
    def expected_mask(self) -> int:
        """Return the mask bits of what was wanted."""
        return mask_of(self.expected_codes)

    @property
    def collected_mask(self) -> int:
        """Return the mask bits of what was accepted."""
        return mask_of(self.collected_codes)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One minute. `minute` is the floor of the scheduled instant, IST; `provider` is who answered."""

    minute: datetime
    provider: str
    indices: tuple[IndexSnapshot, ...]
    backfilled: bool = False  # supplied afterwards from candles: closes, volumes and open interest, and no books
    shed: tuple[str, ...] = ()  # what was left out for lack of memory, in the words of SHED_KINDS
    market: MarketSnapshot | None = None  # what surrounds the options; None where nothing of it was answered

    @property
    def shed_mask(self) -> int:
        """Return the mask bits of what was left out: bit n is the n-th of SHED_KINDS."""
        return sum(1 << SHED_KINDS.index(kind) for kind in self.shed if kind in SHED_KINDS)

    @property
    def cycle_id(self) -> str:
        """Return the same id for the same minute and schema, whoever makes it and however often."""
        return cycle_id_of(self.minute)

    @property
    def anomalies(self) -> tuple[Anomaly, ...]:
        """Return what was out of the ordinary in any index."""
        return tuple(anomaly for index in self.indices for anomaly in index.anomalies)

    @property
    def chains(self) -> tuple[OptionChain, ...]:
        """Return every accepted chain of every index."""
        return tuple(chain for index in self.indices for chain in index.chains)


def cycle_id_of(minute: datetime) -> str:
    """Return the id of the cycle of a minute, whose seconds do not count; the minute is in IST."""
    return f"{minute:%Y-%m-%dT%H:%M}/v{SCHEMA_VERSION}"
