"""One CSV file of one day: rows strictly increasing in `ts`, whatever order they come in and whatever a crash left.

Rows are given as `ts` → line, or None to take a row away. Giving the same row again changes nothing, so late minutes,
replays, restarts and a journal that supplies again are one path. Nothing here is synced but a file that takes
another one's name: until a checkpoint the journal is what survives a power cut.
"""

import errno
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

log = logging.getLogger(__name__)

Rows = Mapping[bytes, bytes | None]

SAFE = os.O_NOFOLLOW | os.O_CLOEXEC
APPEND = os.O_WRONLY | os.O_APPEND | SAFE
CREATE = APPEND | os.O_CREAT
REPAIR = os.O_RDWR | os.O_APPEND | SAFE
TEMPORARY = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | SAFE
# What a file is met with: its header and its last hundred rows or so.
TAIL_BYTES = 64 * 1024
FIRST_COLUMN = b"ts,"
# Those below the folder of all CSV files. What lies above is there, or the data directory is gone: one that were made
# here would take its place.
FOLDERS = 3


class Effect(NamedTuple):
    """What one call changed in a file."""

    rows: int = 0
    bytes: int = 0
    repaired: int = 0


class DailyFile:
    """A file that only this process writes. After any OSError the disk is looked at again before the next write."""

    __slots__ = ("_exists", "_extra", "_found", "header", "last", "path", "suspect")

    def __init__(self, path: str, header: bytes) -> None:
        self.path = path
        self.header = header
        self.last: bytes | None = None  # `ts` of the last row, b"" when there is none, None when not known
        # What can be read back may not reach the disk by another sync: one failed since it was written, in this
        # process or, where a row was found as it is given, perhaps in an earlier one.
        self.suspect = False
        self._found = b""  # `ts` of the last row that was there before this process wrote
        self._exists = False
        self._extra = b""  # empty cells for columns that the file has and this release has not

    def apply(self, rows: Rows) -> Effect:
        """Bring rows into the file; OSError leaves it as it was, or to be repaired by the next call."""
        try:
            met = self.last is None
            repaired = self._look() if met else 0
            last = self.last or b""
            older = {ts: line for ts, line in rows.items() if ts <= last}
            newer = [line for ts, line in sorted(rows.items()) if ts > last and line is not None]
            merged = self._merge(older) if older else Effect()
            appended = self._append(newer) if newer else Effect()
        except OSError:
            self.last = None
            raise
        if merged.rows + appended.rows < len(rows) and (met or min(rows) <= self._found):
            self.suspect = True
        return Effect(merged.rows + appended.rows, merged.bytes + appended.bytes, repaired)

    def renew(self) -> None:
        """Write the whole file into a new one and sync that; for a file that is suspect."""
        if os.path.lexists(self.path):
            self._replace(dict(_keyed(_lines(_read(self.path))[1:])))
        self.suspect = False

    def _look(self) -> int:
        """Learn what is on the disk, repairing a torn end; return how many were repaired."""
        self._exists, self.last, self._extra, self._found = False, b"", b"", b""
        try:
            descriptor = os.open(self.path, REPAIR)
        except FileNotFoundError:
            return 0
        with _closing(descriptor):
            repaired = _repair(descriptor, self.path)
            header = os.pread(descriptor, TAIL_BYTES, 0).partition(b"\n")[0]
            rows = _tail(descriptor)
        if not header:
            return repaired
        self._exists, self.last = True, max(rows, default=b"")
        self._found = self.last
        self._adopt(header)
        return repaired

    def _adopt(self, header: bytes) -> None:
        """Accept the columns that the file has: our own, with others after them, or rewritten to be so."""
        if not header.startswith(FIRST_COLUMN):
            raise OSError(errno.EINVAL, "not a file of G6: it does not begin with a ts column", self.path)
        ours, theirs = self.header.split(b","), header.split(b",")
        others = [name for name in theirs if name not in ours]
        self._extra = b"," * len(others)
        if theirs == ours + others:
            return
        lines = [_by_name(line, theirs, ours + others) for line in _lines(_read(self.path))[1:]]
        self._replace(dict(_keyed(lines)), b",".join(ours + others))

    def _append(self, lines: Sequence[bytes]) -> Effect:
        """Add rows behind the last one, all of them in one write."""
        data = b"".join([line + self._extra + b"\n" for line in lines])
        if not self._exists:
            data = self.header + b"\n" + data
        descriptor = self._open_to_append()
        with _closing(descriptor):
            _write(descriptor, data)
        self._exists, self.last = True, lines[-1].partition(b",")[0]
        return Effect(len(lines), len(data))

    def _open_to_append(self) -> int:
        if self._exists:
            return os.open(self.path, APPEND)
        try:
            return os.open(self.path, CREATE, 0o666)
        except FileNotFoundError:
            _make_folder(os.path.dirname(self.path))  # noqa: PTH120 (text paths, thousands a minute)
            return os.open(self.path, CREATE, 0o666)

    def _merge(self, rows: Rows) -> Effect:
        """Insert, replace or take away rows at or before the last one."""
        wanted = {ts: None if line is None else line + self._extra for ts, line in rows.items()}
        with _closing(os.open(self.path, REPAIR)) as descriptor:
            known = _tail(descriptor)
            if min(wanted) < min(known, default=b""):
                known = dict(_keyed(_lines(_read(self.path))[1:]))
            changed = {ts: line for ts, line in wanted.items() if known.get(ts) != line}
            if not changed:
                return Effect()
            last = next(reversed(known), b"")
            if set(changed) == {last} and (changed[last] is not None or len(known) > 1):
                return self._change_last(descriptor, known, changed[last])
        rows_now = {**dict(_keyed(_lines(_read(self.path))[1:])), **changed}
        written = self._replace({ts: line for ts, line in rows_now.items() if line is not None})
        return Effect(len(changed), written)

    def _change_last(self, descriptor: int, known: Mapping[bytes, bytes], line: bytes | None) -> Effect:
        """Change the last row in place. A crash in between costs that row alone, and the journal supplies it again."""
        *others, last = known
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(known[last]) - 1)
        if line is not None:
            _write(descriptor, line + b"\n")
            return Effect(1, len(line) + 1)
        self.last = others[-1]
        return Effect(1, 0)

    def _replace(self, rows: Mapping[bytes, bytes], header: bytes | None = None) -> int:
        """Give the file these rows by putting a complete, synced one in its place; without rows it goes."""
        if not rows:
            os.unlink(self.path)  # noqa: PTH108 (text paths, thousands a minute)
            self._exists, self.last, self._extra = False, b"", b""
            return 0
        first = header or _read(self.path).partition(b"\n")[0]
        data = b"".join([line + b"\n" for line in (first, *(rows[ts] for ts in sorted(rows)))])
        temporary = self.path + ".tmp"
        try:
            with _closing(os.open(temporary, TEMPORARY, 0o666)) as descriptor:
                _write(descriptor, data)
                os.fsync(descriptor)
            os.replace(temporary, self.path)  # noqa: PTH105 (text paths, thousands a minute)
        except OSError:
            _discard(temporary)
            raise
        self.last = max(rows)
        return len(data)


def _make_folder(path: str, deep: int = FOLDERS) -> None:
    """Make a folder and at most so many with those above it; FileNotFoundError where that is not enough."""
    try:
        os.mkdir(path)  # noqa: PTH102 (text paths)
    except FileExistsError:
        return
    except FileNotFoundError:
        if deep == 1:
            raise
        _make_folder(os.path.dirname(path), deep - 1)  # noqa: PTH120 (text paths)
        os.mkdir(path)  # noqa: PTH102 (text paths)


def _write(descriptor: int, data: bytes) -> None:
    """Write all of `data` at the end, in one call unless the disk fills up; then take back what was written."""
    written = os.write(descriptor, data)
    if written == len(data):
        return
    start = os.fstat(descriptor).st_size - written
    try:
        while written < len(data):
            written += os.write(descriptor, data[written:])
    except OSError:
        os.ftruncate(descriptor, start)
        raise


def _repair(descriptor: int, path: str) -> int:
    """Move what follows the last sound line into `<path>.torn`, from where nothing is lost to a person."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
    # After a power cut a file may hold zeros where data never reached the disk.
    sound = tail.rfind(b"\n", 0, tail.index(b"\0") if b"\0" in tail else len(tail)) + 1
    if sound == len(tail):
        return 0
    if sound == 0 and size > TAIL_BYTES:
        raise OSError(errno.EINVAL, "not a file of G6: it has no lines", path)
    with _closing(os.open(path + ".torn", CREATE, 0o666)) as torn:
        _write(torn, tail[sound:] + b"\n")
    os.ftruncate(descriptor, size - len(tail) + sound)
    log.warning("%s ended in a torn line; it was moved to %s.torn", path, path)
    return 1


def _tail(descriptor: int) -> dict[bytes, bytes]:
    """Return the last rows, `ts` → line, without the header and without a line that is cut off at the front."""
    size = os.fstat(descriptor).st_size
    return dict(_keyed(_lines(os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES)))[1:]))


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")[:-1]


def _keyed(lines: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return ((line.partition(b",")[0], line) for line in lines)


def _by_name(line: bytes, theirs: Sequence[bytes], ours: Sequence[bytes]) -> bytes:
    cells = dict(zip(theirs, line.split(b","), strict=False))
    return b",".join([cells.get(name, b"") for name in ours])


def _read(path: str) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | SAFE), "rb") as file:
        return file.read()


def _discard(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108 (text paths, thousands a minute)
    except OSError:
        return  # it is overwritten by the next attempt


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
