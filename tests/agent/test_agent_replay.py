"""A real day through the whole agent, and the agent's own recording through it again."""

import csv
import json

import pytest
from agent_process import rows_of, tree_of

from g6 import unified_main
from g6.settings import load

PLAIN = {"metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "WARNING"}


@pytest.fixture(scope="module")
def replay(market_data, tmp_path_factory):
    """The settings of a replay of the real days, and its data directory after it, which is only read."""
    folder = tmp_path_factory.mktemp("replayed")
    source = {"providers.order": "replay", "providers.replay.source": str(market_data / "nse_option_chain")}
    settings = load(PLAIN | source | {"storage.data_dir": str(folder / "data")}, {}, folder)
    assert unified_main.run(settings) == 0
    return settings, folder / "data"


@pytest.fixture
def replayed(replay):
    """The files of the index."""
    return replay[1] / "csv" / "NIFTY"


def test_a_real_day_gives_the_recomputed_values_of_every_snapshot(replayed, market_data):
    with (market_data / "nse_option_chain" / "reference_values.csv").open() as file:
        references = list(csv.DictReader(file))
    stored = {}
    for day in ("2025-10-21", "2025-12-05"):
        for row in rows_of(replayed / "overview" / f"{day}.csv"):
            stored[row["ts"][:16].replace("-", "").replace("T", "_").replace(":", "")] = row
    assert len(references) == len(stored) == 17
    for reference in references:
        row = stored[reference["file"][6:19]]
        assert float(row["spot"]) == float(reference["spot"])
        for ours, theirs, decimals in (
            ("atm_strike", "atm", 0), ("straddle", "straddle", 2), ("synthetic_future", "syn_fut", 2),
            ("basis", "basis", 2), ("pcr_oi", "pcr_oi", 4), ("pcr_volume", "pcr_vol", 4),
            ("max_pain", "max_pain", 0), ("max_call_oi_strike", "max_ce_oi", 0),
            ("max_put_oi_strike", "max_pe_oi", 0),
        ):  # fmt: skip
            found = float(row[f"this_week_{ours}"])
            assert found == pytest.approx(float(reference[theirs]), abs=0.5000001 * 10**-decimals), (row["ts"], ours)


def test_the_straddle_lies_in_the_file_of_the_money(replayed, market_data):
    with (market_data / "nse_option_chain" / "reference_values.csv").open() as file:
        straddles = [float(r["straddle"]) for r in csv.DictReader(file) if "_20251205_" in r["file"]]
    at_the_money = rows_of(replayed / "this_week" / "atm" / "2025-12-05.csv")
    assert [float(row["total_premium"]) for row in at_the_money] == pytest.approx(straddles, abs=0.006)
    assert all(float(row["ce_last"]) + float(row["pe_last"]) == pytest.approx(float(row["total_premium"]))
               for row in at_the_money)  # fmt: skip


@pytest.mark.long
def test_a_replay_over_a_replay_changes_nothing(replay):
    settings, data = replay
    before = tree_of(data)
    assert unified_main.run(settings) == 0
    assert tree_of(data) == before


@pytest.mark.long
def test_its_own_journals_replay_into_the_same_files(settings_for, tmp_path):
    simulated = settings_for("first", clock__at="2026-11-20T10:00+05:30", collection__indices="NIFTY,BANKEX")
    assert unified_main.run(simulated, cycles=3) == 0
    source = str(tmp_path / "first")
    again = settings_for("second", providers__order="replay", providers__replay__source=source)
    assert unified_main.run(again) == 0
    assert tree_of(tmp_path / "second") == tree_of(tmp_path / "first")


@pytest.mark.long
def test_a_malformed_file_costs_its_minute_and_the_exit_code(g6, market_data, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    good = market_data / "nse_option_chain" / "NIFTY_20251205_153000.json.gz"
    (source / good.name).write_bytes(good.read_bytes())
    (source / "NIFTY_20251205_152055.json").write_text(json.dumps({"records": {"data": []}}))
    told = g6("--provider", "replay", "--source", "source", "--port", "0", "--data-dir", "data")
    assert told.returncode == 3
    assert "NIFTY_20251205_152055.json: not an NSE option chain" in told.stderr
    assert " ok: " in told.stdout
    assert len(rows_of(tmp_path / "data" / "csv" / "NIFTY" / "overview" / "2025-12-05.csv")) == 1
