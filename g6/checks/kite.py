"""How Kite is checked over REST: what the token, the key and the network allow, in four requests at most."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from g6.checks.answers import Permission, ProfileAnswer, ProviderAnswers, SpotAnswer, sentence
from g6.checks.desk import Desk
from g6.clock import Clock
from g6.errors import AuthError, BadResponse, G6Error, TransientError
from g6.market.indices import IndexDefinition
from g6.model.quotes import Spot
from g6.providers.base import Provider
from g6.providers.kite.provider import KiteProvider
from g6.providers.kite.quote_columns import decode_quotes, quotes_in, spots_for
from g6.providers.kite.session import KiteSession

T = TypeVar("T")

CANDLE_MINUTES = 5
AHEAD_SECONDS = 5.0  # of the broker's time, by which a stamp may lie ahead of this machine's


def rest_answers(desk: Desk, provider: Provider, index: IndexDefinition) -> ProviderAnswers:
    """Ask for the profile, one quote and a few candles; each refusal says what the key may not do."""
    if not isinstance(provider, KiteProvider):
        raise TypeError(f"{provider.name} does not ask Kite's REST API")
    asked, session = _Asked(provider.name, desk.source.clock), provider.session
    if asked.take(session.require_token):
        _ask_profile(asked, session)
    if not asked.login_needed:
        _ask_quote(desk, asked, session, index)
    return ProviderAnswers(
        name=provider.name,
        server=session.options.root,
        token=session.token_report(),
        profile=asked.profile,
        spot=asked.spot,
        quotes=asked.quotes,
        candles=asked.candles,
        endpoints=session.endpoint_reports(),
        facts=asked.facts,
        problems=tuple(asked.problems),
        login_needed=asked.login_needed,
    )


@dataclass(slots=True)
class _Asked:
    """What one account answered so far."""

    name: str
    clock: Clock
    profile: ProfileAnswer | None = None
    spot: SpotAnswer | None = None
    quotes: Permission = "unknown"
    candles: Permission = "unknown"
    facts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    login_needed: bool = False
    seconds: float = 0.0  # of the last question

    def take(self, question: Callable[[], T]) -> T | None:
        """Return the answer; None where there is none, with the reason among the problems."""
        begun = self.clock.monotonic()
        try:
            return question()
        except G6Error as error:
            self.login_needed |= isinstance(error, AuthError)
            self.problem(sentence(error))
            return None
        finally:
            self.seconds = self.clock.monotonic() - begun

    def problem(self, text: str) -> None:
        """Keep a sentence, under the provider's name where it does not begin with it."""
        self.problems.append(text if text.startswith(self.name) else f"{self.name}: {text}")


def _ask_profile(asked: _Asked, session: KiteSession) -> None:
    profile = asked.take(session.profile)
    if profile is not None:
        exchanges = profile.get("exchanges") or ()
        asked.profile = ProfileAnswer(str(profile.get("user_id", "")), tuple(map(str, exchanges)), asked.seconds)


def _ask_quote(desk: Desk, asked: _Asked, session: KiteSession, index: IndexDefinition) -> None:
    answer = asked.take(lambda: session.quote([index.spot_symbol], lambda body: _spot_in(body, index)))
    if answer is None:
        # The token is good for the profile, so it is quotes that are refused.
        asked.quotes = "no" if asked.login_needed else "unknown"
        return
    spot, token = answer
    asked.quotes = "yes"
    asked.spot = SpotAnswer.of(index, spot, asked.clock.now(), asked.seconds)
    if wrong := _wrong(desk, asked.spot, index):
        asked.problem(f"{index.spot_symbol} {wrong}")
    if token:
        _ask_candles(desk, asked, session, index, token)


def _spot_in(body: bytes, index: IndexDefinition) -> tuple[Spot | None, int]:
    """Return an index's level and its instrument's token out of a quote answer; None and 0 where it is not there."""
    quote = quotes_in(body).get(index.spot_symbol)
    token = quote.get("instrument_token") if isinstance(quote, dict) else None
    return spots_for([index], [decode_quotes(body)]).get(index.name), token if isinstance(token, int) else 0


def _wrong(desk: Desk, spot: SpotAnswer | None, index: IndexDefinition) -> str:
    """Return what is wrong with a quote, and what to do; empty when nothing is."""
    if spot is None:
        return f"has no quote; correct spot_symbol of {index.name} in indices.yaml"
    calendar, at = desk.market.calendar, spot.asked_at
    # What a fast clock does during the answer's way is no lag.
    if spot.age_seconds < -AHEAD_SECONDS and desk.source.clock.speed == 1:
        return f"is stamped {-spot.age_seconds:.0f} s ahead of this machine's clock; synchronise it"
    if not calendar.is_open(at, index.exchange) or calendar.spot_frozen(at, index.exchange):
        return ""
    if not spot.last > 0:
        return f"is {spot.last:g} while the market is open; see the broker's notices"
    if spot.age_seconds > desk.settings.collection.stale_after_seconds:
        return f"is {spot.age_seconds:.0f} s old while the market is open; see the broker's notices"
    return ""


def _ask_candles(desk: Desk, asked: _Asked, session: KiteSession, index: IndexDefinition, token: int) -> None:
    """Ask for the last minutes of the last session; an app may lack the right to them and be good for the rest."""
    end = desk.market.calendar.last_minute(asked.clock.now(), index.exchange)
    try:
        session.candles(token, end - timedelta(minutes=CANDLE_MINUTES), end)
        asked.candles = "yes"
    except AuthError:
        asked.candles = "no"
        asked.facts["candles"] = "this key may not ask for them; minutes that were missed cannot be back-filled"
    except (TransientError, BadResponse) as error:
        asked.problem(sentence(error))
