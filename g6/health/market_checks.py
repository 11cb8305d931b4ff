"""Whether the market is heard: who answers, with what token, and how fresh it is."""

import re
from collections.abc import Iterable, Iterator

from g6.health.evidence import Evidence, Finding, QuoteAge, State
from g6.health.wording import duration, instant
from g6.model.provider_report import EndpointReport, MarketReport, TokenReport
from g6.model.report import CycleReport, IndexReport
from g6.model.snapshot import Refusal

SPOT_REASONS = ("no_spot", "bad_spot", "stale_spot")
STALE = "stale"
USABLE = {"valid", "expiring"}
# A connection that was made anew is good news.
HEALED = re.compile(r"connection \d+ was made anew")
# Ages that change by less than this from minute to minute are not those of quotes that stand still.
STEADY_SECONDS = 5.0


def provider(e: Evidence) -> Iterator[Finding]:
    """Judge who answered the last minute. A closed market owes nothing."""
    if e.report is None:
        yield Finding("unknown", "nothing has been asked yet") if e.asked is None else _asked(e.asked, e)
    elif e.market == "closed":
        yield Finding("ok", f"the market is closed; the last minute had {_answered(e.report)}")
    else:
        yield from _answering(e.report)
    probed = e.asked is not None and (e.report is None or e.asked is not e.report.market)
    if e.asked and (probed or e.market != "closed"):
        yield from _complaints(e.asked)


def _asked(asked: MarketReport, e: Evidence) -> Finding:
    if asked.reason and asked.active == asked.preferred and not _logged_in_since(asked, e):
        return Finding("degraded", f"{asked.preferred}: {asked.reason}", "provider_trouble", asked.preferred)
    return Finding("ok", f"{asked.active} was asked before the first minute")


def _logged_in_since(asked: MarketReport, e: Evidence) -> bool:
    """Tell whether it was for want of a token that nobody answered, and there is one now."""
    tokens = [one.token for one in asked.providers if one.token]
    wanting = [token for token in tokens if token.reason and token.reason in asked.reason]
    return any(e.token_now(token).state in USABLE for token in wanting)


def _answering(report: CycleReport) -> Iterator[Finding]:
    refusals = [refusal for index in report.indices for refusal in index.refusals]
    if not report.indices:  # it broke on its way, and what was asked is not known
        yield Finding("unknown", "the last minute says nothing of it")
        return
    if not report.received:
        why = report.error or next((refusal.detail for refusal in refusals), "nothing was asked for")
        yield Finding("down", f"no quotes from {report.provider}: {why}", "provider_silent")
        return
    yield Finding("ok", _answered(report))
    asked = report.market
    if asked and asked.active != asked.preferred:
        why = asked.reason.removeprefix(f"{asked.preferred}: ") or "it did not answer"
        yield Finding("degraded", f"{asked.active} instead of {asked.preferred}: {why}", "provider_failing_over")
    chains = [refusal for refusal in refusals if refusal.reason not in {*SPOT_REASONS, STALE}]
    if chains:
        more = f", and {len(chains) - 1} more" if len(chains) > 1 else ""
        yield Finding("degraded", f"{_refused(chains[0])}{more}", "chains_refused")


def _answered(report: CycleReport) -> str:
    return f"{report.received}/{report.expected} quotes from {report.provider}"


def _complaints(asked: MarketReport) -> Iterator[Finding]:
    """Yield what providers say is wrong and no other check says: a token's end is the token's matter."""
    for one in asked.providers:
        ends = one.token.reason if one.token and one.token.reason else None
        told = [said for said in one.problems if not (HEALED.match(said) or (ends and said.startswith(ends)))]
        told = [said for said in told if said not in asked.reason]
        if told:
            yield Finding("degraded", "; ".join(told), "provider_trouble", one.name)


def breakers(e: Evidence) -> Iterator[Finding]:
    """Judge which endpoints are not called because they failed."""
    endpoints = [endpoint for one in (e.asked.providers if e.asked else ()) for endpoint in one.endpoints]
    if not endpoints:
        yield Finding("ok", "there are none" if e.asked else "nothing has been asked yet")
        return
    held = [endpoint for endpoint in endpoints if endpoint.breaker != "closed"]
    yield from map(_held, held)
    if not held:
        yield Finding("ok", f"closed: {', '.join(endpoint.name for endpoint in endpoints)}")


def _held(endpoint: EndpointReport) -> Finding:
    state = "open" if endpoint.breaker == "open" else "half open, one call tries"
    why = f": {endpoint.reason}" if endpoint.reason else ""
    return Finding("degraded", f"{endpoint.name} is {state}{why}", "breaker_open", endpoint.name)


def token(e: Evidence) -> Iterator[Finding]:
    """Judge each account's access token. One that ended since it was asked for is dead, whatever was said of it."""
    providers = e.asked.providers if e.asked else ()
    tokens = [e.token_now(one.token) for one in providers if one.token]
    usable = any(one.state in USABLE and not _ended(one, e) for one in tokens)
    spared = usable or e.market == "closed" or bool(e.report and e.report.received)
    for one in providers:
        if one.token:
            now = e.token_now(one.token)
            remedy = next((said for said in one.problems if now.reason and said.startswith(now.reason)), "")
            yield _token(now, e, remedy or now.reason, spared=spared)


def _ended(token: TokenReport, e: Evidence) -> bool:
    return token.expires_at is not None and token.expires_at <= e.now


def _token(token: TokenReport, e: Evidence, reason: str, *, spared: bool) -> Finding:
    until = instant(token.expires_at, e.now) if token.expires_at else "an unknown hour"
    gone: State = "degraded" if spared else "down"
    if token.state == "absent":
        return Finding(gone, reason or "nobody has logged in", "token_absent", token.account)
    if token.state == "dead" or _ended(token, e):
        return Finding(gone, reason or f"it ended at {until}", "token_dead", token.account)
    left = duration((token.expires_at - e.now).total_seconds()) if token.expires_at else ""
    if token.state == "expiring":
        return Finding("degraded", f"ends at {until}, in {left}", "token_expiring", token.account)
    return Finding("ok", f"valid until {until}, {left} left" if left else "valid", subject=token.account)


def market_data(e: Evidence) -> Iterator[Finding]:
    """Judge how fresh each exchange's levels and quotes are."""
    names = dict.fromkeys((*(e.session.open if e.session else ()), *e.exchanges.values()))
    for exchange in names:
        is_open = e.session.open.get(exchange, True) if e.session else True
        if e.market == "closed" or not is_open:
            yield Finding("ok", "closed", subject=exchange)
        elif e.report is None:
            yield Finding("unknown", "no minute has been asked for yet", subject=exchange)
        else:
            yield from _exchange(e, exchange, e.report.indices)


def _exchange(e: Evidence, exchange: str, indices: Iterable[IndexReport]) -> Iterator[Finding]:
    own = [index for index in indices if e.exchanges.get(index.index) == exchange]
    refusals = [refusal for index in own for refusal in index.refusals]
    stale = [*_stale(refusals, exchange)]
    age = e.quotes.get(exchange)
    if age and age.freshest_seconds > e.limits.quote_age_seconds and not runs_ahead(e):
        said = f"the freshest quote is {duration(age.freshest_seconds)} old"
        stale.append(Finding("degraded", said, "quotes_stale", exchange))
    yield from stale
    if not any(index.received for index in own) and not stale:
        yield Finding("unknown", "the last minute says nothing of it", subject=exchange)
    elif not stale:
        fresh = f"the freshest quote is {max(0.0, age.freshest_seconds):.1f} s old" if age else ""
        yield Finding("ok", fresh or "no quote carries a stamp", subject=exchange)


def _stale(refusals: Iterable[Refusal], exchange: str) -> Iterator[Finding]:
    refusals = list(refusals)
    for reasons, problem in ((SPOT_REASONS, "spot_stale"), ((STALE,), "quotes_stale")):
        told = "; ".join(_refused(refusal) for refusal in refusals if refusal.reason in reasons)
        if told:
            yield Finding("degraded", told, problem, exchange)


def _refused(refusal: Refusal) -> str:
    return f"{refusal.index} {refusal.expiry}".strip() + f" refused: {refusal.detail}"


def runs_ahead(e: Evidence) -> bool:
    """Return whether it is our clock that is ahead: the quotes of all exchanges are old, and get no older."""
    limit = e.limits.clock_skew_seconds
    return bool(e.quotes) and all(_steadily_old(age, limit) for age in e.quotes.values())


def _steadily_old(age: QuoteAge, limit: float) -> bool:
    before = age.before_seconds
    old = age.freshest_seconds > limit
    return old and before is not None and abs(age.freshest_seconds - before) < STEADY_SECONDS
