"""A person's daily login: the request token that the broker's page gives is exchanged for the day's access token.

The password and the second factor are typed by the person, on the broker's own page. They never come through here, and
nothing here stands in for the person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from g6.clock import IST, Clock
from g6.errors import AuthError, BadResponse, ConfigError, TransientError
from g6.logs import register_secret
from g6.providers.kite.boundary import clean
from g6.providers.kite.credentials import Account
from g6.providers.kite.options import KiteOptions
from g6.providers.kite.redirect import request_token_in
from g6.providers.kite.session import login_command
from g6.providers.kite.token_file import Token, TokenFile, expiry_of
from g6.providers.kite.transport import KiteClient


@dataclass(frozen=True, slots=True)
class Standing:
    """How a login stands: a sentence, and whether the token may be used."""

    sentence: str
    usable: bool


class LoginFlow:
    """Logs one account in and out at one server, and keeps its token in `token_file`."""

    def __init__(self, account: Account, options: KiteOptions, token_file: TokenFile, clock: Clock) -> None:
        self._account = account
        self._token_file = token_file
        self._clock = clock
        self._client = KiteClient(account.api_key, options)
        self._command = login_command(account, options)

    @property
    def login_url(self) -> str:
        """Return the page on which a person logs in."""
        url: str = self._client.login_url()
        return url

    def exchange(self, request_token: str) -> Token:
        """Exchange a request token (single use, minutes old at most) for the day's token, and keep it in the file.

        Raises AuthError when the broker refuses it, ConfigError without the app's secret.
        """
        secret = self._account.api_secret
        if not secret:
            raise ConfigError(f"no API secret for the Kite account {self._account.name}; a login needs it")
        request_token = request_token_in(request_token)
        register_secret(request_token)
        try:
            session = self._ask("login", lambda: self._client.generate_session(request_token, secret), request_token)
        except AuthError as error:
            words = str(error).removeprefix("login: ").rpartition("; run `")[0].replace("access token", "request token")
            raise AuthError(f"login: {words}; check the API secret, then run `{self._command}` again") from None
        token = self._token(session)
        self._token_file.write(token)
        return token

    def status(self) -> Standing:
        """Say whether there is a token that the broker takes; where the broker is silent, the clock decides."""
        token = self._token_file.read()
        if token is None:
            return Standing(f"not logged in; run `{self._command}`", usable=False)
        if token.api_key != self._account.api_key:
            return Standing(f"logged in to another app; run `{self._command}`", usable=False)
        until = f"valid until {token.expires_at:%a %d %b %H:%M} IST"
        self._client.set_access_token(token.access_token)
        try:
            self._ask("profile", self._client.profile, token.access_token)
        except AuthError as error:
            return Standing(str(error).removeprefix("profile: "), usable=False)
        except (TransientError, BadResponse) as error:
            usable = token.expires_at > self._clock.now()
            remedy = "" if usable else f"; run `{self._command}`"
            return Standing(f"{until} by its date, unconfirmed: {error}{remedy}", usable)
        return Standing(f"logged in as {clean(token.user_id)}, {until}", usable=True)

    def logout(self) -> Standing:
        """End the session at the broker and delete the file, which goes even when the broker does not answer."""
        try:
            token = self._token_file.read()
        except ConfigError:
            token = None  # what cannot be trusted is not sent anywhere, only removed
        if token is None:
            self._token_file.delete()
            return Standing("was not logged in", usable=False)
        self._client.set_access_token(token.access_token)
        try:
            self._ask("logout", self._client.invalidate_access_token, token.access_token)
        except AuthError:
            return Standing("logged out; the broker had ended the session before", usable=False)
        except (TransientError, BadResponse) as error:
            until = f"{token.expires_at:%a %d %b %H:%M} IST"
            raise TransientError(f"the token file is deleted, but its token lives until {until}: {error}") from None
        finally:
            self._token_file.delete()
        return Standing("logged out", usable=False)

    def _ask(self, what: str, call: Callable[[], Any], *secrets: str) -> Any:
        return self._client.ask(what, call, (*secrets, self._account.api_secret or ""), self._command)

    def _token(self, session: Any) -> Token:
        given = session if isinstance(session, dict) else {}
        for name, value in given.items():  # there are several, and each opens something
            if str(name).endswith("token") and isinstance(value, str):
                register_secret(value)
        access_token, user_id = given.get("access_token"), given.get("user_id")
        if not (isinstance(access_token, str) and access_token and isinstance(user_id, str) and user_id):
            raise BadResponse("login: the broker's answer has no access token")
        login_at = self._instant(given.get("login_time"))
        return Token(self._account.api_key, access_token, user_id, login_at, expiry_of(login_at))

    def _instant(self, login_time: object) -> datetime:
        """Return the broker's own time of the login, which is naive IST; this machine's where there is none."""
        if not isinstance(login_time, datetime):
            return self._clock.now()
        return login_time.replace(tzinfo=IST) if login_time.tzinfo is None else login_time.astimezone(IST)
