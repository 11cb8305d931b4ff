"""From the answer to chains: the plan's rows become columns per index and expiry, or a refusal."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from g6.collectors.plan import ChainPlan, Plan
from g6.collectors.reject import Limits, clean, reject_chain
from g6.market.sessions import SessionCalendar
from g6.model.chain import LEG_COLUMNS, OptionChain
from g6.model.columns import Floats
from g6.model.contracts import CALL
from g6.model.quotes import QUOTE_COLUMNS, Quotes, Spot
from g6.model.snapshot import Refusal

DECIMALS = {c.name: c.decimals for c in LEG_COLUMNS if c.name in QUOTE_COLUMNS and c.decimals is not None}


def build_chains(
    plan: Plan, quotes: Quotes, spots: Mapping[str, Spot], calendar: SessionCalendar, limits: Limits
) -> Iterator[tuple[OptionChain, Refusal | None]]:
    """Yield every planned chain with its refusal, or None where it is accepted.

    Defective parts of legs are taken out first (`reject.clean`), for all chains at once.
    """
    cleaned, defects = clean(as_stored(quotes), [chain.legs for chain in plan.chains])
    for planned in plan.chains:
        chain = _build(planned, plan, cleaned, defects, spots[planned.definition.name], calendar)
        reason = reject_chain(chain, limits)
        refusal = reason and Refusal(chain.index, chain.expiry.isoformat(), chain.codes, reason.word, reason.detail)
        yield chain, refusal


def as_stored(quotes: Quotes) -> Quotes:
    """Return the quotes with the decimals that the stores keep, so that a minute is valued as a replay of it is."""
    return replace(quotes, **{name: np.round(getattr(quotes, name), places) for name, places in DECIMALS.items()})


def _build(
    planned: ChainPlan, plan: Plan, quotes: Quotes, defects: Floats, spot: Spot, calendar: SessionCalendar
) -> OptionChain:
    legs, exchange, at = planned.legs, planned.definition.exchange, quotes.at
    contracts = plan.contracts
    return OptionChain(
        index=planned.definition.name,
        expiry=planned.expiry,
        codes=planned.codes,
        at=at,
        expires_at=calendar.expires_at(planned.expiry, exchange),
        spot=spot.last,
        spot_frozen=calendar.spot_frozen(at, exchange),
        expected=legs.stop - legs.start,
        lot=int(contracts.lot[legs.start]),
        tick=float(contracts.tick[legs.start]),
        reference=planned.reference,
        future=float("nan") if planned.future is None else float(quotes.last[planned.future]),
        settling=calendar.settling(at, planned.expiry, exchange),
        strike=contracts.strike[legs],
        is_call=contracts.kind[legs] == CALL,
        answered=quotes.answered[legs].astype(np.float64),
        defect=defects[legs],
        **{name: getattr(quotes, name)[legs] for name in QUOTE_COLUMNS},
    )
