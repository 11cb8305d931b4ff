"""What is told of the stored days: the last one, anew after a file has changed, and what is damaged is none."""

import math
from datetime import date

import pytest
from participant_files import cash_json, contracts_text

from g6.participants.latest import Latest
from g6.participants.recognise import days_in
from g6.participants.store import ParticipantStore

THURSDAY, FRIDAY = date(2026, 11, 19), date(2026, 11, 20)


@pytest.fixture
def store(tmp_path):
    return ParticipantStore(tmp_path)


def take(store, *texts):
    store.take(day for text in texts for day in days_in(text.encode()))


def test_nothing_is_told_of_nothing(store):
    report = Latest(store).report()
    assert (report.last_days, report.standings, report.cash_net) == ({}, {}, {})


def test_it_is_the_last_day_of_each_kind_in_the_figures_of_its_file(store):
    take(store, contracts_text(FRIDAY), contracts_text(THURSDAY), contracts_text(THURSDAY, "vol"),
         cash_json(FRIDAY, ("30", "10.5", "19.5"), ("1", "2", "-1")))  # fmt: skip
    report = Latest(store).report()
    assert report.last_days == {"oi": FRIDAY, "volume": THURSDAY, "cash": FRIDAY}
    assert report.standings["FII", "future_index"] == (20 - 80, 20 / 80)
    assert report.standings["DII", "option_index_put"].net == 30
    assert math.isnan(report.standings["DII", "option_index_put"].long_short_ratio)
    assert report.cash_net == {"DII": 19.5, "FII": -1.0}


def test_what_is_imported_later_is_told_and_what_has_not_changed_is_not_read_again(store, monkeypatch):
    take(store, contracts_text(THURSDAY))
    latest = Latest(store)
    assert latest.report().last_days == {"oi": THURSDAY}
    take(store, contracts_text(FRIDAY))
    assert latest.report().last_days == {"oi": FRIDAY}
    monkeypatch.setattr(store, "contracts", lambda _kind: pytest.fail("read again"))
    assert latest.report().last_days == {"oi": FRIDAY}


def test_a_damaged_file_is_logged_once_and_the_others_are_told(store, caplog):
    take(store, contracts_text(FRIDAY), contracts_text(FRIDAY, "vol"))
    store.path("volume").write_text("date,nothing\n")
    latest = Latest(store)
    for _ in range(3):
        assert latest.report().last_days == {"oi": FRIDAY}
    assert len([record for record in caplog.records if "volume.csv" in record.getMessage()]) == 1
