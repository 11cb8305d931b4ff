"""Settings that change what a minute does are seen in what it stored."""

import pytest
from agent_process import rows_of

from g6 import unified_main
from g6.settings import load
from g6.wiring import wire
from g6.wiring.sources import Run, load_market

DAY = "2026-11-20"


def stored(settings, tmp_path):
    assert unified_main.run(settings, cycles=1) == 0
    return rows_of(tmp_path / "data" / "csv" / "NIFTY" / "this_week" / "atm" / f"{DAY}.csv")[0]


@pytest.fixture
def nifty(settings_for):
    def make(**changes):
        return settings_for(clock__at=f"{DAY}T11:00+05:30", collection__indices="NIFTY", **changes)

    return make


def test_premiums_are_of_the_chosen_basis_and_say_so(nifty, tmp_path):
    row = stored(nifty(greeks__price_basis="average"), tmp_path)
    assert row["premium_basis"] == "average_price"
    average = float(row["ce_average_price"]) + float(row["pe_average_price"])
    assert float(row["total_premium"]) == pytest.approx(average)


def test_without_greeks_the_volatility_is_still_there(nifty, tmp_path):
    row = stored(nifty(greeks__enabled="false"), tmp_path)
    assert row["ce_iv"]
    assert row["ce_delta"] == ""


def test_without_volatilities_the_premium_and_the_place_are_still_there(nifty, tmp_path):
    row = stored(nifty(greeks__estimate_iv="false"), tmp_path)
    assert (row["ce_iv"], row["ce_delta"]) == ("", "")
    assert row["total_premium"]
    assert row["forward"]


def test_without_the_csv_files_the_journal_still_has_the_minute(nifty, tmp_path):
    assert unified_main.run(nifty(storage__csv__enabled="false"), cycles=1) == 0
    assert not list((tmp_path / "data" / "csv").iterdir())
    assert (tmp_path / "data" / "journal" / f"{DAY}.sqlite3").stat().st_size > 10_000


def test_without_metrics_nothing_listens(nifty):
    with wire(nifty(metrics__enabled="false"), Run(1, once=True)) as parts:
        assert parts.observation.url is None


def test_whole_chains_are_every_listed_leg(nifty, tmp_path):
    settings = nifty(collection__strikes_itm="all", collection__strikes_otm="all", collection__expiries="next_month")
    assert unified_main.run(settings, cycles=1) == 0
    overview = rows_of(tmp_path / "data" / "csv" / "NIFTY" / "overview" / f"{DAY}.csv")[0]
    assert int(overview["expected_legs"]) > 150
    assert overview["expected_mask"] == "8"


def test_depth_by_index_and_code(nifty, tmp_path):
    settings = nifty(
        index_params__NIFTY__strikes_itm="2", index_params__NIFTY__strikes_otm="2",
        index_params__NIFTY__by_expiry__next_month__strikes_otm="4",
    )  # fmt: skip
    assert unified_main.run(settings, cycles=1) == 0

    def offsets(code):
        return {folder.name for folder in (tmp_path / "data" / "csv" / "NIFTY" / code).iterdir()}

    assert offsets("this_week") == {"m2", "m1", "atm", "p1", "p2"}
    assert offsets("next_month") == {"m4", "m3", "m2", "m1", "atm", "p1", "p2", "p3", "p4"}


def test_an_index_is_added_by_its_entry_alone(nifty, tmp_path):
    entry = """
DEMO:
  display_name: DEMO 10
  exchange: NSE
  expiry_rules:
    - {from_day: 2024-01-01, weekly: friday, monthly: friday}
  lot_sizes:
    - {expiries_from: 2024-01-01, lot: 40}
  simulation: {level: 5000}
"""
    (tmp_path / "indices.yaml").write_text(entry)
    settings = load(
        {"collection.indices": "DEMO", "market.indices_file": str(tmp_path / "indices.yaml"), "metrics.port": "0",
         "clock.at": f"{DAY}T11:00+05:30", "clock.speed": "max", "storage.data_dir": str(tmp_path / "data")},
        {}, tmp_path,
    )  # fmt: skip
    assert list(load_market(settings).indices) == ["DEMO"]
    assert unified_main.run(settings, cycles=1) == 0
    row = rows_of(tmp_path / "data" / "csv" / "DEMO" / "overview" / f"{DAY}.csv")[0]
    assert row["expected_mask"] == row["collected_mask"] == "15"
