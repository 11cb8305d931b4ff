"""The daily CSV files against the journal, value by value: every row is made again from its minute and compared.

Only a hash of each row is kept while the journal is read, so that a day of thousands of legs fits; a row that differs
is made once more to name its column. Columns are compared by name: a file may have further ones, or another order.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import chain as flatten
from pathlib import Path

from g6.model.columns import Aggregate
from g6.model.snapshot import Snapshot
from g6.storage.csv_layout import LEG_HEADER, leg_lines, overview_header, overview_lines
from g6.storage.csv_market import MARKET, market_header, market_lines
from g6.storage.csv_sink import OVERVIEW
from g6.storage.data_directory import CSV
from g6.verification.csv_rows import Disagreements, FileFaults, compare_rows, minute_of
from g6.verification.result import Finding

BASIS_COLUMN = b"premium_basis"
EXAMPLES_LIMIT = 20

FileKey = tuple[str, ...]  # the folders below <root>/csv
Lines = Mapping[FileKey, bytes]


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How the files were written: the overview's aggregates, and what `total_premium` sums where no file says."""

    aggregates: Sequence[Aggregate]
    price_basis: str = "last"

    def lines(self, snapshot: Snapshot) -> dict[FileKey, bytes]:
        """Return the rows of a minute by the file that they belong into."""
        overview = overview_lines(snapshot, self.aggregates)
        lines: dict[FileKey, bytes] = {(index, OVERVIEW): line for index, line in overview.items()}
        lines.update((key, line) for key, line in leg_lines(snapshot, self.price_basis).items())
        lines.update(market_lines(snapshot, self.aggregates))
        return lines

    def header(self, key: FileKey) -> bytes:
        """Return the header of a file."""
        if key[0] == MARKET:
            return market_header(key, self.aggregates)
        return overview_header(self.aggregates) if key[1] == OVERVIEW else LEG_HEADER


class ExpectedRows:
    """The rows that the journal makes of a day, as hashes by file and minute."""

    def __init__(self, layout: CsvLayout) -> None:
        self._layout = layout
        self._minutes: list[bytes] = []
        self._rows: dict[FileKey, tuple[array[int], array[int]]] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Take up a minute."""
        number = len(self._minutes)
        stamp = b""
        for key, line in self._layout.lines(snapshot).items():
            stamp = stamp or line.partition(b",")[0]
            numbers, hashes = self._rows.setdefault(key, (array("H"), array("q")))
            numbers.append(number)
            hashes.append(hash(line))
        self._minutes.append(stamp)

    def keys(self) -> Collection[FileKey]:
        """Return the files that there should be."""
        return self._rows.keys()

    def of_file(self, key: FileKey) -> dict[bytes, int]:
        """Return `ts` → hash of the row, ascending; none for a file that should not be there."""
        numbers, hashes = self._rows.get(key, (array("H"), array("q")))
        return {self._minutes[number]: value for number, value in zip(numbers, hashes, strict=True)}


@dataclass(slots=True)
class CsvVerdict:
    """How the files agree. `only_here` are minutes that files have and the journal has not, in any row."""

    share: float = 1.0
    findings: tuple[Finding, ...] = ()
    only_here: frozenset[datetime] = frozenset()
    repaired: tuple[str, ...] = ()  # files that a torn end was moved out of


@dataclass(slots=True)
class _Totals:
    rows: int = 0
    bad: int = 0
    only_here: set[datetime] = field(default_factory=set)
    faults: Disagreements = field(default_factory=Disagreements)


def price_basis(root: Path, day: date, default: str) -> str:
    """Return what the day's own files say that `total_premium` sums; `default` when there is none that says."""
    for path in (root / CSV).glob(f"*/*/*/{day}.csv"):
        lines = path.read_bytes().split(b"\n", 2)
        names, cells = lines[0].split(b","), lines[1].split(b",") if len(lines) > 1 else []
        if BASIS_COLUMN in names and len(cells) == len(names):
            return cells[names.index(BASIS_COLUMN)].decode("utf-8", "replace")
    return default


def compare_files(
    root: Path,
    day: date,
    expected: ExpectedRows,
    layout: CsvLayout,
    sound: Collection[datetime],
    until: datetime | None,
    again: Callable[[datetime], Snapshot | None],
    on_file: Callable[[], None] = lambda: None,
) -> CsvVerdict:
    """Compare every file of a day with the journal's rows.

    `sound` are the journal's readable minutes; rows of other minutes are no disagreement but a gap of the journal.
    `again` reads a minute once more, to name what differs; `on_file` is called as each file has been compared.
    """
    totals = _Totals()
    shown = _Values(layout, again)
    for key in sorted({*expected.keys(), *_on_disk(root, day)}):
        rows = expected.of_file(key)
        faults = compare_rows(_path(root, key, day), layout.header(key), rows)
        _settle(faults, sound, until, totals)
        totals.rows += len(rows)
        totals.bad += faults.bad
        totals.faults.add(key, f"{key[-1]}/{day}.csv", faults, partial(shown.of, key))
        on_file()
    share = 1.0 - totals.bad / totals.rows if totals.rows else float(not totals.bad)
    torn = sorted(str(path.relative_to(root)) for path in (root / CSV).rglob(f"{day}.csv.torn"))
    return CsvVerdict(max(0.0, share), tuple(totals.faults.findings()), frozenset(totals.only_here), tuple(torn))


def _settle(faults: FileFaults, sound: Collection[datetime], until: datetime | None, totals: _Totals) -> None:
    """Leave out rows of minutes that the journal lacks altogether, or that are younger than what is judged."""
    kept = []
    for stamp in faults.extra:
        minute = minute_of(stamp)
        if minute is None or minute in sound:
            kept.append(stamp)
        elif until is None or minute <= until:
            totals.only_here.add(minute)
    faults.extra = kept


class _Values:
    """Names the first column in which a row differs, for the first few rows that are asked about."""

    def __init__(self, layout: CsvLayout, again: Callable[[datetime], Snapshot | None]) -> None:
        self._layout, self._again = layout, again
        self._left = EXAMPLES_LIMIT
        self._lines: dict[bytes, Lines] = {}

    def of(self, key: FileKey, stamp: bytes, line: bytes) -> str:
        """Return "ce_last is 13.5, the journal has 12.5"; "" when it is not to be had any more."""
        ours = self._line(key, stamp)
        names = self._layout.header(key).split(b",")
        for name, theirs, cell in zip(names, line.split(b","), ours.split(b","), strict=False):
            if theirs != cell:
                return f"{_text(name)} is {_text(theirs) or 'empty'}, the journal has {_text(cell) or 'nothing'}"
        return "it has another number of cells"

    def _line(self, key: FileKey, stamp: bytes) -> bytes:
        if stamp not in self._lines and self._left:
            self._left -= 1
            minute = minute_of(stamp)
            snapshot = None if minute is None else self._again(minute)
            self._lines[stamp] = {} if snapshot is None else self._layout.lines(snapshot)
        return self._lines.get(stamp, {}).get(key, b"")


def _on_disk(root: Path, day: date) -> Iterator[FileKey]:
    folder = root / CSV
    found = flatten.from_iterable(folder.glob(f"{pattern}/{day}.csv") for pattern in (f"*/{OVERVIEW}", "*/*/*"))
    return (path.parent.relative_to(folder).parts for path in found)


def _path(root: Path, key: FileKey, day: date) -> Path:
    return root.joinpath(CSV, *key, f"{day}.csv")


def _text(cell: bytes) -> str:
    return cell.decode("utf-8", "replace")[:40]
