"""The option chain of one index and one expiry at one instant, and with it the column schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

import numpy as np

from g6.model.columns import UNSET, Bools, Floats, column, freeze, schema_of

NO_AGGREGATES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class OptionChain:
    """Columns of equal length, one row per leg, read-only; a stage returns `replace(chain, iv=…)`.

    The columns' metadata below is the schema: stores, API and docs derive from it. Missing is NaN.
    """

    index: str
    expiry: date
    codes: tuple[str, ...]  # the expiry codes that point at this expiry, nearest first
    at: datetime  # the instant of the quotes, IST; what time to expiry is counted from
    expires_at: datetime  # the contract's own close on its expiry day, IST
    spot: float  # index points
    spot_frozen: bool  # the index stands still (closing auction) while its options trade
    expected: int  # legs that were asked for
    lot: int  # units per lot, for reading quantities; quantities themselves are in units

    strike: Floats = column("identity", "points", "Strike price")
    is_call: Bools = column("identity", "bool", "True for a call (CE), false for a put (PE)")

    answered: Floats = column("collected", "bool", "1 when the provider answered for this leg, else 0", source="G6")
    last: Floats = column("collected", "rupees", "Last traded price")
    bid: Floats = column("collected", "rupees", "Best bid")
    ask: Floats = column("collected", "rupees", "Best ask")
    bid_quantity: Floats = column("collected", "units", "Quantity at the best bid")
    ask_quantity: Floats = column("collected", "units", "Quantity at the best ask")
    bid_depth: Floats = column("collected", "units", "Quantity at the best five bids together", 0)
    ask_depth: Floats = column("collected", "units", "Quantity at the best five asks together", 0)
    volume: Floats = column("collected", "units", "Quantity traded today")
    oi: Floats = column("collected", "units", "Open interest")
    average_price: Floats = column("collected", "rupees", "Volume-weighted average price of the day")
    quote_age_seconds: Floats = column("collected", "seconds", "Age of the exchange's quote stamp", 1)
    trade_age_seconds: Floats = column("collected", "seconds", "Age of the last trade", 1)
    broker_iv: Floats = column(
        "collected", "1/sqrt(year)", "The vendor's own implied volatility, kept beside ours", 6, source="vendor"
    )
    defect: Floats = column(
        "collected", "code", "Why part of this leg was refused; see LEG_DEFECTS (0: nothing)", source="G6"
    )

    previous_close: Floats = column("context", "rupees", "Last traded price at the end of the trading day before")
    previous_oi: Floats = column("context", "units", "Open interest at the end of the trading day before")

    offset: Floats = column("derived", "strikes", "Listed strikes away from the ATM, negative below it")
    price: Floats = column("derived", "rupees", "Price that the implied volatility was solved from", 4)
    price_source: Floats = column("derived", "code", "Where `price` came from; see PRICE_SOURCES")
    iv: Floats = column(
        "derived",
        "1/sqrt(year)",
        "Implied volatility of the strike, from its out-of-the-money leg",
        6,
        source="Black 1976",
    )
    leg_iv: Floats = column(
        "derived", "1/sqrt(year)", "Implied volatility from this leg's own price", 6, source="Black 1976"
    )
    iv_status: Floats = column("derived", "code", "Why `leg_iv` is what it is; see IV_STATUSES")
    iv_error: Floats = column("derived", "1/sqrt(year)", "Half a tick over vega: what rounding allows", 6)
    delta: Floats = column("derived", "1", "Change of price per point of the spot", 6, source="Black 1976")
    gamma: Floats = column("derived", "1/points", "Change of delta per point of the spot", 9, source="Black 1976")
    theta: Floats = column("derived", "rupees/day", "Change of price per calendar day", 4, source="Black 1976")
    vega: Floats = column(
        "derived", "rupees/vol point", "Change of price per 0.01 of volatility", 4, source="Black 1976"
    )
    rho: Floats = column("derived", "rupees/%", "Change of price per 0.01 of the rate", 4, source="Black 1976")
    fitted_iv: Floats = column(
        "derived",
        "1/sqrt(year)",
        "Volatility of the strike on its expiry's fitted smile",
        5,
        source="Gatheral and Jacquier 2014",
    )
    fitted_iv_source: Floats = column("derived", "code", "What `fitted_iv` rests on at this strike; see FITTED_SOURCES")
    charm: Floats = column("derived", "1/day", "Change of delta per calendar day, the spot held", 6, source="Haug 2007")
    vanna: Floats = column("derived", "1/vol point", "Change of delta per 0.01 of volatility", 6, source="Haug 2007")
    gex: Floats = column(
        "derived",
        "rupees",
        "Gamma exposure, gross, per 1 % move: gamma * OI * forward^2 * 0.01",
        0,
        source="SqueezeMetrics 2016",
    )
    oi_change: Floats = column(
        "derived", "units", "Open interest less that of the trading day before", source="market usage"
    )
    build_up: Floats = column(
        "derived", "code", "What price and open interest did since yesterday; see BUILD_UPS", source="market usage"
    )

    reference: float = np.nan  # the level that the strikes were planned around; NaN: the spot, or a forward if frozen
    future: float = np.nan  # last price of the future of this expiry, rupees
    tick: float = 0.05  # price step, rupees
    forward: float = np.nan  # the level that options of this expiry are priced on
    forward_source: str = ""  # parity, future or spot
    rate: float = np.nan  # continuously compounded, per year
    years: float = np.nan  # time to expiry as the model used it
    atm: float = np.nan  # strike
    atm_reference: str = ""  # spot or forward
    settling: bool = False  # inside the averaging window of an expiry day: IV is unreliable
    smile: Mapping[str, float] = field(default_factory=lambda: NO_AGGREGATES)  # the fitted slice of the surface
    opening: Mapping[str, float] = field(default_factory=lambda: NO_AGGREGATES)  # the day's first aggregates
    aggregates: Mapping[str, float] = field(default_factory=lambda: NO_AGGREGATES)

    def __post_init__(self) -> None:
        n = len(self.strike)
        for name in LEG_COLUMN_NAMES:
            values = getattr(self, name)
            if values is UNSET:
                object.__setattr__(self, name, freeze(np.full(n, np.nan)))
            elif len(values) != n:
                raise ValueError(f"column {name} has {len(values)} rows, the chain has {n}")
            elif values.flags.writeable:
                object.__setattr__(self, name, freeze(values))

    def __len__(self) -> int:
        return len(self.strike)

    @property
    def received(self) -> int:
        """Return how many legs answered."""
        return int(np.count_nonzero(self.answered == 1))


LEG_COLUMNS = schema_of(OptionChain)
LEG_COLUMN_NAMES = tuple(column.name for column in LEG_COLUMNS)

EXPIRY_CODES = ("this_week", "next_week", "this_month", "next_month")

# Codes that columns hold. A number, once given, keeps its meaning for ever.
LEG_DEFECTS = ("none", "absent", "crossed", "zero_price", "negative", "zero_oi")
PRICE_SOURCES = ("none", "mid", "last", "average")
IV_STATUSES = (
    "solved", "no_price", "below_intrinsic", "above_maximum", "not_identifiable", "no_forward", "expired",
)  # fmt: skip
# Why a chain has a fitted smile (0) or none: `chain.smile["status"]`.
SMILE_STATUSES = (
    "fitted", "too_few_quotes", "one_sided", "poor_fit", "butterfly_arbitrage", "settling", "no_forward",
)  # fmt: skip
FITTED_SOURCES = ("quoted", "interpolated", "extrapolated")
# Price and open interest of the option itself since yesterday: up and up, down and up, up and down, down and down.
BUILD_UPS = ("neutral", "long_build_up", "short_build_up", "short_covering", "long_unwinding")
# Whom a net exposure takes for the holders of the public's options.
DEALER_POSITIONS = ("long_calls_short_puts", "short_calls_long_puts", "long_both", "short_both")


def mask_of(codes: tuple[str, ...]) -> int:
    """Return the mask bits of expiry codes: this_week 1, next_week 2, this_month 4, next_month 8."""
    return sum(1 << EXPIRY_CODES.index(code) for code in set(codes))


def offset_label(offset: int) -> str:
    """Return the name of a strike's place: 0 `atm`, 2 `p2`, -1 `m1`."""
    if offset == 0:
        return "atm"
    return f"p{offset}" if offset > 0 else f"m{-offset}"
