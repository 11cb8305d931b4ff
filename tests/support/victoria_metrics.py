"""A real VictoriaMetrics on a free port of this machine, which can be killed and started again on the same data."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import NamedTuple

BINARY = shutil.which("victoria-metrics")
READY_SECONDS = 20.0


class Key(NamedTuple):
    """What makes a point: its series' name (measurement_field), its tags, its second."""

    name: str
    tags: tuple[tuple[str, str], ...]
    second: int


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class VictoriaMetrics:
    """Keeps everything for a century, shows a row as soon as it has it; `fold` equal keys when read."""

    def __init__(self, folder: Path, *, fold: bool = True, retention: str = "100y") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._flags = [f"-retentionPeriod={retention}", *(["-dedup.minScrapeInterval=1ms"] if fold else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert BINARY is not None
        log = (self._folder / "victoria-metrics.log").open("ab")
        self._process = subprocess.Popen(
            [
                BINARY,
                f"-storageDataPath={self._folder / 'victoria-metrics'}",
                f"-httpListenAddr=127.0.0.1:{self.port}",
                "-search.latencyOffset=0s",
                *self._flags,
            ],
            stdout=log,
            stderr=log,
        )
        log.close()
        give_up = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert time.monotonic() < give_up, "VictoriaMetrics does not answer"
            assert self._process.poll() is None, "VictoriaMetrics ended at once"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut would: nothing is written any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        """Make everything that was written readable."""
        self._get("/internal/force_flush")

    def series(self, match: str) -> list[dict]:
        """All series that match, with their values and timestamps (milliseconds)."""
        self.flush()
        query = urllib.parse.urlencode({"match[]": match})
        return [json.loads(line) for line in self._get(f"/api/v1/export?{query}").splitlines()]

    def keys(self, match: str = '{__name__!=""}') -> Counter[Key]:
        """How often each key is there."""
        found: Counter[Key] = Counter()
        for series in self.series(match):
            tags = dict(series["metric"])
            name = tags.pop("__name__")
            for stamp in series["timestamps"]:
                found[Key(name, tuple(sorted(tags.items())), stamp // 1000)] += 1
        return found

    def counter(self, name: str) -> float:
        """One number of its own metrics page."""
        page = self._get("/metrics").decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in page if line.startswith(name))

    def _answers(self) -> bool:
        try:
            self._get("/health")
        except OSError:
            return False
        return True

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            return response.read()


def keys_of(lines: list[bytes]) -> set[Key]:
    """The keys that lines of the line protocol should become; read by the protocol's own rules, without escapes."""
    found = set()
    for line in lines:
        head, fields, second = line.decode().split(" ")
        measurement, *tags = head.split(",")
        pairs = tuple(sorted(tuple(tag.split("=")) for tag in tags))
        found |= {Key(f"{measurement}_{field.split('=')[0]}", pairs, int(second)) for field in fields.split(",")}
    return found
