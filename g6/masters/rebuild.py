"""Masters made from whole days at once: after a loss, or beside the ones in use."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

from g6.masters.files import WEEKDAYS, write_weekday
from g6.masters.profile import SMOOTHING
from g6.masters.store import Folded, MasterStore, content_of, totals_in
from g6.masters.totals import DayTotals

BASIS = "journal"


def build_masters(
    root: Path,
    days: Iterable[tuple[date, DayTotals]],
    display_names: Mapping[str, str],
    smoothing: float = SMOOTHING,
) -> int:
    """Fold days, in any order, into the masters below `root` and write their files; return how many files changed.

    The files are byte for byte those that streaming and the end of each day leave. A day that is there already is
    replaced, so an interrupted build is gone on with. SinkError when something cannot be written.
    """
    with closing(MasterStore.open(root)) as store:
        store.adopt(smoothing, display_names)
        for day, totals in days:
            entry = Folded(content_of(totals), BASIS, totals_in(totals), 0)
            if store.folded(day) != entry:
                store.settle(day, totals, entry, store.versions(day))
        return sum(write_weekday(store, weekday, store.groups(weekday)) for weekday in range(len(WEEKDAYS)))
