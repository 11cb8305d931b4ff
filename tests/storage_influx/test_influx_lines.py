"""Lines say what the snapshot says, are the same point when written again, and hold no tag that grows with time."""

import math
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType

import numpy as np
import pytest

from g6.model.chain import LEG_COLUMNS, offset_label
from g6.model.provider_report import EndpointReport, MarketReport, ProviderReport, TokenReport
from g6.model.report import CycleReport, IndexReport, JournalReport, SinkReport
from g6.model.snapshot import Snapshot
from g6.storage.encoding import decode_snapshot, encode_snapshot
from g6.storage.influx_lines import MasterRows, health_lines, lines

Point = tuple[dict[str, str], dict[str, float], int]


def read(found: list[bytes]) -> dict[str, list[Point]]:
    """Line protocol by its own description: measurement,tag=value field=value,… timestamp."""
    points = defaultdict(list)
    for line in found:
        head, fields, second = line.decode().split(" ")
        measurement, *tags = head.split(",")
        values = {name: float(value) for name, value in (field.split("=") for field in fields.split(","))}
        points[measurement].append((dict(tag.split("=") for tag in tags), values, int(second)))
    return points


@pytest.fixture
def minute(sample: ModuleType) -> Snapshot:
    return sample.snapshot(3)


def test_each_leg_of_each_code_is_a_point_with_its_schema_columns(minute: Snapshot, sample: ModuleType) -> None:
    points = {tuple(tags.values()): fields for tags, fields, _ in read(lines(minute, sample.AGGREGATES))["option_data"]}
    expected = {}
    for chain in minute.chains:
        for code in chain.codes:
            for row in range(len(chain)):
                side = "ce" if chain.is_call[row] else "pe"
                values = {c.name: float(getattr(chain, c.name)[row]) for c in LEG_COLUMNS if c.origin != "context"}
                for name in ("is_call", "offset", "answered"):
                    del values[name]
                known = {name: value for name, value in values.items() if not math.isnan(value)}
                expected[code, chain.index, offset_label(round(chain.offset[row])), side] = known
    assert points == expected


def test_a_chain_with_two_codes_is_there_under_both(sample: ModuleType) -> None:
    points = read(lines(sample.snapshot(0, expiries=(sample.MONTH,)), ()))
    for measurement in ("option_data", "options_overview"):
        by_code = defaultdict(list)
        for tags, fields, _ in points[measurement]:
            by_code[tags.pop("expiry_code")].append((tags, fields))
        assert by_code["this_week"] == by_code["this_month"]


def test_every_line_carries_the_minute_in_seconds(minute: Snapshot, sample: ModuleType) -> None:
    seconds = {second for points in read(lines(minute, sample.AGGREGATES)).values() for *_, second in points}
    # 2026-11-20 09:18 IST is 03:48 UTC
    assert seconds == {int(datetime(2026, 11, 20, 3, 48, tzinfo=UTC).timestamp())}


def test_overview_and_index_say_levels_counts_and_aggregates(minute: Snapshot, sample: ModuleType) -> None:
    points = read(lines(minute, sample.AGGREGATES))
    tags, fields, _ = points["options_overview"][0]
    assert tags == {"expiry_code": "this_week", "index": "NIFTY"}
    assert (fields["forward"], fields["atm"], fields["pcr_oi"], fields["max_pain"]) == (24010.123456, 24000, 0.5, 24000)
    assert "unasked" not in fields
    assert "future" not in fields  # not known in the sample
    assert fields["expires_at_seconds"] == datetime(2026, 11, 24, 10, 0, tzinfo=UTC).timestamp()
    tags, fields, _ = points["index_overview"][1]
    assert tags == {"index": "SENSEX"}
    assert fields == {
        "spot": 24003.15, "spot_frozen": 0, "expected_mask": 11, "collected_mask": 9, "expected_legs": 27,
        "received_legs": 20, "refusals": 1, "anomalies": 0,
    }  # fmt: skip
    assert points["pipeline_tick"][0][:2] == ({}, {
        "indices": 2, "chains": 4, "legs": 36, "expected_legs": 54, "received_legs": 40, "refusals": 2, "backfilled": 0,
        "shed_mask": 0,
    })  # fmt: skip


def test_what_a_minute_did_to_the_masters_is_a_point_per_offset(minute: Snapshot) -> None:
    rows = MasterRows(
        {("NIFTY", "this_week"): 2, ("A B", "next_week"): 2}, ("atm", "p1m1", "m3", "p3"),
        {"total_premium": np.array([203.05, np.nan, 10, np.nan]), "n": np.array([4, 5, np.nan, np.nan])},
    )  # fmt: skip
    second = int(minute.minute.timestamp())
    found = [line for line in lines(minute, (), rows) if line.startswith(b"weekday_master_updates")]
    assert found == [
        b"weekday_master_updates,expiry_code=this_week,index=NIFTY,offset=atm total_premium=203.05,n=4 %d" % second,
        b"weekday_master_updates,expiry_code=this_week,index=NIFTY,offset=p1m1 n=5 %d" % second,
        b"weekday_master_updates,expiry_code=next_week,index=A\\ B,offset=m3 total_premium=10 %d" % second,
    ]  # what has no number is no point


def test_what_the_journal_gives_back_makes_the_same_lines(minute: Snapshot, sample: ModuleType) -> None:
    assert lines(decode_snapshot(encode_snapshot(minute)), sample.AGGREGATES) == lines(minute, sample.AGGREGATES)


def test_a_minute_written_again_has_the_same_keys(sample: ModuleType) -> None:
    def keys(tick: int) -> list[bytes]:
        found = lines(sample.snapshot(3, tick), sample.AGGREGATES)
        return [b" ".join(line.split(b" ")[::2]) for line in found]

    assert keys(0) == keys(1)
    assert len(set(keys(0))) == len(keys(0))


def test_what_is_not_finite_is_left_out_and_a_negative_zero_has_no_sign(sample: ModuleType) -> None:
    chain = sample.chain("NIFTY", *sample.WEEK, sample.minute_of(0))
    last = np.full(len(chain), 7.5)
    last[:3] = np.nan, np.inf, -0.0
    minute = sample.snapshot(0, indices=("NIFTY",))
    minute = replace(minute, indices=(replace(minute.indices[0], chains=(replace(chain, last=last),), spot=np.nan),))
    found = lines(minute, ())
    assert not [line for line in found if b"nan" in line.lower() or b"inf" in line.lower() or b"null" in line]
    points = read(found)
    assert [fields.get("last") for _, fields, _ in points["option_data"]] == [None, None, 0, *[7.5] * (len(chain) - 3)]
    assert b"last=0," in found[-len(chain) + 2]
    assert "spot" not in points["index_overview"][0][1]


def test_a_leg_without_an_offset_has_no_place(sample: ModuleType) -> None:
    minute = sample.snapshot(0, indices=("NIFTY",), expiries=(sample.WEEK,))
    chain = replace(minute.chains[0], offset=np.full(len(minute.chains[0]), np.nan))
    minute = replace(minute, indices=(replace(minute.indices[0], chains=(chain,)),))
    assert "option_data" not in read(lines(minute, ()))


def test_a_minute_without_chains_still_says_what_was_expected(sample: ModuleType) -> None:
    points = read(lines(sample.snapshot(0, expiries=()), sample.AGGREGATES))
    assert set(points) == {"pipeline_tick", "index_overview"}
    assert points["index_overview"][0][1]["collected_mask"] == 0


def test_the_series_of_a_year_are_those_of_its_first_minute(sample: ModuleType) -> None:
    """Tags are bounded: days, strikes and levels move, and no tag does."""

    def heads(number: int) -> set[bytes]:
        found = lines(sample.snapshot(number, shift=number), sample.AGGREGATES)
        return {line.split(b" ")[0] for line in found}

    assert set().union(*(heads(number) for number in range(0, 300, 20))) == heads(0)


@pytest.mark.parametrize(
    ("name", "escaped"), [("M&M", "M&M"), ("A B", "A\\ B"), ("A,B", "A\\,B"), ("A=B", "A\\=B"), ("A\nB", "A\\nB")]
)
def test_names_cannot_break_out_of_a_tag(sample: ModuleType, name: str, escaped: str) -> None:
    for line in lines(sample.snapshot(0, indices=(name,)), ())[1:]:
        assert f"index={escaped}".encode() in line
        assert b"\n" not in line


@pytest.fixture
def report(minute: Snapshot) -> CycleReport:
    endpoint = EndpointReport(
        "kite.quote", calls=3, failures={"timeout": 2}, latencies_seconds=(0.1, 0.4), breaker="open"
    )
    token = TokenReport("main", "expiring", minute.minute)
    return CycleReport(
        minute.minute, "kite", 0.41, {"quotes": 0.3}, tuple(IndexReport.of(index) for index in minute.indices),
        JournalReport("x", 1234), (SinkReport("csv", rows=40, lag_cycles=2, error="full"),), 1,
        market=MarketReport("kite", "kite", providers=(ProviderReport("kite", (endpoint,), token, problems=("a",)),)),
    )  # fmt: skip


def test_health_says_how_the_recording_went(report: CycleReport) -> None:
    points = read(health_lines(report, {"lines": 7, "slowest_seconds": math.nan}))
    (_, status, second), *_ = points["monitor_status"]
    assert second == int(report.minute.timestamp())
    assert status == {
        "status": 1, "seconds": 0.41, "expected_legs": 54, "received_legs": 40, "refusals": 2, "missed_minutes": 1,
        "journal_failed": 0, "journal_bytes": 1234, "journal_pending": 0, "stage_quotes_seconds": 0.3,
        "csv_rows": 40, "csv_bytes": 0, "csv_lag_cycles": 2, "csv_repaired": 0, "csv_failed": 1,
    }  # fmt: skip
    (provider, facts, _), (endpoint, calls, _) = points["broker_health"]
    assert provider == {"provider": "kite"}
    assert facts == {
        "problems": 1, "token_state": 2, "token_expires_at_seconds": int(report.minute.timestamp()), "active": 1,
    }  # fmt: skip
    assert endpoint == {"endpoint": "kite.quote", "provider": "kite"}
    assert (calls["calls"], calls["failures"], calls["failures_timeout"], calls["breaker"]) == (3, 2, 2, 2)
    assert calls["slowest_seconds"] == 0.4
    assert points["influx_write_stats"] == [({}, {"lines": 7}, int(report.minute.timestamp()))]


def test_a_provider_without_a_wire_is_named_as_the_one_that_answered(report: CycleReport) -> None:
    found = read(health_lines(replace(report, market=MarketReport("simulated", "simulated")), {}))
    assert found["broker_health"] == [({"provider": "simulated"}, {"active": 1}, int(report.minute.timestamp()))]


def test_a_failed_cycle_has_health_too(report: CycleReport) -> None:
    failed = replace(report, journal=None, indices=(), market=None, error="nothing")
    ((_, status, _),) = read(health_lines(failed, {}))["monitor_status"]
    assert (status["status"], status["journal_failed"]) == (2, 1)
