"""What the weekday masters still need of a day, so that its files may not leave the disk yet."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

from g6.errors import SinkError
from g6.masters.database import path_of
from g6.masters.store import MasterStore


def unsettled_days(root: Path, before: date) -> tuple[date, ...]:
    """Return the days before a day with minutes that no fold has seen, ascending; none where there are no masters.

    SinkError when the masters cannot be read.
    """
    if not path_of(root).is_file():
        return ()
    with closing(MasterStore.open_read_only(root)) as store:
        return tuple(day for day in store.unsettled_days() if day < before)


def masters_hold(root: Path, *, kept: bool) -> Callable[[date], str | None]:
    """Return why the masters still need a day's files, as they are now; None for a day that is folded.

    A day with minutes that were never folded is held even where masters are `kept` no longer; one that the ledger does
    not know only where they are.
    """
    if not path_of(root).is_file():
        return lambda _day: "the weekday masters have not begun" if kept else None
    try:
        with closing(MasterStore.open_read_only(root)) as store:
            unsettled, folded = frozenset(store.unsettled_days()), frozenset(store.folded_days())
    except SinkError as error:
        unreadable = str(error)
        return lambda _day: unreadable

    def why(day: date) -> str | None:
        if day in unsettled:
            return "it is not folded into the weekday masters yet"
        return "the weekday masters do not know it; `g6 rebuild --what masters`" if kept and day not in folded else None

    return why
