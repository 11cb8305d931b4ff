"""The agent of a drill: the real one, or the one that can be bent, with its data on whatever disk is wanted."""

import contextlib
import os
import shutil
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from g6.drill.processes import LOOPBACK, Process, answers, free_port, with_us

CYCLES = "g6_cycles_started_total"
REAL, BENDABLE = "g6.unified_main", "g6.drill.bent_agent"


class AgentProcess:
    """An agent that is started, ended and started again on one port and one data directory.

    `bend` names what it is able to do wrong while the file `bent` is there. `disk_bytes` gives it a disk of that size
    of its own, which nobody else sees, in a name space of mounts.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], *, bend: str = "", disk_bytes: int = 0) -> None:
        self._folder, self._settings = folder, dict(settings)
        self._bend, self._disk_bytes = bend, disk_bytes
        self.data = folder / "data"
        self.bent = folder / "bent"
        self.address = f"{LOOPBACK}:{free_port()}"
        self.url = f"http://{self.address}"
        self._process: Process | None = None
        self.data.mkdir()

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        assert self._process is not None  # noqa: S101  started before
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Return whether it runs."""
        return self._process is not None and self._process.is_alive

    @property
    def last_words(self) -> str:
        """Return the end of its log."""
        return self._process.last_words if self._process else ""

    def start(self, changes: Mapping[str, str] | None = None) -> None:
        """Start it with these settings beside its own; return when it serves its metrics."""
        own = {"storage.data_dir": str(self.data), "metrics.port": self.address.rpartition(":")[2]}
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("G6_", "KITE_"))}
        environ |= {"HOME": str(self._folder), "XDG_STATE_HOME": str(self._folder / "state")}
        environ |= {"XDG_CONFIG_HOME": str(self._folder / "config"), "OPENBLAS_NUM_THREADS": "1"}
        self._process = Process("g6", self._command(own | self._settings | dict(changes or {})), self._folder, environ)
        self._process.start()
        self._process.wait_until(lambda: answers(f"{self.url}/metrics"))

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()

    def stop(self) -> None:
        """Ask it to end."""
        if self._process:
            self._process.stop()

    def restart(self, changes: Mapping[str, str] | None = None) -> None:
        """End it and start it with these settings."""
        self.stop()
        self.start(changes)

    def cycles(self) -> float:
        """Return how many minutes it began since its start; 0 while it does not answer."""
        return self.metric(CYCLES)

    def metric(self, name: str) -> float:
        """Return the sum of what begins so on its page; 0 while it does not answer."""
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=2) as reply:  # noqa: S310 - a loopback address
                lines = reply.read().decode().splitlines()
            return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))
        return 0.0

    @property
    def seen_data(self) -> Path:
        """Return the data directory as others can reach it, also where only the agent sees its disk."""
        return Path(f"/proc/{self.pid}/root{self.data}") if self._disk_bytes else self.data

    def _command(self, settings: Mapping[str, str]) -> list[str]:
        sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        module = [BENDABLE, self._bend, str(self.bent)] if self._bend else [REAL]
        command = with_us([sys.executable, "-m", *module, *sets])
        return self._on_a_disk(command) if self._disk_bytes else command

    def _on_a_disk(self, command: list[str]) -> list[str]:
        mount = f'mount -t tmpfs -o size={self._disk_bytes} tmpfs "$0" && exec "$@"'
        apart = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
        return [shutil.which("unshare") or "unshare", *apart, "sh", "-c", mount, str(self.data), *command]
