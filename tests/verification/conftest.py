"""A short session of twenty minutes, recorded by the real agent on the simulator, and the ways to damage it."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from bent_agent import run_bent

from g6.analytics import MEASURES
from g6.clock import IST
from g6.model.snapshot import Snapshot
from g6.settings import Settings, load
from g6.storage.csv_sink import CsvSink
from g6.storage.encoding import checksum, decode_snapshot, encode_snapshot
from g6.storage.journal import Journal
from g6.verification.csv_files import CsvLayout
from g6.verification.day import verify
from g6.verification.expected import MarketFacts
from g6.verification.result import Verification
from g6.wiring.sources import load_market

DAY = date(2026, 11, 20)
OPEN = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
MINUTES = 20
INDICES = ("NIFTY", "SENSEX")
DESCRIPTORS = MEASURES
SHORT_SESSION = f"""\
special_sessions:
  - {{day: {DAY}, windows: [["10:00", "10:{MINUTES}"]], kind: disaster_recovery, confidence: C, source: a test}}
"""


def minute(number: int) -> datetime:
    return OPEN + timedelta(minutes=number)


@dataclass(frozen=True)
class RecordedShortDay:
    """A data directory of that session."""

    root: Path
    settings: Settings

    def verify(self, **how: object) -> Verification:
        market = load_market(self.settings)
        exchanges = {name: market.indices[name].exchange for name in market.indices}
        given = {"now": minute(400), "csv": CsvLayout(DESCRIPTORS)} | how
        return verify(self.root, DAY, MarketFacts(market.calendar, exchanges), **given)

    @contextmanager
    def journal(self) -> Iterator[sqlite3.Connection]:
        """The journal's tables, committed at the end."""
        with closing(sqlite3.connect(self.root / "journal" / f"{DAY}.sqlite3")) as connection, connection:
            yield connection

    def forget(self, *numbers: int) -> None:
        """Take minutes out of the journal."""
        with self.journal() as tables:
            tables.executemany("DELETE FROM cycles WHERE minute = ?", [(minute(n).isoformat(),) for n in numbers])

    def spoil(self, number: int) -> None:
        """Change one byte of a minute's record."""
        with self.journal() as tables:
            ((payload,),) = tables.execute("SELECT payload FROM cycles WHERE minute = ?", (minute(number).isoformat(),))
            middle = len(payload) // 2
            bent = payload[:middle] + bytes([payload[middle] ^ 1]) + payload[middle + 1 :]
            tables.execute("UPDATE cycles SET payload = ? WHERE minute = ?", (bent, minute(number).isoformat()))

    def snapshot(self, number: int) -> Snapshot:
        with self.journal() as tables:
            ((payload,),) = tables.execute("SELECT payload FROM cycles WHERE minute = ?", (minute(number).isoformat(),))
        return decode_snapshot(payload)

    def rewrite(self, change: Callable[[Snapshot], Snapshot], *numbers: int) -> None:
        """Store minutes as if they had been recorded otherwise, in the journal and from there in the files."""
        for number in numbers:
            bent, stamp = encode_snapshot(change(self.snapshot(number))), minute(number).isoformat()
            with self.journal() as tables:
                tables.execute(
                    "UPDATE cycles SET payload = ?, crc = ? WHERE minute = ?", (bent, checksum(stamp, bent), stamp)
                )
        self.deliver_again()

    def deliver_again(self) -> None:
        """Make the files anew from the journal."""
        shutil.rmtree(self.root / "csv")
        with self.journal() as tables:
            tables.execute("DELETE FROM cursors")
        path = self.root / "journal" / f"{DAY}.sqlite3"
        journal = Journal.open(path, corrupt=self.root / "corrupt", max_bytes=10**9)
        sink = CsvSink(self.root, DESCRIPTORS)
        sink.drain(journal)
        sink.checkpoint(journal)
        journal.close()

    def file(self, *folders: str) -> Path:
        return self.root.joinpath("csv", *folders, f"{DAY}.csv")

    def files(self) -> list[Path]:
        return sorted((self.root / "csv").rglob(f"{DAY}.csv"))


def short_session(folder: Path, data: str = "data", **changes: str) -> Settings:
    """Settings of that session, with a data directory below a folder."""
    calendar = folder / "short_session.yaml"
    calendar.write_text(SHORT_SESSION)
    plain = {
        "metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "ERROR",
        "clock.at": OPEN.isoformat(), "collection.indices": ",".join(INDICES), "collection.strikes_itm": "3",
        "collection.strikes_otm": "3", "market.calendar_override_file": str(calendar),
        "storage.data_dir": str(folder / data), "storage.masters.enabled": "false",
        "storage.archive.enabled": "false", "storage.verify.after_close": "false",
    }  # fmt: skip
    return load(plain | {key.replace("__", "."): value for key, value in changes.items()}, {}, folder)


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of the short session, with a data directory below the test's own folder."""
    return lambda data="data", **changes: short_session(tmp_path, data, **changes)


@pytest.fixture
def record(settings_for: Callable[..., Settings], tmp_path: Path) -> Callable[..., RecordedShortDay]:
    """Record the session, or some minutes of it; functions bend the market's answers, texts are settings."""

    def run(data: str = "data", minutes: int = MINUTES, **changes: Callable | str) -> RecordedShortDay:
        bends = {name: change for name, change in changes.items() if callable(change)}
        settings = settings_for(data, **{name: change for name, change in changes.items() if name not in bends})
        run_bent(settings, minutes, **bends)
        return RecordedShortDay(tmp_path / data, settings)

    return run


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole session, recorded once for all tests; they damage copies of it."""
    folder = tmp_path_factory.mktemp("recorded")
    run_bent(short_session(folder), MINUTES)
    return folder / "data"


@pytest.fixture
def day(recorded_once: Path, settings_for: Callable[..., Settings], tmp_path: Path) -> RecordedShortDay:
    """A whole recorded session of the test's own."""
    shutil.copytree(recorded_once, tmp_path / "data")
    return RecordedShortDay(tmp_path / "data", settings_for())


@pytest.fixture
def at() -> Callable[[int], datetime]:
    """The n-th minute of the session."""
    return minute
