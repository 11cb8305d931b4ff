"""What surrounds the options in a minute: India VIX, the levels of indices and sectors, the shares they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from g6.model.chain import NO_AGGREGATES
from g6.model.columns import Bools, Floats, Texts, column, freeze, schema_of

# What a row is.
VIX, INDEX, SECTOR, SHARE = "vix", "index", "sector", "share"
# Why a row says nothing about the direction of the market. A number, once given, keeps its meaning for ever.
# stale: the quote is old while shares trade. frozen: the closing auction holds shares and indices still.
ROW_DEFECTS = ("none", "absent", "no_price", "no_close", "stale", "frozen")
# Words of `aggregates["mood"]`, which is their place less 2: -2 … 2.
MOODS = ("bearish", "rather bearish", "neutral", "rather bullish", "bullish")
UNKNOWN = "unknown"
# What is said of a group of shares; `breadth` has it as GROUP.measure.
BREADTH_MEASURES = (
    "advances", "declines", "unchanged", "unknown", "net_advances", "advance_decline_ratio", "breadth",
    "advance_volume", "decline_volume", "advance_volume_share",
)  # fmt: skip
NAN = float("nan")
NONE, STALE, FROZEN = (float(ROW_DEFECTS.index(word)) for word in ("none", "stale", "frozen"))


@dataclass(frozen=True, slots=True, eq=False)
class MarketSnapshot:
    """Columns of equal length, one row per quoted instrument, in the order of the configuration; missing is NaN.

    `aggregates` are the measures of the whole market (`g6.analytics.MARKET_AGGREGATES`). `breadth` has
    BREADTH_MEASURES per group of shares under GROUP.measure: groups are the indices whose shares are known (NIFTY),
    and the industries of the first of them (FINANCIAL_SERVICES). Both are empty where they were left out.
    """

    at: datetime  # the instant of the quotes, IST
    frozen: bool  # the closing auction holds shares and indices still

    key: Texts = column("identity", "text", "What a vendor calls it: NSE:INDIA VIX")
    kind: Texts = column("identity", "text", "vix, index, sector or share")
    name: Texts = column("identity", "text", "Its short name: INDIAVIX, NIFTYIT, RELIANCE")
    industry: Texts = column("identity", "text", "Industry of a share, as the exchange's list of members says")
    groups: Texts = column("identity", "text", "The indices that a share is counted in, separated by blanks")

    last: Floats = column("collected", "points or rupees", "Level of an index, last traded price of a share")
    previous_close: Floats = column("collected", "points or rupees", "Close of the trading day before")
    open: Floats = column("collected", "points or rupees", "First of the day")
    high: Floats = column("collected", "points or rupees", "Highest of the day")
    low: Floats = column("collected", "points or rupees", "Lowest of the day")
    volume: Floats = column("collected", "shares", "Traded today; an index has none")
    quote_age_seconds: Floats = column("collected", "seconds", "Age of the exchange's quote stamp", 1)
    defect: Floats = column("collected", "code", "Why the row is of unknown direction; see ROW_DEFECTS (0: it is not)")

    aggregates: Mapping[str, float] = field(default_factory=lambda: NO_AGGREGATES)
    breadth: Mapping[str, float] = field(default_factory=lambda: NO_AGGREGATES)

    def __post_init__(self) -> None:
        n = len(self.key)
        for spec in MARKET_COLUMNS:
            values = getattr(self, spec.name)
            values = np.full(n, np.nan) if spec.origin != "identity" and not len(values) else values
            if len(values) != n:
                raise ValueError(f"column {spec.name} has {len(values)} rows, the market has {n}")
            object.__setattr__(self, spec.name, freeze(values))

    def __len__(self) -> int:
        return len(self.key)

    @property
    def change(self) -> Floats:
        """Return last less the previous close."""
        change: Floats = self.last - self.previous_close
        return change

    @property
    def change_ratio(self) -> Floats:
        """Return the change over the previous close; NaN where that is not positive."""
        before = np.where(self.previous_close > 0, self.previous_close, np.nan)
        ratio: Floats = self.last / before - 1
        return ratio

    @property
    def vix(self) -> float:
        """Return India VIX, in percent a year; NaN where it was not quoted, or long ago."""
        return next(iter(self.last[self.vix_rows].tolist()), NAN)

    @property
    def vix_rows(self) -> Bools:
        """Return the mask of India VIX; of nothing where its quote is stale."""
        rows: Bools = (self.kind == VIX) & (self.defect != STALE)
        return rows

    @property
    def sectors_ranked(self) -> tuple[tuple[str, float], ...]:
        """Return name and change ratio of the sectors, the leader first.

        One whose change is not known is left out: without a close, or with a quote of long ago. What the closing
        auction holds still has its change of the day.
        """
        ratio = self.change_ratio
        known = np.isfinite(ratio) & ((self.defect == NONE) | (self.defect == FROZEN))
        rows = np.flatnonzero((self.kind == SECTOR) & known)
        ordered = rows[np.lexsort((self.name[rows], -ratio[rows]))]
        return tuple((str(self.name[row]), float(ratio[row])) for row in ordered.tolist())

    @property
    def leader(self) -> str:
        """Return the name of the sector that rose most, "" where none is known."""
        return next((name for name, _ in self.sectors_ranked), "")

    @property
    def laggard(self) -> str:
        """Return the name of the sector that fell most, "" where none is known."""
        return next((name for name, _ in reversed(self.sectors_ranked)), "")

    @property
    def mood(self) -> str:
        """Return the mood's word; unknown where its inputs were missing."""
        code = self.aggregates.get("mood", NAN)
        return UNKNOWN if np.isnan(code) else MOODS[round(code) + 2]

    def members(self, group: str) -> Bools:
        """Return the mask of the shares that are counted in an index."""
        own = [group in groups.split() for groups in self.groups.tolist()]
        members: Bools = (self.kind == SHARE) & np.array(own, bool)
        return members

    def breadth_of(self, group: str) -> Mapping[str, float]:
        """Return measure → value of a group; empty for one that is not known."""
        prefix = f"{group}."
        return {name.removeprefix(prefix): value for name, value in self.breadth.items() if name.startswith(prefix)}

    @property
    def breadth_groups(self) -> tuple[str, ...]:
        """Return the groups that `breadth` speaks of, in its order."""
        return tuple(dict.fromkeys(name.rpartition(".")[0] for name in self.breadth))


MARKET_COLUMNS = schema_of(MarketSnapshot)
