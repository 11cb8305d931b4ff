"""What the checks stand on: the sources that the settings name, asked as the agent would ask them, and let go of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time

from g6.clock import IST
from g6.errors import ConfigError, G6Error
from g6.market.indices import IndexDefinition
from g6.model.contracts import ContractTable
from g6.model.provider_report import DumpReport
from g6.providers.base import Provider
from g6.providers.facade import Facade
from g6.settings import Settings
from g6.wiring import PROVIDERS, Closable
from g6.wiring.sources import Market, Run, Source, load_market

STREAM = "kite-stream"
REPLAY = "replay"
# They know what was listed on any day; a broker knows it of today alone.
KNOW_EVERY_DAY = ("simulated", REPLAY)


@dataclass(frozen=True, slots=True)
class Listing:
    """The contracts that a provider lists. `day` is theirs; `dump` is None where they came without one."""

    provider: str
    day: date
    contracts: ContractTable
    dump: DumpReport | None


@dataclass(frozen=True, slots=True)
class Desk:
    """The settings in force and the sources that they make."""

    settings: Settings
    market: Market
    source: Source

    @property
    def definitions(self) -> tuple[IndexDefinition, ...]:
        """Return the definitions of the configured indices; raise ConfigError for one that there is none of."""
        if not self.source.names:
            raise G6Error("no index was ever recorded there; choose another --source")
        known = self.market.indices
        for name in self.source.names:
            if name not in known:
                raise ConfigError(f"{name} is not defined in indices.yaml; known are {', '.join(known)}")
        return tuple(known[name] for name in self.source.names)

    def instant(self, day: date | None = None) -> datetime:
        """Return the instant to ask about: now on the source's clock, or the beginning of a day.

        Of a recording it is the first recorded minute from there on; G6Error where that day has none.
        """
        wanted = self.source.clock.now() if day is None else datetime.combine(day, time(), IST)
        if self.source.providers[0].name != REPLAY:
            return wanted
        found = self.source.schedule.first(wanted.replace(second=0, microsecond=0))
        if found is None or (day is not None and found.date() != day):
            raise G6Error(f"nothing is recorded on {wanted.date()}; choose another --date, or another --source")
        return found

    def listing(self, at: datetime) -> Listing:
        """Return what the best provider that answers lists; raise the errors of `g6.errors` when none does."""
        # The stream's contracts are those of REST behind it, and asking it would open a connection.
        facade = Facade(*(provider for provider in self.source.providers if provider.name != STREAM))
        asked_at = at if self.source.providers[0].name in KNOW_EVERY_DAY else self.source.clock.now()
        contracts = facade.contracts(self.definitions, asked_at)
        asked = {report.name: report for report in facade.report().providers}
        dump = asked[facade.name].dump if facade.name in asked else None
        return Listing(facade.name, asked_at.date(), contracts, dump)


@contextmanager
def open_desk(settings: Settings) -> Iterator[Desk]:
    """Make the sources that the settings name; give back what they hold at the end."""
    market = load_market(settings)
    source = PROVIDERS[settings.providers.order[0]](settings, market, Run(None, once=False))
    try:
        yield Desk(settings, market, source)
    finally:
        _close(source.providers)


def _close(providers: Sequence[Provider]) -> None:
    for provider in providers:
        if isinstance(provider, Closable):
            provider.close()
