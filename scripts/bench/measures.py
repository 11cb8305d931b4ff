"""All derived measures of one minute: 9,000 legs in 20 expiries of one index, and the market around it.

    .venv/bin/python scripts/bench/measures.py [--rounds 40] [--expiries 20] [--legs 9000] [--by-room]

Made-up chains on a skewed smile, with ticks, uneven spreads, books, yesterday and an opening; a background of a day and
a year; 60 shares and 20 sectors. Counted is everything that a governor sheds: the enrichers after the Greeks, the
derived measures of every chain, those of the index, and those of the market. Printed is the processor time of each over
all chains and its share of the whole, medians of the rounds.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from g6.analytics import CORE, DERIVED, ENRICHERS, INDEX_AGGREGATES, aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.analytics.surface import SMILES, SURFACE
from g6.analytics.surroundings import survey_market
from g6.analytics.volatility import price
from g6.clock import IST
from g6.market.surroundings import load_surroundings
from g6.model.background import Background, IndexView
from g6.model.chain import OptionChain
from g6.model.market_snapshot import INDEX, SECTOR, SHARE, VIX, MarketSnapshot
from g6.model.mood import MoodRules

PROJECT = Path(__file__).parents[2]
LEVEL, TICK = 24000.0, 0.05
NOW = datetime(2026, 11, 20, 11, 0, tzinfo=IST)
BUDGET_MS, SURFACE_BUDGET_MS = 120.0, 60.0
VALUATION = tuple(enricher for enricher in ENRICHERS if enricher.name in {"price", "forward", "atm", "iv", "greeks"})
LATER = ENRICHERS[len(VALUATION) :]
ON_THE_SURFACE = {"smile"} | {descriptor.name for descriptor, _ in (*SMILES, *SURFACE)}
SECTORS, SHARES = 20, 60


def chain_of(number: int, legs: int, random: np.random.Generator) -> OptionChain:
    """Return one expiry as it is collected: 3 days away, and each further one a week later."""
    expires = NOW + timedelta(days=3 + 7 * number, hours=4)
    years = (expires - NOW).total_seconds() / (365 * 86400)
    strike = np.repeat(LEVEL + 50.0 * (np.arange(legs // 2) - legs // 4), 2)
    is_call = np.tile([True, False], legs // 2)
    moneyness = np.log(strike / LEVEL)
    vol = 0.12 - 0.15 * moneyness / np.sqrt(years + 0.05) + 0.8 * moneyness**2
    fair = np.maximum(price(LEVEL, strike, years, 0.065, np.clip(vol, 0.06, 1.0), is_call), TICK)
    below, above = 0.01 * np.sqrt(fair) * random.exponential(1.0, (2, legs))
    bid, ask = np.floor((fair - below) / TICK) * TICK, np.ceil((fair + above) / TICK) * TICK
    # Calls are held above the money, puts below it.
    place = np.where(is_call, 1, -1) * moneyness / (0.15 * np.sqrt(years))
    oi = 65.0 * np.round(100_000 * np.exp(-0.5 * (place - 1) ** 2) * random.uniform(0.3, 1.0, legs))
    best = {f"{side}_quantity": 65.0 * random.integers(1, 50, legs) for side in ("bid", "ask")}
    opening = {"forward": LEVEL - 80, "atm_iv": 0.125, "days_to_expiry": years * 365 + 0.07, "max_pain": LEVEL,
               "straddle": 220.0 + 60 * number, "atm_strike": LEVEL}  # fmt: skip
    return OptionChain(
        index="NIFTY", expiry=expires.date(), codes=(), at=NOW, expires_at=expires, spot=LEVEL - 15, spot_frozen=False,
        expected=legs, lot=65, strike=strike, is_call=is_call, answered=np.ones(legs), last=ask,
        bid=np.where(bid > 0, bid, np.nan), ask=ask, oi=oi, volume=65.0 * random.integers(0, 10**6, legs),
        average_price=ask * random.uniform(0.9, 1.1, legs), trade_age_seconds=random.uniform(0, 1200, legs),
        quote_age_seconds=np.ones(legs), bid_depth=5 * best["bid_quantity"], ask_depth=5 * best["ask_quantity"],
        previous_close=ask * random.uniform(0.8, 1.2, legs), previous_oi=oi * random.uniform(0.5, 1.5, legs),
        defect=np.zeros(legs), opening=opening, **best,
    )  # fmt: skip


def background_of(random: np.random.Generator) -> Background:
    """Return half a day of minutes and a year of days."""
    return Background(
        minute_of_day=555.0 + np.arange(190), minute_frozen=np.zeros(190),
        minute_spot=LEVEL + random.normal(0, 4, 190).cumsum(),
        minute_iv=0.12 + random.normal(0, 0.0005, 190), minute_vix=12 + random.normal(0, 0.05, 190),
        daily_close=LEVEL + random.normal(0, 150, 252).cumsum(),
        daily_iv=random.uniform(0.09, 0.2, 252),
    )  # fmt: skip


def market_of(random: np.random.Generator) -> MarketSnapshot:
    """Return India VIX, an index, sectors and shares; a fifth of the shares are in a second index, too."""
    kinds = [VIX, INDEX, *[SECTOR] * SECTORS, *[SHARE] * SHARES]
    count = len(kinds)
    close = random.uniform(100, 5000, count)
    return MarketSnapshot(
        at=NOW, frozen=False, key=np.array([f"NSE:{row}" for row in range(count)]), kind=np.array(kinds),
        name=np.array(["INDIAVIX", "NIFTY", *(f"S{row}" for row in range(count - 2))]),
        industry=np.array([f"Industry {row % 12}" for row in range(count)]),
        groups=np.array(["NIFTY BANKNIFTY" if row % 5 == 0 else "NIFTY" for row in range(count)]),
        last=close * random.normal(1, 0.01, count), previous_close=close, volume=random.uniform(1e5, 1e7, count),
        defect=np.zeros(count),
    )  # fmt: skip


class Minute:
    """A minute of an index, to be gone through again and again."""

    def __init__(self, expiries: int, legs: int) -> None:
        random = np.random.default_rng(6)
        self.conventions = Conventions()
        collected = [chain_of(number, legs // expiries, random) for number in range(expiries)]
        self.chains = [enrich(chain, self.conventions, VALUATION) for chain in collected]
        self.background, self.market = background_of(random), market_of(random)
        self.rules: MoodRules = load_surroundings(PROJECT / "config" / "market.yaml").mood

    def spent(self) -> Counter[str]:
        """Return the seconds of each enricher, measure and the rest."""
        spent: Counter[str] = Counter()

        def timed(name: str, compute: Callable[..., Any], *given: object) -> Any:
            begun = time.thread_time()
            made = compute(*given)
            spent[name] += time.thread_time() - begun
            return made

        done = []
        with np.errstate(all="ignore"):
            for valued in self.chains:
                chain = replace(valued)  # the minute's own: nothing of it is known already
                for enricher in LATER:
                    chain = timed(enricher.name, enricher.add, chain, self.conventions)
                chain = timed("finite columns", enrich, chain, self.conventions, ())
                aggregate(chain, self.conventions, CORE)
                for descriptor, compute in DERIVED:
                    timed(descriptor.name, compute, chain, self.conventions)
                done.append(chain)
            view = IndexView(
                "NIFTY",
                LEVEL - 15,
                spot_frozen=False,
                chains=tuple(done),
                background=self.background,
                vix=12.1,
                minute_of_day=745.0,
            )
            for descriptor, compute in INDEX_AGGREGATES:
                timed(descriptor.name, compute, view, self.conventions)
        timed("market", survey_market, replace(self.market), self.rules)
        return spent


def rooms() -> dict[str, str]:
    """Return measure → the module that its function is of; an enricher's likewise."""
    told = {enricher.name: enricher.add.__module__ for enricher in LATER}
    for descriptor, compute in (*DERIVED, *INDEX_AGGREGATES):
        told[descriptor.name] = getattr(compute, "func", compute).__module__
    return {name: module.removeprefix("g6.analytics.") for name, module in told.items()}


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 40), ("expiries", 20), ("legs", 9000)):
        asked.add_argument(f"--{name}", type=int, default=default)
    asked.add_argument("--by-room", action="store_true", help="sum up by the module that a measure is of")
    given = asked.parse_args()
    minute = Minute(given.expiries, given.legs)
    minute.spent()
    rounds = [minute.spent() for _ in range(given.rounds)]
    whole = [1e3 * sum(spent.values()) for spent in rounds]
    surface = [1e3 * sum(spent[name] for name in ON_THE_SURFACE) for spent in rounds]
    medians = Counter({name: 1e3 * statistics.median(spent[name] for spent in rounds) for name in rounds[0]})
    if given.by_room:
        of, joined = rooms(), Counter()
        for name, value in medians.items():
            joined[of.get(name, name)] += value
        medians = joined
    for name, value in medians.most_common():
        print(f"{name:34} {value:8.3f} ms {value / statistics.median(whole):7.2%}")
    fitted = sum(enrich(chain, minute.conventions).smile["status"] == 0 for chain in minute.chains)
    print(
        f"{len(rooms())} measures and enrichers, {given.legs} legs, {given.expiries} expiries, {fitted} smiles fitted"
    )
    for name, values, budget in (("all", whole, BUDGET_MS), ("surface", surface, SURFACE_BUDGET_MS)):
        usual, least, most = statistics.median(values), min(values), max(values)
        print(f"{name:34} {usual:8.3f} ms, {least:.1f} to {most:.1f}; at most {budget:.0f}")


if __name__ == "__main__":
    main()
