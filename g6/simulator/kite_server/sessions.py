"""Apps, logins and tokens: one live access token per app, which dies at 06:00 IST, as Kite's do."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from g6.clock import IST
from g6.simulator.kite_server.faults import NO_FAULTS, FaultPlan

REQUEST_TOKEN_LIFE = timedelta(minutes=5)
TOKENS_DIE_AT = time(6)


@dataclass(frozen=True, slots=True)
class App:
    """A registered app and its user. Without `market_data` it is the free kind, which gets no quotes."""

    api_key: str = "simulated"
    api_secret: str = field(default="simulated-secret", repr=False)
    user_id: str = "AB1234"
    user_name: str = "Simulated User"
    market_data: bool = True


# Two, as a household with two keys has.
APPS = (App(), App("simulated-second", "simulated-second-secret"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused, in Kite's words; `reason` is for the server's own log."""

    status: int
    error_type: str
    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Session:
    access_token: str
    login_at: datetime
    expires_at: datetime


@dataclass(slots=True)
class _State:
    app: App
    session: _Session | None = None
    ended: dict[str, str] = field(default_factory=dict)  # dead access token → why
    request_tokens: dict[str, datetime] = field(default_factory=dict)  # → when it was issued


class Sessions:
    """Who may ask what, at an instant of the server's clock. Thread-safe.

    `request_token_life` is how long a login's request token can be exchanged. `on_event` is told, in a
    sentence without secrets, of each login and of each token's end at the first request that meets it.
    """

    def __init__(
        self,
        apps: Sequence[App],
        faults: FaultPlan = NO_FAULTS,
        *,
        request_token_life: timedelta = REQUEST_TOKEN_LIFE,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._states = {app.api_key: _State(app) for app in apps}
        self._faults = faults
        self._life = request_token_life
        self._tell = on_event
        self._lock = threading.RLock()

    def app(self, api_key: str) -> App | None:
        """Return the app of this key; None for an unknown one."""
        state = self._states.get(api_key)
        return state.app if state else None

    def login(self, api_key: str, at: datetime) -> str:
        """Return a request token for an app that exists, as the login page does: single use, a few minutes."""
        with self._lock:
            token = secrets.token_urlsafe(24)
            self._states[api_key].request_tokens[token] = at
            return token

    def exchange(self, api_key: str, request_token: str, checksum: str, at: datetime) -> "Refusal | str":
        """Return a new access token for a request token and its checksum, else why not; older ones die."""
        state = self._states.get(api_key)
        if state is None:
            return Refusal(400, "InputException", "Invalid `api_key`.", "unknown api_key")
        with self._lock:
            issued = state.request_tokens.pop(request_token, None)
        if issued is None or not timedelta() <= at - issued <= self._life:
            reason = "request token unknown, used or too old"
            return Refusal(403, "TokenException", "Token is invalid or has expired.", reason)
        expected = hashlib.sha256(f"{api_key}{request_token}{state.app.api_secret}".encode()).hexdigest()
        if not hmac.compare_digest(expected, checksum):
            return Refusal(403, "TokenException", "Invalid `checksum`.", "wrong checksum")
        return self.issue(api_key, at)

    def issue(self, api_key: str, at: datetime) -> str:
        """Return a new access token, as after a login; the app's older one dies."""
        with self._lock:
            self.end(api_key, "another login of the same app")
            token = secrets.token_urlsafe(24)
            self._states[api_key].session = _Session(token, at, expiry_of(at))
        self._tell(f"login: {api_key}, valid until {expiry_of(at):%a %d %b %H:%M}")
        return token

    def end(self, api_key: str, why: str) -> bool:
        """Kill the app's token; return whether there was one."""
        with self._lock:
            state = self._states[api_key]
            session, state.session = state.session, None
            if session is None:
                return False
            state.ended[session.access_token] = why
        self._tell(f"token of {api_key} died: {why}")
        return True

    def end_dead(self, at: datetime) -> None:
        """End every token that died by now, though nobody has come with it."""
        with self._lock:
            for api_key, state in self._states.items():
                if why := self._death(state.session, at):
                    self.end(api_key, why)

    def valid(self, api_key: str, access_token: str, at: datetime) -> bool:
        """Return whether this is the app's live token."""
        return self.refusal(api_key, access_token, at) is None

    def refusal(self, api_key: str, access_token: str, at: datetime) -> Refusal | None:
        """Return why this token opens nothing now; None when it is the app's live one."""
        state = self._states.get(api_key)
        if state is None:
            return Refusal(400, "InputException", "Invalid `api_key` or `access_token`.", "unknown api_key")
        with self._lock:
            if why := self._death(state.session, at):
                self.end(api_key, why)
            session = state.session
            if session and hmac.compare_digest(session.access_token.encode(), access_token.encode()):
                return None
            reason = state.ended.get(access_token, "not a token of this app")
        return Refusal(403, "TokenException", "Incorrect `api_key` or `access_token`.", reason)

    def market_data_refusal(self, api_key: str, endpoint: str, at: datetime) -> Refusal | None:
        """Return why this app gets no market data on this endpoint now; None when it does."""
        app = self.app(api_key)
        denied = any(fault.do == "no_market_data" for fault in self._faults.standing(endpoint, at))
        if app and app.market_data and not denied:
            return None
        return Refusal(403, "PermissionException", "Insufficient permission for that call.", "no market data")

    def _death(self, session: _Session | None, at: datetime) -> str | None:
        if session is None:
            return None
        if at >= session.expires_at:
            return "06:00 passed"
        death = self._faults.token_death(at)
        if death and session.login_at < death[0]:
            return death[1].name
        return None


def expiry_of(login_at: datetime) -> datetime:
    """Return the first 06:00 IST after a login."""
    login_at = login_at.astimezone(IST)
    today = datetime.combine(login_at.date(), TOKENS_DIE_AT, IST)
    return today if login_at < today else today + timedelta(days=1)
