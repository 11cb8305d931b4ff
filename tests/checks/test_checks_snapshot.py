"""Snapshot inspection: what a journal holds is what is shown, and what it does not hold is said."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from g6 import unified_main
from g6.checks import snapshot as inspection
from g6.cli import check
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError, G6Error
from g6.model.snapshot import IndexSnapshot, Refusal, Snapshot
from g6.settings import load
from g6.storage.journal import Journal
from g6.storage.reader import JournalReader

Checked = Callable[..., tuple[int, str]]
CheckedJson = Callable[..., tuple[int, dict[str, Any]]]


def ist(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:30")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two minutes of two indices, where the simulator's minutes go by default."""
    told = {
        "metrics.enabled": "false", "console.concise": "true", "clock.speed": "max", "logging.level": "ERROR",
        "clock.at": "2026-11-20T10:00+05:30", "collection.indices": "NIFTY,SENSEX", "storage.csv.enabled": "false",
    }  # fmt: skip
    assert unified_main.run(load(told, {}, tmp_path), cycles=2) == 0
    return tmp_path / "data" / "simulated"


def stored_in(source: Path) -> dict[datetime, Snapshot]:
    reader = JournalReader(source)
    return {snapshot.minute: snapshot for day in reader.days() for snapshot in reader.snapshots(day)}


def put(source: Path, snapshot: Snapshot) -> None:
    path = next((source / "journal").glob("*.sqlite3"))
    journal = Journal.open(path, corrupt=source / "corrupt", max_bytes=10**9)
    try:
        journal.put(snapshot)
    finally:
        journal.close()


def test_the_last_minute_is_shown_where_none_is_named(recorded: Path, checked: Checked) -> None:
    last = stored_in(recorded)[ist("2026-11-20T10:01")]
    code, out = checked("snapshot")
    assert code == 0
    legs = sum(len(chain) for chain in last.chains)
    head = out.splitlines()[0]
    assert head == f"2026-11-20 10:01  ok: NIFTY 3 expiries, SENSEX 3 expiries, {legs}/{legs} quotes"
    assert f"{last.indices[0].spot:,.2f}" in out
    assert "simulated, collected at its time" in out
    assert out.splitlines()[-1] == "ok"


def test_every_number_of_a_leg_is_the_journals(recorded: Path, checked_json: CheckedJson) -> None:
    minute = ist("2026-11-20T10:00")
    code, report = checked_json("snapshot", "--minute", "2026-11-20T10:00", "--index", "NIFTY", "--legs")
    assert code == 0
    assert datetime.fromisoformat(report["minute"]) == minute
    assert [index["index"] for index in report["indices"]] == ["NIFTY"]
    chains = [chain for chain in stored_in(recorded)[minute].chains if chain.index == "NIFTY"]
    assert len(report["legs"]) == len(chains)
    for chain in chains:
        columns = report["legs"][f"NIFTY {chain.expiry}"]
        for name in ("strike", "is_call", "bid", "last", "oi", "leg_iv", "defect"):
            read = np.array([math.nan if value is None else value for value in columns[name]], dtype=float)
            np.testing.assert_array_equal(read, np.asarray(getattr(chain, name), dtype=float))


def test_legs_are_one_line_each_and_only_where_asked_for(recorded: Path, checked: Checked) -> None:
    chains = [chain for chain in stored_in(recorded)[ist("2026-11-20T10:01")].chains if chain.index == "SENSEX"]
    _, without = checked("snapshot", "--index", "SENSEX")
    _, out = checked("snapshot", "--index", "SENSEX", "--legs")
    rows = [line.split() for line in out.splitlines() if len(line.split()) > 1 and line.split()[1] in {"CE", "PE"}]
    assert len(rows) == sum(len(chain) for chain in chains)
    assert not any(" CE " in line for line in without.splitlines())
    first = chains[0]
    assert rows[0][:2] == [f"{first.strike[0]:g}", "CE" if first.is_call[0] else "PE"]
    assert rows[0][3] == f"{first.bid[0]:,.2f}"


def test_a_minute_with_its_offset_is_the_same_minute(recorded: Path, checked_json: CheckedJson) -> None:
    _, naive = checked_json("snapshot", "--minute", "2026-11-20T10:01")
    _, utc = checked_json("snapshot", "--minute", "2026-11-20T04:31+00:00")
    assert naive["minute"] == utc["minute"] == "2026-11-20T10:01:00+05:30"


def test_a_back_filled_minute_says_so(recorded: Path, checked: Checked) -> None:
    minute = ist("2026-11-20T10:02")
    before = stored_in(recorded)[ist("2026-11-20T10:01")]
    put(recorded, replace(before, minute=minute, provider="kite-backfill", backfilled=True))
    code, out = checked("snapshot")
    assert code == 0
    assert "kite-backfill, back-filled from candles" in out


def test_refusals_and_defects_are_told_and_leave_with_3(recorded: Path, checked_json: CheckedJson) -> None:
    before = stored_in(recorded)[ist("2026-11-20T10:01")]
    nifty, _ = before.indices
    chain = nifty.chains[0]
    crossed = replace(chain, defect=np.where(np.arange(len(chain)) < 5, 2.0, 0.0))
    refusal = Refusal("SENSEX", "", (), "no_spot", "its spot did not answer")
    indices = (
        replace(nifty, chains=(crossed, *nifty.chains[1:])),
        IndexSnapshot("SENSEX", math.nan, False, ("this_week",), (), (refusal,)),
    )
    put(recorded, Snapshot(ist("2026-11-20T10:03"), "kite", indices))
    code, report = checked_json("snapshot")
    assert code == 3
    assert report["status"] == "partial"
    assert report["defects"] == {"crossed": 5}
    (problem,) = report["problems"]
    assert problem == "SENSEX was refused: its spot did not answer"
    assert "seconds" not in report["sentence"]


def test_a_minute_that_is_not_there_names_the_nearest(recorded: Path) -> None:
    with pytest.raises(G6Error, match=r"10:30 is not in it; .* are 10:00, 10:01$"):
        inspection.read(recorded, ist("2026-11-20T10:30"))
    with pytest.raises(G6Error, match=r"no journal of 2026-11-19; the days are 2026-11-20$"):
        inspection.read(recorded, ist("2026-11-19T10:30"))


def test_an_index_that_is_not_there_names_those_that_are(recorded: Path) -> None:
    with pytest.raises(ConfigError, match=r"--index BANKEX: .*; there are NIFTY, SENSEX"):
        inspection.read(recorded, index="BANKEX")


def test_a_folder_without_journals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no journals"):
        check.main(["snapshot", "--source", "nothing"], Surroundings({}, tmp_path))


@pytest.mark.parametrize(
    ("told", "folder"),
    [
        ({}, "data/simulated"),
        ({"providers.order": "replay", "providers.replay.source": "x"}, "data/replay"),
        ({"providers.order": "kite"}, "data/live"),
        ({"providers.order": "kite-stream,kite", "providers.kite.root": "http://127.0.0.1:1"}, "data/kite-simulator"),
        ({"providers.order": "kite", "storage.data_dir": "mine"}, "mine"),
    ],
)
def test_each_market_is_looked_for_where_the_agent_keeps_it(tmp_path: Path, told: dict[str, str], folder: str) -> None:
    assert inspection.source_of(load(told, {}, tmp_path)) == tmp_path / folder
