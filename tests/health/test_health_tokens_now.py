"""How a token is now counts, not how a minute found it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from g6.clock import IST
from g6.health.evidence import Evidence
from g6.health.registry import CHECKS
from g6.model.provider_report import MarketReport, ProviderReport, TokenReport

NOW = datetime(2026, 11, 20, 8, 50, tzinfo=IST)
REFUSED = "it was refused"
DEAD = TokenReport("kite", "dead", NOW - timedelta(hours=3), REFUSED)
VALID = TokenReport("kite", "valid", NOW + timedelta(hours=21))


def evidence(found: TokenReport, *now: TokenReport) -> Evidence:
    """A probe before the open that found a token so, and the tokens since."""
    problems = (f"{found.reason}; run `g6 login`",) if found.reason else ()
    reason = f"kite: {problems[0]}" if problems else ""
    asked = MarketReport("kite", "kite", reason, providers=(ProviderReport("kite", token=found, problems=problems),))
    return Evidence(NOW, market="closed", asked=asked, tokens={token.account: token for token in now})


def told(e: Evidence) -> set[str]:
    return {finding.problem for name in ("token", "provider") for finding in CHECKS[name](e)} - {""}


@pytest.mark.parametrize(
    ("found", "now", "problems"),
    [
        (DEAD, (), {"token_dead", "provider_trouble"}),
        (DEAD, (DEAD,), {"token_dead", "provider_trouble"}),
        (DEAD, (VALID,), set()),
        (DEAD, (replace(VALID, account="kite-second"),), {"token_dead", "provider_trouble"}),
        (VALID, (DEAD,), {"token_dead"}),
        (VALID, (replace(VALID, state="absent", expires_at=None),), {"token_absent"}),
        (VALID, (), set()),
    ],
)
def test_a_problem_of_a_token_is_that_of_the_token_now(
    found: TokenReport, now: tuple[TokenReport, ...], problems: set[str]
) -> None:
    assert told(evidence(found, *now)) == problems


def test_the_remedy_is_named_where_the_reason_is_the_minute_s_own() -> None:
    (finding,) = CHECKS["token"](evidence(DEAD, DEAD))
    assert finding.reason == f"{REFUSED}; run `g6 login`"
