"""The agent under memory pressure: what each level leaves out is in the sentence, the rows and the pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from csv import DictReader
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import psutil
import pytest
from bent_agent import agent_on, two_indices

from g6.model.pressure_report import SHED_KINDS
from g6.model.report import CycleReport
from g6.model.snapshot import Snapshot

OPEN = datetime.fromisoformat("2026-11-20T10:00+05:30")
BIT = {kind: 1 << place for place, kind in enumerate(SHED_KINDS)}
AT_REST = 0.45  # share of the limit that the process takes by itself


def resident() -> int:
    return psutil.Process().memory_info().rss


@dataclass
class Pressed:
    """An agent whose minutes are run one by one, in a process that is filled and emptied between them."""

    agent: object
    parts: object
    limit: int
    ballast: list = field(default_factory=list)
    ran: int = 0
    last: tuple[CycleReport, Snapshot] | None = None

    def fill_to(self, share: float) -> None:
        missing = int(share * self.limit) - resident()
        assert missing > 0
        self.ballast.append(np.ones(missing // 8))

    def run(self, minutes: int) -> list[int]:
        """Run so many minutes; return the level of each."""
        levels = []
        for _ in range(minutes):
            due = OPEN + timedelta(minutes=self.ran)
            self.parts.clock.wait_until(due, threading.Event())
            report, snapshot = self.agent.minute(due)
            self.agent._tell(report, snapshot, first=False)
            self.parts.governor.reclaim()
            self.last = report, snapshot
            self.ran += 1
            levels.append(report.pressure.level)
        return levels

    def rows(self, place: str) -> dict[str, dict[str, str]]:
        path = self.parts.closing.root / "csv" / place / f"{OPEN:%Y-%m-%d}.csv"
        with path.open() as lines:
            return {row["ts"]: row for row in DictReader(lines)}


@contextmanager
def pressed(settings_for, **more) -> Iterator[Pressed]:
    limit = int(resident() / AT_REST)
    # Between the minutes nobody looks: what the levels follow is what the test does.
    changes = {"governor__limit_bytes": str(limit), "governor__sample_seconds": "60"}
    with agent_on(two_indices(settings_for, **changes, **more)) as (agent, parts):
        yield Pressed(agent, parts, limit)


def greeks_of(snapshot: Snapshot) -> np.ndarray:
    return np.concatenate([chain.delta for chain in snapshot.chains])


def test_level_by_level_it_leaves_out_what_it_says_and_takes_all_of_it_back(settings_for) -> None:
    with pressed(settings_for) as world:
        assert world.run(2) == [0, 0]
        whole = world.last[1]

        world.fill_to(0.74)
        assert world.run(2)[-1] == 1
        report, snapshot = world.last
        assert snapshot.shed == ("options_page", "caches")
        assert "level 1 elevated" in str(report)
        assert report.status == "ok"
        assert len(snapshot.chains) == len(whole.chains)
        assert world.parts.observation.options_page.current.series == 0
        assert np.isfinite(greeks_of(snapshot)).any()

        world.fill_to(0.84)
        assert world.run(2)[-1] == 2
        snapshot = world.last[1]
        assert np.isnan(greeks_of(snapshot)).all()
        assert all(np.isfinite(chain.iv).any() for chain in snapshot.chains)

        world.fill_to(0.95)
        assert world.run(1) == [3]  # at once
        report, snapshot = world.last
        assert "level 3 critical" in str(report)
        kept = 2 * world.parts.settings.governor.critical_strikes + 1
        assert {len(index.chains) for index in snapshot.indices} == {1}
        assert {len(np.unique(chain.strike)) for chain in snapshot.chains} == {kept}
        assert {chain.expiry for chain in snapshot.chains} == {min(c.expiry for c in i.chains) for i in whole.indices}

        world.ballast.clear()
        levels = world.run(20)
        assert levels == sorted(levels, reverse=True), "one way, down"
        assert set(levels) == {3, 2, 1, 0}
        assert np.isfinite(greeks_of(world.last[1])).any()
        assert len(world.last[1].chains) == len(whole.chains)

        # Every minute has its row, and the row says what it lacks.
        overview, atm = world.rows("NIFTY/overview"), world.rows("NIFTY/this_week/atm")
        assert len(overview) == len(atm) == world.ran
        critical = [row for row in atm.values() if int(row["shed_mask"]) & BIT["far_expiries"]]
        shed_greeks = [row for row in atm.values() if int(row["shed_mask"]) & BIT["greeks"]]
        assert critical
        seen = {(row["ce_delta"], bool(row["ce_last"]), bool(row["ce_iv"])) for row in shed_greeks}
        assert seen == {("", True, True)}
        assert all(row["ce_delta"] for row in atm.values() if not int(row["shed_mask"]) & BIT["greeks"])


@pytest.mark.long
def test_thousands_of_legs_with_everything_on_come_through_a_ballast_without_a_missing_minute(settings_for) -> None:
    names = "NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,SENSEX,BANKEX"
    whole = {
        "collection__strikes_itm": "all",
        "collection__strikes_otm": "all",
        "collection__indices": names,
    }
    with pressed(settings_for, **whole) as world:
        world.run(3)
        legs = len(greeks_of(world.last[1]))
        assert legs > 3000
        world.fill_to(0.96)
        assert world.run(1) == [3]
        assert len(greeks_of(world.last[1])) < legs / 20
        world.ballast.clear()
        levels = world.run(25)
        assert levels[-1] == 0
        assert len(greeks_of(world.last[1])) == legs
        assert len(world.rows("NIFTY/overview")) == world.ran
