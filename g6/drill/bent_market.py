"""Markets that are not as they should be, in front of the simulated one: an answer is bent while a file is there."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from g6.clock import Clock
from g6.market.indices import IndexDefinition
from g6.model.columns import Floats
from g6.model.contracts import LEVEL, ContractTable
from g6.model.quotes import Quotes, Spot
from g6.providers.base import Provider
from g6.simulator.market import SimulatedMarket
from g6.simulator.surface import Surface
from g6.wiring.sources import Market

SEED = 6
SLOW_MINUTES = 1.4
JUMP_RATIO, VOLATILITY_RATIO = 1.04, 2.5


@dataclass(frozen=True, slots=True)
class Switch:
    """On while a file is there."""

    file: Path

    @property
    def is_on(self) -> bool:
        """Return whether it is on."""
        return self.file.exists()


@dataclass(frozen=True, slots=True)
class Answers:
    """How spots and quotes are bent; each is given the straight answer, the contracts, and the instant."""

    spots: Callable[[dict[str, Spot], datetime], Mapping[str, Spot]] = lambda spots, _at: spots
    quotes: Callable[[Quotes, ContractTable, datetime], Quotes] = lambda quotes, _contracts, _at: quotes
    # While the switch is off: what makes the market one that the fault can be told from.
    calm: Callable[[Quotes, ContractTable, datetime], Quotes] = lambda quotes, _contracts, _at: quotes


class BentMarket:
    """A provider whose answers are bent while the switch is on."""

    def __init__(self, straight: Provider, bent: Answers, switch: Switch) -> None:
        self.name = straight.name
        self._straight, self._bent, self._switch = straight, bent, switch

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return what is listed, whatever happens."""
        return self._straight.contracts(indices, at)

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return the levels."""
        spots = self._straight.spots(indices, at)
        return self._bent.spots(dict(spots), at) if self._switch.is_on else spots

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return the quotes."""
        quotes = self._straight.quotes(contracts, at)
        change = self._bent.quotes if self._switch.is_on else self._bent.calm
        return change(quotes, contracts, at)


def _replaced(quotes: Quotes, columns: Mapping[str, Floats]) -> Quotes:
    changes: dict[str, Any] = dict(columns)
    return replace(quotes, **changes)


def _frozen(_market: Market, _clock: Clock) -> Answers:
    """Let the levels stand still, though their stamps go on."""
    held: dict[str, float] = {}

    def spots(now: dict[str, Spot], _at: datetime) -> Mapping[str, Spot]:
        return {name: replace(spot, last=held.setdefault(name, spot.last)) for name, spot in now.items()}

    return Answers(spots=spots)


def _slow(_market: Market, clock: Clock) -> Answers:
    """Let the quotes come later than the next minute."""

    def quotes(now: Quotes, _contracts: ContractTable, _at: datetime) -> Quotes:
        time.sleep(SLOW_MINUTES * 60 / clock.speed)
        return now

    return Answers(quotes=quotes)


def _other(market: Market, indices: Mapping[str, IndexDefinition], surface: Surface) -> Answers:
    """Everything is as in another market of the same days and listings."""
    other = SimulatedMarket(SEED, indices, market.calendar, surface=surface, around=market.surroundings)

    def spots(now: dict[str, Spot], at: datetime) -> Mapping[str, Spot]:
        return {name: other.spot(name, at) or spot for name, spot in now.items()}

    return Answers(spots=spots, quotes=lambda _now, contracts, at: other.quotes(contracts, at))


def _volatile(market: Market, _clock: Clock) -> Answers:
    return _other(market, market.indices, Surface(premium=Surface().premium * VOLATILITY_RATIO))


def _jumped(market: Market, _clock: Clock) -> Answers:
    def higher(index: IndexDefinition) -> IndexDefinition:
        return replace(index, simulation=replace(index.simulation, level=index.simulation.level * JUMP_RATIO))

    return _other(market, {name: higher(index) for name, index in market.indices.items()}, Surface())


def _factors(column: str, of_puts: float, of_calls: float) -> Callable[[Market, Clock], Answers]:
    """Make a quantity of the puts and of the calls so many times as large."""

    def quotes(now: Quotes, contracts: ContractTable, _at: datetime) -> Quotes:
        factors = np.where(contracts.kind == "PE", of_puts, np.where(contracts.kind == "CE", of_calls, 1.0))
        return _replaced(now, {column: getattr(now, column) * factors})

    return lambda _market, _clock: Answers(quotes=quotes)


def _turning(market: Market, clock: Clock) -> Answers:
    """Let calls be held rather than puts, which the simulated market holds alike, and then puts rather than calls."""
    puts, calls = _factors("oi", 8.0, 1.0)(market, clock), _factors("oi", 1.0, 8.0)(market, clock)
    return Answers(quotes=puts.quotes, calm=calls.quotes)


def _vix_apart(_market: Market, _clock: Clock) -> Answers:
    """India VIX rises when volatility falls."""
    first: list[float] = []

    def quotes(now: Quotes, contracts: ContractTable, _at: datetime) -> Quotes:
        rows = np.flatnonzero((contracts.kind == LEVEL) & (contracts.symbol == "INDIA VIX"))
        last = now.last.copy()
        for row in rows:
            first.append(float(last[row]))
            last[row] = round(max(1.0, 2 * first[0] - first[-1]), 2)
        return _replaced(now, {"last": last})

    return Answers(quotes=quotes)


def _shifted(_market: Market, _clock: Clock) -> Answers:
    """Let calls cost a tenth, which breaks their parity with the puts."""

    def quotes(now: Quotes, contracts: ContractTable, _at: datetime) -> Quotes:
        calls = contracts.kind == "CE"
        priced = {name: getattr(now, name) for name in ("last", "bid", "ask")}
        return _replaced(now, {name: np.where(calls, 0.1 * prices, prices) for name, prices in priced.items()})

    return Answers(quotes=quotes)


# Fault → the market's own answers, bent.
MARKETS: Mapping[str, Callable[[Market, Clock], Answers]] = {
    "cycles_overrun": _slow,
    "spot_frozen": _frozen,
    "spot_shifted": _shifted,
    "volatility_jumps": _volatile,
    "index_jumps": _jumped,
    "vix_apart": _vix_apart,
    "puts_piled_up": _factors("oi", 8.0, 1.0),
    "calls_traded": _factors("volume", 1.0, 12.0),
    "gamma_turns": _turning,
}
