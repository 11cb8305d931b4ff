"""Older CSV layouts become minutes of the journal, and what could not be taken is told by its reason."""

import csv
from datetime import UTC, date, datetime

import pytest

from g6.clock import IST
from g6.errors import ConfigError
from g6.maintenance.importing import Importer
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.settings import shipped
from g6.storage.csv_sink import CsvSink
from g6.storage.data_directory import DataDirectory
from g6.storage.reader import JournalReader

DAY = date(2026, 11, 20)  # a Friday; Tuesday the 24th is a holiday, so November's contracts expire on Monday
MAX_BYTES = 50_000_000

ROWS = {
    "timestamp": "timestamp,expiry_date,strike,atm,spot_price,call_last_price,put_last_price,call_oi,tp_sum,call_iv,"
    "note\n"
    "2026-11-20 09:15:07,2026-11-23,24000,24000,24012.4,112.35,98.1,750,210.45,12.1,x\n"
    "2026-11-20 09:16:09,2026-11-23,24000,24000,24015,113,97,825,210,12.2,y\n",
    "ts_ist": "ts_ist,timestamp,expiry,strike,atm,spot,ce_last_price,pe_last_price,total_premium\n"
    "2026-11-20T09:15:07+05:30,2026-11-20T03:45:07Z,2026-11-23,24000,24000,24012.4,112.35,98.1,210.45\n",
    "ts": "ts,expiry,strike,atm,spot,ce_last,pe_last,total_premium\n"
    "20-11-2026 09:15:07,2026-11-23,24000,24000,24012.4,112.35,98.1,210.45\n",
}


@pytest.fixture(scope="module")
def market():
    return load_indices(shipped("indices.yaml")), SessionCalendar.load(shipped("calendar.yaml"))


@pytest.fixture
def older(tmp_path):
    """Writes files of an older tree."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / "older" / name.replace("__", "/") / f"{DAY}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "older"

    return write


@pytest.fixture
def imported(tmp_path, market):
    """Imports a tree and returns the report and the minutes that the journal then has."""

    def do(source, naive=IST, **more):
        root = DataDirectory(tmp_path / "data").root
        report = Importer(*market, value=lambda chain: chain, naive=naive).run(source, root, MAX_BYTES, **more)
        try:
            return report, list(JournalReader(root).snapshots(DAY))
        except ConfigError:
            return report, []

    return do


def legs_of(chain):
    rows = zip(chain.strike, chain.is_call, chain.last, chain.offset, strict=True)
    return {(strike, "CE" if call else "PE"): (last, offset) for strike, call, last, offset in rows}


@pytest.mark.parametrize("layout", ROWS)
def test_each_time_column_and_each_spelling_gives_the_same_minute(older, imported, layout):
    report, minutes = imported(older(NIFTY__this_week__ATM=ROWS[layout]))
    assert report.complete
    (chain,) = minutes[0].chains
    assert minutes[0].minute == datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    assert (minutes[0].provider, minutes[0].backfilled) == ("import", False)
    assert (chain.index, chain.expiry, chain.codes) == ("NIFTY", date(2026, 11, 23), ("this_week",))
    assert (chain.spot, chain.atm, chain.lot) == (24012.4, 24000, 65)
    assert chain.expires_at == datetime(2026, 11, 23, 15, 40, tzinfo=IST)
    assert legs_of(chain) == {(24000, "CE"): (112.35, 0), (24000, "PE"): (98.1, 0)}


def test_columns_are_taken_renewed_or_named_as_not_taken(older, imported):
    report, minutes = imported(older(NIFTY__this_week__ATM=ROWS["timestamp"]))
    assert minutes[1].chains[0].oi[0] == 825
    assert (report.rows, report.rows_taken, report.minutes, report.legs) == (2, 2, 2, 4)
    assert dict(report.renewed_columns) == {"call_iv": 1}
    assert dict(report.unused_columns) == {"note": 1}


def one(strike, call, put, more="", head=""):
    """A file of one row with one strike."""
    return (
        f"ts,expiry,strike,atm,spot,ce_last,pe_last{head}\n"
        f"2026-11-20T09:15:00+05:30,2026-11-23,{strike},24000,24012,{call},{put}{more}\n"
    )


def test_offset_folders_become_offsets_with_the_sign_that_the_strike_has(older, imported):
    _, minutes = imported(
        older(
            NIFTY__this_week__ATM=one(24000, 112, 98), NIFTY__this_week__OTM_1=one(24050, 90, 125),
            NIFTY__this_week__ITM_2=one(23900, 180, 66), NIFTY__this_week__m3=one(23850, 220, 50),
        )
    )  # fmt: skip
    offsets = {strike: offset for (strike, _), (_, offset) in legs_of(minutes[0].chains[0]).items()}
    assert offsets == {24000: 0, 24050: 1, 23900: -2, 23850: -3}


def test_legs_with_strikes_of_their_own_stand_on_their_own_sides(older, imported):
    text = (
        "ts,expiry,call_strike,put_strike,spot,call_last_price,put_last_price\n"
        "2026-11-20 09:15:00,2026-11-23,24050,23950,24012,90,77\n"
    )
    _, minutes = imported(older(NIFTY__this_week__OTM_1=text))
    assert legs_of(minutes[0].chains[0]) == {(24050, "CE"): (90, 1), (23950, "PE"): (77, -1)}


def test_one_expiry_under_two_codes_is_one_chain_with_both(older, imported):
    _, minutes = imported(older(NIFTY__this_week__ATM=one(24000, 112, 98), NIFTY__this_month__ATM=one(24000, 112, 98)))
    (chain,) = minutes[0].chains
    assert chain.codes == ("this_week", "this_month")
    assert len(chain) == 2


def test_a_file_without_an_expiry_column_takes_the_weekday_rules_and_says_so(older, imported):
    text = "ts,strike,spot,ce_last,pe_last\n2026-11-20 09:15:00,24000,24012,112,98\n"
    report, minutes = imported(older(NIFTY__next_week__ATM=text, BANKNIFTY__this_month__ATM=text))
    assert {chain.index: chain.expiry for chain in minutes[0].chains} == {
        "NIFTY": date(2026, 12, 1),
        "BANKNIFTY": date(2026, 11, 23),
    }
    assert any("weekday rules" in remark for remark in report.noted)


def test_the_last_row_of_a_minute_wins(older, imported):
    text = one(24000, 112, 98) + "2026-11-20T09:15:40+05:30,2026-11-23,24000,24000,24013,115,95\n"
    report, minutes = imported(older(NIFTY__this_week__ATM=text))
    assert minutes[0].chains[0].last.tolist() == [115, 95]
    assert sum(count for remark, count in report.noted.items() if "several rows" in remark) == 1


def test_times_of_utc_without_a_zone_are_refused_until_that_is_said(older, imported):
    head = "timestamp,expiry,strike,spot,call_last_price,put_last_price\n"
    text = head + "2026-11-20 03:45:00,2026-11-23,24000,24012,112,98\n"
    source = older(NIFTY__this_week__ATM=text)
    report, minutes = imported(source)
    assert minutes == []
    assert "--naive utc" in next(iter(report.refused))
    report, minutes = imported(source, naive=UTC)
    assert minutes[0].minute == datetime(2026, 11, 20, 9, 15, tzinfo=IST)


REFUSED_FILES = {
    "NIFTX__this_week__ATM": (one(24000, 1, 1), "index NIFTX is not defined"),
    "NIFTY__some_week__ATM": (one(24000, 1, 1), "expiry code some_week is not known"),
    "NIFTY__this_week__FAR": (one(24000, 1, 1), "offset FAR is not known"),
    "NIFTY__this_week__m1": ("a,b\n1,2\n", "no time column"),
    "NIFTY__this_week__m2": ("ts,strike\n2026-11-20 09:15:00,24000\n", "no price column"),
    "NIFTY__this_week__m3": ("", "the file has no rows"),
    "NIFTY__this_week__m4": (one("", 1, 1), "the strike is not known"),
    "NIFTY__this_week__m5": (one(24000, "", "", ",210", ",tp_sum"), "a total without its legs"),
    "NIFTY__this_week__m6": (one(24000, "", 0), "no price in the row"),
    "NIFTY__this_week__m7": (one(24000, 1, 1).replace("11-20T", "11-19T"), "the row is of another day than its file"),
    "NIFTY__this_week__m8": (one(24000, 1, 1).replace("2026-11-20T", "soon "), "the time cannot be read"),
    "NIFTY__this_week__m9": (one(24000, 1, 1).replace("2026-11-23", "2026-11-10"), "the expiry is not known"),
}


@pytest.mark.parametrize("name", REFUSED_FILES)
def test_what_cannot_be_taken_is_told_by_its_reason_and_its_place(older, imported, name):
    text, reason = REFUSED_FILES[name]
    report, minutes = imported(older(**{name: text, "NIFTY__this_week__ATM": one(24000, 112, 98)}))
    assert [found for found in report.refused if found.startswith(reason)] == list(report.refused)
    assert not report.complete
    assert str(DAY) in report.examples[next(iter(report.refused))] or "m" in report.examples[next(iter(report.refused))]
    assert legs_of(minutes[0].chains[0]) == {(24000, "CE"): (112, 0), (24000, "PE"): (98, 0)}


def test_a_total_that_is_not_its_legs_is_told(older, imported):
    report, _ = imported(older(NIFTY__this_week__ATM=one(24000, 112, 98, ",250", ",tp_sum")))
    assert any("not the sum" in remark for remark in report.noted)


def test_doing_it_again_changes_nothing(older, imported):
    source = older(NIFTY__this_week__ATM=ROWS["timestamp"])
    imported(source)
    report, minutes = imported(source)
    assert report.minutes_known == report.minutes == len(minutes) == 2


def test_a_second_tree_of_another_index_joins_the_same_minutes(older, imported, tmp_path):
    source = older(NIFTY__this_week__ATM=one(24000, 112, 98))
    imported(source)
    (source / "NIFTY" / "this_week" / "ATM" / f"{DAY}.csv").unlink()
    _, minutes = imported(older(SENSEX__this_week__ATM=one(80000, 300, 280)))
    assert [index.index for index in minutes[0].indices] == ["NIFTY", "SENSEX"]


def test_a_minute_that_was_recorded_is_never_touched(older, imported, sample, record, tmp_path):
    record(tmp_path / "data", [sample.snapshot(0)])
    report, minutes = imported(older(NIFTY__this_week__ATM=ROWS["timestamp"]))
    assert dict(report.refused) == {"the minute was recorded already": 1}
    assert [snapshot.provider for snapshot in minutes] == ["sample", "import"]


def test_a_dry_run_reports_and_writes_nothing(older, imported):
    report, minutes = imported(older(NIFTY__this_week__ATM=ROWS["timestamp"]), dry_run=True)
    assert (report.minutes, minutes) == (2, [])


def test_the_files_of_the_data_directory_itself_are_refused(imported, tmp_path):
    with pytest.raises(ConfigError, match="own journals"):
        imported(DataDirectory(tmp_path / "data").csv)


def test_imported_minutes_reach_the_present_files(older, imported, tmp_path, sample, record):
    imported(older(NIFTY__this_week__ATM=ROWS["timestamp"], NIFTY__this_week__OTM_1=one(24050, 90, 125)))
    from g6.maintenance.supply import supply

    supply(tmp_path / "data", [CsvSink(tmp_path / "data", ())], MAX_BYTES)
    with (tmp_path / "data" / "csv" / "NIFTY" / "this_week" / "p1" / f"{DAY}.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["ts"] == "2026-11-20T09:15:00+05:30"
    assert (row["strike"], row["ce_last"], row["pe_last"], row["total_premium"]) == ("24050", "90", "125", "215")
