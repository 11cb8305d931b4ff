"""What a rebuild has finished: lines of JSON, each synced, so that a run that was killed goes on where it was."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from g6.storage.data_directory import sync_directory

REBUILD = "rebuild"  # the folder below the data directory: the ledger, and what is being built
LEDGER = "ledger.jsonl"


class Ledger:
    """`<root>/rebuild/ledger.jsonl`; written by one process, the one that holds the data directory.

    Only what follows the last finished run counts: a rebuild that is asked for again does everything again. OSError
    when the file cannot be read or written.
    """

    def __init__(self, root: Path) -> None:
        folder = root / REBUILD
        folder.mkdir(exist_ok=True)
        self._descriptor = os.open(
            folder / LEDGER, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )
        self._entries: dict[tuple[str, str], dict[str, Any]] = {}
        with open(self._descriptor, "rb", closefd=False) as file:
            data = file.read()
        for line in data.splitlines():
            self._read(line)
        if data and not data.endswith(b"\n"):
            os.write(self._descriptor, b"\n")  # a line that a crash tore ends here
        sync_directory(folder)

    def entry(self, what: str, day: date) -> dict[str, Any] | None:
        """Return what was entered for a day of a store since the last finished run."""
        return self._entries.get((what, day.isoformat()))

    def enter(self, what: str, day: date, **result: str | float) -> None:
        """Say durably that a day of a store is done."""
        self._append({"what": what, "day": day.isoformat(), "at": _now(), **result})

    def finish(self) -> None:
        """Say durably that all that was asked for is done."""
        self._append({"finished": _now()})

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _append(self, entry: dict[str, Any]) -> None:
        line = orjson.dumps(entry)
        os.write(self._descriptor, line + b"\n")
        os.fsync(self._descriptor)
        self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            return  # torn by a crash: that day is done again
        if "finished" in entry:
            self._entries.clear()
        elif {"what", "day", "facts", "journal", "digest"} <= entry.keys():
            self._entries[entry["what"], entry["day"]] = entry


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
