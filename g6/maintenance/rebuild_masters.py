"""The weekday masters made again, a day at a time, from what the journals hold."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from g6.maintenance.rebuild import Rebuilt
from g6.masters.premiums import totals_of
from g6.masters.rebuild import build_masters
from g6.masters.store import totals_in
from g6.model.snapshot import Snapshot
from g6.storage.reader import JournalReader


def rebuild_masters(
    root: Path, day: date, *, display_names: Mapping[str, str], price_basis: str, smoothing: float
) -> Rebuilt:
    """Fold one day anew; the files are those that streaming leaves. Raises SinkError.

    Days share their weekday's profile, so they are rebuilt one after the other.
    """
    counted = _Counted(JournalReader(root).snapshots(day))
    totals = totals_of(counted, price_basis)
    changed = build_masters(root, [(day, totals)], display_names, smoothing)
    return Rebuilt(minutes=counted.minutes, files=changed, rows=totals_in(totals), changed=changed, digest="")


class _Counted:
    """Minutes, counted as they go by."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = snapshots
        self.minutes = 0

    def __iter__(self) -> Iterator[Snapshot]:
        for snapshot in self._snapshots:
            self.minutes += 1
            yield snapshot
