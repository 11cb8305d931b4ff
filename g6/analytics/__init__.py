"""What a chain says: pure functions on its columns. No files, no clock, no configuration.

The engine is the tables below and the functions that walk them:

1. `enrich` runs the ENRICHERS in order, each chain → chain: the price to believe (`pricing`), forward and time
   (`forward`), ATM and offsets (`atm`), implied volatility and Greeks (`valuation`, on `volatility`).
2. `aggregate` runs the AGGREGATES, each chain → number: those that everybody reads (`aggregates`), and the DERIVED
   ones, which are left out as a whole under memory pressure.
3. `survey` runs the INDEX_AGGREGATES, each index with all its chains → number; `surroundings.survey_market` the
   MARKET_AGGREGATES, of India VIX, sectors and shares.

A new column is a function, its line in the schema (`model.chain`) and in ENRICHERS; a new aggregate is a function and
its line in a table: its CSV column, its field in the database, its gauge and its line in the data dictionary follow.
"""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from math import isfinite
from time import perf_counter
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from g6.analytics import aggregates as of
from g6.analytics.activity import ACTIVITY
from g6.analytics.atm import add_atm
from g6.analytics.build_up import BUILD_UP, INDEX_BUILD_UP, add_build_up
from g6.analytics.conventions import Conventions
from g6.analytics.decay import DECAY
from g6.analytics.exposure import EXPOSURE, INDEX_EXPOSURE, add_exposure
from g6.analytics.forward import add_forward
from g6.analytics.levels import LEVELS
from g6.analytics.liquidity import LIQUIDITY
from g6.analytics.positioning import INDEX_POSITIONING, POSITIONING
from g6.analytics.pricing import add_price
from g6.analytics.surface import SMILES, SURFACE, add_smile
from g6.analytics.surroundings import MARKET_MEASURES
from g6.analytics.valuation import add_greeks, add_iv
from g6.analytics.volume_profile import VOLUME_PROFILE
from g6.model.background import IndexView
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.columns import Aggregate, Aggregates

Of = TypeVar("Of")
Spent = MutableMapping[str, float]  # name → seconds
NAN = float("nan")
DERIVED_COLUMNS = tuple(column.name for column in LEG_COLUMNS if column.origin == "derived")


class Enricher(NamedTuple):
    """A step that adds columns. One that may be shed is left out under memory pressure or by a setting."""

    name: str
    add: Callable[[OptionChain, Conventions], OptionChain]
    may_be_shed: bool


ENRICHERS: tuple[Enricher, ...] = (
    Enricher("price", add_price, may_be_shed=False),
    Enricher("forward", add_forward, may_be_shed=False),
    Enricher("atm", add_atm, may_be_shed=False),
    Enricher("iv", add_iv, may_be_shed=True),
    Enricher("greeks", add_greeks, may_be_shed=True),
    Enricher("smile", add_smile, may_be_shed=True),
    Enricher("exposure", add_exposure, may_be_shed=True),
    Enricher("build_up", add_build_up, may_be_shed=True),
)

ChainMeasure = tuple[Aggregate, Callable[[OptionChain, Conventions], float]]
IndexMeasure = tuple[Aggregate, Callable[[IndexView, Conventions], float]]

CORE: tuple[ChainMeasure, ...] = (
    (Aggregate("forward", "points",
               "Forward that the expiry is valued on: K + exp(rT) (C - P), the median over the strikes nearest the"
               " money with sane quotes; else the future; else spot * exp(rT)",
               source="put-call parity, Stoll 1969"), of.forward),
    (Aggregate("atm_strike", "points",
               "At-the-money strike: the one with both legs nearest to the spot (the forward while the spot is "
               "frozen), of equals the lower", source="market usage"), of.atm_strike),
    (Aggregate("atm_iv", "1/sqrt(year)",
               "Implied volatility of the at-the-money strike, from its out-of-the-money leg, on the forward",
               source="Black 1976"), of.atm_iv),
    (Aggregate("straddle", "rupees",
               "Call plus put premium at the ATM, on the price basis", source="market usage"), of.straddle),
    (Aggregate("synthetic_future", "points",
               "K + C - P at the ATM, on the price basis, undiscounted",
               source="put-call parity, Stoll 1969"), of.synthetic_future),
    (Aggregate("basis", "points", "Synthetic future less spot", source="market usage"), of.basis),
    (Aggregate("pcr_oi", "ratio",
               "Put over call open interest, collected legs; NaN without calls", source="market usage"), of.pcr_oi),
    (Aggregate("pcr_volume", "ratio",
               "Put over call volume, collected legs; NaN without calls", source="market usage"), of.pcr_volume),
    (Aggregate("max_pain", "points",
               "Strike that pays option holders least: argmin over collected K of sum(call OI * max(0, K - k)) + "
               "sum(put OI * max(0, k - K)); of equals the nearest to the spot", source="market usage"), of.max_pain),
    (Aggregate("call_oi", "units", "Open interest of the collected calls"), of.call_oi),
    (Aggregate("put_oi", "units", "Open interest of the collected puts"), of.put_oi),
    (Aggregate("call_volume", "units", "Volume of the collected calls"), of.call_volume),
    (Aggregate("put_volume", "units", "Volume of the collected puts"), of.put_volume),
    (Aggregate("max_call_oi_strike", "points",
               "Strike with the most call open interest", source="market usage"), of.max_call_oi_strike),
    (Aggregate("max_put_oi_strike", "points",
               "Strike with the most put open interest", source="market usage"), of.max_put_oi_strike),
    (Aggregate("coverage", "ratio", "Legs that answered over legs asked for"), of.coverage),
    (Aggregate("iv_coverage", "ratio", "Legs with a volatility over legs with a price"), of.iv_coverage),
    (Aggregate("iv_gap", "1/sqrt(year)",
               "Median gap of call and put volatility at the strikes at most 5 from the ATM"), of.iv_gap),
    (Aggregate("days_to_expiry", "days", "Calendar days to the contract's close"), of.days_to_expiry),
)  # fmt: skip


# Positioning, levels, surface, liquidity.
DERIVED: tuple[ChainMeasure, ...] = (
    *POSITIONING, *EXPOSURE, *BUILD_UP, *LEVELS, *SMILES, *LIQUIDITY, *ACTIVITY, *VOLUME_PROFILE, *DECAY,
)  # fmt: skip

AGGREGATES: tuple[ChainMeasure, ...] = (*CORE, *DERIVED)

INDEX_AGGREGATES: tuple[IndexMeasure, ...] = (*INDEX_POSITIONING, *INDEX_EXPOSURE, *INDEX_BUILD_UP, *SURFACE)

# What stores, gauges and the data dictionary know of all this.
MEASURES: tuple[Aggregate, ...] = (
    *(descriptor for descriptor, _ in (*AGGREGATES, *INDEX_AGGREGATES)),
    *MARKET_MEASURES,
)


def enrich(
    chain: OptionChain,
    conventions: Conventions,
    enrichers: Sequence[Enricher] = ENRICHERS,
    spent: Spent | None = None,
) -> OptionChain:
    """Return the chain with the columns of these enrichers, in their order.

    Whatever the quotes are, a derived value is a finite number or NaN, and nothing warns. `spent` is told how many
    seconds each one took.
    """
    with np.errstate(all="ignore"):
        for enricher in enrichers:
            begun = perf_counter()
            chain = enricher.add(chain, conventions)
            if spent is not None:
                spent[enricher.name] = spent.get(enricher.name, 0.0) + perf_counter() - begun
        return _finite(chain)


def _finite(chain: OptionChain) -> OptionChain:
    """Return the chain with NaN for what is infinite in the derived columns."""
    columns = ((name, getattr(chain, name)) for name in DERIVED_COLUMNS)
    bent: dict[str, Any] = {
        name: np.where(np.isinf(values), np.nan, values) for name, values in columns if np.isinf(values).any()
    }
    return replace(chain, **bent) if bent else chain


def aggregate(
    chain: OptionChain,
    conventions: Conventions,
    table: Sequence[ChainMeasure] = AGGREGATES,
    spent: Spent | None = None,
) -> OptionChain:
    """Return the chain with its aggregates, each finite or NaN. `spent` is told how many seconds each one took."""
    return replace(chain, aggregates=_computed(table, chain, conventions, spent))


def survey(
    index: IndexView,
    conventions: Conventions,
    table: Sequence[IndexMeasure] = INDEX_AGGREGATES,
    spent: Spent | None = None,
) -> Aggregates:
    """Return the aggregates of an index over all its chains."""
    return _computed(table, index, conventions, spent)


def _computed(
    table: Sequence[tuple[Aggregate, Callable[[Of, Conventions], float]]],
    of: Of,
    conventions: Conventions,
    spent: Spent | None,
) -> Aggregates:
    values, before = {}, perf_counter()
    with np.errstate(all="ignore"):  # as in `enrich`
        for descriptor, compute in table:
            value = float(compute(of, conventions))
            values[descriptor.name] = value if isfinite(value) else NAN
            if spent is not None:
                now = perf_counter()
                spent[descriptor.name] = spent.get(descriptor.name, 0.0) + now - before
                before = now
    return MappingProxyType(values)
