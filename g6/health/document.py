"""The status document: all that `g6 status` shows, as /health answers it and the state file keeps it.

Fields are added, never renamed or given another meaning; `version` counts what an older reader would misread.
Instants are UTC. What is unknown is null.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from g6.health.evidence import Market, State
from g6.model.provider_report import BreakerState, TokenState

VERSION = 1
Overall = Literal["healthy", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class About:
    """Which agent this is. `market` is whose minutes it records: live, simulated or replay."""

    version: str
    pid: int
    started_at: datetime  # on the machine's clock
    data_directory: str
    market: str = ""
    url: str = ""  # of its HTTP server; empty: it is off
    host: str = ""  # where `pid` counts

    @classmethod
    def this_process(cls, version: str, data_directory: Path, market: str) -> "About":
        """Return what this process is, started about now."""
        now = datetime.now(UTC).replace(microsecond=0)
        return cls(version, os.getpid(), now, str(data_directory), market, host=socket.gethostname())


@dataclass(frozen=True, slots=True)
class LastWords:
    """How the agent ended."""

    at: datetime
    clean: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The market. `exchanges` are name → open or not; `waiting` says until when the loop sleeps and why."""

    market: Market
    exchanges: Mapping[str, bool]
    calendar_known_until: str | None  # ISO day
    calendar_days_ahead: int | None
    waiting: str


@dataclass(frozen=True, slots=True)
class CycleStatus:
    """The last minute. `sentence` is the one that the log has."""

    minute: datetime
    status: Literal["ok", "partial", "failed"]
    sentence: str
    seconds: float
    provider: str
    expected: int
    received: int
    missed_minutes: int
    stages: Mapping[str, float]  # seconds
    measures: Mapping[str, float] = field(default_factory=dict)  # seconds of those that took longest


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """An account's access token."""

    account: str
    state: TokenState
    expires_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """One endpoint's breaker."""

    endpoint: str
    state: BreakerState
    reason: str


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Who answers, and how the calls are."""

    active: str
    preferred: str
    reason: str  # why the preferred one does not answer
    tokens: tuple[TokenStatus, ...]
    breakers: tuple[BreakerStatus, ...]


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """The durable write of the last minute."""

    path: str
    bytes_written: int
    pending: int
    error: str | None


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """A store's last run."""

    name: str
    rows: int
    lag_cycles: int
    unconfirmed_cycles: int
    refused: int
    error: str | None


@dataclass(frozen=True, slots=True)
class MemoryStatus:
    """The governor's level."""

    level: int
    level_name: str
    rss_bytes: int
    limit_bytes: int | None
    limit_source: str
    shed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """The data directory's disk."""

    free_bytes: int
    total_bytes: int
    seconds_until_full: float | None


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One background part."""

    name: str
    state: str
    restarts: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClosingStatus:
    """The last day that was closed. `score` is 0 to 100."""

    day: str  # ISO
    score: float | None
    gap_minutes: int | None
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One part of the agent, and what it says."""

    name: str
    state: State
    since: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class ProblemStatus:
    """Something that a person should know of: cause, and what to do. `runbook` is in the project's folder."""

    id: str
    severity: Literal["degraded", "down"]
    title: str
    cause: str
    subject: str
    since: datetime
    actions: tuple[str, ...]
    runbook: str


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """All of it. `at` is the agent's clock, `written_at` the machine's; they differ where the agent's is virtual."""

    version: int
    status: Overall
    at: datetime
    written_at: datetime
    agent: About
    live: bool
    ready: bool
    reasons: tuple[str, ...]  # why it is not live or not ready
    session: SessionStatus
    components: tuple[ComponentStatus, ...]
    problems: tuple[ProblemStatus, ...]
    cycle: CycleStatus | None = None
    provider: ProviderStatus | None = None
    journal: JournalStatus | None = None
    sinks: tuple[SinkStatus, ...] = ()
    memory: MemoryStatus | None = None
    disk: DiskStatus | None = None
    parts: tuple[PartStatus, ...] = ()
    closing: ClosingStatus | None = None
    ended: LastWords | None = None  # null while it runs, and after a crash


class NotAStatus(ValueError):
    """What was read is no status document, or one of a version that this reader does not know."""


def encode(document: StatusDocument) -> bytes:
    """Return the document as JSON, one line at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def decode(body: bytes) -> StatusDocument:
    """Return the document in `body`; fields that this reader does not know are passed over. Raises NotAStatus."""
    try:
        version = msgspec.json.decode(body, type=_Versioned).version
        if version != VERSION:
            raise NotAStatus(f"its version is {version}, this g6 reads {VERSION}")
        return msgspec.json.decode(body, type=StatusDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotAStatus(f"it is no status document: {error}") from error


class _Versioned(msgspec.Struct):
    version: int
