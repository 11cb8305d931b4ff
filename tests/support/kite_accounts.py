"""An account, its token file and a session on a virtual clock, at whatever server a test has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from g6.clock import IST, Clock, VirtualClock
from g6.providers.kite.credentials import Account
from g6.providers.kite.options import KiteOptions, options_for
from g6.providers.kite.session import KiteSession
from g6.providers.kite.token_file import Token, TokenFile, expiry_of
from g6.resilience.deadline import Deadline

API_KEY = "simulated"
SECRET = "simulated-secret"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=IST)


def jumping_clock(at: datetime = NOON) -> VirtualClock:
    return VirtualClock(at, float("inf"))


def token(access_token: str, login_at: datetime = NOON - timedelta(hours=4), api_key: str = API_KEY) -> Token:
    return Token(api_key, access_token, "AB1234", login_at, expiry_of(login_at))


@dataclass
class Desk:
    """A session with everything around it."""

    clock: Clock
    file: TokenFile
    deadline: Deadline
    session: KiteSession

    def log_in(self, access_token: str) -> None:
        self.file.write(token(access_token, self.clock.now() - timedelta(hours=1)))

    def counts(self) -> Mapping[str, tuple[int, dict[str, int]]]:
        """Endpoint's last word → calls that went out, failures by kind, since the last look."""
        return {r.name.rpartition(".")[2]: (r.calls, dict(r.failures)) for r in self.session.endpoint_reports()}


def desk(folder: Path, url: str, clock: Clock | None = None, seconds: float = 55.0, **options: float) -> Desk:
    clock = clock or jumping_clock()
    file = TokenFile(folder / "tokens" / "kite.token")
    deadline = Deadline(clock, seconds)
    account = Account("main", API_KEY, SECRET)
    set_for = options_for(url, KiteOptions(**options))
    return Desk(clock, file, deadline, KiteSession("kite", account, file, set_for, clock, deadline))
