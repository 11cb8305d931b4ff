"""What the settings want of the market around the options: what is asked for, and the rules of its mood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from g6.collectors.market import MarketOrder, order_market
from g6.market.indices import IndexDefinition
from g6.market.sessions import SessionCalendar
from g6.market.surroundings import Surroundings, load_surroundings
from g6.model.mood import MoodRules
from g6.settings import Settings, shipped


@dataclass(frozen=True, slots=True)
class WantedSurroundings:
    """`order` is None where none of it is wanted."""

    order: MarketOrder | None
    mood: MoodRules

    def open_at(self, at: datetime, calendar: SessionCalendar) -> MarketOrder | None:
        """Return what is asked for at an instant: the rows whose exchange trades."""
        return None if self.order is None else self.order.open_at(at, calendar)


def surroundings_table(settings: Settings) -> Surroundings:
    """Read the table, the shipped one or the one that the settings name, and the lists of members beside it."""
    path = settings.market.surroundings_file or shipped("market.yaml")
    return load_surroundings(path, settings.constituents_files)


def surroundings_of(
    settings: Settings, indices: Sequence[IndexDefinition], table: Surroundings | None = None
) -> WantedSurroundings:
    """Return what is wanted beside the options of these indices; ConfigError for a table that is wrong."""
    known, wanted = table or surroundings_table(settings), settings.collection.market
    if not wanted.enabled:
        return WantedSurroundings(None, known.mood)
    order = order_market(known, indices, vix=wanted.vix, sectors=wanted.sectors, breadth=wanted.breadth)
    return WantedSurroundings(order, known.mood)
