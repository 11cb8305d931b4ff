"""The broker's process, as a drill orders it about; and its logins, as a person would make them."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from g6.drill.processes import LOOPBACK, free_port, with_us
from g6.errors import G6Error
from g6.providers.kite.credentials import token_path
from g6.providers.kite.options import options_for
from g6.providers.kite.token_file import Token, TokenFile, expiry_of

# Account → its key at the simulator.
KEYS = {"main": "simulated", "second": "simulated-second"}


class Brokerage:
    """The simulated Kite in a process of its own, on a clock that goes on while it is away."""

    def __init__(
        self, folder: Path, at: datetime, speed: float, accounts: Sequence[str], *, override: Path,
        until: datetime | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._at, self._speed, self._accounts = folder, at, speed, accounts
        self._override, self._until = override, until
        self._begun = time.monotonic()
        self._port = free_port()
        self.url = f"http://{LOOPBACK}:{self._port}"
        self._running: subprocess.Popen[str] | None = None

    @property
    def now(self) -> datetime:
        """Return what its clock says, unless it was moved."""
        return self._at + timedelta(seconds=(time.monotonic() - self._begun) * self._speed)

    def start(self) -> None:
        """Start it, at the instant that it is by then, and log everybody in."""
        words = [self.now.isoformat(), str(self._speed), str(self._port), str(self._override)]
        command = [sys.executable, "-m", "g6.drill.broker", *words]
        with (self._folder / "broker.log").open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603 - our own program
                with_us(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        if not self._pipe("stdout").readline():
            words = (self._folder / "broker.log").read_text("utf-8", "replace").strip().splitlines()
            raise G6Error(f"the simulated broker ended at once: {' / '.join(words[-3:])}")
        for account in self._accounts:
            self.login(account)

    def stop(self) -> None:
        """End it at once; nobody listens any more."""
        running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.communicate()

    def faults(self, *entries: Mapping[str, object]) -> None:
        """Put these faults in force, and no others."""
        self._order("faults", [{"name": "drill", **entry} for entry in entries])

    def login(self, account: str = "main", until: datetime | None = None) -> None:
        """Log in, as `g6 login` does; `until` says what the token's file calls its end."""
        told = self._order("login", KEYS[account])
        environ = {"XDG_STATE_HOME": str(self._folder / "state"), "HOME": str(self._folder)}
        file = TokenFile(token_path(account, environ, options_for(self.url)))
        file.write(Token(KEYS[account], str(told), "AB1234", self.now, until or self._until or expiry_of(self.now)))

    def end_token(self, account: str = "main") -> None:
        """Kill a token, as a login elsewhere does."""
        self._order("end", KEYS[account])

    def move_clock(self, seconds: float) -> None:
        """Move its clock away from the agent's."""
        self._order("shift", seconds)

    def _order(self, word: str, value: object) -> object:
        pipe = self._pipe("stdin")
        pipe.write(json.dumps({word: value}) + "\n")
        pipe.flush()
        line = self._pipe("stdout").readline()
        if not line:
            raise G6Error(f"the simulated broker ended over {word}")
        told: Mapping[str, Any] = json.loads(line)
        return told["answer"]

    def _pipe(self, name: str) -> IO[str]:
        pipe: IO[str] | None = getattr(self._running, name, None)
        if pipe is None:
            raise G6Error("the simulated broker does not run")
        return pipe
