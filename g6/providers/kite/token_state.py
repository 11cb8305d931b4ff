"""Whether an account may ask: absent → valid → expiring → dead → replaced.

A refusal is a latch: nothing is asked with a token that the broker has refused, until another takes its place. The
file is looked at whenever the token is wanted, so a login beside the running program is taken over at the next call.
"""

import logging
import threading
from collections.abc import Iterable
from datetime import timedelta

from g6.clock import Clock
from g6.errors import AuthError, ConfigError
from g6.model.provider_report import TokenReport
from g6.providers.kite.credentials import Account
from g6.providers.kite.token_file import Stamp, Token, TokenFile, expiry_of

log = logging.getLogger(__name__)

# A token is called expiring for its last hour: time to log in again before the open.
EXPIRING = timedelta(hours=1)


class TokenState:
    """The token of one account, thread-safe. `name` is what reports and errors call it; `login` how to log in."""

    def __init__(self, name: str, account: Account, file: TokenFile, clock: Clock, login: str = "g6 login") -> None:
        self._name = name
        self._account = account
        self._file = file
        self._clock = clock
        self._login = login
        self._lock = threading.Lock()
        self._refused: dict[str, str] = {}  # access token → why the broker refused it
        self._stamp: Stamp | None = None
        self._filed: Token | None = None
        self._trouble = ""  # why the file gives no token
        self._given = self._given_token()
        self._last = ""  # the access token that was last in use

    @property
    def token(self) -> Token | None:
        """Return the token to ask with, after a look at the file; None when there is none or it is dead."""
        with self._lock:
            self._look()
            return next((token for token in self._known() if not self._death_of(token)), None)

    def require(self) -> Token:
        """Return the token to ask with; raise AuthError, with the remedy, when there is none."""
        token = self.token
        if token is None:
            raise AuthError(f"{self._name}: {self.report().reason}; run `{self._login}`")
        self._welcome(token)
        return token

    def refuse(self, token: Token | None, reason: str) -> None:
        """Note that the broker refused this token (None: the one in use): it is not used again."""
        token = token or self.token
        if token is None:
            return
        with self._lock:
            known = token.access_token in self._refused
            self._refused[token.access_token] = reason
        if not known:
            log.warning("%s: the access token is dead: %s; run `%s`", self._name, reason, self._login)

    def report(self) -> TokenReport:
        """Return the state as it is now, with the reason where it is dead or absent."""
        token = self.token
        if token is not None:
            expiring = token.expires_at - self._clock.now() <= EXPIRING
            return TokenReport(self._name, "expiring" if expiring else "valid", token.expires_at)
        with self._lock:
            dead = next(iter(self._known()), None)
            if dead is None:
                return TokenReport(self._name, "absent", None, self._trouble or "nobody has logged in yet")
            return TokenReport(self._name, "dead", dead.expires_at, self._death_of(dead))

    def _look(self) -> None:
        stamp, trouble = self._file.stamp(), self._trouble
        if stamp == self._stamp and not trouble:  # trouble may lie in the folder, which the stamp does not show
            return
        self._stamp = stamp
        self._filed, self._trouble = self._read()
        if self._trouble not in {"", trouble}:
            log.warning("%s: %s", self._name, self._trouble)

    def _read(self) -> tuple[Token | None, str]:
        """Return the file's token if it is this app's, and why there is none where a person must mend something."""
        try:
            token = self._file.read()
        except ConfigError as error:
            return None, str(error)
        if token is not None and token.api_key != self._account.api_key:
            return None, f"{self._file.path} holds the token of another app"
        return token, ""

    def _known(self) -> Iterable[Token]:
        return (token for token in (self._filed, self._given) if token is not None)

    def _death_of(self, token: Token) -> str:
        """Return why a token is dead; empty while it lives."""
        if token.expires_at <= self._clock.now():
            return f"the access token expired on {token.expires_at:%a %d %b at %H:%M} IST"
        return self._refused.get(token.access_token, "")

    def _given_token(self) -> Token | None:
        """Return the token that was handed in ready-made; when its login was is unknown, so it is taken for today's."""
        if self._account.access_token is None:
            return None
        now = self._clock.now()
        return Token(self._account.api_key, self._account.access_token, "", now, expiry_of(now))

    def _welcome(self, token: Token) -> None:
        with self._lock:
            before, self._last = self._last, token.access_token
        if before not in {"", token.access_token}:
            log.info("%s: a new access token is in use, valid until %s", self._name, f"{token.expires_at:%d %b %H:%M}")
