"""The data directory: its layout, its one holder, and the only way a name becomes a path inside it."""

import fcntl
import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from g6.errors import ConfigError, DataDirectoryBusy

MARKET_FILE = "market"
JOURNAL, CSV, CORRUPT = "journal", "csv", "corrupt"
LOCK_FILE = "g6.lock"

# Index names are upper case, expiry codes and offsets lower. Mixed case is refused, because two names
# that differ only in case are one folder on a file system that ignores case.
SAFE_NAME = re.compile(r"[A-Z0-9][A-Z0-9_&-]{0,31}|[a-z0-9][a-z0-9_&-]{0,31}")


def path_within(root: Path, *names: str) -> Path:
    """Return `root` joined with `names`; ConfigError for a name that is not plain, or a link that leads out."""
    for name in names:
        if not SAFE_NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} cannot be part of a path: use 1 to 32 letters of one case, digits, '_', '&' or '-'"
            )
    path = root.joinpath(*names)
    if not path.resolve().is_relative_to(root.resolve()):
        raise ConfigError(f"{path} leads out of {root}: replace the link by a directory")
    return path


class Hold:
    """The right to write into a data directory; kept until `release`, the end of the block, or the process's end.

    The directory itself is kept open: moved elsewhere it is still the one that is held, and what bears its name by
    then is not.
    """

    def __init__(self, root: Path, lock: int, folder: int) -> None:
        self._root, self._lock, self._folder = root, lock, folder
        self._is_released = False

    def why_away(self) -> str:
        """Return why the directory that is held is not where it was; nothing while it is, and after `release`."""
        if self._is_released:
            return ""
        try:
            found = self._root.stat()
        except OSError as error:
            return f"the data directory {self._root} is gone: {error.strerror}"
        if os.path.samestat(found, os.fstat(self._folder)):
            return ""
        return f"{self._root} is another directory than the one that g6 holds"

    def stat(self, *names: str) -> os.stat_result | None:
        """Return what the system knows of a file of the held directory, wherever that lies; None without the file."""
        try:
            return os.stat(os.path.join(*names), dir_fd=self._folder)  # noqa: PTH118  no Path knows of dir_fd
        except OSError:
            return None

    def release(self) -> None:
        """Let another G6 have the directory; doing so twice is harmless."""
        if not self._is_released:
            self._is_released = True
            os.close(self._folder)
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class DataDirectory:
    """`<root>/journal`, `<root>/csv`, `<root>/corrupt`, made on construction where they are missing.

    ConfigError, one line, when `root` is no directory, cannot be made or cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self.root = _made(root.absolute()).resolve()
        self.journal = _made(self.root / JOURNAL)
        self.csv = _made(self.root / CSV)
        self.corrupt = _made(self.root / CORRUPT)

    def path_within(self, *names: str) -> Path:
        """Return the path of `names` under the root; ConfigError when a name is unsafe or leads out."""
        return path_within(self.root, *names)

    def claim(self, market: str) -> None:
        """Keep the directory for one market (simulated, replay, live); ConfigError when it holds another's minutes.

        Simulated quotes beside recorded ones would be taken for them for ever after.
        """
        path = self.root / MARKET_FILE
        try:
            held = path.read_text("utf-8").strip() if path.exists() else ""
            if not held:
                path.write_text(f"{market}\n", "utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read or write {path}: {error}; choose another --data-dir") from error
        if held not in {"", market}:
            raise ConfigError(
                f"{self.root} holds {held} minutes, which {market} ones never join; use another --data-dir"
            )

    def hold(self) -> Hold:
        """Take the directory for this process's life; DataDirectoryBusy, naming the holder, when it is taken."""
        path = self.root / LOCK_FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ConfigError(
                f"cannot open {path}: {error.strerror}; remove it or choose another --data-dir"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sign(descriptor)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise DataDirectoryBusy(
                f"data directory {self.root} is held by {holder}; stop it or choose another --data-dir"
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise ConfigError(f"cannot lock {path}: {error.strerror}; choose another --data-dir") from error
        try:
            return Hold(self.root, descriptor, os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError as error:
            os.close(descriptor)
            raise ConfigError(f"cannot open {self.root}: {error.strerror}; choose another --data-dir") from error


def _made(path: Path) -> Path:
    advice = "choose another --data-dir"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigError(f"{path} is not a directory; remove it or {advice}") from None
    except OSError as error:
        raise ConfigError(f"cannot create {path}: {error.strerror}; {advice}") from error
    effective = os.access in os.supports_effective_ids
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=effective):
        raise ConfigError(f"no permission to read and write {path}; give it to this user or {advice}")
    sync_directory(path.parent)
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place by rename, durably: a crash leaves the old one or the new one.

    OSError when the disk does not take it.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable; nothing is said where a directory cannot be opened or synced."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return  # some file systems refuse to sync a directory; what is in the files is synced on its own
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, orjson.dumps(holder) + b"\n", 0)


def _holder(descriptor: int) -> str:
    try:
        holder = orjson.loads(os.pread(descriptor, 4096, 0))
        return f"G6 pid {holder['pid']} on host {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another G6 (it has not signed the lock yet)"
