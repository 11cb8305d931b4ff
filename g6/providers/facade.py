"""The one provider that the rest of G6 sees: the best of those configured that answers, and who that was."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar, runtime_checkable

from g6.errors import BadResponse, ConfigError, G6Error
from g6.market.indices import IndexDefinition
from g6.model.contracts import ContractTable
from g6.model.provider_report import MarketReport, ProviderReport
from g6.model.quotes import Quotes, Spot
from g6.providers.base import Provider

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@runtime_checkable
class Reporting(Protocol):
    """A provider that can say what it went through; those without a wire have nothing to say."""

    def report(self) -> ProviderReport:
        """Return what happened since it was last asked."""
        ...


@runtime_checkable
class Probing(Protocol):
    """A provider that can find out cheaply whether it would answer."""

    def probe(self) -> None:
        """Raise what asking it for a minute would raise."""
        ...


class Facade:
    """Asks the providers in their order, each call of the first one that answers.

    1. Every minute begins with the best provider (`begin_minute`). What makes that cheap while it is out of order is
       its own: an open breaker, a dead token and a socket that is down all refuse at once.
    2. A provider that raises is left for the rest of the minute, and its reason kept; the next one is asked.
    3. When none answers, the best one's error is raised, with all reasons in it.

    No vendor's exception and no answer of a wrong length gets through.
    """

    def __init__(self, *providers: Provider) -> None:
        self._providers = providers
        self._left: dict[str, str] = {}  # provider → why it was left, this minute
        self._error: G6Error | None = None  # of the best provider, this minute
        self._place = 0
        self._before = self._providers[0].name

    @property
    def name(self) -> str:
        """Return the name of who answers; the best one's where none did."""
        return self._current.name

    def begin_minute(self) -> None:
        """Go back to the best provider."""
        self._place, self._error = 0, None
        self._left.clear()

    def probe(self) -> MarketReport:
        """Find out, while there is time to do something about it, whether the providers would answer."""
        self.begin_minute()
        for provider in self._providers:
            if isinstance(provider, Probing):
                try:
                    _at_boundary(provider, lambda probed: probed.probe())
                except G6Error as error:
                    log.warning("%s: %s", provider.name, error)
        return self.report()

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return the contracts listed at this instant; how long an answer holds is the provider's knowledge."""
        return self._ask(lambda provider: provider.contracts(indices, at))

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return the spots that answered, in one call."""
        return self._ask(lambda provider: provider.spots(indices, at))

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract, in one call."""
        return self._ask(lambda provider: _parallel(provider, contracts, at))

    def report(self) -> MarketReport:
        """Return how the minute went; the next report is about the next one."""
        active, preferred = self._current.name, self._providers[0].name
        before, self._before = self._before, active
        return MarketReport(
            active=active,
            preferred=preferred,
            reason=self._left.get(preferred, ""),
            before=before if before != active else "",
            providers=tuple(p.report() for p in self._providers if isinstance(p, Reporting)),
        )

    @property
    def _current(self) -> Provider:
        return self._providers[self._place if self._place < len(self._providers) else 0]

    def _ask(self, call: Callable[[Provider], Answer]) -> Answer:
        while self._place < len(self._providers):
            provider = self._current
            try:
                return _at_boundary(provider, call)
            except ConfigError:
                raise  # nobody further down the list can mend it
            except G6Error as error:
                self._left[provider.name] = str(error)
                self._error = self._error or error
                self._place += 1
        raise self._all_failed()

    def _all_failed(self) -> G6Error:
        assert self._error is not None  # noqa: S101 - a place is only left with an error
        if len(self._providers) > 1:
            self._error.args = (_together(self._left),)
        return self._error


def _together(left: Mapping[str, str]) -> str:
    """Return why each provider was left, a reason that several have said once."""
    whose: dict[str, list[str]] = {}
    for name, why in left.items():
        whose.setdefault(why.removeprefix(f"{name}: "), []).append(name)
    # A reason names its endpoint (kite.quote), as a rule, and so its provider.
    return "; ".join(why if why.startswith(names[0]) else f"{', '.join(names)}: {why}" for why, names in whose.items())


Asked = TypeVar("Asked")


def _at_boundary(provider: Asked, call: Callable[[Asked], Answer]) -> Answer:
    try:
        return call(provider)
    except G6Error:
        raise
    except Exception as error:  # the provider boundary: one of the three places where anything may arrive
        words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(" :")
        raise BadResponse(f"the provider failed: {words}") from error


def _parallel(provider: Provider, contracts: ContractTable, at: datetime) -> Quotes:
    quotes = provider.quotes(contracts, at)
    if len(quotes) != len(contracts):
        raise BadResponse(f"{provider.name} gave {len(quotes)} quotes for {len(contracts)} contracts")
    return quotes
