"""One account's way to Kite's REST API: its client, its token, its limits, and what the calls went through."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from g6.clock import IST, Clock
from g6.errors import AuthError, BadResponse
from g6.model.provider_report import EndpointReport, TokenReport
from g6.providers.kite.candles import INTERVAL, Candle, candles_of
from g6.providers.kite.credentials import MAIN, Account
from g6.providers.kite.options import KiteOptions
from g6.providers.kite.token_file import Token, TokenFile
from g6.providers.kite.token_state import TokenState
from g6.providers.kite.transport import KiteClient
from g6.resilience.breaker import Breaker
from g6.resilience.deadline import Deadline
from g6.resilience.endpoint import NO_HOOKS, Endpoint, Hooks
from g6.resilience.limiter import Limiter
from g6.resilience.retry import RetryPolicy

T = TypeVar("T")


class KiteSession:
    """Every call waits for its slot, is retried within the minute's budget, and raises the errors of `g6.errors` only.

    `name` ("kite", "kite-second") is the first word of the endpoints' names. Kite's limits hold per app, so there must
    be one session per app in a process. Without a live token every call raises AuthError at once, without asking.
    """

    def __init__(
        self,
        name: str,
        account: Account,
        token_file: TokenFile,
        options: KiteOptions,
        clock: Clock,
        deadline: Deadline,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.name = name
        self.account = account
        self.options = options
        self.login_command = login_command(account, options)
        self._tokens = TokenState(name, account, token_file, clock, self.login_command)
        self._client = KiteClient(account.api_key, options)
        self._endpoints = _endpoints(name, options, clock, deadline, hooks)

    @property
    def token(self) -> Token | None:
        """Return the live token, after a look at the token file; None when a person must log in."""
        return self._tokens.token

    def require_token(self) -> Token:
        """Return the live token; raise AuthError, with the remedy, when there is none."""
        return self._tokens.require()

    def quote(self, keys: Sequence[str], decode: Callable[[bytes], T]) -> T:
        """Return what `decode` makes of the body of one quote request; an answer it refuses counts as a failure."""
        return self._ask("quote", lambda: decode(self._client.quote_body(keys)))

    def instruments(self, exchange: str) -> bytes:
        """Return the CSV of one exchange's instruments (NFO, BFO, NSE, BSE)."""
        return self._ask("instruments", lambda: _bytes(self._client.instruments_body(exchange)))

    def profile(self) -> Mapping[str, Any]:
        """Return the user's profile: the cheapest way to learn whether the token lives."""
        return self._ask("profile", lambda: _mapping(self._client.profile()))

    def candles(self, token: int, begin: datetime, end: datetime) -> list[Candle]:
        """Return the one-minute candles of an instrument's token from `begin` to `end`, at most 60 days apart."""
        first, last = (_local(instant) for instant in (begin, end))
        return self._ask(
            "historical",
            lambda: candles_of(self._client.historical_data(token, first, last, INTERVAL, continuous=False, oi=True)),
            latched=False,
        )

    def on_auth_failure(self, reason: str, token: Token | None = None) -> None:
        """Note that the broker refused this token (None: the one in use), by whatever way: nothing more is asked."""
        self._tokens.refuse(token, reason)

    def endpoint_reports(self) -> tuple[EndpointReport, ...]:
        """Return what each endpoint went through since the last report."""
        return tuple(endpoint.report() for endpoint in self._endpoints.values())

    def token_report(self) -> TokenReport:
        """Return the token's state now."""
        return self._tokens.report()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, word: str, call: Callable[[], T], *, latched: bool = True) -> T:
        """Ask with the live token. One that is refused is given up; a newer one is tried at once.

        `latched` False is for calls that an app may lack the right to while its token is good for the others.
        """
        token = self._tokens.require()
        try:
            return self._ask_with(token, word, call, latched=latched)
        except AuthError:
            newer = self._tokens.token
            if newer is None or newer.access_token == token.access_token:
                raise
        return self._ask_with(newer, word, call, latched=latched)

    def _ask_with(self, token: Token, word: str, call: Callable[[], T], *, latched: bool) -> T:
        endpoint = self._endpoints[word]
        secrets = (token.access_token, self.account.api_secret or "")

        def attempt() -> T:
            self._client.set_access_token(token.access_token)
            return self._client.ask(endpoint.name, call, secrets, self.login_command)

        try:
            return endpoint.call(attempt)
        except AuthError as error:
            if latched:
                self._tokens.refuse(token, _clause(str(error)))
            raise


def _endpoints(
    name: str, options: KiteOptions, clock: Clock, deadline: Deadline, hooks: Hooks
) -> Mapping[str, Endpoint]:
    """Return word → endpoint: those that are rationed by themselves, and the others, which share one ration."""
    quote = Limiter(options.quote_interval_seconds, clock)
    historical = Limiter(options.historical_interval_seconds, clock)
    other = Limiter(options.other_interval_seconds, clock)

    def endpoint(word: str, limiter: Limiter, timeout_seconds: float = options.call_timeout_seconds) -> Endpoint:
        return Endpoint(
            f"{name}.{word}", clock, deadline,
            limiters=(limiter,),
            retry=RetryPolicy(attempts=options.retry_attempts),
            breaker=Breaker(f"{name}.{word}", clock, options.breaker_failures, options.breaker_open_seconds),
            timeout_seconds=timeout_seconds,
            hooks=hooks,
        )  # fmt: skip

    return {
        "quote": endpoint("quote", quote),
        "instruments": endpoint("instruments", other, options.dump_timeout_seconds),
        "historical": endpoint("historical", historical),
        "profile": endpoint("profile", other),
    }


def login_command(account: Account, options: KiteOptions) -> str:
    """Return the command by which a person logs in to this account."""
    words = ["g6 login"]
    if account.name != MAIN:
        words.append(f"--account {account.name}")
    if not options.official:
        words.append(f"--root {options.root}")
    return " ".join(words)


def _clause(sentence: str) -> str:
    """Return a refusal without the call's name before it and the remedy behind it, which differ from place to place."""
    _, _, rest = sentence.partition(": ")
    return (rest or sentence).rpartition("; run `")[0] or rest or sentence


def _bytes(answer: object) -> bytes:
    # A dump that arrives as JSON has been parsed by the client and is none.
    if not isinstance(answer, bytes):
        raise BadResponse("the instruments came as JSON where CSV was due")
    return answer


def _mapping(answer: object) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise BadResponse("the profile is no object")
    return answer


def _local(instant: datetime) -> datetime:
    return instant.astimezone(IST).replace(tzinfo=None)
