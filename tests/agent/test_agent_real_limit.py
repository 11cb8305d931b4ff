"""The whole agent under a limit that the kernel enforces: it sheds, says so, takes it back, and is never killed."""

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from bent_agent import agent_on
from limited_group import Group, limited_group

from g6.model.pressure_report import SHED_KINDS
from g6.storage.archive import why_not_archived
from g6.storage.archive_reader import ArchiveReader
from g6.storage.data_directory import DataDirectory
from g6.storage.journal import Journal

SCRIPT = Path(__file__).with_name("limited_agent_process.py")
DAY = date(2026, 11, 20)
SHED = (
    "level 3 critical, sheds options page, caches, Greeks, derived measures, strikes beyond ATM ± 3, expiries but the"
    " nearest"
)
BIT = {kind: 1 << place for place, kind in enumerate(SHED_KINDS)}


def told_by(mode: str, group: Group, folder: Path, more: object) -> dict:
    command = [sys.executable, SCRIPT, mode, group.folder, folder, str(more)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert group.killed() == [0], ended.stderr
    assert ended.returncode == 0, ended.stderr
    return json.loads((folder / "told.json").read_text())


@pytest.mark.long
def test_nine_thousand_legs_with_everything_on_lose_no_minute_while_memory_is_short(tmp_path: Path) -> None:
    with limited_group(1_500_000_000) as group:
        told = told_by("minutes", group, tmp_path, group.file)
    minutes, levels, sentences, shed, legs = zip(*told["ran"], strict=True)
    assert levels[:4] == (0, 0, 0, 3), "at once, in the first minute that is short"
    assert legs[0] > 8_500
    assert legs[3] < legs[0] / 20
    assert SHED in sentences[3]
    assert group.source in sentences[3]
    assert set(shed[3]) == set(SHED_KINDS)
    assert told["own"][5] < 0.8 * told["own"][2], "what is shed goes back to the system, a fifth and more"
    after = levels[6:]
    assert list(after) == sorted(after, reverse=True), "one way, down"
    assert (levels[-1], shed[-1], legs[-1]) == (0, [], legs[0])
    assert told["stored"] == list(minutes), "every minute is recorded"
    assert told["masks"] == {m: sum(BIT[kind] for kind in kinds) for m, kinds in zip(minutes, shed, strict=True)}


def record_a_large_day(settings, minutes: int) -> int:
    """Record one minute of whole chains, so many times; return its legs. It was left before its close."""
    with agent_on(settings) as (agent, parts):
        due = parts.schedule.first(parts.clock.now())
        _, snapshot = agent.minute(due)
    directory = DataDirectory(settings.storage.data_dir)
    path = directory.journal / f"{DAY}.sqlite3"
    with closing(Journal.open(path, corrupt=directory.corrupt, max_bytes=1_000_000_000)) as journal:
        for number in range(1, minutes):
            journal.put(replace(snapshot, minute=due + timedelta(minutes=number)))
    return sum(map(len, snapshot.chains))


@pytest.mark.long
def test_the_close_of_a_large_day_fits_where_its_minutes_did(settings_for, tmp_path: Path) -> None:
    whole = {"collection__strikes_itm": "all", "collection__strikes_otm": "all", "clock__at": f"{DAY}T10:00+05:30"}
    legs = record_a_large_day(
        settings_for(collection__indices="NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,SENSEX,BANKEX", **whole), 110
    )
    assert 110 * legs > 400_000, "two row groups of those that are made where there is memory"
    with limited_group(250_000_000) as group:
        told = told_by("close", group, tmp_path, DAY)
    assert told["archived_bytes"] > 0
    assert [trouble for trouble in told["troubles"] if not trouble.startswith("verified, score")] == []
    assert why_not_archived(tmp_path / "data", DAY) is None
    first, *rest = ArchiveReader(tmp_path / "data", DAY).snapshots()
    assert len(rest) == 109
    assert sum(map(len, first.chains)) == legs
    for one, other in zip(first.chains, rest[-1].chains, strict=True):
        assert np.array_equal(one.last, other.last, equal_nan=True)
