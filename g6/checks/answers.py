"""What providers answered when they were checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from g6.errors import BadResponse, G6Error, TransientError
from g6.market.indices import IndexDefinition
from g6.model.provider_report import EndpointReport, TokenReport
from g6.model.quotes import Spot

# What the key may do; empty where it is no question.
Permission = Literal["", "yes", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """Who is logged in, on which exchanges, and how long the answer took."""

    user_id: str
    exchanges: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class SpotAnswer:
    """One index's level; `seconds` is how long the answer took, the age is that of its stamp."""

    index: str
    symbol: str
    last: float
    quoted_at: datetime
    asked_at: datetime
    age_seconds: float
    seconds: float

    @classmethod
    def of(cls, index: IndexDefinition, spot: Spot | None, at: datetime, seconds: float) -> "SpotAnswer | None":
        """Return the answer to a question of `at`; None where there is none."""
        if spot is None:
            return None
        age = (at - spot.quoted_at).total_seconds()
        return cls(index.name, index.spot_symbol, spot.last, spot.quoted_at, at, age, seconds)


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """How the WebSocket came up, in the machine's seconds from the first question; None for what did not happen."""

    connected_after_seconds: float | None
    first_tick_after_seconds: float | None
    ticks: int
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class ProviderAnswers:
    """One provider. What it has not, as a simulator has no token, is None or empty; `facts` are for a person."""

    name: str
    server: str = ""
    token: TokenReport | None = None
    profile: ProfileAnswer | None = None
    spot: SpotAnswer | None = None
    quotes: Permission = ""
    candles: Permission = ""
    stream: StreamAnswer | None = None
    endpoints: tuple[EndpointReport, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    login_needed: bool = False


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """Every provider of the order; `index` is the one whose spot was asked for."""

    at: datetime
    market: str
    index: str
    market_open: bool
    providers: tuple[ProviderAnswers, ...]
    problems: tuple[str, ...]
    login_needed: bool


# What to do where the error itself does not say so.
REMEDIES: Mapping[type[G6Error], str] = {
    TransientError: "try again in a minute, then look at the network and at the broker's notices",
    BadResponse: "if it lasts, the broker's answers have changed: see whether there is a newer G6",
}


def sentence(error: G6Error) -> str:
    """Return the error with a remedy: its own, or that of its kind."""
    text = str(error)
    remedy = next((words for kind, words in REMEDIES.items() if isinstance(error, kind)), "")
    return text if "; " in text or not remedy else f"{text}; {remedy}"
