"""The one thing G6 asks of a market-data vendor. Columnar in, columnar out; absent is NaN, never zero."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from g6.market.indices import IndexDefinition
from g6.model.contracts import ContractTable
from g6.model.quotes import Quotes, Spot


class Provider(Protocol):
    """A source of spots, contracts and quotes.

    Every method may raise the errors of `g6.errors`, by what to do next, and no other.
    """

    name: str

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return the day's listed options and futures of these indices; an unknown index has no rows."""
        ...

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return index name → spot in one call; an index that did not answer is absent."""
        ...

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract asked for, in the same order."""
        ...
