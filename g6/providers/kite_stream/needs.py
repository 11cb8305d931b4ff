"""What the stream needs of the account's session and of the REST provider that stands behind it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from g6.market.indices import IndexDefinition
from g6.providers.base import Provider


class AccessToken(Protocol):
    """A live login: what the stream's address carries."""

    @property
    def api_key(self) -> str:
        """Return the app's key."""
        ...

    @property
    def access_token(self) -> str:
        """Return the day's secret."""
        ...


class Addresses(Protocol):
    """Where the broker is."""

    @property
    def stream_root(self) -> str:
        """Return the stream's address, `wss://…`."""
        ...


class Session(Protocol):
    """One account: its present token, and who is to know that it no longer works."""

    @property
    def token(self) -> AccessToken | None:
        """Return the token as it is now, None where there is none."""
        ...

    @property
    def options(self) -> Addresses:
        """Return the account's addresses."""
        ...

    @property
    def login_command(self) -> str:
        """Return the command by which a person logs in to this account."""
        ...

    def on_auth_failure(self, reason: str) -> None:
        """Take note that the present token was refused."""
        ...


class RestProvider(Provider, Protocol):
    """The REST provider of the same account: what is listed, and what the stream lacks."""

    def tokens(self, keys: Sequence[str], at: datetime) -> Mapping[str, int]:
        """Return key of a level or a share → its token on the stream; one that the dump lacks is absent."""
        ...

    def index_tokens(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, int]:
        """Return index name → token of its spot on the stream; an index that the dump lacks is absent."""
        ...
