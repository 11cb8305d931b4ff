"""What asking the market for a minute went through: calls, failures, waits, tokens, sockets. Read after each minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

BreakerState = Literal["closed", "half_open", "open"]
TokenState = Literal["absent", "valid", "expiring", "dead"]

# What a call can fail of, as metrics call it.
FAILURE_KINDS = ("rate_limited", "timeout", "unreachable", "server_error", "bad_response", "auth", "breaker_open")


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """One endpoint of a vendor (`kite.quote`) since it was last asked for its report; the breaker as it is now."""

    name: str
    calls: int = 0  # attempts that went out
    failures: Mapping[str, int] = field(default_factory=dict)  # FAILURE_KINDS word → attempts
    retries: int = 0
    waits: int = 0  # attempts that the limiter held back
    wait_seconds: float = 0.0  # for how long, together
    latencies_seconds: tuple[float, ...] = ()  # one per attempt that went out
    breaker: BreakerState = "closed"
    breaker_opens: int = 0
    reason: str = ""  # why the breaker is not closed


@dataclass(frozen=True, slots=True)
class TokenReport:
    """An account's access token; `expires_at` is None where there is none."""

    account: str
    state: TokenState
    expires_at: datetime | None = None
    reason: str = ""  # why it is dead


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """One WebSocket connection. `silent_seconds` is the age of its last message, None while it is not open.

    A message over an earlier link of the connection counts; where there was none at all, the age is that of the first
    link.
    """

    number: int
    connected: bool
    instruments: int = 0
    silent_seconds: float | None = None
    messages: int = 0  # since the last report
    ticks: int = 0  # since the last report
    reconnects: Mapping[str, int] = field(default_factory=dict)  # reason → count, since the last report


@dataclass(frozen=True, slots=True)
class StreamReport:
    """The WebSocket as a whole. `tick_age_seconds` is the age of each exchange's last tick."""

    connections: tuple[ConnectionReport, ...]
    tick_age_seconds: Mapping[str, float] = field(default_factory=dict)
    filled_by_rest: int = 0  # legs of the last minute that the stream lacked
    dropped_messages: int = 0  # since the last report: the queue was full, or the message made no sense


@dataclass(frozen=True, slots=True)
class DumpReport:
    """The instruments dump in use: whose day it is, what was in it, and why it is not today's."""

    day: date
    rows: int
    bad_rows: Mapping[str, int] = field(default_factory=dict)  # reason → rows skipped
    reason: str = ""  # empty for today's own


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """One provider. `problems` are sentences for a person, each naming its own remedy."""

    name: str
    endpoints: tuple[EndpointReport, ...] = ()
    token: TokenReport | None = None
    stream: StreamReport | None = None
    dump: DumpReport | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallNames:
    """The names under which calls to vendors will be counted; a provider without a wire has its own name alone."""

    providers: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarketReport:
    """The facade's minute: who answered, whom it would rather have asked, and what each provider went through."""

    active: str
    preferred: str
    reason: str = ""  # why the preferred one did not answer; empty when it did
    before: str = ""  # who answered the minute before, where that was another
    providers: tuple[ProviderReport, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what a person should know of it, one clause each."""
        found = []
        if self.reason and self.active != self.preferred:
            reason = self.reason.removeprefix(f"{self.preferred}: ")
            found.append(f"{self.active} instead of {self.preferred}: {reason}")
        elif self.before and not self.reason:
            found.append(f"{self.active} answers again, after {self.before}")
        found += [problem for provider in self.providers for problem in provider.problems if problem not in self.reason]
        return tuple(dict.fromkeys(found))
