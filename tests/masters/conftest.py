"""What the tests of the masters share: small minutes of any day, with prices that a person can add up."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import pytest

from g6.clock import IST
from g6.masters.sink import MasterSink
from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.csv_sink import CsvSink
from g6.storage.journal import Journal

Prices = Mapping[int, tuple[float, float]]  # offset → call, put; NaN where there is none

FRIDAY = date(2026, 11, 20)


def chain(index: str, codes: tuple[str, ...], at: datetime, prices: Prices) -> OptionChain:
    """A chain around 24,000 with these last prices."""
    offsets = np.repeat(np.array(list(prices), float), 2)
    last = np.array([price for pair in prices.values() for price in pair])
    expiry = date(2027, 1, 5 + len(codes))
    return OptionChain(
        index=index, expiry=expiry, codes=codes, at=at,
        expires_at=datetime(2027, 1, 5, 15, 30, tzinfo=IST), spot=24003.15, spot_frozen=False, expected=len(last),
        lot=65, strike=24000 + 50 * offsets, is_call=np.arange(len(last)) % 2 == 0, last=last, price=last * 1.00007,
        offset=offsets, answered=np.isfinite(last).astype(float), atm=24000.0, forward=24010.0,
    )  # fmt: skip


def snapshot(day: date, hhmm: str, chains: Mapping[tuple[str, tuple[str, ...]], Prices]) -> Snapshot:
    """A minute; keys of `chains` are the index and the expiry codes of a chain."""
    minute = datetime.combine(day, time.fromisoformat(hhmm), IST)
    by_index: dict[str, list[OptionChain]] = {}
    for (index, codes), prices in chains.items():
        by_index.setdefault(index, []).append(chain(index, codes, minute, prices))
    indices = (IndexSnapshot(i, 24003.15, False, ("this_week",), tuple(built)) for i, built in by_index.items())
    return Snapshot(minute, "sample", tuple(indices))


def wild(day: date, number: int, seed: int = 0, offsets: int = 2) -> Snapshot:
    """The `number`-th minute after 09:15 of a day, its prices following from (day, number, seed)."""
    random = np.random.default_rng([day.toordinal(), number, seed])

    def prices() -> Prices:
        values = np.round(random.uniform(0.05, 400, (2 * offsets + 1, 2)), 2)
        values[random.random(values.shape) < 0.08] = np.nan
        return {k: (float(c), float(p)) for k, (c, p) in zip(range(-offsets, offsets + 1), values, strict=True)}

    hhmm = f"{(555 + number) // 60:02d}:{(555 + number) % 60:02d}"
    return snapshot(
        day, hhmm, {("NIFTY", ("this_week", "this_month")): prices(), ("NIFTY", ("next_week",)): prices(),
                    ("SENSEX", ("this_week",)): prices()},
    )  # fmt: skip


class World:
    """A data directory with its journals, CSV files and masters, driven as the loop drives them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "journal").mkdir()
        self.csv = CsvSink(root, ())
        self.masters = self.new_sink()
        self.journals: dict[date, Journal] = {}

    def new_sink(self, **options: float) -> MasterSink:
        return MasterSink(self.root, {"NIFTY": "NIFTY 50"}, **options)

    def journal(self, day: date) -> Journal:
        if day not in self.journals:
            path = self.root / "journal" / f"{day}.sqlite3"
            self.journals[day] = Journal.open(path, corrupt=self.root / "corrupt", max_bytes=50_000_000)
        return self.journals[day]

    def minute(self, snapshot: Snapshot) -> None:
        journal = self.journal(snapshot.minute.date())
        journal.put(snapshot)
        assert self.csv.drain(journal).error is None
        assert self.masters.drain(journal).error is None

    def day(self, day: date, minutes: int = 6, seed: int = 0) -> None:
        for number in range(minutes):
            self.minute(wild(day, number, seed))
        self.checkpoint(day)

    def checkpoint(self, day: date) -> None:
        self.csv.checkpoint(self.journal(day))
        self.masters.checkpoint(self.journal(day))

    def files(self) -> dict[str, bytes]:
        masters = self.root / "masters"
        return {str(p.relative_to(masters)): p.read_bytes() for p in sorted(masters.rglob("*.csv"))}

    def daily_file(self, *names: str, day: date = FRIDAY) -> Path:
        return self.root.joinpath("csv", *names) / f"{day}.csv"

    def close(self) -> None:
        self.masters.close()
        for journal in self.journals.values():
            with suppress(Exception):
                journal.close()


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[[str], World]]:
    """Makes data directories by name; all are closed at the end."""
    worlds: list[World] = []

    def make(name: str = "data") -> World:
        (tmp_path / name).mkdir()
        worlds.append(World(tmp_path / name))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    """One data directory."""
    return new_world("data")


@pytest.fixture(scope="session")
def minute_of_prices() -> Callable[..., Snapshot]:
    """Builds a minute from prices."""
    return snapshot


@pytest.fixture(scope="session")
def wild_minute() -> Callable[..., Snapshot]:
    """Builds a minute that follows from (day, number, seed)."""
    return wild
