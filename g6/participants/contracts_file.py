"""NSE's `fao_participant_oi_DDMMYYYY.csv` and `fao_participant_vol_DDMMYYYY.csv`, with the faults that they have.

The title is in doubled quotes and alone has the day (`Oct 08, 2026`, at times `Sep 10,2026`); names of columns are
padded with blanks; calls and puts stand in the order call long, put long, call short, put short. Columns are therefore
found by their names. Sums may be off by one contract, since the exchange rounds: that is noted. Larger differences mean
that the file is not whole or not what it says, and refuse it.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence

from g6.errors import BadResponse
from g6.participants.days import CLASSES, INSTRUMENTS, MARKET, PARTICIPANTS, TOTAL, Contracts, Key, Kind, Position
from g6.participants.words import count, day_of

TITLE = re.compile(
    r"participant wise (open interest|trading volumes?)\b.*?\bas on ([a-z]{3,9})\.? *([0-9]{1,2}) *, *([0-9]{4})",
    re.IGNORECASE,
)
KIND_OF: Mapping[str, Kind] = {"open interest": "oi", "trading volume": "volume", "trading volumes": "volume"}
CLIENT_TYPE = "client type"
# Instrument → the exchange's name of it, which long or short follows; the totals have their own word order.
SPOKEN = {name: name.replace("_", " ") for name in INSTRUMENTS}
COLUMNS: Mapping[str, tuple[str, str]] = {
    **{name: (f"{said} long", f"{said} short") for name, said in SPOKEN.items()},
    TOTAL: ("total long contracts", "total short contracts"),
}
ROUNDING_CONTRACTS = 1


def is_contracts(text: str) -> bool:
    """Return whether a text begins as these files do."""
    return _title(text).strip().lower().startswith("participant wise")


def parse_contracts(text: str) -> Contracts:
    """Return the day in a file's text; BadResponse says what is missing or does not add up."""
    said = TITLE.search(_title(text))
    if said is None:
        raise BadResponse("its first line is no title of a participant file with a day")
    rows = [row for row in csv.reader(text.splitlines()[1:]) if any(cell.strip() for cell in row)]
    if not rows:
        raise BadResponse("it ends after its title")
    places = _places(rows[0])
    found = dict(_positions(rows[1:], places))
    missing = [name for name in PARTICIPANTS if (name, TOTAL) not in found]
    if missing:
        raise BadResponse(f"it has no row for {', '.join(missing)}: it is not whole")
    kind, month, day, year = said.groups()
    return Contracts(day_of(year, month, day), KIND_OF[kind.lower()], found, tuple(_differences(found)))


def _title(text: str) -> str:
    return text.partition("\n")[0].replace('"', "")


def _places(header: Sequence[str]) -> Mapping[str, int]:
    """Return the exchange's name of a column, in lower case and single blanks → where it stands."""
    places = {" ".join(cell.lower().split()): place for place, cell in enumerate(header)}
    wanted = [CLIENT_TYPE, *(name for pair in COLUMNS.values() for name in pair)]
    missing = [name for name in wanted if name not in places]
    if missing:
        raise BadResponse(f"its header lacks {', '.join(missing)}")
    return places


def _positions(rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> Iterator[tuple[Key, Position]]:
    names = {name.lower(): name for name in PARTICIPANTS}
    for row in rows:
        said = row[places[CLIENT_TYPE]].strip() if len(row) > places[CLIENT_TYPE] else ""
        participant = names.get(said.lower())
        if participant is None:
            raise BadResponse(f"{said[:40]!r} is no class of participants; they are {', '.join(PARTICIPANTS)}")
        for instrument, sides in COLUMNS.items():
            yield (participant, instrument), Position(*(_cell(row, places[side], participant, side) for side in sides))


def _cell(row: Sequence[str], place: int, participant: str, column: str) -> int:
    if place >= len(row):
        raise BadResponse(f"the row of {participant} ends before {column}: it is not whole")
    return count(row[place], f"{participant}, {column}")


def _differences(found: Mapping[Key, Position]) -> Iterator[str]:
    """Yield a sentence for each sum that is off by one; BadResponse when one is off by more."""
    for instrument in (*INSTRUMENTS, TOTAL):
        for side, name in enumerate(Position._fields):
            added = sum(found[one, instrument][side] for one in CLASSES)
            yield from _difference(f"{_of(instrument)} {name} of all", found[MARKET, instrument][side], added)
        held = found[MARKET, instrument]
        yield from _difference(f"{_of(instrument)} short of all, against long,", held.short, held.long)
    for participant in PARTICIPANTS:
        for side, name in enumerate(Position._fields):
            added = sum(found[participant, instrument][side] for instrument in INSTRUMENTS)
            yield from _difference(f"total {name} of {participant}", found[participant, TOTAL][side], added)


def _of(instrument: str) -> str:
    return SPOKEN.get(instrument, instrument)


def _difference(what: str, said: int, added: int) -> Iterator[str]:
    if abs(said - added) > ROUNDING_CONTRACTS:
        raise BadResponse(f"{what} is {said}, and {added} by addition: it is not whole, or not what it says")
    if said != added:
        yield f"{what} is {said}, and {added} by addition"
