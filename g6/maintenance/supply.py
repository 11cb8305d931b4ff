"""Stores brought up to date from the journals outside of the recorder's loop."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from g6.errors import SinkError
from g6.storage.journal_set import JournalSet
from g6.storage.sink import Sink


class Supplied(NamedTuple):
    """How many rows the stores were given, on how many days, and what one of them said it could not take."""

    rows: int
    days: int
    errors: tuple[str, ...]


def supply(root: Path, sinks: Sequence[Sink], max_bytes: int) -> Supplied:
    """Apply to each store what the journals have and it has not, durably.

    The caller holds the data directory. An error of one store or day costs that alone; its cursor stays, and the next
    run of G6 supplies it.
    """
    rows, days, errors = 0, set(), []
    with closing(JournalSet(root, max_bytes)) as journals:
        for sink in sinks:
            for day in journals.undrained(sink.name):
                try:
                    report = sink.drain(journals.journal(day))
                    sink.checkpoint(journals.journal(day))
                except SinkError as error:
                    errors.append(f"{sink.name}: {day}: {error}")
                    continue
                days.add(day)
                rows += report.rows
                errors += [f"{sink.name}: {day}: {report.error}"] if report.error else []
    for sink in sinks:
        sink.close()
    return Supplied(rows, len(days), tuple(errors))
