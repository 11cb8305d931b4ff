"""The data directory and its disk: whether it can be written, how much is left, and how fast it goes."""

import os
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path

from g6.health.evidence import DiskReading

# The rate is that of the last hour; less than a quarter of an hour says nothing.
WINDOW_SECONDS = 3600.0
LEAST_SECONDS = 900.0
STEP_SECONDS = 30.0


class DiskWatch:
    """Reads the free space of `folder`, and tells its rate from the readings of the last hour.

    `monotonic` gives seconds of the machine's time, since disks fill in those. `look` returns what `os.statvfs`
    returns. None where the folder cannot be asked.
    """

    def __init__(
        self, folder: Path, monotonic: Callable[[], float], look: Callable[[Path], os.statvfs_result] = os.statvfs
    ) -> None:
        self._folder, self._monotonic, self._look = folder, monotonic, look
        self._readings: deque[tuple[float, int]] = deque()

    def __call__(self) -> DiskReading | None:
        """Return the reading of this moment."""
        try:
            seen = self._look(self._folder)
        except OSError:
            return None
        # What this user may have, not what is reserved for the administrator.
        free = seen.f_bavail * seen.f_frsize
        files = seen.f_favail if seen.f_files else None
        return DiskReading(free, seen.f_blocks * seen.f_frsize, files, self._rate(free))

    def _rate(self, free: int) -> float | None:
        now = self._monotonic()
        if not self._readings or now - self._readings[-1][0] >= STEP_SECONDS:
            self._readings.append((now, free))
        while now - self._readings[0][0] > WINDOW_SECONDS:
            self._readings.popleft()
        begun, before = self._readings[0]
        return (before - free) / (now - begun) if now - begun >= LEAST_SECONDS else None


class DirectoryWatch:
    """Tells why the data directory cannot be written, or nothing while it can.

    It is tried with a file until that has worked once. From then on it is only looked at, which waits for no disk, and
    tried again after each trouble. `why_away` says why it is not in its place. The root user may write anywhere: for
    it only the place and the mount tell.
    """

    def __init__(
        self,
        folder: Path,
        why_away: Callable[[], str],
        look: Callable[[Path], os.statvfs_result] = os.statvfs,
        try_out: Callable[[Path], str] | None = None,
    ) -> None:
        self._folder, self._why_away, self._look = folder, why_away, look
        self._try_out = try_out or why_not_writable
        self._is_proven = False

    def __call__(self) -> str:
        """Return what is wrong at this moment."""
        why = self._why_away() or self._seen()
        if not why and not self._is_proven:
            why = self._try_out(self._folder)
        self._is_proven = not why
        return why

    def _seen(self) -> str:
        try:
            flags = self._look(self._folder).f_flag
        except OSError as error:
            return f"{self._folder} cannot be written: {error.strerror}"
        if flags & os.ST_RDONLY:
            return f"{self._folder} cannot be written: it is mounted read-only"
        effective = os.access in os.supports_effective_ids
        if not os.access(self._folder, os.W_OK | os.X_OK, effective_ids=effective):
            return f"{self._folder} cannot be written: no permission"
        return ""


def why_not_writable(folder: Path) -> str:
    """Write a file into the folder, make it durable and remove it; return why that fails, or nothing."""
    path = folder / f"probe-{secrets.token_hex(4)}.tmp"
    try:
        try:
            with path.open("xb") as file:
                file.write(b"g6\n")
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"
    return ""
