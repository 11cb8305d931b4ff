"""A few minutes of the simulated market, as small as an agent can have them: what torture is done to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from agent_process import command, environment, tree_of

from g6.clock import IST
from g6.resilience.supervisor import Supervisor
from g6.settings import Settings, load
from g6.storage.data_directory import DataDirectory
from g6.storage.journal import Journal
from g6.storage.journal_set import JournalSet
from g6.wiring import SINK_SWITCHES, SINKS
from g6.wiring.sources import load_market

DAY = date(2026, 11, 20)
OPEN = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
SMALL = {
    "metrics.enabled": "false",
    "console.concise": "true",
    "clock.speed": "max",
    "collection.indices": "NIFTY",
    "collection.expiries": "this_week,this_month",
    "collection.strikes_itm": "1",
    "collection.strikes_otm": "1",
    "storage.archive.enabled": "false",
}
TOLD = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d)  (ok|partial|failed): (.*)$", re.MULTILINE)


def small(root: Path, **changes: str) -> Settings:
    """Settings of the day, for an agent in this process."""
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return load(SMALL | {"logging.level": "ERROR", "storage.data_dir": str(root)} | dotted, {}, root.parent)


def day_command(root: Path, cycles: int, begin: datetime = OPEN) -> list[str]:
    return command("--at", begin.isoformat(), "--cycles", str(cycles), "--data-dir", str(root))


def day_environment(**changes: str) -> dict[str, str]:
    settings = SMALL | {key.replace("__", "."): value for key, value in changes.items()}
    return environment(**{f"G6_{key.upper().replace('.', '__')}": value for key, value in settings.items()})


@dataclass(frozen=True)
class Sentence:
    """A minute as the agent told of it."""

    minute: datetime
    status: str
    text: str

    @property
    def durable(self) -> bool:
        """Whether the agent vouches for the minute: nothing in its sentence says that the journal has it not."""
        return "journal" not in self.text


def sentences(told: str) -> list[Sentence]:
    return [
        Sentence(datetime.strptime(minute, "%Y-%m-%d %H:%M").replace(tzinfo=IST), status, text)
        for minute, status, text in TOLD.findall(told)
    ]


def instants(count: int, begin: datetime = OPEN, step_seconds: int = 60) -> list[datetime]:
    return [begin + timedelta(seconds=step_seconds * number) for number in range(count)]


@dataclass(frozen=True)
class Recovered:
    """What a restart made of a data directory.

    `minutes` is minute → the instant that it was asked for at, None when nothing was answered; `files` the daily files.
    """

    minutes: Mapping[datetime, datetime | None]
    files: Mapping[str, bytes]
    moved_aside: int

    def lacks(self, acknowledged: Iterable[datetime]) -> list[datetime]:
        """Return the acknowledged instants of which neither they nor a later tick of their minute is there."""
        latest = {minute: asked or minute for minute, asked in self.minutes.items()}
        return [at for at in acknowledged if at.replace(second=0) not in latest or at > latest[at.replace(second=0)]]


def recovered(root: Path, day: date = DAY) -> Recovered:
    """Do what a restart does before its first minute: every sink gets what it lacks, and its cursor moves."""
    settings = small(root)
    directory, market = DataDirectory(root), load_market(settings)
    with directory.hold():
        journals = JournalSet(directory.root, settings.storage.journal.max_bytes)
        switched = [name for name, on in SINK_SWITCHES.items() if on(settings)]
        sinks = [SINKS[name](settings, directory, market, Supervisor()) for name in switched]
        for sink in sinks:
            for owed in journals.undrained(sink.name):
                assert sink.drain(journals.journal(owed)).error is None
                sink.checkpoint(journals.journal(owed))
        journal = journals.journal(day)
        minutes = {minute: asked_at(journal, minute) for minute in journal.minutes()}
        assert journal.damaged == 0
        assert [journal.count_after(journal.cursor(sink.name)) for sink in sinks] == [0] * len(sinks)
        for sink in sinks:
            sink.close()
        journals.close()
    return Recovered(minutes, tree_of(root), journals.moved_aside)


def stores_of(root: Path) -> dict[str, bytes]:
    """Every file that is made from the journal: the daily files, and the masters where they are kept."""
    masters = sorted((root / "masters").rglob("*.csv"))
    return tree_of(root) | {str(path.relative_to(root)): path.read_bytes() for path in masters}


def asked_at(journal: Journal, minute: datetime) -> datetime | None:
    snapshot = journal.at(minute)
    assert snapshot is not None, f"{minute} is in the journal and cannot be read"
    return max((chain.at for chain in snapshot.chains), default=None)


def rows_at(files: Mapping[str, bytes], minutes: Iterable[datetime]) -> dict[str, bytes]:
    """Return daily files with the rows of these minutes alone; a file without any is not there."""
    wanted = {minute.isoformat().encode() for minute in minutes}
    kept = {}
    for path, content in files.items():
        header, *rows = content.splitlines(keepends=True)
        if found := [row for row in rows if row.partition(b",")[0] in wanted]:
            kept[path] = b"".join([header, *found])
    return kept


def merged(*trees: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return daily files with the rows of all these, in order of time."""
    files: dict[str, bytes] = {}
    for tree in trees:
        for path, content in tree.items():
            header, *rows = content.splitlines(keepends=True)
            files[path] = b"".join([header, *sorted([*files.get(path, header).splitlines(keepends=True)[1:], *rows])])
    return files
