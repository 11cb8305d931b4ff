"""The simulated market as a provider: it answers at once, for every index that it was made for."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from g6.clock import IST
from g6.market.indices import IndexDefinition
from g6.model.contracts import ContractTable
from g6.model.quotes import Quotes, Spot
from g6.simulator.market import SimulatedMarket


class SimulatedProvider:
    """Answers from a simulated market. Raises only OutsideCalendar, for days that the calendar does not cover."""

    name = "simulated"

    def __init__(self, market: SimulatedMarket) -> None:
        self._market = market
        self._listed = lru_cache(maxsize=1)(self._list)  # one table a day: who keeps it can tell it by identity

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return what is listed on the day of `at`, IST; an index that the market does not know has no rows."""
        return self._listed(tuple(index.name for index in indices), at.astimezone(IST).date())

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return the published levels; an index that the market does not know is absent."""
        answers = {index.name: self._market.spot(index.name, at) for index in indices}
        return {name: spot for name, spot in answers.items() if spot is not None}

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract asked for, in the same order."""
        return self._market.quotes(contracts, at)

    def _list(self, names: tuple[str, ...], day: date) -> ContractTable:
        return ContractTable.concatenate(self._market.contracts(name, day) for name in names)
