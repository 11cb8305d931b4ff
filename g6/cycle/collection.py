"""What the market gives in a minute: asked for together, built into chains, valued."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import numpy as np

from g6.analytics import aggregate, enrich, survey
from g6.analytics.surroundings import survey_market
from g6.clock import IST
from g6.collectors.build import build_chains
from g6.collectors.market import MarketOrder, build_market, with_market
from g6.collectors.plan import IndexOrder, Plan, forget_listed, make_plan
from g6.collectors.reject import reject_spot
from g6.cycle.shedding import enrichers_under, expiries_under, measures_under, orders_under
from g6.cycle.stages import Stages
from g6.errors import AuthError, BadResponse, ConfigError, G6Error, SinkError, TransientError
from g6.model.chain import OptionChain
from g6.model.contracts import ContractTable
from g6.model.market_snapshot import NAN, MarketSnapshot
from g6.model.pressure_report import PressureReport
from g6.model.quotes import Quotes, Spot
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.resilience.call_watchdog import RestartNeeded
from g6.wiring import Parts
from g6.wiring.surroundings import surroundings_of

log = logging.getLogger(__name__)

Forwards = dict[tuple[str, date], float]

# What a failed call is called in metrics and in the journal; the first that fits.
REASON_WORDS: tuple[tuple[type[G6Error], str], ...] = (
    (AuthError, "login_needed"),
    (TransientError, "unreachable"),
    (BadResponse, "bad_response"),
)


@dataclass(frozen=True, slots=True)
class Collected:
    """What the market gave in a minute: the snapshot, what was listed then, and why it is empty if it is."""

    snapshot: Snapshot
    listed: ContractTable | None = None
    error: G6Error | None = None
    measure_seconds: Mapping[str, float] = field(default_factory=dict)


class Collection:
    """Asks for a minute. It remembers the last forwards, for planning while a spot stands still."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._forwards: Forwards = {}
        self._around = surroundings_of(parts.settings, [order.definition for order in parts.orders])

    def collect(self, due: datetime, stages: Stages, pressure: PressureReport) -> Collected:
        """Return the minute, an empty one with its reason where nothing can be had; raises ConfigError alone."""
        parts = self._parts
        wanted = [order for order in parts.orders if parts.schedule.includes(order.definition.exchange, due)]
        orders = orders_under(wanted, pressure)
        parts.recollection.begin(_minute(due))
        try:
            # In a thread of its own, which changes nothing but what it returns: a call that hangs costs its minute.
            collected = parts.call_watchdog.run(
                lambda: self._ask(orders, due, stages, pressure), lambda: stages.current
            )
        except (ConfigError, RestartNeeded):
            raise
        except G6Error as error:
            return self._nothing(orders, due, error)
        except Exception as error:  # per cycle: one of the three places where anything may arrive
            log.exception("nothing could be collected")
            return self._nothing(orders, due, G6Error(said(error)))
        finally:
            if "caches" in pressure.shed:
                forget_listed()
        self._forwards.update(_forwards(collected.snapshot.chains))
        return collected

    def remember(self, snapshot: Snapshot) -> None:
        """Add a minute that was stored to what the next ones are compared with."""
        self._parts.recollection.remember(snapshot)

    def recall(self, due: datetime | None) -> Sequence[IndexSnapshot]:
        """Take up the forwards of the minute before: a restart while a spot stands still plans as if it had run on.

        Returns each index as it was last planned today, as far back as that needs.
        """
        known: Forwards = {}
        planned: dict[str, IndexSnapshot] = {}
        if due is None or due.date() not in self._parts.journals.days():
            return ()
        try:
            journal, before = self._parts.journals.journal(due.date()), due
            # A minute that was refused in part says nothing of the rest: what came before it is still in force.
            while (snapshot := journal.latest_before(before)) is not None:
                known = _forwards(snapshot.chains) | known
                planned = {index.index: index for index in snapshot.indices if index.expected_legs} | planned
                if _says_all_forwards(snapshot):
                    break
                before = snapshot.minute
        except SinkError as error:
            log.warning("%s", error)
        self._forwards.update(known)
        return tuple(planned.values())

    def _nothing(self, orders: Sequence[IndexOrder], due: datetime, error: G6Error) -> Collected:
        """Return a minute without a chain. It is journalled all the same: a gap must say why it is one."""
        word = next((word for kind, word in REASON_WORDS if isinstance(error, kind)), "failed")
        indices = tuple(_refused_index(order.definition.name, word, str(error)) for order in orders)
        return Collected(Snapshot(_minute(due), self._parts.provider.name, indices), error=error)

    def _ask(self, orders: Sequence[IndexOrder], due: datetime, stages: Stages, pressure: PressureReport) -> Collected:
        parts, at = self._parts, self._parts.clock.now()
        definitions = [order.definition for order in orders]
        with stages("contracts"):
            listed = parts.provider.contracts(definitions, at)
        with stages("spots"):
            spots = parts.provider.spots(definitions, at)
        with stages("plan"):
            levels, refusals = self._levels(orders, spots, at)
            usable = {name: spots[name] for name in levels}  # a level that was refused is not kept either
            forwards, nearest = self._frozen_forwards(orders, at), expiries_under(pressure)
            plan = make_plan(orders, listed, levels, parts.calendar, at, forwards, nearest)
            around = self._around.open_at(at, parts.calendar)
            plan = with_market(plan, around)
        with stages("quotes"):
            quotes = parts.provider.quotes(plan.contracts, at)
        with stages("chains"):
            built = list(build_chains(plan, quotes, spots, parts.calendar, parts.limits))
        refusals += [*plan.refusals, *(refusal for _, refusal in built if refusal)]
        spent: dict[str, float] = {}
        with stages("enrich"):
            accepted = [self._value(chain, pressure, spent) for chain, refusal in built if refusal is None]
        asked = [chain for chain, _ in built]
        unvalued = sum(not chain.aggregates for chain in accepted)
        error = G6Error(f"{unvalued} chains could not be valued and are stored as collected") if unvalued else None
        indices = self._indices(due, orders, plan, usable, asked, accepted, refusals)
        with stages("survey"):
            market = self._market(plan, quotes, around, pressure, spent)
            vix = market.vix if market else NAN
            indices = tuple(self._surveyed(index, vix, pressure, spent) for index in indices)
        snapshot = Snapshot(_minute(due), parts.provider.name, indices, quotes.backfilled, pressure.shed, market)
        return Collected(self._watched(snapshot), listed, error, spent)

    def _levels(
        self, orders: Sequence[IndexOrder], spots: Mapping[str, Spot], at: datetime
    ) -> tuple[dict[str, float], list[Refusal]]:
        """Return the usable spots, and the indices that have none."""
        levels: dict[str, float] = {}
        refusals: list[Refusal] = []
        for order in orders:
            name = order.definition.name
            frozen = self._parts.calendar.spot_frozen(at, order.definition.exchange)
            reason = reject_spot(spots.get(name), at, self._parts.limits, frozen=frozen)
            if reason:
                refusals.append(Refusal(name, "", (), reason.word, reason.detail))
            else:
                levels[name] = spots[name].last
        return levels, refusals

    def _frozen_forwards(self, orders: Sequence[IndexOrder], at: datetime) -> Forwards:
        """Return the last forwards of the indices that stand still: their options trade on, and strikes follow."""
        calendar = self._parts.calendar
        frozen = {o.definition.name for o in orders if calendar.spot_frozen(at, o.definition.exchange)}
        return {key: forward for key, forward in self._forwards.items() if key[0] in frozen}

    def _value(self, chain: OptionChain, pressure: PressureReport, spent: dict[str, float]) -> OptionChain:
        """Return the chain with what it says; should that fail, as it is: values can be had later, quotes cannot."""
        parts = self._parts
        try:
            compared = parts.recollection.annotate(chain)
            enriched = enrich(compared, parts.conventions, enrichers_under(parts.enrichers, pressure), spent)
            return aggregate(enriched, parts.conventions, measures_under(pressure)[0], spent)
        except Exception:  # still the cycle's: what was collected may not depend on arithmetic
            log.exception("%s %s could not be valued", chain.index, chain.expiry)
            return chain

    def _market(
        self,
        plan: Plan,
        quotes: Quotes,
        order: MarketOrder | None,
        pressure: PressureReport,
        spent: dict[str, float],
    ) -> MarketSnapshot | None:
        """Return what surrounds the options; should that fail, nothing: no chain may depend on it."""
        try:
            market = build_market(plan, quotes, order, self._parts.calendar, self._parts.limits.stale_after_seconds)
            if market is None or "derived" in pressure.shed:
                return market
            return survey_market(market, self._around.mood, spent)
        except Exception:  # still the cycle's, as above
            log.exception("what surrounds the options could not be told")
            return None

    def _surveyed(
        self, index: IndexSnapshot, vix: float, pressure: PressureReport, spent: dict[str, float]
    ) -> IndexSnapshot:
        """Return the index with what its chains say together; should that fail, without."""
        parts = self._parts
        try:
            view = parts.recollection.view(
                index.index, index.spot, index.chains, spot_frozen=index.spot_frozen, vix=vix
            )
            return replace(index, aggregates=survey(view, parts.conventions, measures_under(pressure)[1], spent))
        except Exception:  # as above
            log.exception("%s could not be surveyed", index.index)
            return index

    def _watched(self, snapshot: Snapshot) -> Snapshot:
        """Return the minute with what is out of the ordinary in it; should that fail, without."""
        watch = self._parts.watch
        try:
            return snapshot if watch is None else watch.judged(snapshot)
        except Exception:  # as above
            log.exception("the minute could not be judged")
            return snapshot

    def _indices(
        self,
        due: datetime,
        orders: Sequence[IndexOrder],
        plan: Plan,
        spots: Mapping[str, Spot],
        asked: Sequence[OptionChain],
        accepted: Sequence[OptionChain],
        refusals: Sequence[Refusal],
    ) -> tuple[IndexSnapshot, ...]:
        def index_of(order: IndexOrder) -> IndexSnapshot:
            name = order.definition.name
            own = [chain for chain in asked if chain.index == name]
            return IndexSnapshot(
                index=name,
                spot=spots[name].last if name in spots else float("nan"),
                spot_frozen=self._parts.calendar.spot_frozen(due, order.definition.exchange),
                expected_codes=plan.expected_codes.get(name, ()),
                chains=tuple(chain for chain in accepted if chain.index == name),
                refusals=tuple(refusal for refusal in refusals if refusal.index == name),
                expected_legs=sum(chain.expected for chain in own),
                received_legs=sum(chain.received for chain in own),
            )

        return tuple(index_of(order) for order in orders)


def said(error: Exception) -> str:
    """Return what arrived unexpectedly, as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


def _minute(due: datetime) -> datetime:
    return due.astimezone(IST).replace(second=0, microsecond=0)


def _forwards(chains: Sequence[OptionChain]) -> Forwards:
    return {(chain.index, chain.expiry): chain.forward for chain in chains if np.isfinite(chain.forward)}


def _says_all_forwards(snapshot: Snapshot) -> bool:
    whole = all(index.chains and not index.refusals for index in snapshot.indices)
    return whole and all(np.isfinite(chain.forward) for chain in snapshot.chains)


def _refused_index(index: str, reason: str, detail: str) -> IndexSnapshot:
    return IndexSnapshot(index, float("nan"), False, (), (), (Refusal(index, "", (), reason, detail),))  # noqa: FBT003
