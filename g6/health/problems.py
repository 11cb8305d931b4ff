"""What can be wrong, one row each: how bad it can be, what it is called, and what a person does about it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from g6.health.evidence import Finding
from g6.model.problem import Problem, Severity

# What happened at one moment is told for this long after it.
HELD = timedelta(minutes=10)
COMMAND = re.compile(r"`[^`]+`")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One row. `severity` is the worst that it can be: a check may find it less bad. Commands stand in backticks."""

    title: str
    severity: Severity
    actions: tuple[str, ...]
    alert: str  # the name of its alert, and of its runbook
    held: timedelta = timedelta(0)
    follows: tuple[str, ...] = ()  # from these: not told beside them

    @property
    def runbook(self) -> str:
        """Return the page about it, from the project's top folder."""
        return f"alerts/runbooks/{self.alert}.md"


LOGIN = "`g6 login` (for another account than the main one: `g6 login --account NAME`)"
WHO_ANSWERS = "`g6 check provider` says who answers, how fast, and what the key may do"
BACKFILL = "`g6 backfill` fetches the minutes that a day lacks, once the provider answers again"
SPACE = "`df -h` shows what fills the disk; make room on it, or move the folder and name it with `g6 --data-dir DIR`"
RETENTION = "let old days go: set storage.archive.enabled and storage.retention; `g6 config show` says what is in force"
LOGS = "the log says why; `g6 --log-level DEBUG` says more"
RESTART = "restart g6: nothing that is in the journal is lost"
VERIFY = "`g6 verify` says which minutes are missing"
SYNC = "`timedatectl` shows whether the clock is synchronised; start chrony or systemd-timesyncd"
FEWER_STRIKES = "collect less: `g6 --set collection.strikes_itm=10 --set collection.strikes_otm=10`"
MASTERS_ANEW = "`g6 rebuild --what masters` makes them again from the journals"
CALENDAR = "install a g6 whose calendar is newer, or name the new year's days in market.calendar_override_file"

TOKEN_GONE = ("token_dead", "token_absent")

# Ordered: what may be the cause of another stands before it.
PROBLEMS: Mapping[str, ProblemKind] = {
    "data_directory_unwritable": ProblemKind(
        "the data directory cannot be written", "down",
        ("put the folder back where it was, or mount it again: g6 goes on by itself",
         "give the folder to the user that g6 runs as, or name another with `g6 --data-dir DIR`", SPACE),
        "G6DataDirectoryUnwritable",
    ),
    "disk_full": ProblemKind("the disk is full", "down", (SPACE, RETENTION), "G6DiskFull"),
    "clock_stepped": ProblemKind("the machine's clock was set", "degraded", (SYNC, VERIFY), "G6ClockStepped", HELD),
    "clock_skewed": ProblemKind(
        "the machine's clock is not the exchange's", "degraded", (SYNC,), "G6ClockSkewed"
    ),
    "calendar_ended": ProblemKind(
        "the session calendar has ended", "down", (CALENDAR, "`g6 check expiries` shows the days it knows"),
        "G6CalendarEnding",
    ),
    "calendar_ending": ProblemKind("the session calendar ends soon", "degraded", (CALENDAR,), "G6CalendarEnding"),
    "token_dead": ProblemKind(
        "the access token is dead", "down", (LOGIN, "`g6 login --status` says how the login stands"), "G6TokenDead"
    ),
    "token_absent": ProblemKind(
        "nobody has logged in", "down", (LOGIN, "`g6 login --status` says how the login stands"), "G6TokenDead"
    ),
    "token_expiring": ProblemKind(
        "the access token ends within the hour", "degraded", (LOGIN,), "G6TokenExpiring"
    ),
    "loop_late": ProblemKind(
        "the loop does not come back", "down", (RESTART, LOGS), "G6LoopStalled"
    ),
    "provider_silent": ProblemKind(
        "no quotes at all", "down", (WHO_ANSWERS, "look for a notice of the broker or the exchange", BACKFILL),
        "G6ProviderSilent", follows=TOKEN_GONE,
    ),
    "breaker_open": ProblemKind(
        "calls are held back after failures", "degraded",
        ("it tries again by itself", WHO_ANSWERS, "look for a notice of the broker"), "G6BreakerOpen",
    ),
    "provider_failing_over": ProblemKind(
        "another provider answers than the preferred one", "degraded", (WHO_ANSWERS,), "G6ProviderFailingOver"
    ),
    "provider_trouble": ProblemKind(
        "a provider complains", "degraded", (WHO_ANSWERS,), "G6ProviderTrouble"
    ),
    "spot_stale": ProblemKind(
        "the level of an index is missing or old", "degraded",
        (WHO_ANSWERS, "`g6 check snapshot` shows the last stored minute"), "G6SpotStale",
    ),
    "quotes_stale": ProblemKind(
        "an exchange's quotes are old", "degraded",
        ("`g6 check snapshot --legs` shows how old each quote is", "look for a notice of the exchange", SYNC),
        "G6QuotesStale",
    ),
    "chains_refused": ProblemKind(
        "some expiries are not usable", "degraded",
        ("`g6 check instruments` says what is listed, and what is wrong with it", WHO_ANSWERS), "G6ChainsRefused",
    ),
    "journal_not_committing": ProblemKind(
        "minutes are not durable", "down", (SPACE, LOGS), "G6JournalNotCommitting"
    ),
    "cycle_failed": ProblemKind(
        "the last minute failed", "down", (LOGS, WHO_ANSWERS, BACKFILL), "G6CyclesFailing",
        follows=(*TOKEN_GONE, "provider_silent", "journal_not_committing"),
    ),
    "sink_failing": ProblemKind(
        "a store takes nothing", "degraded",
        ("nothing is lost: the journal holds it, and the store is caught up by itself", LOGS,
         "`g6 rebuild` makes daily files and masters again from the journals"), "G6SinkFailing",
    ),
    "sink_behind": ProblemKind(
        "a store is behind the journal", "degraded",
        ("it catches up by itself; if it does not, look at the store's own log and disk",), "G6SinkBehind",
    ),
    "sink_refusing": ProblemKind(
        "a store refused lines for good", "degraded",
        ("the lines are kept in the data directory, each with the reason", LOGS), "G6SinkRefusing", HELD,
    ),
    "disk_low": ProblemKind("the disk fills up", "degraded", (SPACE, RETENTION), "G6DiskLow"),
    "memory_high": ProblemKind(
        "memory is short, and something is left out", "degraded",
        ("give g6 more memory, or stop what else uses it", FEWER_STRIKES), "G6MemoryHigh",
    ),
    "cycle_overrun": ProblemKind(
        "a minute took longer than it may", "degraded",
        (WHO_ANSWERS, FEWER_STRIKES, "collect less often: `g6 --interval 120`"), "G6CycleOverrun", HELD,
    ),
    "minutes_missed": ProblemKind(
        "minutes were missed", "degraded", (VERIFY, BACKFILL), "G6MinutesMissed", HELD
    ),
    "part_failed": ProblemKind(
        "a background part has failed for good", "degraded", (LOGS, RESTART), "G6PartFailed"
    ),
    "part_restarting": ProblemKind(
        "a background part is being restarted", "degraded", ("it comes back by itself", LOGS), "G6PartFailed"
    ),
    "exporter_down": ProblemKind(
        "metrics and probes are not answered", "degraded", (LOGS, RESTART), "G6Down"
    ),
    "exporter_failing": ProblemKind(
        "a part of the metrics is missing", "degraded", (LOGS,), "G6ExporterFailing", HELD
    ),
    "verification_low": ProblemKind(
        "a day is not as whole as it should be", "degraded", (VERIFY, BACKFILL), "G6VerificationLow"
    ),
    "masters_disagree": ProblemKind(
        "the weekday masters did not agree with the daily files", "degraded",
        (VERIFY, MASTERS_ANEW), "G6MastersDisagree",
    ),
    "closing_incomplete": ProblemKind(
        "something could not be done after the close", "degraded", (LOGS, VERIFY), "G6ClosingIncomplete"
    ),
    "check_broken": ProblemKind(
        "a health check broke", "degraded", ("the log has the trace; the other checks go on",), "G6CheckBroken"
    ),
}  # fmt: skip
RANK = {name: rank for rank, name in enumerate(PROBLEMS)}


class ProblemBook:
    """The active problems, each since it began. Not for several threads at once."""

    def __init__(self) -> None:
        self._active: dict[tuple[str, str], tuple[Problem, float]] = {}

    def note(self, findings: Iterable[Finding], now: datetime, elapsed_seconds: float) -> None:
        """Take these findings for all there is: what is not among them is over, or is held a while longer."""
        found = {(f.problem, f.subject): f for f in findings if f.problem}
        for key, finding in found.items():
            before = self._active.get(key)
            self._active[key] = (_problem(finding, before[0].since if before else now), elapsed_seconds)
        self._active = {
            key: (problem, seen)
            for key, (problem, seen) in self._active.items()
            if key in found or elapsed_seconds - seen < PROBLEMS[key[0]].held.total_seconds()
        }

    @property
    def active(self) -> tuple[Problem, ...]:
        """Return them, the worst first and among those the likeliest cause."""
        down = {problem.id for problem, _ in self._active.values() if problem.severity == "down"}
        every = (problem for problem, _ in self._active.values())
        problems = [problem for problem in every if down.isdisjoint(PROBLEMS[problem.id].follows)]
        return tuple(sorted(problems, key=lambda p: (p.severity != "down", RANK[p.id], p.subject)))


def _problem(finding: Finding, since: datetime) -> Problem:
    kind = PROBLEMS[finding.problem]
    severity: Severity = "down" if (finding.state, kind.severity) == ("down", "down") else "degraded"
    return Problem(finding.problem, severity, finding.reason, since, _actions(finding.reason, kind), finding.subject)


def _actions(cause: str, kind: ProblemKind) -> tuple[str, ...]:
    """Return what to do; a command that the cause names itself is the most precise, and takes its fellow's place."""
    named = tuple(dict.fromkeys(COMMAND.findall(cause)))
    verbs = {" ".join(command.strip("`").split()[:2]) for command in named}
    rest = (action for action in kind.actions if not any(action.startswith(f"`{verb}`") for verb in verbs))
    return (*named, *rest)


def as_markdown() -> str:
    """Return the table for people."""
    head = "| problem | at worst | what it is | first thing to do | runbook |\n|---|---|---|---|---|\n"
    rows = (
        f"| `{name}` | {kind.severity} | {kind.title} | {kind.actions[0]} | `{kind.alert}` |\n"
        for name, kind in PROBLEMS.items()
    )
    return head + "".join(rows)
