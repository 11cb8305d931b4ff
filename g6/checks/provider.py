"""Provider check: for each provider of the order who answers, how fast, and what its key may do."""

from collections.abc import Callable, Mapping

from g6.checks.answers import ProviderAnswers, ProviderReport, SpotAnswer, sentence
from g6.checks.desk import STREAM, Desk
from g6.checks.page import Page, milliseconds
from g6.errors import G6Error
from g6.market.indices import IndexDefinition
from g6.model.provider_report import EndpointReport, TokenReport
from g6.providers.base import Provider
from g6.providers.kite.options import options_for


def examine(desk: Desk) -> ProviderReport:
    """Ask every provider for the little that shows whether it works. What fails is a problem, and the next is asked."""
    index = desk.definitions[0]
    answers = tuple(PROBES[provider.name](desk, provider, index) for provider in desk.source.providers)
    unreadable = [f"{line}; it was left out" for line in desk.source.unreadable]
    return ProviderReport(
        at=desk.source.clock.now(),
        market=desk.source.said,
        index=index.name,
        market_open=desk.market.calendar.is_open(desk.instant(), index.exchange),
        providers=answers,
        problems=tuple(dict.fromkeys([*(line for answer in answers for line in answer.problems), *unreadable])),
        login_needed=any(answer.login_needed for answer in answers),
    )


def show(report: ProviderReport, page: Page) -> None:
    """Print each provider's answers, one line per fact."""
    page.heading(f"Providers at {report.at:%a %d %b %Y %H:%M} IST")
    page.facts({"source": report.market, "market": "open" if report.market_open else "closed"})
    for answers in report.providers:
        page.heading(answers.name)
        page.facts(_facts(answers))
    page.verdict(report)


def _kite(desk: Desk, provider: Provider, index: IndexDefinition) -> ProviderAnswers:
    # The official client takes half a second to import: only those who use it wait for it.
    from g6.checks.kite import rest_answers  # noqa: PLC0415

    return rest_answers(desk, provider, index)


def _stream(desk: Desk, provider: Provider, index: IndexDefinition) -> ProviderAnswers:
    from g6.checks.stream import stream_answers  # noqa: PLC0415  what the stream stands on is heavy as well

    return stream_answers(desk, provider, index, options_for(desk.settings.providers.kite.root).stream_root)


def _plain(desk: Desk, provider: Provider, index: IndexDefinition) -> ProviderAnswers:
    """Ask one that has neither token nor wire: a spot, and what is listed."""
    at, clock = desk.instant(), desk.source.clock
    begun = clock.monotonic()
    try:
        spot = provider.spots([index], at).get(index.name)
        after_spot = clock.monotonic()
        listed = provider.contracts(desk.definitions, at)
        seconds = clock.monotonic() - after_spot
    except G6Error as error:
        return ProviderAnswers(provider.name, problems=(f"{provider.name}: {sentence(error)}",))
    answered = SpotAnswer.of(index, spot, at, after_spot - begun)
    said = f"{provider.name}: {index.name} has no spot at {at:%Y-%m-%d %H:%M}; ask with another --at"
    facts = {"contracts": f"{len(listed):,} of {len(desk.definitions)} indices   {milliseconds(seconds)}"}
    return ProviderAnswers(
        provider.name, server=SERVERS[provider.name], spot=answered, facts=facts, problems=() if spot else (said,)
    )


# Provider → how it is asked.
PROBES: Mapping[str, Callable[[Desk, Provider, IndexDefinition], ProviderAnswers]] = {
    "simulated": _plain,
    "replay": _plain,
    "kite": _kite,
    "kite-second": _kite,
    STREAM: _stream,
}
SERVERS: Mapping[str, str] = {"simulated": "none, it is computed here", "replay": "none, it was recorded"}


def _facts(answers: ProviderAnswers) -> Mapping[str, str]:
    return {
        "server": answers.server,
        "token": _token(answers.token) if answers.token else "",
        "profile": _profile(answers),
        "spot": _spot(answers.spot) if answers.spot else "",
        "may": _may(answers),
        **answers.facts,
        "stream": _stream_line(answers),
        "breakers": _breakers(answers.endpoints),
    }


def _token(token: TokenReport) -> str:
    until = f" until {token.expires_at:%a %d %b %H:%M} IST" if token.expires_at and token.state != "dead" else ""
    return f"{token.state}{until}" + (f": {token.reason}" if token.reason else "")


def _profile(answers: ProviderAnswers) -> str:
    profile = answers.profile
    if profile is None:
        return ""
    exchanges = " ".join(profile.exchanges) or "none"
    return f"{profile.user_id}, exchanges {exchanges}   {milliseconds(profile.seconds)}"


def _spot(spot: SpotAnswer) -> str:
    stamp = f"{spot.quoted_at:%H:%M:%S}" if _is_today(spot) else f"{spot.quoted_at:%d %b %Y %H:%M:%S}"
    return f"{spot.symbol} {spot.last:,.2f}, stamped {stamp}, {_age(spot.age_seconds)}   {milliseconds(spot.seconds)}"


def _is_today(spot: SpotAnswer) -> bool:
    return spot.quoted_at.date() == spot.asked_at.date()


def _age(seconds: float) -> str:
    if seconds < 0:
        return f"{-seconds:.1f} s ahead"
    return f"{seconds:.1f} s old" if seconds < 120 else f"{seconds / 60:,.0f} min old"


def _may(answers: ProviderAnswers) -> str:
    permissions = {"quotes": answers.quotes, "candles": answers.candles}
    return ", ".join(f"{what} {answer}" for what, answer in permissions.items() if answer)


def _stream_line(answers: ProviderAnswers) -> str:
    stream = answers.stream
    if stream is None:
        return ""
    if stream.connected_after_seconds is None:
        return "no connection" if answers.login_needed else f"no connection within {stream.waited_seconds:.1f} s"
    said = f"connected after {milliseconds(stream.connected_after_seconds)}"
    if stream.first_tick_after_seconds is None:
        return f"{said}, no tick within {stream.waited_seconds:.1f} s"
    return f"{said}, first tick after {milliseconds(stream.first_tick_after_seconds)}"


def _breakers(endpoints: tuple[EndpointReport, ...]) -> str:
    if not endpoints:
        return ""
    calls = sum(endpoint.calls for endpoint in endpoints)
    failed = sum(sum(endpoint.failures.values()) for endpoint in endpoints)
    unclosed = [f"{e.name} {e.breaker.replace('_', ' ')} ({e.reason})" for e in endpoints if e.breaker != "closed"]
    return f"{', '.join(unclosed) or 'all closed'}; {calls} {'call' if calls == 1 else 'calls'}, {failed} failed"
