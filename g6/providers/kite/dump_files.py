"""Instruments dumps on disk: a gzipped CSV per exchange and day, as it came. Several processes may share the folder."""

import gzip
import logging
import os
import re
import tempfile
import zlib
from datetime import date
from pathlib import Path

log = logging.getLogger(__name__)

DUMP_MAX_BYTES = 256 * 1024 * 1024  # unzipped; the whole dump has 11 MB
SUFFIX = ".csv.gz"
# What a file of ours is called, a half-written (".NFO-2026-08-18.csv.gz.x7f") and a damaged one included.
_FILE = re.compile(r"\.?(?P<exchange>[A-Z]+)-(?P<day>\d{4}-\d{2}-\d{2})\.csv\.gz(?:\..*)?")


class DumpFiles:
    """A folder of dumps. It may fail to keep one, and then says so in the log: nothing here raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def days(self, exchange: str, until: date) -> list[date]:
        """Return the days up to `until` of which there is a dump, the latest first."""
        names = {path.name: day for path, owner, day in self._own() if owner == exchange and day <= until}
        return sorted((day for name, day in names.items() if name == _name(exchange, day)), reverse=True)

    def read(self, exchange: str, day: date) -> bytes | None:
        """Return a dump; None where there is none. One that cannot be unzipped is set aside."""
        try:
            with gzip.open(self._folder / _name(exchange, day)) as file:
                body = file.read(DUMP_MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except (OSError, EOFError, zlib.error) as error:
            self.set_aside(exchange, day, f"{type(error).__name__}: {error}")
            return None
        if len(body) > DUMP_MAX_BYTES:
            self.set_aside(exchange, day, f"more than {DUMP_MAX_BYTES} bytes unzipped")
            return None
        return body

    def write(self, exchange: str, day: date, body: bytes) -> None:
        """Keep a dump, whole or not at all; where that fails (a full disk), warn and go on without."""
        path = self._folder / _name(exchange, day)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(gzip.compress(body, compresslevel=1, mtime=0))
                    file.flush()
                    os.fsync(file.fileno())
                Path(part).replace(path)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.warning("the instruments dump of %s cannot be kept in %s (%s); it is used from memory, and asked for "
                        "again after a restart", exchange, self._folder, error.strerror or error)  # fmt: skip

    def set_aside(self, exchange: str, day: date, reason: str) -> None:
        """Rename a damaged dump, so that nobody reads it again and a person can look at it."""
        path = self._folder / _name(exchange, day)
        aside = path.with_name(path.name + ".damaged")
        try:
            path.replace(aside)
        except FileNotFoundError:  # another process was first
            return
        except OSError as error:
            log.warning("the damaged instruments dump %s cannot be moved aside: %s", path, error.strerror or error)
            return
        log.warning("the instruments dump %s is damaged (%s) and was moved to %s", path, reason, aside.name)

    def prune(self, exchange: str, until: date, keep: int) -> None:
        """Remove what belongs to days before the `keep` latest ones up to `until`."""
        kept = self.days(exchange, until)[:keep]
        if len(kept) < keep:
            return
        for path, owner, day in self._own():
            if owner == exchange and day < kept[-1]:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    log.warning("the old instruments dump %s cannot be removed: %s", path, error.strerror or error)

    def _own(self) -> list[tuple[Path, str, date]]:
        try:
            found = [(path, _FILE.fullmatch(path.name)) for path in self._folder.iterdir()]
        except OSError:  # there is no folder yet, or none that can be read: no dumps
            return []
        own = []
        for path, match in found:
            try:
                if match:
                    own.append((path, match["exchange"], date.fromisoformat(match["day"])))
            except ValueError:  # no day of the calendar, so not ours
                continue
        return own


def _name(exchange: str, day: date) -> str:
    return f"{exchange}-{day}{SUFFIX}"
