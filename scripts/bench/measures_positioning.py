"""Positioning and levels of one minute: 9,000 legs in 20 expiries of one index.

    .venv/bin/python scripts/bench/measures_positioning.py [--rounds 40] [--expiries 20] [--legs 9000]

Made-up chains on a skewed smile, ticks and all. Printed is the processor time of the two enrichers and of every measure
over all chains, medians of the rounds, and the median, the least and the largest of their sums.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from g6.analytics import CORE, ENRICHERS, aggregate, enrich
from g6.analytics.build_up import BUILD_UP, add_build_up
from g6.analytics.conventions import Conventions
from g6.analytics.exposure import EXPOSURE, INDEX_EXPOSURE, add_exposure
from g6.analytics.levels import LEVELS
from g6.analytics.positioning import INDEX_POSITIONING, POSITIONING
from g6.analytics.volatility import price
from g6.clock import IST
from g6.model.background import IndexView
from g6.model.chain import OptionChain

OURS = (*POSITIONING, *EXPOSURE, *BUILD_UP, *LEVELS)
BEFORE = [enricher for enricher in ENRICHERS if enricher.name not in {"exposure", "build_up"}]
INDEX = (*INDEX_POSITIONING, *INDEX_EXPOSURE)
LEVEL, TICK = 24000.0, 0.05
BUDGET_MS = 60.0  # of a cycle for all measures without the surface; this room is one of several


def chain_of(number: int, legs: int, random: np.random.Generator) -> OptionChain:
    at = datetime(2026, 11, 20, 11, 0, tzinfo=IST)
    expires = at + timedelta(days=3 + 7 * number, hours=4)
    years = (expires - at).total_seconds() / (365 * 86400)
    strike = np.repeat(LEVEL + 50.0 * (np.arange(legs // 2) - legs // 4), 2)
    is_call = np.tile([True, False], legs // 2)
    moneyness = np.log(strike / LEVEL)
    vol = 0.12 - 0.15 * moneyness / np.sqrt(years + 0.05) + 0.8 * moneyness**2
    fair = np.maximum(price(LEVEL, strike, years, 0.065, np.clip(vol, 0.06, 1.0), is_call), TICK)
    bid, ask = np.floor(fair / TICK) * TICK, np.ceil(fair / TICK + 0.2) * TICK
    # Calls are held above the money, puts below it.
    place = np.where(is_call, 1, -1) * moneyness / (0.15 * np.sqrt(years))
    oi = 65.0 * np.round(100_000 * np.exp(-0.5 * (place - 1) ** 2) * random.uniform(0.3, 1.0, len(strike)))
    return OptionChain(
        index="NIFTY", expiry=expires.date(), codes=(), at=at, expires_at=expires, spot=LEVEL - 15, spot_frozen=False,
        expected=legs, lot=65, strike=strike, is_call=is_call, answered=np.ones(legs), last=ask, bid=bid, ask=ask,
        oi=oi, volume=65.0 * random.integers(0, 10**6, len(strike)), trade_age_seconds=np.ones(legs),
        previous_close=ask * random.uniform(0.8, 1.2, legs), previous_oi=oi * random.uniform(0.5, 1.5, legs),
        opening={"forward": LEVEL - 80, "atm_iv": 0.125, "days_to_expiry": years * 365, "max_pain": LEVEL},
    )  # fmt: skip


def one_round(chains: list[OptionChain], conventions: Conventions) -> Counter[str]:
    spent: Counter[str] = Counter()

    def timed(name: str, compute: Callable[[Any, Conventions], Any], of: object) -> Any:
        begun = time.thread_time()
        made = compute(of, conventions)
        spent[name] += time.thread_time() - begun
        return made

    valued = []
    for collected in chains:
        chain = enrich(collected, conventions, BEFORE)
        for step in (add_exposure, add_build_up):
            chain = timed(step.__name__, step, chain)
        aggregate(chain, conventions, CORE)
        for descriptor, compute in OURS:
            timed(descriptor.name, compute, chain)
        valued.append(chain)
    view = IndexView("NIFTY", LEVEL - 15, spot_frozen=False, chains=tuple(valued))
    for descriptor, compute in INDEX:
        timed(descriptor.name, compute, view)
    return spent


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=40)
    asked.add_argument("--expiries", type=int, default=20)
    asked.add_argument("--legs", type=int, default=9000)
    asked = asked.parse_args()
    conventions, random = Conventions(), np.random.default_rng(6)
    chains = [chain_of(n, asked.legs // asked.expiries, random) for n in range(asked.expiries)]
    one_round(chains, conventions)
    rounds = [one_round(chains, conventions) for _ in range(asked.rounds)]
    sums = [1e3 * sum(spent.values()) for spent in rounds]
    for name in rounds[0]:
        print(f"{name:34} {1e3 * statistics.median(spent[name] for spent in rounds):8.3f} ms")
    print(f"{'all':34} {statistics.median(sums):8.3f} ms, {min(sums):.3f} to {max(sums):.3f}; budget {BUDGET_MS:.0f}")


if __name__ == "__main__":
    main()
