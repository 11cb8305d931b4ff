"""What the governor leaves out, as the steps of a minute know it: fewer legs, fewer enrichers, fewer aggregates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from g6.analytics import AGGREGATES, CORE, INDEX_AGGREGATES, ChainMeasure, Enricher, IndexMeasure
from g6.collectors.plan import Depth, IndexOrder
from g6.model.pressure_report import PressureReport


def orders_under(orders: Sequence[IndexOrder], pressure: PressureReport) -> list[IndexOrder]:
    """Return what to ask for: with `strike_depth` in force a few strikes around the ATM."""
    strikes = pressure.strikes_each_side
    if "strike_depth" not in pressure.shed or strikes is None:
        return list(orders)
    return [replace(order, depths=_shallow(order.depths, strikes)) for order in orders]


def expiries_under(pressure: PressureReport) -> int | None:
    """Return how many expiries of an index are asked for, nearest first; None is all that are configured."""
    return pressure.expiries if "far_expiries" in pressure.shed else None


def enrichers_under(enrichers: Sequence[Enricher], pressure: PressureReport) -> Sequence[Enricher]:
    """Return the enrichers to run; volatility stays as long as chains are valued at all."""
    if "greeks" not in pressure.shed:
        return enrichers
    return [enricher for enricher in enrichers if enricher.name == "iv" or not enricher.may_be_shed]


def measures_under(pressure: PressureReport) -> tuple[Sequence[ChainMeasure], Sequence[IndexMeasure]]:
    """Return the aggregates of chains and of indices to compute; the derived ones go as a whole."""
    return (CORE, ()) if "derived" in pressure.shed else (AGGREGATES, INDEX_AGGREGATES)


def _shallow(depths: Mapping[str, Depth], strikes: int) -> Mapping[str, Depth]:
    return {code: Depth(_least(depth.itm, strikes), _least(depth.otm, strikes)) for code, depth in depths.items()}


def _least(wanted: int | None, allowed: int) -> int:
    return allowed if wanted is None else min(wanted, allowed)
