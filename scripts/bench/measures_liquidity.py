"""Liquidity, activity, volume profile and decay of one minute: 9,000 legs in 20 expiries of one index.

    .venv/bin/python scripts/bench/measures_liquidity.py [--rounds 40] [--expiries 20] [--legs 9000]

The chains are those of `measures.py` with a book behind their prices. Printed is the processor time of
every measure over all chains, medians of the rounds. The first measure of each kind pays for what the others share.
"""

import argparse
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
from measures import chain_of

from g6.analytics import CORE, aggregate, enrich
from g6.analytics.activity import ACTIVITY
from g6.analytics.conventions import Conventions
from g6.analytics.decay import DECAY
from g6.analytics.liquidity import LIQUIDITY
from g6.analytics.volume_profile import VOLUME_PROFILE
from g6.model.chain import OptionChain

OURS = (*LIQUIDITY, *ACTIVITY, *VOLUME_PROFILE, *DECAY)
MEASURE_BUDGET_MICROSECONDS = 50.0  # a chain, on the average over the measures


def booked(chain: OptionChain, random: np.random.Generator) -> OptionChain:
    """Give a chain quantities, trades and an opening."""
    n = len(chain)
    best = {f"{side}_quantity": 65.0 * random.integers(1, 50, n) for side in ("bid", "ask")}
    opening = {**chain.opening, "straddle": 200.0, "atm_strike": chain.strike[n // 2]}
    return replace(
        chain, **best, bid_depth=5 * best["bid_quantity"], ask_depth=5 * best["ask_quantity"], opening=opening,
        average_price=chain.last, trade_age_seconds=random.uniform(0, 2000, n),
    )  # fmt: skip


def one_round(chains: list[OptionChain], conventions: Conventions) -> Counter[str]:
    """Return measure → seconds over all chains, asked for in the order in which a cycle does."""
    spent: Counter[str] = Counter()
    for valued in chains:
        chain = replace(valued)  # the minute's own: nothing of it is known already
        aggregate(chain, conventions, CORE)
        for descriptor, compute in OURS:
            begun = time.thread_time()
            compute(chain, conventions)
            spent[descriptor.name] += time.thread_time() - begun
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rounds", 40), ("expiries", 20), ("legs", 9000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    random, conventions = np.random.default_rng(6), Conventions()
    collected = [chain_of(number, given.legs // given.expiries, random) for number in range(given.expiries)]
    chains = [enrich(booked(chain, random), conventions) for chain in collected]
    rounds = [one_round(chains, conventions) for _ in range(given.rounds)]
    seconds: dict[str, list[float]] = defaultdict(list)
    for spent in rounds:
        for name, value in spent.items():
            seconds[name].append(value)
    for name, values in seconds.items():
        print(f"{name:32s} {1e6 * statistics.median(values) / given.expiries:7.1f} us a chain")
    whole = statistics.median(sum(spent.values()) for spent in rounds)
    print(f"all {len(OURS)} measures of {given.expiries} chains: {1e3 * whole:.2f} ms, "
          f"{1e6 * whole / given.expiries / len(OURS):.1f} us a measure and chain "
          f"(budget {MEASURE_BUDGET_MICROSECONDS:.0f})")  # fmt: skip


if __name__ == "__main__":
    main()
