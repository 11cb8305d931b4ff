"""Errors named by what to do next. Only adapters translate a vendor's exceptions into these, once."""


class G6Error(Exception):
    """Base of every error that G6 raises on purpose; its text is one line that says what to do."""


class ConfigError(G6Error):
    """Refuse to start: a person must change an argument, a setting or a file (exit 2)."""


class TransientError(G6Error):
    """Try again within the minute's budget, not before `retry_after` seconds where that is known.

    `kind` is one of `model.FAILURE_KINDS`, as metrics count it.
    """

    def __init__(self, message: str, retry_after: float | None = None, *, kind: str = "unreachable") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.kind = kind


class RateLimited(TransientError):
    """The vendor asked for a pause: wait, then go on. Nothing is broken, so no breaker counts it."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after, kind="rate_limited")


class AuthError(G6Error):
    """A person must log in (exit 4). Never retried: it holds until the credentials change."""


class BadResponse(G6Error):
    """The answer cannot be used: count it and drop that piece."""


class SinkError(G6Error):
    """A store did not take what it was given: keep the cursor, go on, try again next minute."""


class DataDirectoryBusy(G6Error):
    """Another G6 holds the data directory (exit 75)."""
