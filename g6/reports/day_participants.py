"""Who held what at the end of a day: the exchange's classes of participants, and the cash of institutions."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from g6.errors import SinkError
from g6.participants.days import CLASSES, Cash, Contracts
from g6.participants.derived import long_short_ratio
from g6.participants.store import ParticipantStore
from g6.reports.day_html import absent, number, said, section, table

# Instruments of the table, as its heads say them; those on stocks say little of an index.
INSTRUMENTS = {"future_index": "futures", "option_index_call": "calls", "option_index_put": "puts"}
HEADS = ("class", *(f"{words}{what}" for words in INSTRUMENTS.values() for what in (", net", ", long/short")))


@dataclass(frozen=True, slots=True)
class ParticipantsDay:
    """What is stored of a day, None where nothing is; `why` says what could not be read."""

    positions: Contracts | None = None
    cash: Cash | None = None
    why: str = ""


def participants_of(root: Path, day: date) -> ParticipantsDay:
    """Return what a data directory has of a day; a file that cannot be read is said and stops nothing."""
    store = ParticipantStore(root)
    try:
        return ParticipantsDay(store.contracts("oi").get(day), store.cash().get(day))
    except SinkError as error:
        return ParticipantsDay(why=str(error))


def participants(found: ParticipantsDay) -> str:
    """Return the section."""
    if found.why:
        return section("participants", "Participants", absent(f"The files cannot be read: {found.why}."))
    if found.positions is None and found.cash is None:
        told = "No participants' files are stored for this day; `g6 participants` fetches or imports them."
        return section("participants", "Participants", absent(told))
    held = _positions(found.positions) if found.positions else absent("No positions are stored for this day.")
    return section("participants", "Participants", held, _cash(found.cash) if found.cash else "")


def _positions(day: Contracts) -> str:
    def cells(participant: str) -> list[str]:
        held = [day.positions[participant, instrument] for instrument in INSTRUMENTS]
        return [
            text
            for one in held
            for text in (number(one.long - one.short, 0, signed=True), number(long_short_ratio(one)))
        ]

    caption = "Index futures and options at the end of the day, contracts long less short, and long over short"
    return table(caption, HEADS, ((participant, *cells(participant)) for participant in CLASSES))


def _cash(day: Cash) -> str:
    flows = "; ".join(f"{who} {number(flow.net, signed=True)}" for who, flow in day.flows.items())
    return said(f"Cash market, bought less sold, ₹ crore, provisional: {flows}.")
