"""What a chain says: pure functions on its columns. No files, no clock, no configuration.

The engine is the two tables below and the two functions that walk them:

1. `enrich` runs the ENRICHERS in order, each chain → chain: the price to believe (`pricing`), forward and time
   (`forward`), ATM and offsets (`atm`), implied volatility and Greeks (`valuation`, on `volatility`).
2. `aggregate` runs the AGGREGATES, each chain → number (`aggregates`).

A new column is a function, its line in the schema (`model.chain`) and in ENRICHERS; a new aggregate is a function and
its line in AGGREGATES: its CSV column and its gauge follow.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from g6.analytics import aggregates as of
from g6.analytics.atm import add_atm
from g6.analytics.conventions import Conventions
from g6.analytics.forward import add_forward
from g6.analytics.pricing import add_price
from g6.analytics.valuation import add_greeks, add_iv
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate


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
)

AGGREGATES: tuple[tuple[Aggregate, Callable[[OptionChain, Conventions], float]], ...] = (
    (Aggregate("forward", "points", "Forward that the expiry is valued on"), of.forward),
    (Aggregate("atm_strike", "points", "At-the-money strike"), of.atm_strike),
    (Aggregate("atm_iv", "1/sqrt(year)", "Implied volatility of the at-the-money strike"), of.atm_iv),
    (Aggregate("straddle", "rupees", "Call plus put premium at the ATM"), of.straddle),
    (Aggregate("synthetic_future", "points", "K + C - P at the ATM"), of.synthetic_future),
    (Aggregate("basis", "points", "Synthetic future less spot"), of.basis),
    (Aggregate("pcr_oi", "ratio", "Put over call open interest, collected legs"), of.pcr_oi),
    (Aggregate("pcr_volume", "ratio", "Put over call volume, collected legs"), of.pcr_volume),
    (Aggregate("max_pain", "points", "Strike that pays option holders least"), of.max_pain),
    (Aggregate("call_oi", "units", "Open interest of the collected calls"), of.call_oi),
    (Aggregate("put_oi", "units", "Open interest of the collected puts"), of.put_oi),
    (Aggregate("call_volume", "units", "Volume of the collected calls"), of.call_volume),
    (Aggregate("put_volume", "units", "Volume of the collected puts"), of.put_volume),
    (Aggregate("max_call_oi_strike", "points", "Strike with the most call open interest"), of.max_call_oi_strike),
    (Aggregate("max_put_oi_strike", "points", "Strike with the most put open interest"), of.max_put_oi_strike),
    (Aggregate("coverage", "ratio", "Legs that answered over legs asked for"), of.coverage),
    (Aggregate("iv_coverage", "ratio", "Legs with a volatility over legs with a price"), of.iv_coverage),
    (Aggregate("iv_gap", "1/sqrt(year)", "Median gap of call and put volatility near the money"), of.iv_gap),
    (Aggregate("days_to_expiry", "days", "Calendar days to the contract's close"), of.days_to_expiry),
)  # fmt: skip


def enrich(chain: OptionChain, conventions: Conventions, enrichers: Sequence[Enricher] = ENRICHERS) -> OptionChain:
    """Return the chain with the columns of these enrichers, in their order."""
    for enricher in enrichers:
        chain = enricher.add(chain, conventions)
    return chain


def aggregate(chain: OptionChain, conventions: Conventions) -> OptionChain:
    """Return the chain with its aggregates."""
    values = {descriptor.name: float(compute(chain, conventions)) for descriptor, compute in AGGREGATES}
    return replace(chain, aggregates=MappingProxyType(values))
