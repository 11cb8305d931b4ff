"""The status document on the disk, so that an agent that is gone has still said how it was."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from g6.health.document import NotAStatus, StatusDocument, decode, encode

log = logging.getLogger(__name__)

NAME = "status.json"
LARGEST_BYTES = 4_000_000


class StateFile:
    """`<folder>/status.json`, replaced as a whole. A disk that does not take it costs nobody anything.

    `why_away` says why the folder is not the one that this process holds: the file of another one is left alone.
    """

    def __init__(self, folder: Path, why_away: Callable[[], str] = str) -> None:
        self.path = folder / NAME
        self._why_away = why_away
        self._refused = ""
        self._lock = threading.Lock()

    def write(self, document: StatusDocument) -> bool:
        """Put the document in the place of the one before; return whether it was. Any thread of the folder's holder.

        It is not synced: after a power cut the last one, or none, is there, which is what a reader expects of it.
        """
        with self._lock:
            return self._write(document)

    def _write(self, document: StatusDocument) -> bool:
        if why := self._why_away():
            self._say_once(why)
            return False
        temporary = self.path.with_suffix(".json.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                file.write(encode(document))
            temporary.replace(self.path)
        except OSError as error:
            self._say_once(error.strerror or str(error))
            return False
        self._refused = ""
        return True

    def _say_once(self, why: str) -> None:
        if why != self._refused:
            log.warning("%s cannot be written: %s; `g6 status` will know less", self.path, why)
        self._refused = why


def read_state(folder: Path) -> StatusDocument | None:
    """Return the last document of a data directory; None where there is none. Raises NotAStatus."""
    path = folder / NAME
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotAStatus(f"{path} cannot be read: {error.strerror}") from error
    try:
        return decode(body)
    except NotAStatus as error:
        raise NotAStatus(f"{path}: {error}") from error
