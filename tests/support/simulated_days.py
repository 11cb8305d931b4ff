"""Days of the simulated market as minutes, valued as far as anomalies need: seconds a day, no agent and no disk."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from g6.analytics import CORE, ENRICHERS, aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.analytics.liquidity import spread_window_ratio
from g6.anomalies.readings import SPREAD
from g6.clock import IST
from g6.collectors.build import build_chains
from g6.collectors.plan import Depth, IndexOrder, make_plan
from g6.collectors.reject import Limits
from g6.masters.premiums import totals_of
from g6.masters.store import Folded, MasterStore, content_of
from g6.model.chain import EXPIRY_CODES, OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.providers.simulated import SimulatedProvider
from g6.settings import load
from g6.simulator.market import SimulatedMarket
from g6.wiring.sources import load_market

FIRST_DAY = date(2026, 6, 1)
WANTED = ("price", "forward", "atm", "iv")
STEPS = [enricher for enricher in ENRICHERS if enricher.name in WANTED]
MEASURED = {"atm_iv", "atm_strike", "call_oi", "days_to_expiry", "pcr_oi", "put_oi", "straddle"}
MEASURES = [row for row in CORE if row[0].name in MEASURED]


class Days:
    """One index of one simulated market."""

    def __init__(self, seed: int, index: str = "NIFTY", codes: Sequence[str] = EXPIRY_CODES, strikes: int = 10) -> None:
        known = load_market(load({}, {}, Path.cwd()))
        self.calendar = known.calendar
        self.definition = known.indices[index]
        self.provider = SimulatedProvider(SimulatedMarket(seed, {index: self.definition}, known.calendar))
        self.order = IndexOrder(self.definition, dict.fromkeys(codes, Depth(strikes, strikes)))

    def trading_days(self, count: int, first: date = FIRST_DAY) -> list[date]:
        found: list[date] = []
        day = first
        while len(found) < count:
            if self.calendar.is_trading_day(day, self.definition.exchange):
                found.append(day)
            day += timedelta(days=1)
        return found

    def minutes(self, day: date, last: int | None = None) -> list[Snapshot]:
        """Return the minutes of a day, the first `last` of them."""
        found: list[Snapshot] = []
        for window in self.calendar.windows(day, self.definition.exchange):
            at = window.open.astimezone(IST)
            while at < window.close and (last is None or len(found) < last):
                found.append(self.minute(at, {c.expiry: c.forward for c in found[-1].chains} if found else {}))
                at += timedelta(minutes=1)
        return found

    def minute(self, at, forwards) -> Snapshot:
        name, definitions = self.definition.name, [self.definition]
        listed, spots = self.provider.contracts(definitions, at), self.provider.spots(definitions, at)
        frozen = self.calendar.spot_frozen(at, self.definition.exchange)
        known = {(name, expiry): forward for expiry, forward in forwards.items()} if frozen else {}
        plan = make_plan([self.order], listed, {name: spots[name].last}, self.calendar, at, known)
        quotes = self.provider.quotes(plan.contracts, at)
        built = build_chains(plan, quotes, spots, self.calendar, Limits(0.5, 120))
        chains = tuple(_valued(chain) for chain, refusal in built if refusal is None)
        index = IndexSnapshot(name, spots[name].last, frozen, tuple(self.order.depths), chains)
        return Snapshot(at, "simulated", (index,))

    def fold(self, root: Path, day: date, minutes: Sequence[Snapshot]) -> None:
        """Put a day into the weekday masters."""
        store = MasterStore.open(root)
        totals = totals_of(minutes, "last")
        store.settle(day, totals, Folded(content_of(totals), "files", 0, 0), {})
        store.close()


def _valued(chain: OptionChain) -> OptionChain:
    conventions = Conventions()
    valued = aggregate(enrich(chain, conventions, STEPS), conventions, MEASURES)
    spread = spread_window_ratio(valued, conventions)
    return replace(valued, aggregates={**valued.aggregates, SPREAD: spread})
