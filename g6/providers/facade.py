"""The one provider that the rest of G6 sees: no vendor's exception and no answer of a wrong length gets through."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from g6.errors import BadResponse, G6Error
from g6.market.indices import IndexDefinition
from g6.model.contracts import ContractTable
from g6.model.quotes import Quotes, Spot
from g6.providers.base import Provider

Answer = TypeVar("Answer")


class Facade:
    """Asks a provider, once for each kind of thing in a minute."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @property
    def name(self) -> str:
        """Return the name of who answers."""
        return self._provider.name

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return the contracts listed at this instant; how long an answer holds is the provider's knowledge."""
        return _at_boundary(lambda: self._provider.contracts(indices, at))

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return the spots that answered, in one call."""
        return _at_boundary(lambda: self._provider.spots(indices, at))

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract, in one call."""
        quotes = _at_boundary(lambda: self._provider.quotes(contracts, at))
        if len(quotes) != len(contracts):
            raise BadResponse(f"{self.name} gave {len(quotes)} quotes for {len(contracts)} contracts")
        return quotes


def _at_boundary(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except G6Error:
        raise
    except Exception as error:  # the provider boundary: one of the three places where anything may arrive
        words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(" :")
        raise BadResponse(f"the provider failed: {words}") from error
