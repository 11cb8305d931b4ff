"""Files into the store: asked of the exchange, or given by a person. Each ends with a word and its reason."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from g6.errors import BadResponse, ConfigError, TransientError
from g6.participants.days import Day, Kind
from g6.participants.recognise import days_in
from g6.participants.site import FILE_MAX_BYTES, Barred, NotPublished, NseSite
from g6.participants.store import ParticipantStore

# What became of a file: taken; there already; not to be had; there, and of no use.
State = Literal["stored", "replaced", "unchanged", "absent", "refused"]
# What of a folder is looked at.
SUFFIXES = (".csv", ".json")
TAKEN = frozenset({"stored", "replaced", "unchanged"})


class Ask(NamedTuple):
    """One file of the exchange: positions or volumes of a day, or the cash flows of the last one."""

    kind: Kind | Literal["cash"]
    day: date

    def __str__(self) -> str:
        return f"{self.kind} of {self.day}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one day of one file; `notes` are oddities that were tolerated."""

    what: str
    state: State
    reason: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        reasons = "; ".join(filter(None, (self.reason, *self.notes)))
        return f"{self.what}: {self.state}" + (f", {reasons}" if reasons else "")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all of them; `barred` when the exchange does not serve this machine."""

    outcomes: tuple[Outcome, ...]
    barred: bool = False

    @property
    def complete(self) -> bool:
        """Return whether everything was taken, now or earlier."""
        return not self.missing

    @property
    def missing(self) -> int:
        """Return how many are still absent, or of no use."""
        return sum(outcome.state not in TAKEN for outcome in self.outcomes)

    def __str__(self) -> str:
        return "; ".join(map(str, self.outcomes)) or "nothing was wanted"


def fetch(
    asks: Iterable[Ask],
    site: NseSite,
    store: ParticipantStore,
    *,
    again: bool = False,
    on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
) -> Report:
    """Ask for each file that is not stored yet (all with `again`), one after the other, and keep it at once.

    After the exchange has refused this machine nothing more is asked for. SinkError when the store fails.
    """
    outcomes: list[Outcome] = []
    barred = False
    for ask in asks:
        if not again and has(store, ask):
            outcome = Outcome(str(ask), "unchanged", "stored already")
        elif barred:
            outcome = Outcome(str(ask), "absent", "not asked for, since the exchange does not serve this machine")
        else:
            try:
                outcome = _asked(ask, site, store)
            except Barred as error:
                outcome, barred = Outcome(str(ask), "absent", str(error)), True
        outcomes.append(outcome)
        on_outcome(outcome)
    return Report(tuple(outcomes), barred)


def has(store: ParticipantStore, ask: Ask) -> bool:
    """Return whether a store has what would be asked for."""
    return ask.day in (store.cash() if ask.kind == "cash" else store.contracts(ask.kind))


def _asked(ask: Ask, site: NseSite, store: ParticipantStore) -> Outcome:
    try:
        day: Day = site.cash() if ask.kind == "cash" else site.contracts(ask.kind, ask.day)
    except Barred:
        raise
    except (TransientError, NotPublished) as error:
        return Outcome(str(ask), "absent", str(error))
    except BadResponse as error:
        return Outcome(str(ask), "refused", str(error))
    (taken,) = store.take([day])
    if day.day != ask.day:
        # The site has the cash flows of one day alone.
        return Outcome(str(ask), "absent", f"the site has {day.name}, which is {taken.change}", day.notes)
    return Outcome(day.name, taken.change, notes=day.notes)


def import_files(paths: Sequence[Path], store: ParticipantStore) -> Report:
    """Take files, and all CSV and JSON files below folders, told by what is in them; useless ones are named.

    ConfigError for a path that is not there; SinkError when the store fails, and nothing is taken then.
    """
    found: list[tuple[Path, Day]] = []
    refused: list[Outcome] = []
    for path in _files(paths):
        try:
            found += [(path, day) for day in days_in(_content(path))]
        except BadResponse as error:
            refused.append(Outcome(str(path), "refused", str(error)))
    # In the order of their days, as the store writes them: each file is read and written once.
    taken = store.take(day for _, day in found)
    return Report((*(Outcome(one.day.name, one.change, notes=one.day.notes) for one in taken), *refused))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        elif path.exists():
            yield path
        else:
            raise ConfigError(f"{path} is not there; name a file or a folder of files")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise BadResponse(f"it cannot be read: {error.strerror}") from None
    if len(body) > FILE_MAX_BYTES:
        raise BadResponse(f"it has more than {FILE_MAX_BYTES} bytes")
    return body
