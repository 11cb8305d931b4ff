"""The checks, in the order in which a person reads them, and what they amount to."""

import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from g6.health import agent_checks, market_checks, store_checks
from g6.health.evidence import Evidence, Finding, State

log = logging.getLogger(__name__)

Check = Callable[[Evidence], Iterable[Finding]]

# A check that finds nothing leaves its component as it was. Names are frozen: metrics and the status carry them.
CHECKS: Mapping[str, Check] = {
    "loop": agent_checks.loop,
    "session": agent_checks.session,
    "provider": market_checks.provider,
    "breakers": market_checks.breakers,
    "token": market_checks.token,
    "market_data": market_checks.market_data,
    "journal": store_checks.journal,
    "sink": store_checks.sink,
    "directory": store_checks.directory,
    "disk": store_checks.disk,
    "memory": agent_checks.memory,
    "clock": agent_checks.clock,
    "calendar": agent_checks.calendar,
    "exporter": agent_checks.exporter,
    "part": agent_checks.part,
    "closing": store_checks.closing,
}
# One component for each subject: a sink, an account, an exchange, a part.
PER_SUBJECT = frozenset({"token", "market_data", "sink", "part"})
BADNESS: Mapping[State, int] = {"unknown": 0, "ok": 1, "degraded": 2, "down": 3}


class Judges:
    """The checks, run together. One that breaks is a finding itself, is logged once, and costs no other."""

    def __init__(self, checks: Mapping[str, Check] = CHECKS) -> None:
        self._checks = checks
        self._broken: set[str] = set()

    def judge(self, evidence: Evidence) -> dict[str, tuple[Finding, ...]]:
        """Return component → findings, in the order of the registry."""
        found: dict[str, tuple[Finding, ...]] = {}
        for name, check in self._checks.items():
            findings = self._run(name, check, evidence)
            if name in PER_SUBJECT:
                ordered = sorted(findings, key=_subject)
                found |= {_component(name, subject): tuple(own) for subject, own in groupby(ordered, key=_subject)}
            elif findings:
                found[name] = findings
        return found

    def _run(self, name: str, check: Check, evidence: Evidence) -> tuple[Finding, ...]:
        try:
            findings = tuple(check(evidence))
        except Exception as error:  # a check may break on what it is told
            if name not in self._broken:
                log.warning("the check %s broke", name, exc_info=error)
            self._broken.add(name)
            return (Finding("degraded", f"the check broke: {type(error).__name__}: {error}", "check_broken", name),)
        self._broken.discard(name)
        return findings


def summary(findings: Iterable[Finding]) -> tuple[State, str]:
    """Return the worst state, and all that was said. Raises ValueError without findings."""
    findings = tuple(findings)
    worst = max((finding.state for finding in findings), key=lambda state: BADNESS[state])
    return worst, "; ".join(dict.fromkeys(finding.reason for finding in findings))


def _subject(finding: Finding) -> str:
    return finding.subject


def _component(name: str, subject: str) -> str:
    return f"{name}:{subject}" if subject else name
