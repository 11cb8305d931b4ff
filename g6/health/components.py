"""What one minute's report says of each part of the agent: a state and a sentence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from g6.model.report import CycleReport, JournalReport, SinkReport

State = Literal["ok", "degraded", "down", "unknown"]


class Finding(NamedTuple):
    """A state, and the sentence that says why."""

    state: State
    sentence: str


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the agent. `since` is the instant at which it came into this state, on the agent's clock."""

    name: str
    state: State
    since: datetime
    sentence: str

    def as_dict(self) -> dict[str, str]:
        """Return the fields, ready for JSON; the instant in ISO 8601 with its offset."""
        return {"state": self.state, "since": self.since.isoformat(timespec="seconds"), "sentence": self.sentence}


def judge_provider(report: CycleReport) -> Finding:
    """Down when nothing was answered; degraded when an index or chain got too little, or not the best one answered."""
    answered = f"{report.received}/{report.expected} quotes from {report.provider}"
    refusals = [refusal for index in report.indices for refusal in index.refusals]
    if not report.received:
        why = report.error or next((refusal.detail for refusal in refusals), "nothing was asked for")
        return Finding("down", f"no quotes from {report.provider}: {why}")
    if refusals:
        first = f"{refusals[0].index} {refusals[0].expiry}".strip()
        return Finding("degraded", f"{answered}; {first} refused: {refusals[0].detail}")
    if report.market and report.market.sentences:
        return Finding("degraded", f"{answered}; {'; '.join(report.market.sentences)}")
    return Finding("ok", answered)


def judge_journal(journal: JournalReport | None) -> Finding:
    """Down when the minute is not durable, degraded while earlier ones wait in memory."""
    if journal is None:
        return Finding("down", "the minute did not reach the journal")
    if journal.error:
        return Finding("down", f"{journal.error}; {journal.pending} minutes wait in memory")
    if journal.pending:
        return Finding("degraded", f"{journal.pending} minutes wait in memory")
    return Finding("ok", f"{journal.bytes_written:,} bytes written")


def judge_sink(sink: SinkReport) -> Finding:
    """Down on an error, degraded while the sink is behind the journal."""
    if sink.error:
        return Finding("down", f"{sink.error}; {sink.lag_cycles} minutes behind")
    if sink.lag_cycles:
        return Finding("degraded", f"{sink.lag_cycles} minutes behind")
    repaired = f", {sink.repaired} torn files repaired" if sink.repaired else ""
    return Finding("ok", f"{sink.rows:,} rows written{repaired}")


def judge_loop(report: CycleReport) -> Finding:
    """Down when the cycle itself failed, degraded when minutes were missed by overrun."""
    told = f"{report.minute:%H:%M} took {report.seconds:.2f} s"
    if report.error:
        return Finding("down", f"{report.minute:%H:%M} failed: {report.error}")
    if report.missed_minutes:
        return Finding("degraded", f"{told}; {report.missed_minutes} minutes missed by overrun")
    return Finding("ok", told)
