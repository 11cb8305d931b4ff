"""The log file: one write per line, a new file when it is full, and no trouble of a disk becomes the agent's."""

import errno
import logging
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from g6.errors import ConfigError

MODE = 0o640


class LogFile(logging.Handler):
    """Appends to `path`; when it would pass `max_bytes` it becomes `path.1`, that one `path.2`, up to `backups`.

    A file that was moved or whose folder was removed is made anew, as a log rotation from outside expects. What cannot
    be written is lost and counted; `tell` is told in a sentence when that begins and when it ends, and of nothing
    between. Raises ConfigError when the file cannot be opened at first. `max_bytes` 0 never begins a new file.
    """

    def __init__(self, path: Path, max_bytes: int, backups: int, tell: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._tell = tell
        self._writing = threading.Lock()
        self._untold: list[str] = []
        self._torn = False  # the last line is not whole
        self._failing = False
        self._stuck = False  # it cannot be moved aside
        self._lost = 0
        self._identity = (0, 0)
        try:
            self._descriptor: int | None = self._open()
        except OSError as error:
            raise ConfigError(f"logging.file {path}: {error.strerror}; name a file that can be written") from error

    def createLock(self) -> None:  # noqa: N802  the base class's name
        """Have no lock but the one around the writing: telling of trouble must hold none."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Append the line."""
        line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        with self._writing:
            try:
                self._write(line, self._ready(len(line)))
            except OSError as error:
                self._fails(error)
            else:
                self._works()
            untold, self._untold = self._untold, []
        for sentence in untold:
            self._tell(sentence)

    def close(self) -> None:
        """Close the file."""
        with self._writing, suppress(OSError):
            self._leave()
        super().close()

    def _ready(self, coming_bytes: int) -> int:
        """Return the descriptor to write to, of the file that bears the name now and has room."""
        found = self._found()
        if found is None or self._descriptor is None or self._identity != (found.st_dev, found.st_ino):
            return self._reopened()
        full = stat.S_ISREG(found.st_mode) and 0 < self._max_bytes < found.st_size + coming_bytes
        if full and found.st_size > 0 and self._moved_aside():
            return self._reopened()
        return self._descriptor

    def _found(self) -> os.stat_result | None:
        try:
            return self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _reopened(self) -> int:
        self._leave()
        self._descriptor = self._open()
        return self._descriptor

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._torn = False
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        found = os.fstat(descriptor)
        self._identity = found.st_dev, found.st_ino
        return descriptor

    def _leave(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _write(self, line: bytes, descriptor: int) -> None:
        line = b"\n" + line if self._torn else line
        # One call a line: two writers' lines do not mix, and none is left half in memory.
        written = os.write(descriptor, line)
        if written < len(line):
            self._torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False

    def _moved_aside(self) -> bool:
        """Make room; return False where that is not allowed: then the file grows on, for no line is given up."""
        try:
            for number in range(self._backups - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._numbered(number).replace(self._numbered(number + 1))
            if self._backups:
                self._path.replace(self._numbered(1))
            else:
                self._path.unlink()
        except OSError as error:
            if not self._stuck:
                self._stuck = True
                self._untold.append(
                    f"the log file {self._path} is full and cannot be moved aside: {error.strerror}; it grows on"
                )
            return False
        self._stuck = False
        return True

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _fails(self, error: OSError) -> None:
        self._lost += 1
        if not self._failing:
            self._failing = True
            self._untold.append(
                f"the log file {self._path} cannot be written: {error.strerror}; its lines are lost until it can"
            )

    def _works(self) -> None:
        if self._failing:
            lost, self._failing, self._lost = self._lost, False, 0
            self._untold.append(f"the log file {self._path} is written again; lines lost: {lost}")
