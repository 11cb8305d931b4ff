"""One CSV file against the rows that it should have, and the faults of many files gathered by their folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from g6.clock import IST
from g6.verification.result import Finding

FIRST_COLUMN = b"ts,"


@dataclass(slots=True)
class FileFaults:
    """The `ts` of a file's faulty rows, by fault. `differs` has the row as the file has it."""

    missing: list[bytes] = field(default_factory=list)
    extra: list[bytes] = field(default_factory=list)
    differs: list[tuple[bytes, bytes]] = field(default_factory=list)
    duplicate: list[bytes] = field(default_factory=list)
    unordered: list[bytes] = field(default_factory=list)
    torn: str = ""  # how the file ends, when not with a whole line
    unreadable: str = ""
    unreadable_rows: int = 0

    @property
    def bad(self) -> int:
        """Return how many rows are not as they should be."""
        twice_or_astray = len(self.extra) + len(self.duplicate) + len(self.unordered)
        return len(self.missing) + len(self.differs) + twice_or_astray + bool(self.torn) + self.unreadable_rows


def compare_rows(path: Path, header: bytes, expected: Mapping[bytes, int]) -> FileFaults:
    """Return what is wrong with a file; `expected` is `ts` → hash of the row below our `header`, ascending."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return FileFaults(missing=list(expected))
    except OSError as error:
        return FileFaults(unreadable=str(error.strerror), unreadable_rows=max(1, len(expected)))
    if not data:
        return FileFaults(missing=list(expected))
    first, _, _ = data.partition(b"\n")
    if not first.startswith(FIRST_COLUMN):
        return FileFaults(unreadable="it does not begin with a ts column", unreadable_rows=max(1, len(expected)))
    return _compare(data, _Columns(first, header), expected)


def _compare(data: bytes, columns: "_Columns", expected: Mapping[bytes, int]) -> FileFaults:
    faults = FileFaults()
    whole = data.partition(b"\0")[0]  # after a power cut a file may hold zeros where data never reached the disk
    whole = whole[: whole.rfind(b"\n") + 1]
    lines = whole.split(b"\n")[1:-1]
    seen: set[bytes] = set()
    last = b""
    for theirs in lines:
        line = columns.ours(theirs)
        stamp = line.partition(b",")[0]
        if stamp in seen:
            faults.duplicate.append(stamp)
            continue
        seen.add(stamp)
        if stamp < last:
            faults.unordered.append(stamp)
        last = max(last, stamp)
        if stamp not in expected:
            faults.extra.append(stamp)
        elif hash(line) != expected[stamp]:
            faults.differs.append((stamp, line))
    faults.missing = [stamp for stamp in expected if stamp not in seen]
    if len(whole) < len(data):
        _tear(faults, data[len(whole) :], last)
    return faults


def _tear(faults: FileFaults, torn: bytes, last: bytes) -> None:
    """Count the torn line, and not once more the row that it was to be."""
    faults.torn = torn.replace(b"\0", b"").decode("utf-8", "replace")[:40] or f"{len(torn)} zero bytes"
    after = [stamp for stamp in faults.missing if stamp > last]
    if after:
        faults.missing.remove(after[0])


class _Columns:
    """How a file's columns become ours: as they are, cut off behind ours, or by name."""

    def __init__(self, theirs: bytes, ours: bytes) -> None:
        self._same = theirs == ours
        self._names = theirs.split(b",")
        place = {name: number for number, name in enumerate(self._names)}
        self._places = [place.get(name) for name in ours.split(b",")]

    def ours(self, line: bytes) -> bytes:
        if self._same:
            return line
        cells = line.split(b",")
        if len(cells) != len(self._names):
            return line
        return b",".join([b"" if place is None else cells[place] for place in self._places])


Explain = Callable[[bytes, bytes], str]


@dataclass(slots=True)
class _Tally:
    count: int
    example: str
    stamps: list[bytes]


class Disagreements:
    """Faults of many files as one finding per kind and folder: index and expiry code, or an index's overview."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def add(self, key: Sequence[str], name: str, faults: FileFaults, explain: Explain) -> None:
        """Take up a file's faults; `explain` says how a row differs."""
        place = "csv/" + "/".join(key[:2])
        for kind, stamps in (
            ("csv_missing", faults.missing),
            ("csv_extra", faults.extra),
            ("csv_duplicate", faults.duplicate),
            ("csv_unordered", faults.unordered),
        ):
            if stamps:
                self._count(kind, place, stamps, f"{_clock(stamps[0])} of {name}")
        if faults.differs:
            stamp, line = faults.differs[0]
            known = self._tallies.get(("csv_differs", place))
            example = known.example if known else f"{_clock(stamp)} of {name}: {explain(stamp, line)}"
            self._count("csv_differs", place, [stamp for stamp, _ in faults.differs], example)
        if faults.torn:
            self._count("csv_torn", place, [], f"{name} ends in {faults.torn!r}")
        if faults.unreadable:
            self._count("csv_unreadable", place, [], f"{name}: {faults.unreadable}")

    def findings(self) -> Iterator[Finding]:
        """Yield what was gathered."""
        for (kind, place), tally in self._tallies.items():
            minutes = [minute for minute in map(minute_of, tally.stamps) if minute is not None]
            first, last = min(minutes, default=None), max(minutes, default=None)
            yield Finding(kind, place, tally.count, tally.example, first, last)

    def _count(self, kind: str, place: str, stamps: Sequence[bytes], example: str) -> None:
        tally = self._tallies.setdefault((kind, place), _Tally(0, example, []))
        tally.count += max(1, len(stamps))
        tally.stamps += [min(stamps), max(stamps)] if stamps else []


def minute_of(stamp: bytes) -> datetime | None:
    """Return the minute that a `ts` cell says, IST; None when it says none."""
    try:
        minute = datetime.fromisoformat(stamp.decode())
    except ValueError:
        return None
    return minute.astimezone(IST) if minute.tzinfo else None


def _clock(stamp: bytes) -> str:
    minute = minute_of(stamp)
    return f"{minute:%H:%M}" if minute else f"a row that begins with {stamp[:25].decode('utf-8', 'replace')!r}"
